"""Pages of events, on both engines."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from gateway.accounts.model import Caller
from gateway.errors import NotFound
from gateway.events.model import Event
from gateway.history.filter import END, EventFilter, Status
from gateway.history.listing import store
from gateway.history.model import Listed, Page
from gateway.storage.database import Database
from tests.history.parts import account_of, caller, numbered, stored, tenants

FATES: tuple[tuple[Status, tuple[Any, ...]], ...] = (
    ("unrouted", ()),
    ("delivered", ("delivered",)),
    ("dead", ("dead",)),
    ("cancelled", ("cancelled",)),
    ("pending", ("pending",)),
    ("delivered", ("dead", "delivered")),
    ("dead", ("delivered", "dead")),
    ("pending", ("pending", "delivered")),
    ("pending", ("dead", "pending")),
)
FILTERS: list[dict[str, Any]] = [
    {},
    {"instance_id": 1},
    {"instance_id": 3},
    {"connector": "closeio"},
    {"account_id": "a1"},
    {"account_id": "a2", "instance_id": 1},
    {"type": "push"},
    {"object_type": "contacts"},
    {"object_id": "1"},
    {"object_id": "1", "instance_id": 2, "status": "delivered"},
    {"vendor_event_id": "v1"},
    {"vendor_event_id": "v1", "object_id": "1"},
    {"source": "polling"},
    {"backfill": True},
    {"backfill": False, "type": "push"},
    *({"status": status} for status in ("pending", "delivered", "dead", "cancelled", "unrouted")),
    {"status": "dead", "instance_id": 1},
    {"status": "unrouted", "connector": "github"},
    {"since": 1_767_225_600_000 + 20_000, "until": 1_767_225_600_000 + 60_000},
    {"since": 1_767_225_600_000 + 20_000, "status": "pending"},
    {"until": 1_767_225_600_000 + 50_000, "object_id": "2"},
    {"type": "nothing is called so"},
]
Model = list[tuple[Event, Status]]


async def filled(database: Database, number: int = 90) -> Model:
    """Events of all kinds over all tenants, oldest first, each with its status."""
    await tenants(database)
    dice, made = random.Random(7), []
    for place in range(number):
        status, states = dice.choice(FATES)
        one = numbered(
            place,
            instance_id=dice.choice([1, 1, 2, 3, 4]),
            connector=dice.choice(["github", "closeio"]),
            type=dice.choice(["issues", "push"]),
            object_type=dice.choice([None, "contacts"]),
            object_id=dice.choice([None, "1", "2"]),
            vendor_event_id=dice.choice([None, "v1", f"v{place}"]),
            source=dice.choice(["webhook", "polling"]),
            backfill=dice.choice([True, False]),
        )
        await stored(database, one, states)
        made.append((one, status))
    return made


def expected(model: Model, chosen: EventFilter, accounts: set[str]) -> list[str]:
    """What a look at every event finds, oldest first."""
    simple = [name for name in chosen.__slots__ if name not in ("since", "until", "status")]
    return [
        one.id
        for one, status in model
        if one.account_id in accounts
        and all(getattr(chosen, name) in (None, getattr(one, name)) for name in simple)
        and chosen.status in (None, status)
        and chosen.first_id <= one.id < chosen.end_id
    ]


async def walked(turn: Callable[[str | None], Any]) -> tuple[list[Listed], int]:
    """All pages one after the other, and how many there were."""
    found: list[Listed] = []
    position: str | None = None
    for number in range(1, 500):
        page: Page = await turn(position)
        found += page.items
        position = page.position
        if position is None:
            return found, number
    raise AssertionError("the pages never end")


CALLERS = ((caller(), {"a1", "a2"}), (caller(account="a1"), {"a1"}), (caller("p2"), {"b1"}))


async def test_pages_in_both_directions_hold_what_a_look_at_every_event_finds(database: Database) -> None:
    model = await filled(database)
    statuses: dict[str, Status] = {one.id: status for one, status in model}
    for fields in FILTERS:
        chosen = EventFilter(**fields)
        for who, accounts in CALLERS:
            if not _may_ask(who, chosen):
                continue
            wanted = expected(model, chosen, accounts)

            async def down(position: str | None, who: Caller = who, chosen: EventFilter = chosen) -> Page:
                return await store.events_before(database, who, chosen, position, 7)

            async def up(position: str | None, who: Caller = who, chosen: EventFilter = chosen) -> Page:
                return await store.events_after(database, who, chosen, position or "", END, 7)

            newest_first, _ = await walked(down)
            oldest_first, _ = await walked(up)
            assert [one.id for one in newest_first] == wanted[::-1], fields
            assert [one.id for one in oldest_first] == wanted, fields
            assert {one.id: one.status for one in newest_first} == {one: statuses[one] for one in wanted}


def _may_ask(who: Caller, chosen: EventFilter) -> bool:
    of_instance = None if chosen.instance_id is None else account_of(chosen.instance_id)
    own = {"p1": {"a1", "a2"}, "p2": {"b1"}}[who.partner_id] & (
        {who.account_id} if who.account_id else {"a1", "a2", "b1"}
    )
    return all(account in own for account in (of_instance, chosen.account_id) if account is not None)


async def test_a_page_ends_where_it_has_looked_enough_and_the_next_goes_on_there(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = await filled(database)
    monkeypatch.setattr(store, "LOOKED", 10)
    several_pages: dict[bool, list[dict[str, Any]]] = {
        True: [{"type": "push"}, {"status": "dead"}, {"object_id": "1"}],
        False: [{"instance_id": 1}, {"vendor_event_id": "v5"}],
    }
    for several, fields in ((several, fields) for several, found in several_pages.items() for fields in found):
        chosen = EventFilter(**fields)

        async def turn(position: str | None, chosen: EventFilter = chosen) -> Page:
            return await store.events_before(database, caller(), chosen, position, 100)

        found, pages = await walked(turn)
        assert [one.id for one in found] == expected(model, chosen, {"a1", "a2"})[::-1], fields
        assert (pages > 1) is several, fields


async def test_the_one_that_fits_is_found_behind_many_that_do_not(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tenants(database)
    monkeypatch.setattr(store, "LOOKED", 10)
    await stored(database, numbered(0, type="rare"))
    for place in range(1, 26):
        await stored(database, numbered(place))
    chosen, who = EventFilter(type="rare"), caller()
    first = await store.events_before(database, who, chosen, None, 5)
    second = await store.events_before(database, who, chosen, first.position, 5)
    third = await store.events_before(database, who, chosen, second.position, 5)
    assert (first.items, second.items) == ((), ())
    assert (first.position, second.position) == (numbered(16).id, numbered(6).id)
    assert [one.id for one in third.items] == [numbered(0).id]
    assert third.position is None


async def test_a_replay_learns_how_far_was_looked(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await tenants(database)
    monkeypatch.setattr(store, "LOOKED", 10)
    for place in range(25):
        await stored(database, numbered(place, type="rare" if place == 17 else "issues"))
    until, chosen = numbered(24).id, EventFilter(type="rare")
    first = await store.event_ids_after(database, caller(), chosen, "", until, 200)
    assert (first.ids, first.position, first.more) == ((), numbered(9).id, True)
    second = await store.event_ids_after(database, caller(), chosen, first.position, until, 200)
    assert (second.ids, second.position, second.more) == ((numbered(17).id,), numbered(19).id, True)
    third = await store.event_ids_after(database, caller(), chosen, second.position, until, 200)
    assert (third.ids, third.position, third.more) == ((), second.position, False)
    all_of_them = await store.event_ids_after(database, caller(account="a1"), EventFilter(), "", until, 200)
    assert all_of_them.ids == tuple(numbered(place).id for place in range(24))


async def test_what_belongs_to_others_is_not_found(database: Database) -> None:
    await filled(database, 10)
    for who, chosen in (
        (caller("p2"), EventFilter(instance_id=1)),
        (caller("p2"), EventFilter(account_id="a1")),
        (caller(account="a1"), EventFilter(instance_id=3)),
        (caller(account="a1"), EventFilter(account_id="a2")),
        (caller(), EventFilter(instance_id=99)),
    ):
        with pytest.raises(NotFound):
            await store.events_before(database, who, chosen, None, 10)
    foreign = next(one.id for one, _ in [(numbered(50, instance_id=4), None)])
    await stored(database, numbered(50, instance_id=4))
    assert await store.event_listed(database, caller(), foreign) is None
    assert await store.event_listed(database, caller("p2"), foreign) is not None


async def test_what_is_listed_is_what_was_stored(database: Database) -> None:
    await tenants(database)
    one = numbered(3, payload=b'{"a":"\xc3\xa9"}', backfill=True, occurred_at=5, object_id=None, vendor_event_id="v")
    await stored(database, one, ("delivered",))
    [listed] = (await store.events_before(database, caller(), EventFilter(), None, 5)).items
    assert listed.size == len(one.payload)
    same = [name for name in Listed.__slots__ if name not in ("size", "status")]
    assert {name: getattr(listed, name) for name in same} == {name: getattr(one, name) for name in same}
