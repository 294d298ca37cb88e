"""The filter: read from texts and from JSON, refused where it is wrong, the same for the same conditions."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Problem
from gateway.history.filter import END, FIELDS, EventFilter, as_json, fingerprint, parse
from gateway.ids import first_at

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
TIMES = st.integers(0, 4_102_444_800_000)
FILTERS = st.builds(
    lambda times, **fields: EventFilter(since=min(times), until=max(times), **fields),
    times=st.tuples(TIMES, TIMES),
    **{name: st.none() | TEXTS for name in ("connector", "account_id", "type", "object_id", "vendor_event_id")},
    instance_id=st.none() | st.integers(0, 10**15 - 1),
    backfill=st.none() | st.booleans(),
    status=st.sampled_from([None, "pending", "delivered", "dead", "cancelled", "unrouted"]),
    source=st.sampled_from([None, "webhook", "polling", "reconcile"]),
)

VALUES = st.none() | st.text() | st.integers() | st.floats() | st.booleans() | st.lists(st.text()) | st.binary()


def fields_of(given_fields: dict[str, object]) -> set[str]:
    problems = parse(given_fields)
    assert isinstance(problems, tuple)
    return {problem.field for problem in problems}


@given(FILTERS)
def test_its_json_is_read_as_the_same_filter(chosen: EventFilter) -> None:
    assert parse(as_json(chosen)) == chosen
    assert parse({name: _as_text(value) for name, value in as_json(chosen).items()}) == chosen


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@given(FILTERS, FILTERS)
def test_equal_filters_and_no_others_have_the_same_fingerprint(one: EventFilter, other: EventFilter) -> None:
    assert (fingerprint(one) == fingerprint(other)) is (one == other)


@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), VALUES))
def test_whatever_is_given_is_a_filter_or_a_list_of_what_is_wrong(given_fields: dict[str, Any]) -> None:
    found = parse(given_fields)
    assert isinstance(found, EventFilter) or (found and all(isinstance(one, Problem) for one in found))


@pytest.mark.parametrize(
    "wrong",
    [
        {"instance_id": "x"},
        {"instance_id": "-1"},
        {"instance_id": "1" * 16},
        {"instance_id": True},
        {"instance_id": "٣"},
        {"backfill": "yes"},
        {"backfill": 1},
        {"status": "lost"},
        {"status": ["dead"]},
        {"source": "poll"},
        {"since": "yesterday"},
        {"since": 5},
        {"until": "1969-12-31T23:59:59Z"},
        {"type": ""},
        {"type": "a\0b"},
        {"type": "\ud800"},
        {"object_id": "x" * 1_001},
        {"object_id": 5},
        {"unknown": "x"},
    ],
)
def test_a_wrong_field_is_named(wrong: dict[str, object]) -> None:
    assert fields_of({"connector": "github", **wrong}) == set(wrong)


def test_all_that_is_wrong_is_named_at_once() -> None:
    assert fields_of({"status": "x", "since": "y", "z": "w"}) == {"status", "since", "z"}


def test_a_time_range_that_runs_backwards_is_wrong() -> None:
    assert fields_of({"since": "2026-01-02", "until": "2026-01-01"}) == {"since"}


def test_a_date_without_a_zone_is_utc_and_an_unescaped_plus_is_one() -> None:
    expected = 1_767_319_200_000
    for text in ("2026-01-02T02:00:00", "2026-01-02T04:00:00 02:00", "2026-01-02T04:00+02:00", "2026-01-02T02:00Z"):
        assert parse({"since": text}) == EventFilter(since=expected)


def test_a_time_range_is_a_range_of_ids() -> None:
    chosen = EventFilter(since=1_000, until=2_000)
    assert (chosen.first_id, chosen.end_id) == (first_at(1_000), first_at(2_000))
    assert EventFilter().first_id < "0" < "f" * 32 < EventFilter().end_id == END


def test_a_moment_that_no_date_can_be_written_for_is_refused() -> None:
    assert parse({"until": "9999-12-31T23:59:59Z"}) == EventFilter(until=253_402_300_799_000)
    assert isinstance(parse({"until": "9999-12-31T23:59:59-23:59"}), tuple)
