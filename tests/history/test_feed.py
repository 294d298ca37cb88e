"""What a follower is given: every event once, in the order in which it became durable, whoever stored it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import now_ms
from gateway.events.model import Event, EventId
from gateway.history.feed import feed as feeding
from gateway.history.feed.feed import Feed
from gateway.history.feed.following import Following, made_at
from gateway.history.feed.order import Order, Told
from gateway.history.filter import EventFilter
from gateway.ids import first_at, time_ordered
from gateway.metrics import Metrics
from gateway.storage.database import Database
from tests.delivery.parts import event
from tests.history.parts import account_of, caller, stored, tenants

ALL = EventFilter()


def id_at(at: int, number: int = 0) -> str:
    return first_at(at)[:12] + f"{number:020x}"


def made(event_id: str, instance_id: int = 1) -> Event:
    return event(id=EventId(event_id), instance_id=instance_id, account_id=account_of(instance_id))


async def put(database: Database, event_id: str, instance_id: int = 1) -> str:
    """Store an event as another node does: nobody tells of it."""
    await stored(database, made(event_id, instance_id))
    return event_id


async def publish(database: Database, feed: Feed, event_id: str, instance_id: int = 1) -> str:
    """Store an event as this node does."""
    await put(database, event_id, instance_id)
    feed.stored([made(event_id, instance_id)])
    return event_id


@asynccontextmanager
async def followed(
    database: Database, *, alone: bool = False, after: str | None = None, **options: Any
) -> AsyncIterator[tuple[Feed, Following]]:
    feed = Feed(database, Metrics(), alone=alone)
    async with feed.followed() as may:
        assert may
        yield feed, Following(feed, database, options.get("who", caller()), options.get("chosen", ALL), after)
    await feed.close()


async def given_to(following: Following, number: int) -> list[str]:
    """The next so many events of a follower."""
    found: list[str] = []
    async with asyncio.timeout(20):
        while len(found) < number:
            found += [one.id for one in await following.next(0.05)]
    return found


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other nodes' events are looked for all the time."""
    monkeypatch.setattr(feeding, "LOOK_S", 0.02)


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=4)), st.integers(1, 8))
def test_the_order_keeps_each_id_once_and_knows_what_it_forgot(told: list[list[str]], most: int) -> None:
    order = Order(most)
    all_of_them: list[str] = []
    for ids in told:
        known = {one.id for one in order.since(order.begin, most) or ()}
        all_of_them += [one for one in dict.fromkeys(ids) if one not in known]
        order.tell([Told(one, 1, "a") for one in ids])
    assert order.end == len(all_of_them)
    assert [one.id for one in order.since(order.begin, most) or ()] == all_of_them[-most:]
    assert order.newest == (all_of_them[-1] if all_of_them else None)
    if len(all_of_them) > most:
        assert order.since(0, most) is None
        assert order.forgotten == max(all_of_them[:-most])


async def test_events_are_given_as_they_became_durable_and_not_as_their_ids_were_made(database: Database) -> None:
    await tenants(database)
    early, late = id_at(now_ms()), id_at(now_ms() + 1)
    async with followed(database, alone=True) as (feed, following):
        for one in (late, early):
            await publish(database, feed, one)
        assert await given_to(following, 2) == [late, early]


@pytest.mark.usefixtures("quick")
async def test_what_another_node_stored_late_is_found(database: Database) -> None:
    await tenants(database)
    async with followed(database) as (feed, following):
        await publish(database, feed, time_ordered())
        await given_to(following, 1)
        late = await put(database, id_at(now_ms() - 20_000))
        assert await given_to(following, 1) == [late]


@pytest.mark.usefixtures("quick")
async def test_what_was_there_before_is_not_given_to_who_begins_now(database: Database) -> None:
    await tenants(database)
    await put(database, time_ordered())
    async with followed(database) as (_, following):
        new = await put(database, time_ordered())
        assert await given_to(following, 1) == [new]


@pytest.mark.usefixtures("quick")
async def test_an_event_whose_commit_nobody_waited_for_is_given_once_it_is_there(database: Database) -> None:
    await tenants(database)
    one, never = time_ordered(), time_ordered()
    async with followed(database, alone=True) as (feed, following):
        feed.doubted([made(one), made(never)])
        assert await following.next(0.1) == ()
        await put(database, one)
        assert await given_to(following, 1) == [one]
        assert await following.next(0.1) == ()


async def test_one_that_comes_again_gets_what_became_durable_late(database: Database) -> None:
    await tenants(database)
    seen = await put(database, id_at(now_ms() - 1_000))
    late = await put(database, id_at(now_ms() - 2_000))
    new = await put(database, time_ordered())
    async with followed(database, after=seen) as (_, following):
        assert sorted(await given_to(following, 3)) == [late, seen, new]


async def test_one_that_falls_behind_the_order_goes_on_in_the_database(database: Database) -> None:
    await tenants(database)
    async with followed(database, alone=True) as (feed, following):
        feed.order = Order(most=3)
        began = now_ms()
        ids = [await publish(database, feed, id_at(began + number)) for number in range(9)]
        found = await given_to(following, 9)
        newest = id_at(began + 9)
        await publish(database, feed, newest)
        assert [*found, *await given_to(following, 1)] == [*ids, newest]


@pytest.mark.parametrize(
    ("options", "instances"),
    [
        ({"who": caller("p1")}, [1, 2, 3]),
        ({"who": caller("p1", "a1")}, [1, 2]),
        ({"who": caller("p2")}, [4]),
        ({"chosen": EventFilter(instance_id=2)}, [2]),
        ({"chosen": EventFilter(status="unrouted", instance_id=3)}, [3]),
        ({"chosen": EventFilter(account_id="a2")}, [3]),
    ],
)
@pytest.mark.parametrize("again", [False, True])
async def test_a_follower_is_given_its_own_that_fit(
    database: Database, options: dict[str, Any], instances: Sequence[int], *, again: bool
) -> None:
    await tenants(database)
    before = id_at(now_ms() - 1)
    async with followed(database, alone=True, after=before if again else None, **options) as (feed, following):
        ids = {number: await publish(database, feed, time_ordered(), number) for number in (1, 2, 3, 4)}
        found = await given_to(following, len(instances))
        assert sorted(found) == sorted(ids[number] for number in instances)
        assert [one.id for one in await following.next(0.05)] == []


async def test_nobody_follows_a_feed_that_is_closed_or_full(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "MOST_FOLLOWERS", 1)
    feed = Feed(database, Metrics(), alone=True)
    async with feed.followed() as first, feed.followed() as second:
        assert (first, second) == (True, False)
    async with feed.followed() as third:
        assert third
    await feed.close()
    async with feed.followed() as late:
        assert not late


async def test_one_person_leaves_places_for_others(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "MOST_OF_ONE", 1)
    feed = Feed(database, Metrics(), alone=True)
    async with feed.followed(7) as first, feed.followed(7) as second, feed.followed(8) as other:
        assert (first, second, other) == (True, False, True)
    async with feed.followed(7) as again, feed.followed() as program, feed.followed() as another:
        assert (again, program, another) == (True, True, True)
    await feed.close()


@pytest.mark.parametrize("text", ["", "7", "g" * 32, "0x" + "0" * 30, "A" * 32, " " * 32, "0" * 31 + "\n", "٣" * 32])
def test_a_text_that_is_no_id_has_no_time(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        made_at(text)


def test_an_id_says_when_it_was_made() -> None:
    assert made_at(id_at(1_767_225_600_123, 5)) == 1_767_225_600_123
