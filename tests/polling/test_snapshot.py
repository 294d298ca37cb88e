"""Lists without dates."""

from typing import Any

import pytest

from gateway.polling.merge import CHUNK
from gateway.polling.model import Cursor, Known, Merged, Plan
from tests.polling.parts import NOW, identities, listed, plan, polled, read, told

LISTED = plan(listed(mode='"snapshot"', updated="", created="", created_tolerance="", version="", query=""))


class Listing:
    """A poller of a snapshot, and the rows that it keeps."""

    def __init__(self, of: Plan = LISTED) -> None:
        self.plan = of
        self.cursor = Cursor()
        self.known: dict[str, Known] = {}

    def poll(self, *records: dict[str, Any], complete: bool = True) -> Merged:
        result = polled(self.plan, self.cursor, read(*records, complete=complete), self.known)
        for chunk in result.chunks:
            self.keep(result, chunk.kept, chunk.gone)
        return result

    def keep(self, result: Merged, kept: tuple[Known, ...], gone: tuple[str, ...]) -> None:
        self.known |= {one.id: one for one in kept}
        for object_id in gone:
            del self.known[object_id]
        self.cursor = result.cursor


def item(number: int, state: str = "new") -> dict[str, Any]:
    return {"id": f"o{number}", "state": state}


def items(*numbers: int) -> list[dict[str, Any]]:
    return [item(number) for number in numbers]


def test_the_first_listing_is_what_was_there_and_differences_are_changes() -> None:
    listing = Listing()
    assert told(listing.poll(*items(1, 2, 3))) == []
    assert told(listing.poll(*items(1, 2, 3))) == []
    assert told(listing.poll(item(1), item(2, "old"), item(3), item(4))) == [("UPDATED", "o2"), ("CREATED", "o4")]


def test_from_the_beginning_the_first_listing_is_emitted_and_marked() -> None:
    result = Listing(plan(listed(mode='"snapshot"', updated="", start='"beginning"'))).poll(*items(1, 2))
    assert told(result) == [("CREATED", "o1"), ("CREATED", "o2")]
    assert all(found.backfill for found in result.chunks[0].changes)


def test_an_object_is_deleted_when_two_listings_in_a_row_are_without_it() -> None:
    listing = Listing()
    listing.poll(*items(1, 2, 3))
    assert told(listing.poll(*items(1, 2))) == []
    assert told(listing.poll(*items(1, 2, 3))) == []
    assert told(listing.poll(*items(1, 2))) == []
    gone = listing.poll(*items(1, 2))
    assert told(gone) == [("DELETED", "o3")]
    change = gone.chunks[0].changes[0].change
    assert (change.payload, change.payload_exact, change.type) == (b'{"id":"o3"}', False, "order.deleted")
    assert told(listing.poll(*items(1, 2))) == []
    assert told(listing.poll(*items(1, 2, 3))) == [("CREATED", "o3")]


def test_an_object_that_comes_back_changed_is_updated() -> None:
    listing = Listing()
    listing.poll(*items(1, 2, 3))
    listing.poll(*items(1, 2))
    assert told(listing.poll(item(1), item(2), item(3, "old"))) == [("UPDATED", "o3")]


def test_a_listing_that_is_not_complete_says_nothing() -> None:
    listing = Listing()
    listing.poll(*items(1, 2, 3))
    cursor, known = listing.cursor, dict(listing.known)
    result = listing.poll(*items(1, 2, 9), complete=False)
    assert result.problem is not None
    assert (result.number, listing.cursor, listing.known) == (0, cursor, known)


@pytest.mark.parametrize(("left", "believed"), [(4, True), (3, False), (0, False)])
def test_a_list_that_shrinks_by_more_than_half_at_once_is_not_believed(left: int, believed: bool) -> None:
    listing = Listing()
    listing.poll(*items(*range(8)))
    result = listing.poll(*items(*range(left)))
    assert (result.problem is None) is believed
    listing.poll(*items(*range(left)))
    assert told(listing.poll(*items(*range(8)))) == ([("CREATED", f"o{n}") for n in range(4, 8)] if believed else [])


def test_how_much_may_be_missing_can_be_set() -> None:
    listing = Listing(plan(listed(mode='"snapshot"', updated=""), max_shrink=1.0))
    listing.poll(*items(1, 2))
    listing.poll()
    assert told(listing.poll()) == [("DELETED", "o1"), ("DELETED", "o2")]


def test_a_new_form_of_ids_is_not_believed_either() -> None:
    listing = Listing()
    listing.poll(*items(1, 2, 3))
    assert listing.poll({"id": "x1"}, {"id": "x2"}, {"id": "x3"}).problem is not None


def test_a_content_that_comes_back_is_another_change() -> None:
    listing, seen = Listing(), []
    listing.poll(item(1, "a"))
    for state in ("b", "a", "b"):
        seen += identities(listing.poll(item(1, state)))
    assert len(set(seen)) == 3


def test_after_a_crash_between_two_parts_the_rest_is_found_and_what_was_written_is_known_by_its_identity() -> None:
    listing = Listing()
    listing.poll(item(0))
    many = [item(0), *(item(number) for number in range(1, CHUNK + 10))]
    whole = polled(LISTED, listing.cursor, read(*many), listing.known)
    assert [len(chunk.changes) for chunk in whole.chunks] == [CHUNK, 9]
    first = whole.chunks[0]
    assert first.cursor == listing.cursor
    rest = polled(LISTED, first.cursor, read(*many), listing.known | {one.id: one for one in first.kept})
    assert identities(rest) == identities(whole)[CHUNK:]


def test_a_name_that_no_store_can_hold_is_kept_as_one_that_can() -> None:
    listing = Listing()
    listing.poll({"id": "a\x00b"}, {"id": "x" * 9_000})
    assert all("\x00" not in name and len(name) <= 512 for name in listing.known)
    assert told(listing.poll({"id": "a\x00b"}, {"id": "x" * 9_000})) == []
    assert listing.cursor.last_ok == NOW
