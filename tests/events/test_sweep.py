"""Retention."""

import asyncio

from gateway.accounts.model import Retention
from gateway.accounts.store import drop_retention, put_retention
from gateway.clock import now_ms
from gateway.delivery.model import Settlement
from gateway.events import store, sweep
from gateway.events.refusal import KEPT_IN_ALL, KEPT_PER_SECOND, MOST_ROWS, Refusal, Sampler
from gateway.events.spans import Places
from gateway.events.sweep import BATCH, MOST_REFUSALS, NONCES_KEPT_MS, REFUSALS_KEPT_MS, TURN_MS
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


async def ledger(database: Database) -> dict[str, int]:
    """Both halves, added up over instances, destinations and shards."""
    sums: dict[str, int] = {}
    for table in ("ledger_events", "ledger_deliveries"):
        for row in await database.all(f"SELECT * FROM {table}"):
            for name, value in dict(row).items():
                if name not in ("instance_id", "destination_id", "shard"):
                    sums[name] = sums.get(name, 0) + int(value)
    return sums


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
    before = await ledger(database)
    removed = await sweep.sweep(database, now_ms(), KEPT_MS)
    assert removed.pop("events") == 2 * BATCH + 50
    assert set(removed.values()) == {0}
    assert [await count(database, table) for table in ("events", "deliveries", "attempts")] == [5, 5, 5]
    gone = {"removed": 2 * BATCH + 50, "removed_delivered": 2 * BATCH + 50}
    assert await ledger(database) == before | gone
    assert set((await sweep.sweep(database, now_ms(), KEPT_MS)).values()) == {0}


async def test_what_is_still_pending_is_kept_however_old_and_stands_in_nobodys_way(database: Database) -> None:
    await old(database, BATCH + 50, settled=False)
    await old(database, 30, first=10_000, settled=True)
    assert (await sweep.sweep(database, now_ms(), KEPT_MS))["events"] == 30
    assert await count(database, "events") == await count(database, "deliveries") == BATCH + 50
    assert await count(database, "attempts") == 0


async def test_an_event_that_nobody_wanted_goes_too(database: Database) -> None:
    await database.write(Write([store.accept(event(id=old_id(1)), routed=False)], lambda _: Effect(None)))
    assert (await sweep.sweep(database, now_ms(), KEPT_MS))["events"] == 1


async def test_an_event_that_is_sent_once_more_meanwhile_is_kept_whole(database: Database) -> None:
    one = event(id=old_id(1))
    first, again = job(one), job(one, event=None)
    await insert(database, [first], due_at=1)
    await settle(database, first, attempt(200), DELIVERED)
    await insert(database, [again], due_at=1)
    assert (await sweep.sweep(database, now_ms(), KEPT_MS))["events"] == 0
    assert [await count(database, table) for table in ("events", "deliveries", "attempts")] == [1, 2, 1]


async def left(database: Database) -> dict[str, int]:
    """How many events there are of each account, and how many of them are empty."""
    rows = await database.all(
        "SELECT account_id, count(*) AS number, count(emptied_at) AS emptied FROM events GROUP BY account_id"
    )
    return {row["account_id"]: int(row["number"]) * 1000 + int(row["emptied"]) for row in rows}


async def of_accounts(database: Database, **ages_ms: int) -> None:
    """Seven settled events of each account, so old."""
    for place, (account_id, age_ms) in enumerate(ages_ms.items()):
        made = [event(id=old_id(1_000 * place + one, age_ms), account_id=account_id) for one in range(7)]
        jobs = [job(one) for one in made]
        await insert(database, jobs, due_at=1)
        for one in jobs:
            await settle(database, one, attempt(200), DELIVERED)


async def test_contents_go_before_their_events_and_what_was_not_settled_then_goes_a_day_later(
    database: Database,
) -> None:
    places: Places = {}
    await old(database, 5, settled=True, age_ms=8 * DAY_MS)
    await old(database, 3, first=100, settled=False, age_ms=8 * DAY_MS)
    await old(database, 2, first=200, settled=True, age_ms=6 * DAY_MS)
    now = now_ms()
    swept = await sweep.sweep(database, now, KEPT_MS, 7 * DAY_MS, places)
    assert (swept["events"], swept["payloads"], await left(database)) == (0, 5, {"a1": 10_005})
    for row in await database.all("SELECT * FROM deliveries WHERE state = 'pending'"):
        one = job(event(id=row["event_id"]), id=row["id"])
        assert await settle(database, one, attempt(200), DELIVERED)
    assert (await sweep.sweep(database, now + DAY_MS // 2, KEPT_MS, 7 * DAY_MS, places))["payloads"] == 0
    assert (await sweep.sweep(database, now + DAY_MS, KEPT_MS, 7 * DAY_MS, places))["payloads"] == 5


async def test_an_account_may_have_its_own_say_in_both_directions(database: Database) -> None:
    await of_accounts(database, a1=40 * DAY_MS, longer=40 * DAY_MS, shorter=3 * DAY_MS, emptier=3 * DAY_MS)
    await put_retention(database, "longer", Retention(events_ms=90 * DAY_MS, payloads_ms=90 * DAY_MS), 0)
    await put_retention(database, "shorter", Retention(events_ms=2 * DAY_MS), 0)
    await put_retention(database, "emptier", Retention(payloads_ms=2 * DAY_MS), 0)
    swept = await sweep.sweep(database, now_ms(), KEPT_MS, KEPT_MS, {})
    assert (swept["events"], swept["payloads"]) == (14, 7)
    assert await left(database) == {"longer": 7_000, "emptier": 7_007}


async def test_a_say_that_is_taken_back_counts_from_the_next_sweep_on(database: Database) -> None:
    places: Places = {}
    await of_accounts(database, longer=40 * DAY_MS)
    await put_retention(database, "longer", Retention(events_ms=90 * DAY_MS), 0)
    assert (await sweep.sweep(database, now_ms(), KEPT_MS, KEPT_MS, places))["events"] == 0
    await put_retention(database, "longer", Retention(events_ms=60 * DAY_MS), 1)
    assert (await sweep.sweep(database, now_ms(), KEPT_MS, KEPT_MS, places))["events"] == 0
    await drop_retention(database, "longer")
    assert (await sweep.sweep(database, now_ms(), KEPT_MS, KEPT_MS, places))["events"] == 7
    assert {account_id for _, account_id in places} == {None}


async def test_what_stays_is_not_looked_at_by_the_next_sweep(database: Database) -> None:
    places: Places = {}
    await old(database, 4, settled=False)
    await sweep.sweep(database, now_ms(), KEPT_MS, KEPT_MS, places)
    assert places["events", None].after[12:] == f"{3:020x}"
    [one] = await database.all("SELECT * FROM deliveries ORDER BY id LIMIT 1")
    await settle(database, job(event(id=one["event_id"]), id=one["id"]), attempt(200), DELIVERED)
    assert (await sweep.sweep(database, now_ms(), KEPT_MS, KEPT_MS, places))["events"] == 0
    assert (await sweep.sweep(database, now_ms(), KEPT_MS, KEPT_MS, {}))["events"] == 1


async def test_one_node_sweeps_at_a_time_and_one_that_is_gone_is_not_waited_for_long(database: Database) -> None:
    await old(database, 3, settled=True)
    now = now_ms()
    begun = Statement("INSERT INTO meta (key, value) VALUES ('swept_until', $1)", (str(now + TURN_MS),))
    await database.write(Write([begun], lambda _: Effect(None)))
    assert set((await sweep.sweep(database, now + TURN_MS, KEPT_MS)).values()) == {0}
    assert (await sweep.sweep(database, now + TURN_MS + 1, KEPT_MS))["events"] == 3


async def test_two_sweeps_at_once_count_what_they_remove_once(database: Database) -> None:
    await old(database, 2 * BATCH, settled=True)
    swept = await asyncio.gather(*(sweep.sweep(database, now_ms(), KEPT_MS) for _ in range(3)))
    assert sorted(one["events"] for one in swept) == [0, 0, 2 * BATCH]
    assert (await ledger(database))["removed"] == 2 * BATCH


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


def test_a_request_with_many_changes_uses_up_what_is_kept_of_its_instance() -> None:
    sampler = Sampler()
    assert [sampler.keeps(1, 5_000, MOST_ROWS), sampler.keeps(1, 5_001, 1), sampler.keeps(2, 5_002, 1)] == [
        True, False, True,
    ]  # fmt: skip


def test_a_flood_on_all_instances_at_once_is_bounded_too() -> None:
    sampler = Sampler()
    kept = [sampler.keeps(instance_id, 5_000) for instance_id in range(10 * KEPT_IN_ALL)]
    assert kept.count(True) == KEPT_IN_ALL
    assert sampler.keeps(1, 6_000)
