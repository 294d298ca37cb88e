"""Transactions of their own: alone, all or nothing, whatever happens to their caller."""

import asyncio

import pytest

from gateway.errors import Conflict
from gateway.storage import sequence
from gateway.storage.database import Database
from gateway.storage.open import open_database
from tests.storage.things import PUT, count, keys, put


async def test_it_is_committed_on_leaving(store: Database) -> None:
    async with store.transaction() as transaction:
        assert await transaction.execute(PUT, "a", 1) == 1
        assert await transaction.execute("UPDATE things SET number = 2") == 1
        assert await transaction.execute("DELETE FROM things WHERE id = 'other'") == 0
    assert await keys(store) == ["a"]


async def test_reads_do_not_see_what_is_not_committed(store: Database) -> None:
    async with store.transaction() as transaction:
        await transaction.execute(PUT, "a", 1)
        assert await keys(store) == []
        assert len(await transaction.all("SELECT * FROM things")) == 1
        assert await transaction.one("SELECT * FROM things WHERE id = 'b'") is None


@pytest.mark.parametrize("problem", [ValueError("mine"), OSError("mine"), TimeoutError("mine")])
async def test_an_exception_rolls_it_back_and_passes_unchanged(store: Database, problem: Exception) -> None:
    async def fail() -> None:
        async with store.transaction() as transaction:
            await transaction.execute(PUT, "a", 1)
            raise problem

    with pytest.raises(type(problem)) as raised:
        await fail()
    assert raised.value is problem
    assert await keys(store) == []


async def test_a_conflict_inside_rolls_all_of_it_back(store: Database) -> None:
    await store.write(put("taken"))

    async def collide() -> None:
        async with store.transaction() as transaction:
            await transaction.execute(PUT, "a", 1)
            await transaction.execute(PUT, "taken", 1)

    with pytest.raises(Conflict):
        await collide()
    assert await keys(store) == ["taken"]


async def test_two_of_them_do_not_mix(store: Database) -> None:
    async def both(name: str, *, fail: bool) -> None:
        async with store.transaction() as transaction:
            await transaction.execute(PUT, name + "1", 1)
            await asyncio.sleep(0.01)
            await transaction.execute(PUT, name + "2", 1)
            if fail:
                raise RuntimeError

    jobs = [both(f"t{number}-", fail=number % 2 == 1) for number in range(8)]
    writes = [store.write(put(f"w{number}")) for number in range(8)]
    await asyncio.gather(*jobs, *writes, return_exceptions=True)
    expected = [f"t{number}-{half}" for number in (0, 2, 4, 6) for half in (1, 2)]
    assert await keys(store) == [*expected, *(f"w{number}" for number in range(8))]


async def test_a_caller_cancelled_at_any_point_leaves_nothing_and_blocks_nobody(store: Database) -> None:
    async def work() -> None:
        async with store.transaction() as transaction:
            await transaction.execute(PUT, "half", 1)
            await asyncio.sleep(60)

    for steps in range(30):
        task = asyncio.create_task(work())
        for _ in range(steps):
            await asyncio.sleep(0.0003)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert await store.write(put(f"k{steps}")) == f"k{steps}"
    assert "half" not in await keys(store)
    assert await count(store) == 30


async def test_a_sequence_gives_no_number_twice(database_url: str) -> None:
    async def take(number: int) -> range:
        async with database.transaction() as transaction:
            first = await sequence.take(transaction, "test", number)
        return range(first, first + number)

    async with open_database(database_url, min_free=0, auto_migrate=True) as database:
        taken = await asyncio.gather(*(take(1 + number % 3) for number in range(30)))
    numbers = sorted(number for one in taken for number in one)
    assert numbers == list(range(1, len(numbers) + 1))
