"""Retention."""

from gateway.clock import now_ms
from gateway.delivery.model import Settlement
from gateway.events import store, sweep
from gateway.events.refusal import KEPT_PER_SECOND, Refusal, Sampler
from gateway.events.sweep import BATCH, MOST_REFUSALS, NONCES_KEPT_MS, REFUSALS_KEPT_MS
from gateway.ids import first_at, time_ordered
from gateway.storage.database import Database, Effect, Statement, Write
from tests.delivery.parts import attempt, event, insert, job, settle

DAY_MS = 86_400_000
KEPT_MS = 30 * DAY_MS
DELIVERED = Settlement(state="delivered", reason=None, due_at=0)


def old_id(number: int, age_ms: int = KEPT_MS + DAY_MS) -> str:
    """The id of a row that was made so long ago."""
    return first_at(now_ms() - age_ms)[:12] + f"{number:020x}"


async def old(
    database: Database, number: int, *, first: int = 0, settled: bool, age_ms: int = KEPT_MS + DAY_MS
) -> None:
    """So many events of that age, each with a delivery that was made or still waits."""
    made = [event(id=old_id(first + place, age_ms)) for place in range(number)]
    jobs = [job(one) for one in made]
    await insert(database, jobs, due_at=1)
    for one in jobs if settled else []:
        assert await settle(database, one, attempt(200), DELIVERED)


async def count(database: Database, table: str) -> int:
    row = await database.one(f"SELECT count(*) AS number FROM {table}")
    return 0 if row is None else int(row["number"])


async def test_nonces_go_after_two_days_and_not_before(database: Database) -> None:
    now = now_ms()
    fresh = [store.remember_nonce(3, f"fresh {number}", "h", now - NONCES_KEPT_MS + 60_000) for number in range(5)]
    ended = [store.remember_nonce(3, f"ended {number}", "h", now - NONCES_KEPT_MS - 1) for number in range(BATCH + 5)]
    await database.write(Write((), lambda _: Effect(None, [*fresh, *ended])))
    assert (await sweep.sweep(database, now, KEPT_MS))["nonces"] == BATCH + 5
    assert await count(database, "nonces") == 5
    assert await store.body_of_nonce(database, 3, "fresh 0") == "h"
    assert await store.body_of_nonce(database, 3, "ended 0") is None


async def ledgers(database: Database) -> list[dict[str, int]]:
    rows = [*await database.all("SELECT * FROM ledger_events"), *await database.all("SELECT * FROM ledger_deliveries")]
    return [dict(row) for row in rows]


async def refuse(database: Database, number: int, *, instance_id: int = 3, age_ms: int = 0) -> None:
    rows = [
        store.refuse(
            Refusal(
                id=time_ordered() if not age_ms else old_id(place, age_ms),
                instance_id=instance_id,
                at=0,
                check="signature",
                detail="",
                remote="",
                body_hash="",
            )
        )
        for place in range(number)
    ]
    await database.write(Write((), lambda _: Effect(None, rows)))


async def test_old_settled_events_go_with_their_deliveries_and_attempts_in_batches(database: Database) -> None:
    await old(database, 2 * BATCH + 50, settled=True)
    await old(database, 5, first=10_000, settled=True, age_ms=KEPT_MS - DAY_MS)
    before = await ledgers(database)
    removed = await sweep.sweep(database, now_ms(), KEPT_MS)
    assert removed.pop("events") == 2 * BATCH + 50
    assert set(removed.values()) == {0}
    assert [await count(database, table) for table in ("events", "deliveries", "attempts")] == [5, 5, 5]
    assert await ledgers(database) == before
    assert set((await sweep.sweep(database, now_ms(), KEPT_MS)).values()) == {0}


async def test_what_is_still_pending_is_kept_however_old_and_stands_in_nobodys_way(database: Database) -> None:
    await old(database, BATCH + 50, settled=False)
    await old(database, 30, first=10_000, settled=True)
    assert (await sweep.sweep(database, now_ms(), KEPT_MS))["events"] == 30
    assert await count(database, "events") == await count(database, "deliveries") == BATCH + 50
    assert await count(database, "attempts") == 0


async def test_an_event_that_nobody_wanted_goes_too(database: Database) -> None:
    await database.write(Write([store.accept(event(id=old_id(1)))], lambda _: Effect(None)))
    assert (await sweep.sweep(database, now_ms(), KEPT_MS))["events"] == 1


async def test_an_event_that_is_sent_once_more_meanwhile_is_kept_whole(database: Database) -> None:
    one = event(id=old_id(1))
    first, again = job(one), job(one, event=None)
    await insert(database, [first], due_at=1)
    await settle(database, first, attempt(200), DELIVERED)
    await insert(database, [again], due_at=1)
    statements = [Statement(sql, (one.id,)) for sql in sweep._GONE]
    await database.write(Write(statements, lambda _: Effect(None)))
    assert [await count(database, table) for table in ("events", "deliveries", "attempts")] == [1, 2, 1]


async def test_old_refusals_go(database: Database) -> None:
    await refuse(database, BATCH + 3, age_ms=REFUSALS_KEPT_MS + DAY_MS)
    await refuse(database, 4)
    assert (await sweep.sweep(database, now_ms(), KEPT_MS))["refusals"] == BATCH + 3
    assert await count(database, "refusals") == 4


async def test_a_flood_of_refusals_leaves_the_newest_of_each_instance(database: Database) -> None:
    await refuse(database, MOST_REFUSALS + 300, instance_id=1)
    await refuse(database, 10, instance_id=2)
    newest = await database.all("SELECT max(id) AS id FROM refusals WHERE instance_id = 1")
    assert (await sweep.sweep(database, now_ms(), KEPT_MS))["refusals"] == 300
    assert await count(database, "refusals") == MOST_REFUSALS + 10
    assert await database.all("SELECT max(id) AS id FROM refusals WHERE instance_id = 1") == newest


def test_some_refusals_a_second_are_kept_of_each_instance() -> None:
    sampler = Sampler()
    kept = [sampler.keeps(instance_id, 5_000 + place) for instance_id in (1, 2) for place in range(500)]
    assert kept.count(True) == 2 * KEPT_PER_SECOND
    assert sampler.keeps(1, 6_000)
