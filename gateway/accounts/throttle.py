"""Failed log-ins slow their address down, and a name that is guessed at; the right secret from elsewhere gets in."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

#: Failures are forgotten when there was none for so long.
FORGOTTEN_S = 3600.0
MOST_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Pace:
    """How many failures are free, and how long the pause may grow that doubles with each further one."""

    free: int
    longest_s: float

    def pause_s(self, failures: int) -> float:
        """The pause after so many failures in a row."""
        if failures <= self.free:
            return 0.0
        return min(self.longest_s, 2.0 ** min(failures - self.free - 1, 30))


#: One address at one name; one address at whatever names; one name from whatever addresses. The last two stay short:
#: a whole office, or a proxy, may stand behind an address, and anybody can fail at a name.
PAIR = Pace(free=4, longest_s=900.0)
ADDRESS = Pace(free=30, longest_s=60.0)
NAME = Pace(free=50, longest_s=5.0)


@dataclass(slots=True)
class _Failures:
    pace: Pace
    clock: Callable[[], float]
    kept: OrderedDict[Hashable, tuple[int, float]] = field(default_factory=OrderedDict)

    def wait_s(self, key: Hashable) -> float:
        count, at = self._of(key)
        return max(0.0, at + self.pace.pause_s(count) - self.clock())

    def failed(self, key: Hashable) -> None:
        count, _ = self._of(key)
        self.kept[key] = (count + 1, self.clock())
        self.kept.move_to_end(key)
        if len(self.kept) > MOST_KEPT:
            self.kept.popitem(last=False)

    def _of(self, key: Hashable) -> tuple[int, float]:
        count, at = self.kept.get(key, (0, -math.inf))
        return (count, at) if at + FORGOTTEN_S > self.clock() else (0, -math.inf)


class Throttle:
    """The failed log-ins that this node remembers; `name` is a client's or a user's, in a space of its own."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._pairs = _Failures(PAIR, clock)
        self._addresses = _Failures(ADDRESS, clock)
        self._names = _Failures(NAME, clock)
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def wait_s(self, name: str, address: str) -> float:
        """How long nobody looks at a secret for this name from this address; 0 where it is looked at now."""
        pair = (_short(name), address)
        waits = [self._pairs.wait_s(pair)]
        # Who has got in from here before does not wait because of strangers.
        if pair not in self._known:
            waits += [self._addresses.wait_s(address), self._names.wait_s(pair[0])]
        return max(waits)

    def failed(self, name: str, address: str) -> None:
        """Remember a failure."""
        pair = (_short(name), address)
        self._pairs.failed(pair)
        self._addresses.failed(address)
        self._names.failed(pair[0])

    def passed(self, name: str, address: str) -> None:
        """Remember that the secret was right: the failures of this address at this name are forgotten."""
        pair = (_short(name), address)
        self._pairs.kept.pop(pair, None)
        self._known[pair] = None
        self._known.move_to_end(pair)
        if len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)


def _short(name: str) -> str:
    return name[:256]
