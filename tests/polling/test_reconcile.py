"""Which changes a poll leaves to a webhook that gives them no version, and which of them that has brought."""

from dataclasses import replace

import pytest

from gateway.catalogue.call_model import Resource
from gateway.catalogue.change import Change
from gateway.catalogue.change_map import Action
from gateway.catalogue.load import load_catalogue
from gateway.polling.model import Cursor, Found, Known
from gateway.polling.plans import paced
from gateway.polling.reconcile import SETTLE_MS, Arrival, patience, unbrought
from tests.polling.parts import MINUTE, NOW, SECOND, begun, listed, order, plan, polled, read, told

CATALOGUE = {connector.key: connector for connector in load_catalogue([])}
BESIDE = plan(source="reconcile", patience=SETTLE_MS)
LONG_AGO = NOW - SETTLE_MS
SNAPSHOT = listed(mode='"snapshot"', query="", from_format="", overlap="")
RESOURCES = {"orders": Resource(name="orders", methods={}, where=None, objects="order")}


def found(at: int | None, *, action: Action = "UPDATED", further: bool = False, id_: str | None = "o1") -> Found:
    """A change of an order that a poll found."""
    change = Change(
        type="order", action=action, object_type="order", object_id=id_, occurred_at=at, vendor_event_id=None,
        version=None, identity="i", payload=b"{}", payload_exact=True,
    )  # fmt: skip
    return Found(change, False, at, further)


def left(one: Found, *came: Arrival) -> bool:
    return unbrought([one], came, RESOURCES) == (one,)


def came(at: int | None, *, gone: int | None = None, kind: str | None = "order", id_: str = "o1") -> Arrival:
    return Arrival(kind, id_, at, gone)


# What it brought


def test_what_the_webhook_brought_is_left_out_and_what_it_brought_an_older_state_of_is_not() -> None:
    assert not left(found(NOW), came(NOW))
    assert not left(found(NOW), came(NOW + 5))
    assert left(found(NOW + 5_000), came(NOW))
    assert left(found(NOW))


def test_a_webhook_that_dates_to_the_second_has_brought_what_the_list_dates_within_it() -> None:
    assert NOW % SECOND == 0
    assert not left(found(NOW + 999), came(NOW))
    assert left(found(NOW + 1_000), came(NOW))
    assert left(found(NOW + 10), came(NOW + 9))


def test_a_list_that_dates_to_the_second_is_not_newer_than_the_webhook_of_that_second() -> None:
    assert not left(found(NOW), came(NOW + 400))


def test_another_object_of_that_id_or_another_id_is_another_matter() -> None:
    assert left(found(NOW), came(NOW, kind="invoice"))
    assert left(found(NOW), came(NOW, kind=None))
    assert left(found(NOW), came(NOW, id_="o2"))
    assert left(found(NOW, id_=None), came(NOW))


def test_what_the_vendor_calls_a_resource_is_the_same_object() -> None:
    assert not left(found(NOW), came(NOW, kind="orders"))
    assert not left(found(NOW), came(NOW, kind="Order"))


def test_a_webhook_without_a_date_proves_nothing() -> None:
    assert left(found(NOW), came(None))
    assert left(found(None), came(NOW))


def test_the_newest_of_all_kinds_of_events_counts() -> None:
    assert not left(found(NOW), came(NOW - MINUTE, kind="orders"), came(NOW))


def test_that_an_object_is_gone_is_only_brought_by_what_says_so() -> None:
    gone = found(NOW, action="DELETED")
    assert left(gone, came(NOW + 5))
    assert not left(gone, came(NOW + 5, gone=NOW))
    assert left(gone, came(NOW, gone=NOW - MINUTE))


def test_an_object_that_a_list_has_no_longer_is_known_to_be_gone_by_the_last_word_on_it() -> None:
    gone = found(None, action="DELETED")
    assert not left(gone, came(NOW, gone=NOW))
    assert left(gone, came(NOW, gone=NOW - MINUTE))
    assert left(gone, came(NOW))


def test_a_further_content_under_one_date_is_never_left_out() -> None:
    assert left(found(NOW, further=True), came(NOW))


# What is left to it


def test_a_young_change_waits_and_comes_with_a_later_poll() -> None:
    cursor = begun(BESIDE, order(1, NOW - 20 * MINUTE))
    old, young = order(2, LONG_AGO), order(3, LONG_AGO + SECOND)
    first = polled(BESIDE, cursor, read(old, young))
    assert told(first) == [("UPDATED", "o2")]
    second = polled(BESIDE, first.cursor, read(old, young, at=NOW + MINUTE))
    assert told(second) == [("UPDATED", "o3")]
    assert told(polled(BESIDE, second.cursor, read(old, young, at=NOW + 2 * MINUTE))) == []


def test_nothing_waits_where_polling_is_the_only_road() -> None:
    alone = plan()
    assert told(polled(alone, begun(alone), read(order(1, NOW)))) == [("UPDATED", "o1")]


def test_the_watermark_stays_behind_what_waits() -> None:
    cursor = polled(BESIDE, begun(BESIDE), read(order(1, LONG_AGO), order(2, NOW - SECOND))).cursor
    assert cursor.watermark_ms == LONG_AGO


def test_a_first_poll_remembers_young_ones_too_so_that_what_was_there_is_not_told() -> None:
    young = order(1, NOW - SECOND)
    cursor = polled(BESIDE, Cursor(), read(young)).cursor
    assert told(polled(BESIDE, cursor, read(young, at=NOW + 10 * MINUTE))) == []


def test_the_source_is_asked_again_for_what_waits_though_nothing_is_new_there() -> None:
    text = listed(etag="true")
    beside = plan(text, source="reconcile", patience=SETTLE_MS)
    cursor = begun(beside)
    young = order(1, NOW - SECOND)
    waits = polled(beside, cursor, read(young, etag='"a"')).cursor
    assert waits.etag is None
    came = polled(beside, waits, read(young, at=NOW + 10 * MINUTE, etag='"a"'))
    assert told(came) == [("UPDATED", "o1")]
    assert came.cursor.etag == '"a"'


def test_a_webhook_that_is_silent_is_not_waited_for() -> None:
    beside = paced(BESIDE, relies=False)
    assert told(polled(beside, begun(beside), read(order(1, NOW)))) == [("UPDATED", "o1")]
    assert paced(replace(BESIDE, fixed=True), relies=False).patience == 0
    assert paced(BESIDE, relies=True).patience == SETTLE_MS
    assert paced(replace(BESIDE, patience=None), relies=False).patience is None


def test_a_date_far_ahead_is_a_wrong_clock_and_nothing_that_waits() -> None:
    ahead = order(1, NOW + 60 * MINUTE)
    assert told(polled(BESIDE, begun(BESIDE), read(ahead))) == [("UPDATED", "o1")]


def test_it_is_the_clock_of_the_source_that_says_what_is_young() -> None:
    behind = read(order(1, NOW - 6 * MINUTE), source=-2 * MINUTE)
    assert told(polled(BESIDE, begun(BESIDE), behind)) == []


def test_a_snapshot_learns_of_a_young_difference_when_it_has_ripened() -> None:
    whole = plan(SNAPSHOT, source="reconcile", patience=SETTLE_MS)
    known = {"o1": Known("o1", "as it was")}
    young = order(1, NOW - SECOND)
    first = polled(whole, Cursor(started=True), read(young), known)
    assert (told(first), first.chunks[-1].kept) == ([], ())
    later = polled(whole, first.cursor, read(young, at=NOW + 10 * MINUTE), known)
    assert told(later) == [("UPDATED", "o1")]
    assert [one.id for one in later.chunks[-1].kept] == ["o1"]


# Whose roads share identities


@pytest.mark.parametrize("key", ["github", "asana", "gitlab", "jira", "linear", "shopify", "zendesk", "box"])
def test_changes_wait_where_the_webhook_gives_them_no_version(key: str) -> None:
    assert {patience(CATALOGUE[key], poll, "reconcile") for poll in CATALOGUE[key].polls} == {SETTLE_MS}


@pytest.mark.parametrize("key", ["closeio", "typeform", "stripe", "square", "okta"])
def test_nothing_waits_where_both_roads_name_a_change_alike(key: str) -> None:
    assert {patience(CATALOGUE[key], poll, "reconcile") for poll in CATALOGUE[key].polls} == {None}


def test_nothing_waits_without_a_webhook() -> None:
    connector = replace(CATALOGUE["github"], webhook=None)
    assert patience(connector, connector.polls[0], "reconcile") is None
    assert patience(CATALOGUE["github"], connector.polls[0], "polling") is None
