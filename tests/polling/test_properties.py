"""What holds for any source: whatever is read, in whatever pieces, nothing is lost and nothing comes twice."""

from dataclasses import replace
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.polling.merge import merged
from gateway.polling.model import Cursor, Page, Read
from gateway.polling.window import window
from tests.polling.parts import NOW, SECOND, SETTINGS, begun, documents, identities, order, plan, polled, read

#: Times of writes and of polls, in seconds; more than the overlap of a minute.
TIMES = st.integers(0, 600)
WRITES = st.lists(st.tuples(TIMES, st.integers(0, 5), st.integers(0, 30)), max_size=40)
POLLS = st.lists(TIMES, max_size=12)
Write = tuple[int, int, int]


def index_at(writes: list[Write], at: int) -> list[dict[str, Any]]:
    """The list as the index shows it: of each object the last write that it knows, oldest first."""
    rows: dict[int, tuple[int, int]] = {}
    for version, (when, number, late) in enumerate(sorted(writes), 1):
        if when + late <= at:
            rows[number] = (when, version)
    listed = sorted((when, number, version) for number, (when, version) in rows.items())
    return [order(number, NOW + when * SECOND, version=version) for when, number, version in listed]


def emitted(writes: list[Write], polls: list[int], how: str, *, cut: int | None = None) -> list[tuple[str, int]]:
    """What is emitted by polls at these times and one at the end; each reads `cut` records at most."""
    of = plan(order=how, overlap=60 * SECOND, fixed=True)
    cursor, found = begun(of, at=NOW), []
    for at in [*sorted(polls), *range(max(polls, default=0), 720, 25)]:
        again = True
        while again:
            own = NOW + at * SECOND
            asked = window(of, cursor, own)
            rows = [row for row in index_at(writes, at) if row["updated"] >= (asked.text or "")]
            part = rows if cut is None or len(rows) <= cut else rows[:cut]
            part = part[::-1] if how == "desc" else part
            got = Read(pages=(Page(documents(part)),), complete=len(part) == len(rows), asked_at=own, source_now=own)
            result = merged(of, cursor, got, asked, SETTINGS)
            cursor, again = result.cursor, result.again
            found += [found.change for chunk in result.chunks for found in chunk.changes]
    return [(change.object_id or "", msgspec.json.decode(change.payload)["version"]) for change in found]


@settings(max_examples=60, deadline=None)
@given(WRITES, POLLS, st.sampled_from(["asc", "desc", "any"]))
def test_every_last_state_is_emitted_and_nothing_twice(writes: list[Write], polls: list[int], how: str) -> None:
    found = emitted(writes, polls, how)
    assert len(found) == len(set(found))
    last = {row["id"]: row["version"] for row in index_at(writes, 10_000)}
    assert dict(found) == last


@settings(max_examples=60, deadline=None)
@given(WRITES, POLLS)
def test_a_read_that_stops_after_a_few_records_gets_everywhere_too(writes: list[Write], polls: list[int]) -> None:
    found = emitted(writes, polls, "asc", cut=7)
    assert len(found) == len(set(found))
    assert dict(found) == {row["id"]: row["version"] for row in index_at(writes, 10_000)}


TEXT = st.text(st.characters(), max_size=30)
DATE = st.one_of(TEXT, st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.datetimes().map(str))
RECORD = st.fixed_dictionaries(
    {},
    optional={
        "id": st.one_of(TEXT, st.integers(), st.none(), st.lists(st.integers(), max_size=1)),
        "updated": DATE,
        "created": DATE,
        "x": st.integers(0, 3),
    },
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(RECORD, max_size=6), max_size=4),
    st.sampled_from(["asc", "desc", "any"]),
    st.sampled_from(["since", "token", "snapshot"]),
    st.booleans(),
)
def test_no_record_is_an_accident_and_cursors_outlive_the_database(
    reads: list[list[dict[str, Any]]], how: str, mode: str, complete: bool
) -> None:
    of = plan(order=how, mode=mode, start="beginning")
    cursor, seen = Cursor(), set[str | None]()
    for number, records in enumerate(reads):
        result = polled(of, cursor, read(*records, at=NOW + number * SECOND, complete=complete))
        assert None not in identities(result)
        if cursor.watermark_ms is not None:
            assert (result.cursor.watermark_ms or 0) >= cursor.watermark_ms
        if result.problem is None and mode != "snapshot":
            assert not seen & set(identities(result))
            seen |= set(identities(result))
        cursor = result.cursor
        assert msgspec.json.decode(msgspec.json.encode(cursor), type=Cursor) == cursor


@given(st.integers(1, 5), st.integers(0, 10**6))
def test_an_enlarged_overlap_emits_nothing_from_before_the_first_poll(first: int, more: int) -> None:
    old = [order(number, NOW - number * SECOND) for number in range(first)]
    cursor = begun(plan(), *old, at=NOW)
    wider = replace(plan(), poll=replace(plan().poll, overlap=60 * SECOND + more))
    ancient = order(9, NOW - 50_000 * SECOND)
    assert identities(polled(wider, cursor, read(ancient, *old, at=NOW + 60 * SECOND))) == []
