"""Deliveries as rows, on both engines: claimed, settled, closed, and counted."""

import asyncio

import msgspec
import pytest

from gateway.delivery import store
from gateway.delivery.model import End, Job, Settlement
from gateway.storage.database import Database
from tests.delivery.parts import (
    DESTINATION,
    attempt,
    balanced,
    destination,
    event,
    insert,
    job,
    settle,
    states,
)

NOW = 1_000_000
DELIVERED = Settlement(state="delivered", reason=None, due_at=NOW)
RETRY = Settlement(state="pending", reason="status 500", due_at=NOW + 5_000)
GONE = Settlement(state="dead", reason="gone", due_at=NOW, switch_off=True)
END = End("cancelled", "callback URL removed")


async def claim(database: Database, *, now: int = NOW, most: int = 200, held: int = 0, owner: str = "me") -> list[Job]:
    return await store.claim_due_any_account(
        database, DESTINATION, now=now, wall=now, most=most, held=held, owner=owner, lease_until=now + 30_000
    )


async def pending(database: Database, number: int, **where: int) -> list[Job]:
    """So many deliveries that nobody holds."""
    jobs = [job(event(), lease_until=0, **where) for _ in range(number)]
    await insert(database, jobs, due_at=NOW)
    return jobs


async def test_what_is_due_is_claimed_oldest_first_and_no_more_than_asked(database: Database) -> None:
    made = [job(event(), lease_until=0) for _ in range(5)]
    for number, one in enumerate(made):
        await insert(database, [one], due_at=NOW - number)
    await insert(database, [job(event(), lease_until=0)], due_at=NOW + 1)
    assert [one.id for one in await claim(database, now=NOW - 2, most=2)] == [made[4].id, made[3].id]


async def test_nothing_stays_due_later_than_the_cap_and_what_is_due_earlier_or_over_is_left_alone(
    database: Database,
) -> None:
    for number, due_at in enumerate((NOW, NOW + 5, NOW + 500, NOW + 900)):
        await insert(database, [job(event(), destination_id=1 + number % 2, lease_until=0)], due_at=due_at)
    async with database.transaction() as transaction:
        await transaction.execute("UPDATE deliveries SET state = 'dead' WHERE due_at = $1", NOW + 900)
    await store.cap_any_account(database, NOW + 10)
    rows = await database.all("SELECT due_at FROM deliveries ORDER BY due_at")
    assert [row["due_at"] - NOW for row in rows] == [0, 5, 10, 900]


async def test_a_success_is_recorded_with_its_attempt(database: Database) -> None:
    await pending(database, 1)
    [one] = await claim(database)
    assert await settle(database, one, attempt(200), DELIVERED)
    assert await states(database) == {"delivered": 1}
    [made] = await database.all("SELECT * FROM attempts")
    assert (made["number"], made["status"], made["reason"], bytes(made["answer"])) == (1, 200, None, b"{}")
    assert await balanced(database)


async def test_a_failure_comes_round_when_it_is_due_with_its_attempts_counted(database: Database) -> None:
    await pending(database, 1)
    [one] = await claim(database)
    assert await settle(database, one, attempt(500), RETRY)
    assert await claim(database, now=NOW + 4_999) == []
    assert await store.next_due_any_account(database, DESTINATION, NOW, NOW) == NOW + 5_000
    [again] = await claim(database, now=NOW + 5_000)
    assert (again.id, again.attempts) == (one.id, 1)
    assert await balanced(database)


async def test_a_settlement_counts_once_however_often_it_comes(database: Database) -> None:
    await pending(database, 1)
    [one] = await claim(database)
    settled = await asyncio.gather(*(settle(database, one, attempt(200), DELIVERED) for _ in range(5)))
    assert sorted(settled) == [False, False, False, False, True]
    assert await balanced(database)


async def test_who_claimed_before_another_can_settle_no_more(database: Database) -> None:
    await pending(database, 1)
    [one] = await claim(database)
    stale = msgspec.structs.replace(one, epoch=one.epoch - 1)
    assert not await settle(database, stale, attempt(200), DELIVERED)
    assert await states(database) == {"pending": 1}
    assert await database.all("SELECT * FROM attempts") == []
    assert await settle(database, one, attempt(200), DELIVERED)
    assert await balanced(database)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_on_postgresql_a_lease_keeps_others_away_until_it_ends(database: Database) -> None:
    await pending(database, 3)
    mine = await claim(database, owner="me", most=2)
    theirs = await claim(database, owner="another")
    assert len({one.id for one in [*mine, *theirs]}) == 3
    assert await claim(database, now=NOW + 29_999, owner="another") == []
    assert await store.next_due_any_account(database, DESTINATION, NOW + 10, NOW + 5) == NOW + 30_005
    taken = await claim(database, now=NOW + 30_000, owner="another")
    assert {one.id for one in taken} == {one.id for one in [*mine, *theirs]}
    assert not await settle(database, mine[0], attempt(200), DELIVERED)
    assert [await settle(database, one, attempt(200), DELIVERED) for one in taken] == [True, True, True]
    assert await balanced(database)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_on_postgresql_many_that_claim_at_once_get_different_ones(database: Database) -> None:
    await pending(database, 100)
    claimed = await asyncio.gather(*(claim(database, most=15, owner=f"node {number}") for number in range(6)))
    ids = [one.id for jobs in claimed for one in jobs]
    assert len(ids) == len(set(ids)) > 0


async def test_what_is_given_back_may_be_claimed_at_once(database: Database) -> None:
    await pending(database, 2)
    jobs = await claim(database)
    await database.write(store.released(jobs))
    assert len(await claim(database, owner="another")) == 2


async def test_a_large_backlog_is_closed_in_batches_and_counted(database: Database) -> None:
    await destination(database, "removed", END.reason)
    for _ in range(10):
        await pending(database, 500)
    await pending(database, 1, destination_id=DESTINATION + 1)
    closed = []
    while number := await database.write(store.closing(DESTINATION, END, NOW)):
        closed.append(number)
    assert closed == [store.CLOSED_AT_ONCE] * 10
    assert await states(database) == {"cancelled": 5_000, "pending": 1}
    assert await balanced(database)


async def test_nothing_is_closed_of_a_destination_that_is_active_again(database: Database) -> None:
    await destination(database, "off", "gone")
    await pending(database, 3)
    assert await store.end_any_account(database, DESTINATION) == End("dead", "gone")
    await destination(database, "active")
    assert await store.end_any_account(database, DESTINATION) is None
    assert await database.write(store.closing(DESTINATION, End("dead", "gone"), NOW)) == 0
    assert await states(database) == {"pending": 3}


async def test_what_is_closed_and_settled_at_the_same_moment_counts_once(database: Database) -> None:
    await destination(database, "removed")
    await pending(database, 50)
    jobs = await claim(database)
    await asyncio.gather(
        *(settle(database, one, attempt(200), DELIVERED) for one in jobs),
        *(database.write(store.closing(DESTINATION, END, NOW)) for _ in range(3)),
    )
    assert (await states(database)).get("pending") is None
    assert await balanced(database)


async def test_410_switches_the_destination_off_unless_it_was_moved_meanwhile(database: Database) -> None:
    await destination(database)
    await pending(database, 2)
    first, second = await claim(database)
    await database.write(store.settlement(first, attempt(410), GONE, "http://127.0.0.1/before", NOW))
    assert await store.end_any_account(database, DESTINATION) is None
    assert await settle(database, second, attempt(410), GONE)
    assert await store.end_any_account(database, DESTINATION) == End("dead", "gone")
    assert await states(database) == {"dead": 2}
    assert await balanced(database)


async def test_a_delivery_without_its_event_is_ended_alone(database: Database) -> None:
    await pending(database, 2)
    one, _ = await claim(database)
    step = Settlement(state="cancelled", reason="event removed", due_at=NOW)
    assert await database.write(store.ending(one, step, NOW))
    assert not await database.write(store.ending(one, step, NOW))
    assert await states(database) == {"cancelled": 1, "pending": 1}
    assert await balanced(database)


async def test_the_heads_of_many_destinations_are_found(database: Database) -> None:
    jobs = [job(event(), lease_until=0, destination_id=number) for number in range(1, 1_001) for _ in range(5)]
    for place in range(0, len(jobs), 500):
        await insert(database, jobs[place : place + 500], due_at=NOW + place)
    heads = await store.heads_any_account(database)
    assert [destination_id for destination_id, _ in heads] == list(range(1, 1_001))
    assert (heads[0][1], heads[-1][1]) == (NOW, NOW + 4_500)


async def test_claims_go_through_many_thousands_pending_for_one_destination(database: Database) -> None:
    for _ in range(24):
        await pending(database, 500)
    for _ in range(20):
        jobs = await claim(database)
        assert len(jobs) == 200
        await asyncio.gather(*(settle(database, one, attempt(200), DELIVERED) for one in jobs))
    assert await states(database) == {"pending": 8_000, "delivered": 4_000}
    assert await balanced(database)
