"""Percentiles from counts between bounds: never far from the truth, and the same however the counts came together."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.traffic.histogram import BOUNDS, BUCKETS, bucket_of, percentile

DURATIONS = st.lists(st.integers(0, BOUNDS[-1]), min_size=1, max_size=200)
SHARES = st.sampled_from([0.01, 0.5, 0.9, 0.95, 0.99, 1.0])


def counted(durations: list[int]) -> list[int]:
    counts = [0] * BUCKETS
    for one in durations:
        counts[bucket_of(one)] += 1
    return counts


def exact(durations: list[int], share: float) -> int:
    """The smallest that this share of them does not pass."""
    return next(one for one in sorted(durations) if sum(other <= one for other in durations) >= share * len(durations))


@given(DURATIONS, SHARES)
def test_a_percentile_lies_in_the_bucket_of_the_true_one(durations: list[int], share: float) -> None:
    found, true = percentile(counted(durations), share), exact(durations, share)
    assert found is not None
    place = bucket_of(true)
    assert (BOUNDS[place - 1] if place else 0) <= found <= BOUNDS[place]


@given(DURATIONS)
def test_a_larger_share_never_took_less(durations: list[int]) -> None:
    counts = counted(durations)
    found = [percentile(counts, share) or 0 for share in (0.0, 0.1, 0.5, 0.9, 0.99, 1.0)]
    assert found == sorted(found)


@given(DURATIONS, DURATIONS, SHARES)
def test_counts_of_two_nodes_make_the_percentile_of_both(here: list[int], there: list[int], share: float) -> None:
    together = [one + other for one, other in zip(counted(here), counted(there), strict=True)]
    assert percentile(together, share) == percentile(counted(here + there), share)


@given(st.integers(0, 10**12))
def test_every_duration_counts_in_the_bucket_whose_bounds_hold_it(ms: int) -> None:
    place = bucket_of(ms)
    assert place == len(BOUNDS) or ms <= BOUNDS[place]
    assert place == 0 or ms > BOUNDS[place - 1]


def test_where_nothing_was_counted_there_is_no_percentile() -> None:
    assert percentile([0] * BUCKETS, 0.5) is None


def test_what_took_longer_than_every_bound_is_told_as_the_last_bound() -> None:
    assert percentile(counted([BOUNDS[-1] * 9]), 0.99) == BOUNDS[-1]
