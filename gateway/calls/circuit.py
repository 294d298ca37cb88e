"""A host that does not answer is left alone for a while, so that callers hear at once what they would hear late."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FAILURES = 5
SHORTEST_S = 5.0
LONGEST_S = 300.0
MOST_HOSTS = 10_000


@dataclass(slots=True)
class _Host:
    failures: int = 0
    open_until: float = 0.0
    trying: bool = False


class Circuits:
    """What is known of each host, in memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._hosts: OrderedDict[str, _Host] = OrderedDict()

    def wait_s(self, host: str) -> float:
        """How long the host is left alone; 0 where it may be called. After a pause one call goes ahead alone."""
        known = self._hosts.get(host)
        if known is None or known.failures < FAILURES:
            return 0.0
        wait = known.open_until - self._clock()
        if wait > 0:
            return wait
        if known.trying:
            return SHORTEST_S
        known.trying = True
        return 0.0

    def answered(self, host: str) -> None:
        """The host lives."""
        self._hosts.pop(host, None)

    def failed(self, host: str) -> None:
        """The host could not be reached, or did not answer in time."""
        known = self._hosts.setdefault(host, _Host())
        self._hosts.move_to_end(host)
        known.failures += 1
        known.trying = False
        if known.failures >= FAILURES:
            pause = min(SHORTEST_S * 2 ** min(known.failures - FAILURES, 10), LONGEST_S)
            known.open_until = self._clock() + pause
        if len(self._hosts) > MOST_HOSTS:
            self._hosts.popitem(last=False)

    def given_up(self, host: str) -> None:
        """The call that went ahead ended without telling anything about the host."""
        known = self._hosts.get(host)
        if known is not None:
            known.trying = False
