"""Which index a filter is answered from."""

import pytest

from gateway.history.filter import EventFilter
from gateway.history.listing.plan import POINTED, Driver, driver


@pytest.mark.parametrize(
    ("chosen", "account", "expected"),
    [
        (EventFilter(), None, "time"),
        (EventFilter(connector="github", type="issues", source="webhook", since=1, until=2), None, "time"),
        (EventFilter(), "a1", "account"),
        (EventFilter(instance_id=1), "a1", "instance"),
        (EventFilter(instance_id=1, status="delivered"), "a1", "instance"),
        (EventFilter(instance_id=1, status="unrouted"), "a1", "unrouted"),
        (EventFilter(instance_id=1, status="dead"), "a1", "unsettled"),
        (EventFilter(status="pending"), None, "unsettled"),
        (EventFilter(status="cancelled"), None, "unsettled"),
        (EventFilter(status="dead", object_id="7"), "a1", "object"),
        (EventFilter(object_id="7", vendor_event_id="v"), "a1", "vendor_event"),
    ],
)
def test_the_index_that_finds_the_fewest_comes_first(
    chosen: EventFilter, account: str | None, expected: Driver
) -> None:
    assert driver(chosen, account) == expected


def test_a_body_is_looked_for_by_its_hash() -> None:
    assert driver(EventFilter(instance_id=1), "a1", body_hash="0" * 32) == "body"


def test_a_name_that_many_have_gives_way_to_the_next_index() -> None:
    chosen = EventFilter(vendor_event_id="v", object_id="7", instance_id=1)
    assert driver(chosen, "a1", crowded={"vendor_event"}) == "object"
    assert driver(chosen, "a1", "0" * 32, crowded=set(POINTED)) == "instance"
