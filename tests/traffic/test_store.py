"""Figures as rows on both engines: they add up, are a tenant's own, and go in time."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.accounts.model import AccountId, Caller, PartnerId, User
from gateway.clock import now_ms
from gateway.errors import StorageDown
from gateway.storage.database import Database, Effect, Statement, Write
from gateway.storage.open import open_database
from gateway.traffic import store
from gateway.traffic.count import Owner, Traffic
from gateway.traffic.flush import AT_ONCE, MOST_OWED, Flushing
from gateway.traffic.model import DAY_MS, HOUR_MS, MINUTE_MS, WIDTH, Window, total
from gateway.traffic.rows import AimRow, Owed
from tests.accounts.parts import account, partner

NOON = 1_700_000_000_000 - 1_700_000_000_000 % DAY_MS + 12 * HOUR_MS
DAY = Window.ending(NOON, DAY_MS, 15 * MINUTE_MS)


def caller(owner: Owner, *, whole: bool = False) -> Caller:
    partner_id, account_id = PartnerId(owner.partner_id), AccountId(owner.account_id)
    user = User(id=1, partner_id=partner_id, account_id=account_id, username="u", role="end_user")
    return Caller(partner_id=partner_id, account_id=None if whole else account_id, user=user)


async def owner(database: Database, name: str = "Acme") -> Owner:
    made = await partner(database, name)
    return Owner(made.partner.id, (await account(database, made.partner.id)).id)


async def add(database: Database, whose: Owner, at: int, number: int = 1) -> None:
    owed = Owed()
    owed.add({(whose, at - at % MINUTE_MS): [number] * WIDTH})
    await database.write(store.added(owed.rows.items(), ()))


async def destination(database: Database, whose: Owner, number: int, state: str = "active") -> None:
    row = (number, whose.account_id, 0, "callback", f"https://example.com/{number}", state, 0)
    columns = "id, account_id, instance_id, kind, url, state, since"
    sql = f"INSERT INTO destinations ({columns}) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    await database.write(Write([Statement(sql, row)], lambda _: Effect(None)))


def aim(whose: Owner, number: int, hour: int, *, ok: int = 0, failed: int = 0, reason: str | None = None) -> AimRow:
    return AimRow(number, hour, whose, ok, failed, reason, hour + 1 if failed else None)


async def test_what_two_nodes_count_is_added_up_and_read_by_the_step(database: Database) -> None:
    mine = await owner(database)
    for at in (NOON, NOON, NOON - 20 * MINUTE_MS, NOON - 25 * MINUTE_MS):
        await add(database, mine, at)
    found = await store.series(database, caller(mine), DAY)
    assert [one.at for one in found] == list(range(DAY.since, DAY.until, DAY.step))
    assert {one.at: one.figures.accepted for one in found if one.figures.accepted} == {
        NOON: 2,
        NOON - 30 * MINUTE_MS: 2,
    }
    assert list(total(found).numbers) == [4] * WIDTH


async def test_a_week_by_the_hour_says_the_same_as_a_day_by_the_minute(database: Database) -> None:
    mine = await owner(database)
    await add(database, mine, NOON, 5)
    week = await store.series(database, caller(mine), Window.ending(NOON, 7 * DAY_MS, HOUR_MS))
    assert len(week) == 7 * 24
    assert [one.figures.dead for one in week[-1:]] == [5]
    assert total(week) == total(await store.series(database, caller(mine), DAY))


async def test_an_account_sees_its_own_and_a_partner_sees_all_of_its_accounts(database: Database) -> None:
    mine = await owner(database)
    sibling = Owner(mine.partner_id, (await account(database, PartnerId(mine.partner_id), "Two")).id)
    stranger = await owner(database, "Other")
    for whose, number in ((mine, 1), (sibling, 10), (stranger, 100)):
        await add(database, whose, NOON, number)

    async def seen(by: Caller) -> int:
        return total(await store.series(database, by, DAY)).accepted

    assert [await seen(caller(one)) for one in (mine, sibling, stranger)] == [1, 10, 100]
    assert [await seen(caller(one, whole=True)) for one in (mine, stranger)] == [11, 100]
    assert await seen(caller(Owner(stranger.partner_id, mine.account_id))) == 0


async def test_destinations_that_failed_most_come_first_with_their_last_reason(database: Database) -> None:
    mine = await owner(database)
    for number in (1, 2, 3):
        await destination(database, mine, number)
    aims = [
        aim(mine, 1, NOON - HOUR_MS, ok=4, failed=6, reason="timeout"),
        aim(mine, 1, NOON, failed=1, reason="status 503"),
        aim(mine, 2, NOON, failed=2, reason="dns"),
        aim(mine, 3, NOON, ok=9),
        aim(mine, 2, NOON - 9 * HOUR_MS, failed=50, reason="tls"),
    ]
    await database.write(store.added((), aims))
    found = await store.failing(database, caller(mine), NOON - HOUR_MS + 1)
    assert [(one.destination_id, one.ok, one.failed, one.reason) for one in found] == [
        (1, 4, 7, "status 503"),
        (2, 0, 2, "dns"),
    ]
    assert (found[0].url, found[0].state, found[1].share) == ("https://example.com/1", "active", 1.0)
    assert len(await store.failing(database, caller(mine), NOON - HOUR_MS, most=1)) == 1


async def test_a_success_keeps_the_reason_of_the_failure_before_it(database: Database) -> None:
    mine = await owner(database)
    await destination(database, mine, 1)
    for one in (aim(mine, 1, NOON, failed=1, reason="reset"), aim(mine, 1, NOON, ok=1)):
        await database.write(store.added((), [one]))
    [found] = await store.failing(database, caller(mine, whole=True), NOON)
    assert (found.ok, found.failed, found.reason, found.failed_at) == (1, 1, "reset", NOON + 1)


async def test_nobody_sees_where_others_fail(database: Database) -> None:
    mine, stranger = await owner(database), await owner(database, "Other")
    await destination(database, mine, 1)
    await database.write(store.added((), [aim(mine, 1, NOON, failed=1, reason="reset")]))
    assert await store.failing(database, caller(stranger), 0) == []
    assert await store.failing(database, caller(stranger, whole=True), 0) == []
    assert len(await store.failing(database, caller(mine, whole=True), 0)) == 1


async def test_minutes_go_after_two_days_and_hours_after_five_weeks(database: Database) -> None:
    mine = await owner(database)
    await destination(database, mine, 1)
    for days in (0, 3, 36):
        await add(database, mine, NOON - days * DAY_MS)
        await database.write(store.added((), [aim(mine, 1, NOON - days * DAY_MS, failed=1, reason="x")]))
    assert await store.forget(database, NOON) == 2 * 2 + 2 + 1
    assert await store.forget(database, NOON) == 0
    rows = await database.all("SELECT span, at FROM traffic WHERE account_id = '' ORDER BY span, at")
    assert [(row["span"], (NOON - row["at"]) // DAY_MS) for row in rows] == [(MINUTE_MS, 0), (HOUR_MS, 3), (HOUR_MS, 0)]


async def test_what_is_counted_stands_in_the_rows_after_a_flush_and_once_only(database: Database) -> None:
    mine, traffic = await owner(database), Traffic()
    await destination(database, mine, 1)
    flushing = Flushing(traffic, database)
    traffic.arrived(mine, accepted=2, duplicate=1)
    traffic.turned_away(mine, refused=1, ignored=3)
    traffic.polled(mine, ok=True)
    traffic.polled(mine, ok=False)
    traffic.attempted(1, 30, None, 40)
    traffic.settled(1, "delivered")
    traffic.attempted(1, 2_000, "timeout: 2 s", 2_100)
    traffic.settled(1, "dead", 4)
    await flushing.flush()
    await flushing.flush()
    found = total(await store.series(database, caller(mine), _today()))
    assert (found.accepted, found.duplicate, found.refused, found.ignored, found.received) == (2, 1, 1, 3, 7)
    assert (found.attempts_ok, found.attempts_failed, found.delivered, found.dead) == (1, 1, 1, 4)
    assert (found.polls_ok, found.polls_failed, found.success) == (1, 1, 0.5)
    assert found.latency(1.0) == 50
    assert found.duration(1.0) == 2_000


async def test_more_accounts_than_one_commit_takes_are_flushed_whole(database: Database) -> None:
    traffic, number = Traffic(), 2 * AT_ONCE
    for place in range(number):
        traffic.arrived(Owner("many", f"account {place}"), accepted=1)
    await Flushing(traffic, database).flush()
    found = await store.series(database, caller(Owner("many", ""), whole=True), _today())
    assert total(found).accepted == number


async def test_what_could_not_be_written_waits_and_is_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise StorageDown("the disk is full")

    async with open_database(f"sqlite:///{tmp_path / 'gateway.db'}", min_free=0, auto_migrate=True) as database:
        mine, traffic = await owner(database), Traffic()
        flushing = Flushing(traffic, database)
        traffic.arrived(mine, accepted=3)
        with monkeypatch.context() as patched:
            patched.setattr(database, "_free", full)
            with pytest.raises(StorageDown):
                await flushing.flush()
            await flushing.close()
        traffic.arrived(mine, accepted=1)
        await flushing.flush()
        assert total(await store.series(database, caller(mine), _today())).accepted == 4


async def test_while_the_store_is_away_memory_is_bounded(database: Database) -> None:
    traffic = Traffic()
    traffic.owners = {(Owner("many", str(place)), 0): [] for place in range(MOST_OWED + 1)}
    traffic.arrived(Owner("many", "one"), accepted=1)
    with capture_logs() as told:
        await Flushing(traffic, database).flush()
    assert [one["event"] for one in told] == ["traffic.lost"]
    assert traffic.owners == {}


def _today() -> Window:
    return Window.ending(now_ms(), DAY_MS, 15 * MINUTE_MS)
