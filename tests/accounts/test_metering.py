"""Metering as rows: every hour belongs to one period, and a level that was there before a period counts in it."""

from gateway.accounts.metering import store
from gateway.accounts.metering.charge import charge
from gateway.accounts.metering.periods import Bills
from gateway.accounts.metering.store import HOUR_MS
from gateway.accounts.model import AccountId
from gateway.storage.database import Database, Effect, Tally, Write
from tests.accounts.parts import account, partner

MINE, OTHER = AccountId("mine"), AccountId("other")
NOON = 1_700_000_000_000 - 1_700_000_000_000 % HOUR_MS


async def add(database: Database, *tallies: Tally) -> None:
    await database.write(Write([], lambda _: Effect(None, tallies=tallies)))


async def level(database: Database, at: int, number: int) -> None:
    async with database.transaction() as transaction:
        await store.lock_flows(transaction, MINE, at)
        await store.put_flows(transaction, MINE, at, number)


async def most(database: Database, start: int, end: int) -> int:
    return (await store.used(database, MINE, start, end)).flows


async def test_what_an_account_used_is_added_up_by_kind_and_account(database: Database) -> None:
    await add(database, store.counted(MINE, NOON, calls=2), store.counted(MINE, NOON + 5, polls=3, events=1))
    await add(database, store.counted(MINE, NOON, events=4), store.counted(OTHER, NOON, calls=100))
    found = await store.used(database, MINE, NOON, NOON + HOUR_MS)
    assert (found.calls, found.polls, found.events, found.tasks) == (2, 3, 5, 10)


async def test_an_account_that_used_nothing_has_zeros(database: Database) -> None:
    found = await store.used(database, MINE, 0, NOON)
    assert (found.tasks, found.flows) == (0, 0)


async def test_every_hour_belongs_to_one_of_two_periods_that_follow_one_another(database: Database) -> None:
    for minutes in (-90, -30, -1, 0, 10, 59, 61):
        await add(database, store.counted(MINE, NOON + minutes * 60_000, calls=1))
    # The periods meet in the middle of an hour, and all of it is the later one's.
    meet = NOON + 20 * 60_000
    before = await store.used(database, MINE, NOON - 3 * HOUR_MS, meet)
    after = await store.used(database, MINE, meet, NOON + 3 * HOUR_MS)
    assert (before.calls, after.calls) == (3, 4)


async def test_what_is_used_in_the_hour_in_which_an_account_was_made_is_its_own(database: Database) -> None:
    made = NOON + 50 * 60_000
    await add(database, store.counted(MINE, made + 1, calls=1))
    assert (await store.used(database, MINE, made, made + 30 * HOUR_MS)).calls == 1


async def test_the_most_flows_of_a_period_count_though_they_were_fewer_later(database: Database) -> None:
    for minutes, number in ((0, 1), (10, 3), (20, 2), (70, 1)):
        await level(database, NOON + minutes * 60_000, number)
    assert await most(database, NOON, NOON + 24 * HOUR_MS) == 3
    assert await most(database, NOON + HOUR_MS, NOON + 24 * HOUR_MS) == 2
    assert await most(database, NOON + 2 * HOUR_MS, NOON + 24 * HOUR_MS) == 1


async def test_flows_that_nobody_changed_count_in_every_later_period(database: Database) -> None:
    await level(database, NOON, 4)
    assert await most(database, NOON + 1000 * HOUR_MS, NOON + 2000 * HOUR_MS) == 4
    assert await most(database, NOON - 2000 * HOUR_MS, NOON) == 0


async def test_a_charge_that_nobody_waits_for_is_there_with_the_next_commit(database: Database) -> None:
    charge(database, store.counted(MINE, NOON, polls=7))
    # Whoever commits after it commits it too, or finds it committed.
    await add(database, store.counted(MINE, NOON, calls=1))
    found = await store.used(database, MINE, NOON, NOON + HOUR_MS)
    assert (found.calls, found.polls) == (1, 7)


async def test_billing_dates_move_only_where_they_are_still_those_that_were_read(database: Database) -> None:
    made = await account(database, (await partner(database)).partner.id)
    async with database.transaction() as transaction:
        assert await store.put_bills(transaction, made.id, None, Bills(1, 2, 3))
        assert not await store.put_bills(transaction, made.id, None, Bills(4, 5, 6))
        assert await store.put_bills(transaction, made.id, 2, Bills(2, 9, 3))
    row = await database.one("SELECT * FROM accounts WHERE id = $1", made.id)
    assert row is not None
    assert (row["last_bill_at"], row["next_bill_at"], row["billing_day"]) == (2, 9, 3)
