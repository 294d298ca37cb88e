"""Grouped writes: together where they can be, each with its own fate."""

import asyncio
from collections.abc import Sequence

import pytest

from gateway.errors import Conflict, StorageDown
from gateway.storage.database import Database, Effect, Row, Statement, StatementError, Tally, Write
from gateway.storage.open import connect
from tests.storage.things import COUNT, PUT, PUT_ROWS, count, keys, put, put_once, table


async def test_each_writer_gets_its_own_value(store: Database) -> None:
    values = await asyncio.gather(*(store.write(put(f"k{number:03}")) for number in range(200)))
    assert values == [f"k{number:03}" for number in range(200)]
    assert await keys(store) == values


async def test_what_gathers_is_committed_together(store: Database) -> None:
    writing = asyncio.gather(*(store.write(put(f"k{number}")) for number in range(100)))
    seen = set()
    while not writing.done():
        seen.add(await count(store))
    await writing
    assert seen <= {0, 100}


async def test_a_constraint_fails_only_the_write_that_breaks_it(store: Database) -> None:
    await store.write(put("taken"))
    names = [*(f"a{number}" for number in range(20)), "taken", *(f"b{number}" for number in range(20))]
    outcomes = await asyncio.gather(*(store.write(put(name)) for name in names), return_exceptions=True)
    assert [name for name, outcome in zip(names, outcomes, strict=True) if isinstance(outcome, Conflict)] == ["taken"]
    assert await count(store) == 41


async def test_of_two_equal_writes_in_one_group_the_first_wins(store: Database) -> None:
    first, second = await asyncio.gather(
        store.write(put("same", 1)), store.write(put("same", 2)), return_exceptions=True
    )
    assert first == "same"
    assert isinstance(second, Conflict)
    row = await store.one("SELECT number FROM things WHERE id = 'same'")
    assert row is not None
    assert row["number"] == 1


async def test_the_rows_of_a_write_decide_what_follows(store: Database) -> None:
    outcomes = await asyncio.gather(*(store.write(put_once(name)) for name in ("a", "b", "a", "c", "b", "a")))
    assert outcomes == [True, True, False, True, False, False]
    assert await keys(store) == ["a", "a'", "b", "b'", "c", "c'"]


async def test_rows_go_back_to_the_write_that_asked_for_them(store: Database) -> None:
    await asyncio.gather(*(store.write(put(f"k{number}", number % 3)) for number in range(9)))
    close = "UPDATE things SET number = -2 WHERE id IN (SELECT id FROM things WHERE number = $1 LIMIT 2) RETURNING $1"

    def closing(number: int) -> Write[int]:
        return Write([Statement(close, (number,), returns=True)], lambda rows: Effect(len(rows[0])))

    assert await asyncio.gather(*(store.write(closing(number)) for number in (0, 1, 0, 7, 1))) == [2, 2, 1, 0, 1]


async def test_tallies_of_all_writes_are_added_up(store: Database) -> None:
    for _ in range(3):
        await asyncio.gather(*(store.write(put_once(f"k{number}", number)) for number in range(50)))
    rows = await store.all("SELECT * FROM counts ORDER BY id")
    assert [(row["id"], row["a"], row["b"]) for row in rows] == [
        ("new", 50, 1225),
        ("old", 100, 2450),
    ]


async def test_a_write_whose_then_raises_fails_alone(store: Database) -> None:
    def trip(_: Sequence[Sequence[Row]]) -> Effect[str]:
        raise RuntimeError("tripped")

    bad: Write[str] = Write([Statement(PUT, ("bad", 0))], trip)
    writes = [put("a"), put("b"), bad, put("c")]
    outcomes = await asyncio.gather(*(store.write(write) for write in writes), return_exceptions=True)
    assert [outcome if isinstance(outcome, str) else type(outcome) for outcome in outcomes] == [
        "a",
        "b",
        RuntimeError,
        "c",
    ]
    assert await keys(store) == ["a", "b", "c"]


async def test_a_statement_that_is_not_understood_fails_alone_and_is_no_outage(store: Database) -> None:
    bad: Write[str] = Write([Statement("INSERT INTO nothing (id) VALUES ($1)", ("x",))], lambda _: Effect("x"))
    outcomes = await asyncio.gather(
        store.write(put("a")), store.write(bad), store.write(put("b")), return_exceptions=True
    )
    assert [outcome if isinstance(outcome, str) else type(outcome) for outcome in outcomes] == [
        "a",
        StatementError,
        "b",
    ]
    with pytest.raises(StatementError):
        await store.all("SELEC 1")


def _row(key: str, number: int | None, content: bytes = b"") -> Write[bool]:
    statement = Statement(PUT_ROWS, (key, number, content), returns=True, types=("text", "bigint", "bytea"))
    return Write([statement], lambda rows: Effect(bool(rows[0])))


async def test_statements_that_run_as_one_table_still_tell_each_write_its_own_rows(store: Database) -> None:
    assert await store.write(_row("taken", 1, b"\x00\xff"))
    names = [f"k{number % 900:03}" for number in range(1000)]
    outcomes = await asyncio.gather(*(store.write(_row(name, None)) for name in ["taken", *names]))
    assert outcomes == [False, *[True] * 900, *[False] * 100]
    row = await store.one("SELECT number, bytes FROM things WHERE id = 'taken'")
    assert row is not None
    assert (row["number"], bytes(row["bytes"])) == (1, b"\x00\xff")
    assert await count(store) == 901


async def test_a_constraint_in_such_a_table_fails_only_the_write_that_breaks_it(store: Database) -> None:
    outcomes = await asyncio.gather(
        *(store.write(_row(f"k{number}", -1 if number == 41 else number)) for number in range(100)),
        return_exceptions=True,
    )
    assert [number for number, outcome in enumerate(outcomes) if outcome is not True] == [41]
    assert isinstance(outcomes[41], Conflict)
    assert await count(store) == 99


async def test_a_write_without_statements_shows_that_commits_work(store: Database) -> None:
    assert await store.write(Write((), lambda _: Effect("yes"))) == "yes"


async def test_a_write_that_is_not_urgent_lands_by_itself(store: Database) -> None:
    future = store.submit(Write((), lambda _: Effect(1, tallies=[Tally(COUNT, ("x",), (1, 1))])))
    assert not future.done()
    assert await asyncio.wait_for(future, 2) == 1


async def test_writes_that_are_not_urgent_go_along_with_an_urgent_one(store: Database) -> None:
    future = store.submit(put("lingering"))
    await store.write(put("urgent"))
    assert future.done()


async def test_a_caller_that_left_stops_nobody(store: Database) -> None:
    leaving = asyncio.create_task(store.write(put("left")))
    staying = asyncio.create_task(store.write(put("stayed")))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == "stayed"
    assert await store.write(put("after")) == "after"


async def test_closing_commits_what_waits_and_later_writes_fail(database_url: str) -> None:
    async with connect(database_url, min_free=0) as database:
        await table(database)
        futures = [database.submit(put(f"k{number}")) for number in range(600)]
    assert len({future.result() for future in futures}) == 600
    with pytest.raises(StorageDown):
        await database.write(put("late"))
    with pytest.raises(StorageDown):
        await database.submit(put("late"))
    with pytest.raises(StorageDown):
        await count(database)
    with pytest.raises(StorageDown):
        async with database.transaction():
            pass
    async with connect(database_url, min_free=0) as again:
        assert await count(again) == 600
