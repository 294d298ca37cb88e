"""PostgreSQL: what a network and a second node bring with them."""

import asyncio
import random

import pytest

from gateway.errors import StartRefused, StorageDown
from gateway.storage.database import Database, Effect, Statement, Write
from gateway.storage.open import connect
from gateway.storage.postgres import refuse_older
from tests.kit import postgres
from tests.storage.things import count, put, put_once, table

_CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}' AND pid <> pg_backend_pid()"


@pytest.mark.parametrize(("version", "good"), [(90624, False), (140012, False), (150000, True), (180006, True)])
def test_a_server_older_than_15_is_refused(version: int, good: bool) -> None:
    if good:
        refuse_older(version)
    else:
        with pytest.raises(StartRefused, match=f"15 or newer is needed; this server is {version // 10_000}"):
            refuse_older(version)


@pytest.mark.parametrize("url", ["postgresql://x@127.0.0.1:1/x", "postgresql://[half", "postgresql://x@127.0.0.1:no/x"])
async def test_a_server_that_cannot_be_reached_is_refused(url: str) -> None:
    with pytest.raises(StartRefused, match=r"storage\.url"):
        async with connect(url, min_free=0):
            pass


async def test_a_database_that_is_not_there_is_refused(postgres_server: str) -> None:
    with pytest.raises(StartRefused, match="does not exist"):
        async with connect(postgres_server.rsplit("/", 1)[0] + "/nowhere", min_free=0):
            pass


async def test_connections_that_were_cut_are_replaced(postgres_server: str) -> None:
    url = await postgres.fresh(postgres_server, "cut")
    async with connect(url, min_free=0) as database:
        await table(database)
        for number in range(3):
            await postgres.execute(postgres_server, _CUT.format("cut"))
            await _until_it_works(database, f"k{number}")
        assert await count(database) == 3


async def test_a_connection_cut_in_the_middle_is_an_outage_and_all_or_nothing(postgres_server: str) -> None:
    url = await postgres.fresh(postgres_server, "middle")
    async with connect(url, min_free=0) as database:
        await table(database)
        slow: Write[None] = Write(
            [Statement("INSERT INTO things (id, number) SELECT $1, length(pg_sleep(2)::text)", ("slow",))],
            lambda _: Effect(None),
        )
        writing = asyncio.gather(database.write(put("along")), database.write(slow), return_exceptions=True)
        await asyncio.sleep(0.3)
        await postgres.execute(postgres_server, _CUT.format("middle"))
        assert [type(outcome) for outcome in await writing] == [StorageDown, StorageDown]
        with pytest.raises(StorageDown):
            await _cut_inside(database, postgres_server)
        await _until_it_works(database, "after")
        assert await count(database) == 1


async def test_a_server_that_stops_and_comes_back_needs_no_restart_of_ours() -> None:
    with postgres.private() as server:
        async with connect(server.url, min_free=0) as database:
            await table(database)
            await database.write(put("before"))
            server.stop()
            for _ in range(2):
                with pytest.raises(StorageDown):
                    await database.write(put("meanwhile"))
                with pytest.raises(StorageDown):
                    await count(database)
                with pytest.raises(StorageDown):
                    async with database.transaction():
                        pass
            server.start()
            await _until_it_works(database, "after")
            assert await count(database) == 2


async def test_nodes_that_get_the_same_events_in_another_order_do_not_fail_each_other(postgres_server: str) -> None:
    url = await postgres.fresh(postgres_server, "deadlock")
    async with connect(url, min_free=0) as one, connect(url, min_free=0) as other:
        await table(one)
        for round_number in range(20):
            names = [f"{round_number}-{number}" for number in range(60)]
            backwards = random.Random(round_number).sample(names, 60)
            writes = [
                node.write(put_once(name)) for node, order in ((one, names), (other, backwards)) for name in order
            ]
            assert sum(await asyncio.gather(*writes)) == 60


async def test_busy_readers_do_not_hold_up_a_write(postgres_server: str) -> None:
    url = await postgres.fresh(postgres_server, "busy")
    async with connect(url, min_free=0) as database:
        await table(database)
        reading = [asyncio.create_task(database.all("SELECT pg_sleep(1)")) for _ in range(20)]
        await asyncio.sleep(0.2)
        assert await asyncio.wait_for(database.write(put("now")), 0.5) == "now"
        await asyncio.gather(*reading)


async def _cut_inside(database: Database, server: str) -> None:
    async with database.transaction() as transaction:
        await transaction.execute("INSERT INTO things (id) VALUES ('half')")
        await postgres.execute(server, _CUT.format("middle"))


async def _until_it_works(database: Database, key: str) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                await database.write(put(key))
            except StorageDown:
                await asyncio.sleep(0.05)
            else:
                return
