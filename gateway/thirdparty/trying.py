"""How often an account may try its connectors by hand: a request is sent each time."""

import time
from collections import OrderedDict, deque

MOST_TRIES = 30
WITHIN_S = 60.0
_MOST_ACCOUNTS = 10_000


class Tries:
    """The tries of this node."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, account_id: str) -> bool:
        """Whether the account may try once more now."""
        now = time.monotonic()
        recent = self._of.setdefault(account_id, deque())
        while recent and recent[0] <= now - WITHIN_S:
            recent.popleft()
        if len(recent) >= MOST_TRIES:
            return False
        recent.append(now)
        self._of.move_to_end(account_id)
        while len(self._of) > _MOST_ACCOUNTS:
            self._of.popitem(last=False)
        return True
