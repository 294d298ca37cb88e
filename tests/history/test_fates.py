"""Where is it? On both engines: what was stored and what was not, under one name."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.accounts.model import Caller
from gateway.history.fates.asking import fates
from gateway.history.fates.model import Asked, Fate, Question, merged
from gateway.history.listing import store as listing
from gateway.ids import first_at
from gateway.storage.database import Database
from tests.history.parts import caller, numbered, refused, stored, tenants

HASH = "c0ffee" + "0" * 26
QUESTIONS: tuple[tuple[Asked, str], ...] = (("vendor_event_id", "v"), ("object_id", "7"), ("body_hash", HASH))
NAMES: dict[str, Any] = dict(QUESTIONS)


def place(number: int) -> str:
    """The id of a row of that second."""
    return first_at(1_767_225_600_500 + 1_000 * number)[:12] + f"{number:020x}"


async def asked(database: Database, by: Asked, value: str, who: Caller | None = None) -> list[Fate]:
    found, position = await fates(database, who or caller(), Question(by, value), None, 100)
    assert position is None
    return found


def fate(text: str) -> Fate:
    return Fate(id=text, status="refused", reason=None, detail=None, event_id=None, instance_id=1, received_at=0, at=0)


@given(st.sets(st.integers(0, 60)), st.sets(st.integers(61, 120)), st.integers(1, 9), st.data())
def test_two_lists_read_page_by_page_are_one_list_in_order(
    left: set[int], right: set[int], size: int, data: st.DataObject
) -> None:
    # Both kinds of ids lie among each other, and either list may stop looking early.
    lists = [sorted((f"{(one * 37) % 61 * 2 + kind:03d}" for one in side), reverse=True)
             for kind, side in enumerate((left, right))]  # fmt: skip
    found: list[str] = []
    before: str | None = None
    for _ in range(400):
        pages, ends = [], []
        for ids in lists:
            rest = [one for one in ids if before is None or one < before]
            most = data.draw(st.integers(1, size))
            pages.append([fate(one) for one in rest[:most]])
            ends.append(rest[most - 1] if len(rest) > most else None)
        page, before = merged(pages[0], ends[0], pages[1], ends[1], size)
        assert len(page) <= size
        found += [one.id for one in page]
        if before is None:
            break
    assert found == sorted(lists[0] + lists[1], reverse=True)


async def test_each_state_of_an_event_is_a_fate_with_its_reason_time_and_place(database: Database) -> None:
    await tenants(database)
    states: tuple[Any, ...] = ("pending", "delivered", "dead", "cancelled")
    for number, state in enumerate(states):
        await stored(database, numbered(number, vendor_event_id=state), (state,))
    await stored(database, numbered(9, vendor_event_id="unrouted"))
    for number, state in enumerate(states):
        [found] = await asked(database, "vendor_event_id", state)
        assert (found.status, found.event_id) == (state, numbered(number).id)
        assert found.destination is not None
        assert found.destination.id == 1
        assert found.reason == (f"why it is {state}" if state in ("dead", "cancelled") else None)
        assert (found.next_attempt_at is not None) is (state == "pending")
        assert (found.at > found.received_at) is (state != "pending")
    [found] = await asked(database, "vendor_event_id", "unrouted")
    assert (found.status, found.reason, found.destination) == ("unrouted", "no destination", None)


async def test_what_was_not_stored_is_told_with_its_check_and_the_event_that_it_was_one_of(database: Database) -> None:
    await tenants(database)
    await stored(database, numbered(1, **NAMES), ("delivered",))
    await refused(database, id=place(0), **NAMES)
    await refused(database, id=place(2), outcome="duplicate", check="duplicate", event_id=numbered(1).id, **NAMES)
    await refused(database, id=place(3), outcome="ignored", check="events_off", **NAMES)
    await refused(database, id=place(4), vendor_event_id="another", object_id="8", body_hash="0" * 32)
    for by, value in QUESTIONS:
        found = await asked(database, by, value)
        assert [(one.status, one.reason, one.event_id) for one in found] == [
            ("ignored", "events_off", None),
            ("duplicate", "duplicate", numbered(1).id),
            ("delivered", None, numbered(1).id),
            ("refused", "signature_mismatch", None),
        ]
    assert found[-1].detail == "the secret of another instance fits"


async def test_the_delivery_that_is_on_its_way_next_decides_else_the_newest(database: Database) -> None:
    await tenants(database)
    cases: tuple[tuple[tuple[Any, ...], int], ...] = (
        (("dead", "pending", "pending", "delivered"), 2),
        (("dead", "delivered", "cancelled"), 2),
        (("delivered", "dead"), 1),
        (("pending", "dead"), 0),
    )
    for number, (states, _) in enumerate(cases):
        jobs = await stored(database, numbered(number), states)
        async with database.transaction() as transaction:
            for due_at, one in zip((9, 8, 5, 1), jobs, strict=False):
                await transaction.execute("UPDATE deliveries SET due_at = $1 WHERE id = $2", due_at, one.id)
    for number, (states, expected) in enumerate(cases):
        [found] = await asked(database, "event_id", numbered(number).id)
        assert found.status == states[expected]
        assert found.delivery_id == f"{numbered(number).id[:-2]}{expected:02x}"


async def test_a_destination_that_was_given_up_decides_over_another_that_took_the_event(database: Database) -> None:
    await tenants(database)
    jobs = await stored(database, numbered(1), ("dead", "delivered", "delivered"))
    for destination_id, one in zip((2, 3, 3), jobs, strict=True):
        async with database.transaction() as transaction:
            sql = "UPDATE deliveries SET destination_id = $1 WHERE id = $2"
            await transaction.execute(sql, destination_id, one.id)
    [found] = await asked(database, "event_id", numbered(1).id)
    assert (found.status, found.delivery_id) == ("dead", jobs[0].id)
    async with database.transaction() as transaction:
        sql = "UPDATE deliveries SET replayed_as = $1 WHERE id = $2"
        await transaction.execute(sql, jobs[2].id, jobs[0].id)
    [found] = await asked(database, "event_id", numbered(1).id)
    assert (found.status, found.delivery_id) == ("delivered", jobs[2].id)


async def test_an_event_is_found_by_its_own_id(database: Database) -> None:
    await tenants(database)
    await stored(database, numbered(1), ("dead", "delivered"))
    [found] = await asked(database, "event_id", numbered(1).id)
    assert (found.status, found.event_id) == ("delivered", numbered(1).id)
    assert await asked(database, "event_id", numbered(2).id) == []


async def test_an_event_is_told_with_its_duplicates(database: Database) -> None:
    await tenants(database)
    await stored(database, numbered(1, object_id="7", vendor_event_id="v"), ("delivered",))
    duplicate: dict[str, Any] = {"outcome": "duplicate", "check": "duplicate", "event_id": numbered(1).id}
    await refused(database, id=place(2), **duplicate, object_id="7", vendor_event_id="another")
    await refused(database, id=place(3), **duplicate, object_id="7", vendor_event_id="v")
    await refused(database, id=place(4), **duplicate | {"event_id": numbered(5).id}, object_id="7")
    found = await asked(database, "event_id", numbered(1).id)
    assert [one.id for one in found] == [place(3), place(2), numbered(1).id]
    assert await asked(database, "event_id", numbered(1).id, caller("p2")) == []


async def test_nobody_is_told_of_what_others_got(database: Database) -> None:
    await tenants(database)
    for instance_id in (1, 3, 4):
        await stored(database, numbered(instance_id, instance_id=instance_id, **NAMES))
        await refused(database, id=place(instance_id), instance_id=instance_id, **NAMES)
    for who, instances in ((caller(), {1, 3}), (caller(account="a2"), {3}), (caller("p2"), {4})):
        for by, value in QUESTIONS:
            found = await asked(database, by, value, who)
            assert {one.instance_id for one in found} == instances
            assert len(found) == 2 * len(instances)
    assert await asked(database, "event_id", numbered(4).id) == []


async def test_pages_of_fates_hold_each_once_newest_first(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await tenants(database)
    monkeypatch.setattr(listing, "LOOKED", 10)
    expected = []
    for number in range(30):
        await stored(database, numbered(number, object_id="7" if number % 2 else "8"))
        await refused(database, id=place(number), object_id="7")
        expected += [numbered(number).id] * (number % 2) + [place(number)]
    found: list[str] = []
    before: str | None = None
    for _ in range(60):
        page, before = await fates(database, caller(), Question("object_id", "7"), before, 4)
        found += [one.id for one in page]
        if before is None:
            break
    assert found == expected[::-1]
