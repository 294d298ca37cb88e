"""How long things took: counts between fixed bounds, which add up over minutes and nodes, and percentiles of them."""

from bisect import bisect_left
from collections.abc import Sequence

_SECOND, _MINUTE, _HOUR = 1_000, 60_000, 3_600_000
#: Upper bounds in milliseconds, each of its own bucket; what takes longer than the last one has a bucket too.
BOUNDS: tuple[int, ...] = (
    *(1, 2, 5, 10, 20, 50, 100, 200, 500),
    *(_SECOND, 2 * _SECOND, 5 * _SECOND, 10 * _SECOND, 20 * _SECOND),
    *(_MINUTE, 2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE),
    *(_HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, 24 * _HOUR),
)
BUCKETS = len(BOUNDS) + 1


def bucket_of(ms: int) -> int:
    """The bucket that a duration counts in."""
    return bisect_left(BOUNDS, ms)


def percentile(counts: Sequence[int], share: float) -> float | None:
    """How many milliseconds this share of what was counted took at most; None where nothing was.

    Within a bucket durations are taken to be spread evenly. Beyond the last bound only that it was passed is known.
    """
    rank = share * sum(counts)
    passed = 0
    for place, number in enumerate(counts):
        if number and passed + number >= rank:
            return _within(place, (rank - passed) / number)
        passed += number
    return None


def _within(place: int, part: float) -> float:
    if place == len(BOUNDS):
        return float(BOUNDS[-1])
    low = BOUNDS[place - 1] if place else 0
    return low + (BOUNDS[place] - low) * max(0.0, part)
