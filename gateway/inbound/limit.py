"""A rate limit per inbound token, checked before any work."""

import time
from collections import OrderedDict

MOST_TOKENS = 100_000


class RateLimit:
    """A token bucket for each inbound URL: `rate` requests a second, bursts of as many; 0 is no limit."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._burst = max(1.0, rate)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, token: str) -> float:
        """Take one; the seconds to wait where there is none, else 0."""
        if not self._rate:
            return 0.0
        now = time.monotonic()
        level, at = self._buckets.get(token, (self._burst, now))
        level = min(self._burst, level + (now - at) * self._rate)
        self._buckets[token] = (max(0.0, level - 1) if level >= 1 else level, now)
        self._buckets.move_to_end(token)
        if len(self._buckets) > MOST_TOKENS:
            self._buckets.popitem(last=False)
        return 0.0 if level >= 1 else (1 - level) / self._rate
