"""Hours of a source's life in seconds: what the algorithm finds, and what the usual strategies lose under the same."""

import pytest

from tests.polling.parts import SECOND, plan
from tests.polling.simulated import (
    HOUR_S,
    Outcome,
    Polling,
    Source,
    by_last_id,
    by_newest_date,
    by_own_clock,
)

#: The interval, and the longest that the index takes.
ENOUGH = 90 * SECOND


def is_whole(outcome: Outcome, source: Source) -> bool:
    """Nothing missed, nothing doubled, nothing that the store would take for something else."""
    assert len(source.final) > 0.9 * source.objects
    assert (outcome.missed(source), outcome.doubled, outcome.outdated(source)) == (0, 0, 0)
    assert None not in outcome.identities
    return len(set(outcome.identities)) == len(outcome.identities)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_hours_of_writes_bulk_updates_and_a_late_index_lose_nothing_and_double_nothing(seed: int) -> None:
    source = Source(seed, 2 * HOUR_S)
    outcome = Polling(source, plan(fixed=True, order="asc", overlap=ENOUGH)).run()
    assert is_whole(outcome, source)
    assert outcome.most_seen < 2_000


@pytest.mark.parametrize("order", ["asc", "desc", "any"])
def test_pages_by_position_drift_under_the_reader_and_lose_nothing(order: str) -> None:
    source = Source(4, HOUR_S)
    outcome = Polling(source, plan(fixed=True, order=order, overlap=ENOUGH), by_offset=True).run()
    assert is_whole(outcome, source)


@pytest.mark.parametrize("skew_s", [-3_600.0, -3.0, 3.0, 3_600.0])
def test_the_gateway_s_clock_may_be_wrong(skew_s: float) -> None:
    source = Source(5, HOUR_S / 2)
    outcome = Polling(source, plan(fixed=True, order="asc", overlap=ENOUGH), skew_s=skew_s).run()
    assert is_whole(outcome, source)


def test_an_interval_that_adapts_loses_nothing() -> None:
    source = Source(6, HOUR_S)
    assert is_whole(Polling(source, plan(order="asc", overlap=ENOUGH)).run(), source)


@pytest.mark.parametrize("seed", [7, 9])
def test_polls_that_never_reach_the_end_at_once_lose_nothing(seed: int) -> None:
    source = Source(seed, HOUR_S)
    outcome = Polling(source, plan(fixed=True, order="asc", overlap=ENOUGH), budget=3).run()
    assert is_whole(outcome, source)


def test_without_an_overlap_changes_are_lost() -> None:
    source = Source(1, HOUR_S)
    assert Polling(source, plan(fixed=True, order="asc", overlap=0)).run().missed(source) > 10


def test_the_own_clock_as_cursor_loses_changes_and_more_where_it_is_ahead() -> None:
    lost = []
    for ahead_s in (0.0, 3.0):
        source = Source(1, HOUR_S)
        lost.append(by_own_clock(source, ahead_s=ahead_s).missed(source))
    assert 30 < lost[0] < lost[1]


def test_only_what_is_later_than_the_newest_date_loses_changes() -> None:
    source = Source(1, HOUR_S)
    assert by_newest_date(source).missed(source) > 30


def test_the_first_page_down_to_the_last_id_loses_most() -> None:
    source = Source(1, HOUR_S)
    assert by_last_id(source).missed(source) > source.objects / 2
