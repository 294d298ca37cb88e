"""What a read means."""

import pytest

from gateway.clock import iso
from gateway.polling.merge import CHUNK, MOST_VARIANTS
from gateway.polling.model import Cursor, Plan, Read
from tests.polling.parts import (
    DAY,
    MINUTE,
    NOW,
    SECOND,
    begun,
    identities,
    listed,
    order,
    plan,
    polled,
    read,
    told,
)

EARLIER = NOW - 10 * MINUTE


def test_the_first_poll_emits_nothing_and_what_it_saw_is_not_emitted_later() -> None:
    seen = [order(1, EARLIER - 30 * SECOND), order(2, EARLIER - 2 * DAY)]
    first = polled(plan(), Cursor(), read(*seen, at=EARLIER))
    assert told(first) == []
    assert first.cursor.started
    assert first.cursor.watermark == iso(EARLIER - 30 * SECOND)
    again = polled(plan(), first.cursor, read(*seen))
    assert told(again) == []


def test_the_first_poll_of_a_quiet_source_leaves_no_watermark_and_loses_nothing_that_follows() -> None:
    cursor = begun(plan())
    assert (cursor.started, cursor.watermark) == (True, None)
    for at in (EARLIER + SECOND, NOW):
        assert told(polled(plan(), cursor, read(order(1, at)))) == [("UPDATED", "o1")]


def test_a_first_poll_that_a_fast_clock_made_too_short_is_asked_again_by_the_source_s_clock() -> None:
    first = polled(plan(), Cursor(), read(at=EARLIER, source=-20 * MINUTE))
    assert first.again
    assert not first.cursor.started
    assert first.cursor.floor_ms == EARLIER - 21 * MINUTE
    second = polled(plan(), first.cursor, read(order(1, EARLIER - 20 * MINUTE), at=EARLIER, source=-20 * MINUTE))
    assert told(second) == []
    assert second.cursor.started
    assert not second.again


@pytest.mark.parametrize("mode", ["since", "snapshot"])
def test_a_record_of_another_list_is_passed_over_and_still_moves_the_watermark(mode: str) -> None:
    of = plan(listed(mode=f'"{mode}"', skip_if='"other.url"'), start_at=0)
    got = polled(of, begun(of), read(order(1, EARLIER), order(2, NOW, other={"url": "x"}), order(3, NOW, other=None)))
    assert {one for _, one in told(got)} == {"o1", "o3"}
    if mode == "since":
        assert got.cursor.watermark == iso(NOW)


def test_from_the_beginning_everything_is_emitted_and_marked_and_later_changes_are_not() -> None:
    of = plan(start="beginning")
    first = polled(of, Cursor(), read(order(1, EARLIER - 90 * DAY), order(2, EARLIER - DAY), at=EARLIER))
    assert [found.backfill for chunk in first.chunks for found in chunk.changes] == [True, True]
    later = polled(of, first.cursor, read(order(3, NOW)))
    assert [found.backfill for chunk in later.chunks for found in chunk.changes] == [False]


def test_from_a_date_nothing_older_is_emitted() -> None:
    of = plan(start_at=EARLIER - DAY)
    first = polled(of, Cursor(), read(order(1, EARLIER - 2 * DAY), order(2, EARLIER - DAY), at=EARLIER))
    assert told(first) == [("UPDATED", "o2")]
    assert told(polled(of, first.cursor, read(order(1, EARLIER - 2 * DAY), order(2, EARLIER - DAY)))) == []


def test_the_bound_is_inclusive_and_the_overlap_catches_what_was_indexed_late() -> None:
    cursor = begun(plan(), order(1, EARLIER))
    same_second = polled(plan(), cursor, read(order(1, EARLIER), order(2, EARLIER)))
    assert told(same_second) == [("UPDATED", "o2")]
    late = polled(plan(), cursor, read(order(3, EARLIER - MINUTE)))
    assert told(late) == [("UPDATED", "o3")]
    assert late.cursor.watermark_ms == EARLIER


def test_what_is_older_than_the_window_is_left_out_whatever_the_source_sends() -> None:
    cursor = begun(plan(), order(1, EARLIER))
    assert told(polled(plan(), cursor, read(order(1, EARLIER), order(9, EARLIER - MINUTE - SECOND)))) == []


@pytest.mark.parametrize("how", ["asc", "desc", "any"])
def test_changes_come_oldest_first(how: str) -> None:
    cursor = begun(plan(order=how), order(1, EARLIER))
    records = [order(n, EARLIER + n * SECOND) for n in (1, 2, 3)]
    result = polled(plan(order=how), cursor, read(*(records[::-1] if how == "desc" else records)))
    assert [object_id for _, object_id in told(result)] == ["o1", "o2", "o3"]


def test_an_empty_read_never_moves_the_watermark() -> None:
    cursor = begun(plan(), order(1, EARLIER))
    for at in (NOW, NOW + DAY):
        result = polled(plan(), cursor, read(at=at))
        assert (result.cursor.watermark_ms, result.cursor.last_ok) == (EARLIER, at)
        assert told(polled(plan(), result.cursor, read(order(2, EARLIER - SECOND)))) == [("UPDATED", "o2")]


@pytest.mark.parametrize("how", ["desc", "any"])
def test_a_partial_read_in_no_ascending_order_commits_and_leaves_the_watermark(how: str) -> None:
    of = plan(order=how)
    cursor = begun(of, order(1, EARLIER))
    part = polled(of, cursor, read(order(5, NOW), order(4, NOW - SECOND), complete=False, resume="page 2"))
    assert told(part) == [("UPDATED", "o4"), ("UPDATED", "o5")]
    assert (part.cursor.watermark_ms, part.cursor.resume, part.again) == (EARLIER, "page 2", True)
    rest = polled(of, part.cursor, read(order(4, NOW - SECOND), order(3, NOW - MINUTE)))
    assert told(rest) == [("UPDATED", "o3")]
    assert (rest.cursor.watermark_ms, rest.cursor.resume, rest.again) == (NOW, None, False)


def test_a_partial_ascending_read_moves_the_watermark_as_far_as_it_got_and_goes_on_at_once() -> None:
    of = plan(order="asc")
    cursor = begun(of, order(1, EARLIER))
    part = polled(of, cursor, read(order(2, EARLIER + SECOND), order(3, EARLIER + 2 * SECOND), complete=False))
    assert (part.cursor.watermark_ms, part.again, len(told(part))) == (EARLIER + 2 * SECOND, True, 2)
    rest = polled(of, part.cursor, read(order(3, EARLIER + 2 * SECOND), order(4, NOW)))
    assert told(rest) == [("UPDATED", "o4")]
    assert rest.cursor.resume is None


def test_a_read_that_ends_within_the_overlap_goes_on_from_there_and_leaves_nothing_of_it_out() -> None:
    of = plan(order="asc")
    cursor = begun(of, order(1, EARLIER - 50 * SECOND), order(2, EARLIER))
    part = polled(of, cursor, read(order(1, EARLIER - 50 * SECOND), complete=False))
    assert (part.again, part.cursor.watermark_ms) == (True, EARLIER)
    late = polled(of, part.cursor, read(order(3, EARLIER - 40 * SECOND), order(2, EARLIER), complete=False))
    assert (told(late), late.again) == ([("UPDATED", "o3")], True)
    stuck = polled(of, late.cursor, read(order(2, EARLIER), complete=False))
    assert not stuck.again
    assert stuck.cursor.stuck == 3


def test_a_partial_read_of_a_list_that_is_not_ascending_as_declared_moves_no_watermark() -> None:
    of = plan(order="asc")
    part = polled(of, begun(of, order(1, EARLIER)), read(order(3, NOW), order(2, EARLIER + MINUTE), complete=False))
    assert (len(told(part)), part.cursor.watermark_ms) == (2, EARLIER)
    assert "ascending" in part.warnings[0]


def test_a_read_without_an_end_and_without_a_way_on_is_not_repeated_at_once() -> None:
    of = plan(order="desc")
    part = polled(of, begun(of, order(1, EARLIER)), read(order(2, NOW), complete=False))
    assert not part.again
    assert (part.cursor.watermark_ms, part.cursor.stuck) == (EARLIER, 1)


def test_two_changes_under_one_date_are_two_and_the_last_content_wins() -> None:
    cursor = begun(plan())
    seen = []
    for content in ("a", "b", "a"):
        result = polled(plan(), cursor, read(order(1, NOW, state=content)))
        cursor = result.cursor
        seen += identities(result)
        assert told(polled(plan(), cursor, read(order(1, NOW, state=content)))) == []
    assert len(seen) == len(set(seen)) == 3
    assert seen[0] == f"v:order:o1:{iso(NOW)}"


def test_a_record_that_differs_at_every_look_is_no_endless_stream() -> None:
    cursor, number = begun(plan()), 0
    for look in range(20):
        result = polled(plan(), cursor, read(order(1, NOW, looked=look)))
        cursor, number = result.cursor, number + result.number
    assert number == MOST_VARIANTS


def test_the_order_of_members_is_no_change() -> None:
    cursor = polled(plan(), begun(plan()), read(order(1, NOW, a=1, b=2))).cursor
    assert told(polled(plan(), cursor, read({"b": 2, "a": 1} | order(1, NOW)))) == []


def test_without_a_date_the_content_is_the_version_also_when_it_comes_back() -> None:
    of = plan(listed(version=""))
    cursor, seen = begun(of, order(9, EARLIER)), []
    for look, content in enumerate(("a", "a", "b", "a")):
        records = [order(9, EARLIER), order(1, None, state=content)]
        result = polled(of, cursor, read(*records, at=NOW + look * MINUTE))
        cursor = result.cursor
        seen += identities(result)
    assert len(seen) == len(set(seen)) == 3


def test_a_record_without_a_date_that_stays_in_the_list_is_emitted_once_however_time_passes() -> None:
    of, number = plan(order="any"), 0
    cursor = begun(of, order(9, EARLIER))
    for look in range(100):
        at = NOW + look * MINUTE
        result = polled(of, cursor, read(order(9, at), order(1, None, state="x"), at=at))
        cursor, number = result.cursor, number + sum(object_id == "o1" for _, object_id in told(result))
    assert number == 1


def test_an_object_is_created_where_it_is_young_and_unknown() -> None:
    cursor = begun(plan(), order(1, EARLIER))
    found = [
        order(2, NOW - SECOND, NOW - 3 * SECOND),
        order(3, NOW - SECOND, NOW - 4 * SECOND),
        order(1, NOW, NOW),
        order(4, NOW, NOW + SECOND),
    ]
    result = polled(plan(), cursor, read(*found))
    assert told(result) == [("CREATED", "o2"), ("UPDATED", "o3"), ("UPDATED", "o1"), ("CREATED", "o4")]
    types = [one.change.type for chunk in result.chunks for one in chunk.changes]
    assert types == ["order.created", "order.updated", "order.updated", "order.created"]


def test_an_object_is_deleted_where_the_record_says_so_and_nowhere_else() -> None:
    of = plan(listed(deleted_when="{ archived = true, state = ['gone', 'void'] }"))
    cursor = begun(of, order(9, EARLIER))
    found = [order(1, NOW, archived=True), order(2, NOW, state="void"), order(3, NOW, archived=False, state="new")]
    assert told(polled(of, cursor, read(*found))) == [("DELETED", "o1"), ("DELETED", "o2"), ("UPDATED", "o3")]


def test_an_event_log_says_itself_what_happened_and_gives_the_object_as_it_was_written() -> None:
    of = plan(
        listed(
            action='"item:what"', actions='{ made = "CREATED", gone = "DELETED", "*" = "UPDATED" }',
            object_id='"item:object.id"', payload='"item:object"', version="",
        )
    )  # fmt: skip
    cursor = begun(of, order(1, EARLIER))
    found = [
        order(n, NOW, what=what, object={"id": "x", "n": 1.50}) for n, what in ((1, "made"), (2, "seen"), (3, "gone"))
    ]
    result = polled(of, cursor, read(*found))
    assert told(result) == [("CREATED", "x"), ("UPDATED", "x"), ("DELETED", "x")]
    assert {found.change.payload for found in result.chunks[0].changes} == {b'{"id":"x","n":1.5}'}


def test_two_entries_of_a_log_about_one_object_at_one_time_are_two_changes() -> None:
    of = plan(listed(object_id='"item:object"'))
    result = polled(of, begun(of, order(9, EARLIER)), read(order(1, NOW, object="x"), order(2, NOW, object="x")))
    assert len(set(identities(result))) == 2


def test_a_date_in_the_future_never_becomes_the_watermark() -> None:
    cursor = begun(plan(), order(1, EARLIER))
    wrong = order(2, NOW + 900 * DAY)
    result = polled(plan(), cursor, read(wrong, order(3, NOW)))
    assert len(told(result)) == 2
    assert result.cursor.watermark_ms == NOW
    assert "future" in result.warnings[0]
    assert told(polled(plan(), result.cursor, read(wrong, order(3, NOW), at=NOW + MINUTE))) == []


def test_settle_keeps_the_watermark_behind_the_source_s_clock() -> None:
    of = plan(settle=30 * SECOND)
    cursor = begun(of, order(1, EARLIER))
    result = polled(of, cursor, read(order(2, NOW - 40 * SECOND), order(3, NOW - SECOND)))
    assert len(told(result)) == 2
    assert result.cursor.watermark_ms == NOW - 40 * SECOND
    assert told(polled(of, result.cursor, read(order(3, NOW - SECOND), order(4, NOW - 2 * SECOND)))) == [
        ("UPDATED", "o4")
    ]


def test_a_clock_that_differs_is_told_and_changes_nothing() -> None:
    cursor = begun(plan(), order(1, EARLIER))
    straight = polled(plan(), cursor, read(order(2, NOW - SECOND)))
    askew = polled(plan(), cursor, read(order(2, NOW - SECOND), source=-9 * SECOND))
    assert askew.warnings == ("the source's clock differs by -9 s",)
    assert (straight.warnings, straight.cursor.watermark) == ((), askew.cursor.watermark)
    assert told(straight) == told(askew)
    assert polled(plan(), cursor, read(source=4 * SECOND)).warnings == ()


def test_dates_in_another_zone_are_told_and_nothing_is_lost_by_them() -> None:
    cursor = begun(plan())
    result = polled(plan(), cursor, read(order(1, NOW - 120 * MINUTE)))
    assert told(result) == [("UPDATED", "o1")]
    assert "time zone" in result.warnings[0]
    assert told(polled(plan(), result.cursor, read(order(1, NOW - 120 * MINUTE), order(2, NOW - 119 * MINUTE)))) == [
        ("UPDATED", "o2")
    ]


def test_a_list_in_which_no_record_has_the_id_or_a_date_that_can_be_read_is_refused() -> None:
    cursor = begun(plan())
    for record, expected in (
        ({"updated": iso(NOW)}, "no record has an id at 'id'"),
        ({"id": "o1"}, "no record has a date at 'updated'"),
        ({"id": "o1", "updated": "yesterday"}, "the date 'yesterday' at 'updated' cannot be read"),
    ):
        result = polled(plan(), cursor, read(record))
        assert result.problem is not None
        assert (result.problem.kind, result.problem.message) == ("configuration", expected)
        assert (result.cursor, result.number) == (cursor, 0)


def test_a_record_without_an_id_among_others_does_no_harm() -> None:
    nameless = {"updated": iso(NOW), "x": 1}
    result = polled(plan(), begun(plan()), read(nameless, order(2, NOW), {**nameless, "x": 2}))
    assert result.number == 3
    assert "some records have no id" in result.warnings
    assert polled(plan(), result.cursor, read(nameless, order(2, NOW))).number == 0


def test_many_changes_are_committed_in_parts_of_which_the_last_moves_the_watermark() -> None:
    cursor = begun(plan(), order(0, EARLIER))
    records = [order(n, EARLIER + n * 10) for n in range(1, 2 * CHUNK + 2)]
    result = polled(plan(), cursor, read(*records))
    assert [len(chunk.changes) for chunk in result.chunks] == [CHUNK, CHUNK, 1]
    assert [chunk.cursor.watermark_ms for chunk in result.chunks[:-1]] == [EARLIER, EARLIER]
    assert (result.cursor.watermark_ms or 0) > EARLIER
    after_a_crash = polled(plan(), result.chunks[0].cursor, read(*records))
    assert told(result)[CHUNK:] == told(after_a_crash)


def test_not_modified_is_a_poll_that_succeeded() -> None:
    cursor = begun(plan(), order(1, EARLIER))
    result = polled(plan(), cursor, Read(asked_at=NOW, source_now=NOW, unchanged=True, etag='"e"'))
    assert (result.cursor.last_ok, result.cursor.watermark_ms, result.cursor.etag) == (NOW, EARLIER, '"e"')
    assert result.number == 0


def test_beyond_the_retention_a_gap_is_told_and_what_is_still_there_is_read() -> None:
    of = plan(retention=30 * DAY)
    cursor = begun(of, order(1, NOW - 40 * DAY), at=NOW - 40 * DAY)
    result = polled(of, cursor, read(order(2, NOW - DAY)))
    assert result.gap is not None
    assert result.gap.until == NOW - 30 * DAY
    assert told(result) == [("UPDATED", "o2")]
    assert polled(of, result.cursor, read(order(3, NOW), at=NOW + MINUTE)).gap is None


def undated(mode: str) -> Plan:
    return plan(listed(version=""), updated=None, created=None, mode=mode)


def test_a_token_moves_with_what_it_brought_and_the_first_one_emits_nothing() -> None:
    of = undated("token")
    first = polled(of, Cursor(), read(order(1, None), complete=False, token="t1"))
    assert (told(first), first.again, first.cursor.started) == ([], True, False)
    second = polled(of, first.cursor, read(order(2, None), token="t2"))
    assert (told(second), second.cursor.token, second.cursor.started) == ([], "t2", True)
    third = polled(of, second.cursor, read(order(3, None), complete=False, token="t3"))
    assert (told(third), third.cursor.token, third.again) == ([("UPDATED", "o3")], "t3", True)
    assert polled(of, third.cursor, read(complete=False, token="t3")).again is False


def test_a_forgotten_token_is_a_gap_and_a_new_beginning() -> None:
    of = undated("token")
    cursor = polled(of, Cursor(), read(order(1, None), token="t1", at=EARLIER)).cursor
    lost = polled(of, cursor, Read(asked_at=NOW, expired=True))
    assert lost.gap is not None
    assert (lost.gap.since, lost.gap.until, lost.again) == (EARLIER, NOW, True)
    assert (lost.cursor.token, lost.cursor.started) == (None, False)
    assert told(polled(of, lost.cursor, read(order(1, None), order(2, None), token="t9"))) == []


def test_a_list_without_dates_moves_by_the_source_s_own_clock() -> None:
    of = undated("since")
    cursor = begun(of, order(1, None))
    assert cursor.watermark_ms == EARLIER
    result = polled(of, cursor, read(order(1, None), order(2, None), source=-3 * SECOND))
    assert told(result) == [("UPDATED", "o2")]
    assert result.cursor.watermark_ms == NOW - 3 * SECOND
    assert polled(of, result.cursor, read(order(3, None), source=None)).cursor.watermark_ms == NOW - 3 * SECOND
