"""Pollers as rows, on both engines."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from gateway.polling import store
from gateway.polling.model import Cursor, Known, Poller, Seen
from gateway.storage.database import Database, Effect, Row, Statement, Write
from tests.polling.parts import MINUTE, NOW, SECOND, poller

LEASE = 90 * SECOND
MANY = 100_000


async def hired(database: Database, *rows: Poller) -> None:
    async with database.transaction() as transaction:
        for row in rows:
            await store.add(transaction, row)


def due(number: int, *, instance_id: int | None = None, at: int = NOW) -> Poller:
    return poller(id=f"p{number:06}", instance_id=instance_id or number, name=f"n{number}", next_due=at, planned_at=at)


async def claimed(
    database: Database, owner: str = "a", *, now: int = NOW, most: int = 10, busy: dict[int, int] | None = None
) -> list[Poller]:
    return await store.claim(database, owner=owner, now=now, until=now + LEASE, most=most, busy=busy)


async def committed(
    database: Database, after: Poller, also: Sequence[Statement] = (), *, records: int = 0, goes_on: bool = False
) -> bool:
    """The commit as a poll makes it: what follows is written only where the guard came back."""

    def then(rows: Sequence[Sequence[Row]]) -> Effect[bool]:
        return Effect(True, also) if rows[0] else Effect(False)

    guard = store.commit(after, NOW, records=records, goes_on=goes_on)
    return await database.write(Write([guard], then))


async def found(database: Database, number: int) -> Poller:
    row = await store.one(database, number, f"n{number}")
    assert row is not None
    return row


async def test_a_row_tells_what_was_written(database: Database) -> None:
    cursor = Cursor(started=True, watermark="2026", watermark_ms=NOW, seen={"o1:x": Seen(NOW, "c", 2)}, lag_ms=0)
    await hired(database, replace(due(1), cursor=cursor))
    row = await found(database, 1)
    assert row == replace(due(1), cursor=cursor)
    await hired(database, replace(due(1), id="other"))
    assert [one.id for one in await store.of_instance(database, 1)] == ["p000001"]


async def test_a_claim_takes_what_is_due_the_longest_due_first_and_leases_it(database: Database) -> None:
    await hired(database, due(1, at=NOW), due(2, at=NOW - MINUTE), due(3, at=NOW + 1), replace(due(4), enabled=False))
    await hired(database, replace(due(5), next_due=None), due(6, at=NOW - SECOND))
    rows = await claimed(database, most=2)
    assert [row.id for row in rows] == ["p000002", "p000006"]
    assert {(row.lease_owner, row.lease_until, row.epoch) for row in rows} == {("a", NOW + LEASE, 1)}
    assert [row.next_due for row in rows] == [NOW - MINUTE, NOW - SECOND]
    assert (await found(database, 2)).next_due == NOW + LEASE
    assert [row.id for row in await claimed(database, "b")] == ["p000001"]
    assert await claimed(database, "b") == []
    assert await claimed(database, most=0) == []


async def test_no_row_is_ever_given_to_two(database: Database) -> None:
    await hired(database, *(due(number) for number in range(1, 201)))
    taken = await asyncio.gather(*(claimed(database, f"node{n}", most=7) for n in range(60)))
    ids = [row.id for rows in taken for row in rows]
    assert len(ids) == len(set(ids))
    rest = [row.id for row in await claimed(database, most=200)]
    assert len({*ids, *rest}) == len(ids) + len(rest) == 200


async def test_of_one_instance_only_some_are_taken_at_once_and_the_others_get_their_turn(database: Database) -> None:
    await hired(database, *(due(n, instance_id=7, at=NOW - MINUTE) for n in range(1, 13)), due(99, at=NOW))
    first = await claimed(database)
    assert [row.instance_id for row in first] == [7] * 8 + [99]
    assert await claimed(database, busy={7: 8}) == []
    assert len(await claimed(database, busy={7: 6})) == 2


async def test_an_instance_that_is_full_never_stands_in_front_of_others(database: Database) -> None:
    await hired(database, *(due(n, instance_id=7, at=NOW - MINUTE) for n in range(1, 101)), due(999, at=NOW))
    assert [row.instance_id for row in await claimed(database, most=2, busy={7: 8})] == [999]


async def test_when_a_lease_ends_another_may_have_it_and_the_first_can_write_nothing(database: Database) -> None:
    await hired(database, due(1))
    [slow] = await claimed(database, "slow")
    assert await claimed(database, "quick", now=NOW + LEASE - 1) == []
    [quick] = await claimed(database, "quick", now=NOW + LEASE)
    assert quick.epoch == slow.epoch + 1
    late = replace(slow, cursor=Cursor(watermark="late"), next_due=NOW)
    also = store.remembered("p000001", [Known("o1", "c")], [])
    assert not await committed(database, late, also)
    assert (await found(database, 1)).cursor == Cursor()
    assert await store.objects(database, "p000001") == {}
    assert await committed(database, replace(quick, cursor=Cursor(watermark="right"), next_due=NOW + MINUTE), also)
    assert await store.objects(database, "p000001") == {"o1": Known("o1", "c")}


async def test_a_commit_gives_the_lease_back_and_adds_up_the_records(database: Database) -> None:
    await hired(database, due(1))
    [row] = await claimed(database)
    after = replace(
        row, state="failing", reason="no", failures=3, planned_at=NOW + 1, next_due=NOW + 2, cursor=Cursor(polls=1)
    )
    assert await committed(database, after, records=5)
    kept = await found(database, 1)
    assert kept == replace(after, lease_owner=None, lease_until=0, since=NOW, records_total=5)
    [again] = await claimed(database, now=NOW + 2)
    assert await committed(database, replace(again, next_due=None), records=2)
    assert (await found(database, 1)).records_total == 7


async def test_a_part_of_a_long_poll_keeps_the_lease(database: Database) -> None:
    await hired(database, due(1))
    [row] = await claimed(database)
    assert await committed(database, replace(row, cursor=Cursor(polls=1)), goes_on=True)
    assert await claimed(database, "b") == []
    assert await committed(database, replace(row, cursor=Cursor(polls=2), next_due=NOW))
    assert [one.cursor.polls for one in await claimed(database, "b")] == [2]


async def test_many_commits_of_one_group_are_each_judged_alone(database: Database) -> None:
    await hired(database, *(due(number) for number in range(1, 101)))
    rows = await claimed(database, most=100)
    stale = {row.id for row in rows[::3]}
    now = [replace(row, epoch=row.epoch - (row.id in stale), next_due=None) for row in rows]
    done = await asyncio.gather(*(committed(database, row) for row in now))
    assert [not ok for ok in done] == [row.id in stale for row in rows]


async def test_who_asks_for_a_poll_while_one_runs_gets_another_right_after_it(database: Database) -> None:
    await hired(database, due(1))
    [row] = await claimed(database)
    async with database.transaction() as transaction:
        await store.wake(transaction, 1, NOW)
    assert await claimed(database, "b") == []
    assert await committed(database, replace(row, next_due=NOW + MINUTE))
    assert len(await claimed(database, "b")) == 1


async def test_a_poke_wakes_what_is_going_and_nothing_that_stopped(database: Database) -> None:
    later = NOW + MINUTE
    await hired(database, due(1, at=later), replace(due(2, instance_id=1, at=later), state="reauth", next_due=None))
    await hired(database, replace(due(3, instance_id=1, at=later), enabled=False), due(4, at=later))
    async with database.transaction() as transaction:
        await store.wake(transaction, 1, NOW)
    assert [row.id for row in await claimed(database)] == ["p000001"]


async def test_one_is_taken_by_name_also_before_its_time_and_by_one_only(database: Database) -> None:
    await hired(database, replace(due(1), next_due=None), replace(due(2), enabled=False))

    async def take(number: int) -> Poller | None:
        return await store.claim_one(database, number, f"n{number}", owner="a", now=NOW, until=NOW + LEASE)

    taken = await asyncio.gather(*(take(1) for _ in range(5)))
    assert sum(row is not None for row in taken) == 1
    assert await take(2) is None
    assert await take(3) is None


async def test_the_heartbeat_prolongs_what_is_held_and_tells_what_was_lost(database: Database) -> None:
    await hired(database, due(1), due(2), due(3))
    rows = await claimed(database)
    async with database.transaction() as transaction:
        await store.switch(transaction, "p000002", NOW, enabled=True, next_due=NOW)
    until = NOW + 60 * SECOND + LEASE
    assert await database.write(store.renewal(rows, "a", until)) == {"p000001", "p000003"}
    assert [row.id for row in await claimed(database, "b", now=NOW + LEASE)] == ["p000002"]
    assert len(await claimed(database, "b", now=until)) == 2
    assert await database.write(store.renewal([], "a", until)) == frozenset()


async def test_a_node_that_leaves_gives_its_rows_back_at_once(database: Database) -> None:
    await hired(database, due(1), due(2))
    [mine] = await claimed(database, "a", most=1)
    await claimed(database, "b", most=1)
    async with database.transaction() as transaction:
        await store.give_back(transaction, "a", NOW)
    assert [row.id for row in await claimed(database, "c")] == [mine.id]
    assert not await committed(database, replace(mine, next_due=NOW))


async def test_alone_at_its_start_a_node_believes_no_lease(database: Database) -> None:
    await hired(database, due(1), due(2, at=NOW + MINUTE))
    await claimed(database, "dead")
    async with database.transaction() as transaction:
        await store.begin(transaction, NOW)
    assert [row.id for row in await claimed(database)] == ["p000001"]


async def test_switched_off_and_on_again_it_goes_on_where_it_was(database: Database) -> None:
    cursor = Cursor(started=True, watermark="2026", watermark_ms=NOW)
    await hired(database, replace(due(1), cursor=cursor))
    [row] = await claimed(database)
    async with database.transaction() as transaction:
        await store.switch(transaction, row.id, NOW, enabled=False, next_due=None)
    assert not await committed(database, replace(row, cursor=Cursor(), next_due=NOW))
    assert await claimed(database, now=NOW + LEASE) == []
    async with database.transaction() as transaction:
        await store.switch(transaction, row.id, NOW, enabled=True, next_due=NOW)
    assert [one.cursor for one in await claimed(database)] == [cursor]


async def test_another_interval_counts_at_once_and_stops_no_poll(database: Database) -> None:
    await hired(database, due(1, at=NOW + 60 * MINUTE), due(2))
    [row] = await claimed(database)
    async with database.transaction() as transaction:
        for one in ("p000001", "p000002"):
            await store.reschedule(transaction, one, NOW, NOW + SECOND)
    assert [one.id for one in await claimed(database, now=NOW + SECOND)] == ["p000001"]
    assert await committed(database, replace(row, next_due=NOW + 60 * MINUTE))
    assert (await found(database, 2)).next_due == NOW


async def test_what_stopped_is_resumed_as_if_nothing_had_happened(database: Database) -> None:
    stopped = replace(due(1), state="disabled", reason="x", failures=100, next_due=None)
    await hired(database, stopped, replace(stopped, id="b", name="other"), due(2))
    async with database.transaction() as transaction:
        assert await store.resume(transaction, 1, NOW, "other") == 1
        assert await store.resume(transaction, 1, NOW) == 1
        assert await store.resume(transaction, 1, NOW) == 0
    row = await found(database, 1)
    assert (row.state, row.reason, row.failures, row.next_due) == ("ok", None, 0, NOW)


async def test_only_an_explicit_call_forgets_how_far_it_was_read(database: Database) -> None:
    await hired(database, replace(due(1), cursor=Cursor(started=True, watermark="2026")))
    [row] = await claimed(database)
    also = store.remembered(row.id, [Known("o1", "c")], [])
    assert await committed(database, replace(row, next_due=NOW + MINUTE), also)
    async with database.transaction() as transaction:
        await store.reset(transaction, row.id, NOW)
    assert await store.objects(database, row.id) == {}
    assert [one.cursor for one in await claimed(database)] == [Cursor()]


async def test_a_snapshot_remembers_changes_and_forgets_what_is_gone(database: Database) -> None:
    await hired(database, due(1), due(2))
    one, other = await claimed(database)
    many = [Known(f"o{number}", "c") for number in range(300)]
    assert await committed(database, one, store.remembered(one.id, many, []), goes_on=True)
    assert await committed(database, other, store.remembered(other.id, many[:2], []), goes_on=True)
    changed = [Known("o1", "d"), Known("o2", "c", 1)]
    assert await committed(database, one, store.remembered(one.id, changed, ["o3", "o4"]))
    known = await store.objects(database, one.id)
    assert len(known) == 298
    assert (known["o1"].content, known["o2"].misses) == ("d", 1)
    assert len(await store.objects(database, other.id)) == 2
    async with database.transaction() as transaction:
        await store.forget(transaction, 1)
    assert await store.of_instance(database, 1) == []
    assert await store.objects(database, one.id) == {}
    assert len(await store.objects(database, other.id)) == 2


async def test_what_operators_are_told(database: Database) -> None:
    await hired(database, due(1, at=NOW - MINUTE), replace(due(2), state="failing"), replace(due(3), enabled=False))
    counts = await store.counts(database)
    assert counts == {"ok": 1, "failing": 1, "reauth": 0, "disabled": 0, "paused": 0}
    assert await store.overdue(database, NOW) == (2, MINUTE)
    assert await store.overdue(database, NOW - 2 * MINUTE) == (0, 0)


_FILL = """INSERT INTO pollers
SELECT 'q' || n, n, 'orders', 1, CAST($2 AS BIGINT) + n, NULL, 'ok', NULL, 0, 0, 0, NULL, 0, 0, 0, 0, '{}'
FROM (WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < CAST($1 AS BIGINT))
SELECT n FROM numbers) AS many"""


async def test_a_claim_looks_at_the_head_of_one_index_and_at_no_other_row_of_a_hundred_thousand(
    database: Database,
) -> None:
    async with database.transaction(patient=True) as transaction:
        await transaction.execute(_FILL, MANY, NOW)
        if database.engine == "postgresql":
            await transaction.execute("ANALYZE pollers")
    for sql in (store.IS_DUE, store.due_sql(database, 0), store.due_sql(database, 2)):
        text = await explained(database, sql)
        assert "pollers_due" in text
        assert not [word for word in ("SCAN", "Seq Scan", "TEMP B-TREE", "Sort") if word in text]
        assert database.engine == "postgresql" or "COVERING" in text
    assert [row.id for row in await claimed(database, now=NOW + MANY, most=3)] == ["q1", "q2", "q3"]


async def explained(database: Database, sql: str) -> str:
    args: list[int] = [NOW + MANY // 2, 256, 1, 2][: sql.count("$")]
    words = "EXPLAIN QUERY PLAN " if database.engine == "sqlite" else "EXPLAIN "
    return "".join(str(tuple(row)) for row in await database.all(words + sql, *args))
