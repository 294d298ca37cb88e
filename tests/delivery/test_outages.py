"""The worker when something is wrong: the store, the program, a destination that is gone with a long backlog."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from gateway.clock import now_ms
from gateway.config import Config
from gateway.egress.model import Client, Outcome, Request
from gateway.errors import StorageDown
from tests.delivery.nodes import backlog, destination_of, instance, is_empty, node, settled, stand
from tests.delivery.parts import balanced, event, insert, job, states
from tests.delivery.road import patch, send, until
from tests.kit import postgres
from tests.kit.consumer import Arrived, Consumer
from tests.kit.gateway import Gateway, settings, started

HOUR_MS = 3_600_000


# Outages


async def test_results_wait_for_a_store_that_is_full_and_nothing_is_sent_twice(
    sqlite_gateway: Gateway, receiver: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_up = asyncio.Event()

    async def when_told(_: Arrived) -> web.StreamResponse:
        await open_up.wait()
        return web.Response()

    def full() -> None:
        raise StorageDown("the disk is full")

    receiver.answer = when_told
    made = await sqlite_gateway.create("github", receiver.url())
    await send(sqlite_gateway, made)
    await receiver.wait(1)
    with monkeypatch.context() as patched:
        patched.setattr(sqlite_gateway.running.services.runtime.database, "_free", full)
        open_up.set()
        await asyncio.sleep(1.5)
        assert (await sqlite_gateway.ledger())["delivered"] == 0
    await until(sqlite_gateway, delivered=1)
    assert len(receiver.arrived) == 1


async def test_deliveries_go_on_after_the_database_was_away(tmp_path: Path, receiver: Consumer) -> None:
    receiver.status = 500
    with postgres.private() as server:
        schedule = {"retry_schedule": ["300ms"] * 40}
        async with started(settings(tmp_path, server.url, delivery=schedule)) as gateway:
            every = [await gateway.create("github", receiver.url(f"/{number}")) for number in range(5)]
            for made in every:
                await send(gateway, made)
            await receiver.wait(5)
            await asyncio.to_thread(server.stop)
            await asyncio.sleep(1)
            receiver.status = 200
            await asyncio.to_thread(server.start)
            database = gateway.running.services.runtime.database
            async with asyncio.timeout(40):
                while True:
                    try:
                        if await states(database) == {"delivered": 5}:
                            break
                    except StorageDown:
                        pass
                    await asyncio.sleep(0.1)
            assert await balanced(database)
            assert is_empty(gateway.running.services.worker)


class Tripping:
    """A client with a mistake in it: one body trips it up."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def send(self, request: Request) -> Outcome:
        if b'"poison"' in request.body:
            raise RuntimeError("a mistake in the program")
        return await self._client.send(request)

    async def close(self) -> None:
        await self._client.close()


async def test_a_delivery_that_trips_the_program_up_stops_no_other_and_is_dead_in_the_end(
    database_url: str, tmp_path: Path, receiver: Consumer
) -> None:
    config = settings(tmp_path, database_url)
    instance_id, destination_id = await instance(config, receiver.url())
    async with node(config, Tripping) as (runtime, worker):
        poison = event(instance_id=instance_id, payload=b'{"poison":1}')
        # A worker looks around when it starts, and may find the poison before it is told.
        with capture_logs() as logged:
            one = job(poison, destination_id=destination_id, lease_until=0)
            await insert(runtime.database, [one], due_at=now_ms() - 5)
            await backlog(runtime.database, instance_id, destination_id, 20)
            worker.left_behind(destination_id)
            await settled(runtime.database, delivered=20, dead=1)
        assert [line["event"] for line in logged].count("delivery.broke") == 4
        assert is_empty(worker)
    row = await only_dead(config)
    assert (row["event_id"], row["reason"]) == (poison.id, "schedule used up; last: internal error")


async def only_dead(config: Config) -> dict[str, Any]:
    async with node(config) as (runtime, _):
        [row] = await runtime.database.all("SELECT * FROM deliveries WHERE state = 'dead'")
        return dict(row)


async def test_a_delivery_whose_event_is_missing_ends_alone(
    database_url: str, tmp_path: Path, receiver: Consumer
) -> None:
    config = settings(tmp_path, database_url)
    instance_id, destination_id = await instance(config, receiver.url())
    async with node(config) as (runtime, worker):
        await backlog(runtime.database, instance_id, destination_id, 10, due_at=now_ms() + 700)
        async with runtime.database.transaction() as transaction:
            await transaction.execute("DELETE FROM events WHERE id = (SELECT min(id) FROM events)")
        worker.left_behind(destination_id)
        await stand(runtime.database, delivered=9, cancelled=1)


# Backlogs that are closed


async def pending_for(gateway: Gateway, made: dict[str, Any], number: int, due_in_ms: int) -> int:
    database, destination_id = gateway.running.services.runtime.database, await destination_of(gateway, made)
    await backlog(database, made["id"], destination_id, number, due_at=now_ms() + due_in_ms)
    return destination_id


async def test_a_large_backlog_of_a_removed_destination_is_cancelled_while_others_go_on(
    gateway: Gateway, receiver: Consumer
) -> None:
    made, other = [await gateway.create("github", receiver.url(f"/{name}")) for name in ("removed", "other")]
    await pending_for(gateway, made, 5_000, due_in_ms=HOUR_MS)
    assert (await gateway.call("DELETE", f"/instances/{made['id']}")).status == 200
    await send(gateway, other)
    await receiver.wait(1, 3)
    await until(gateway, cancelled=5_000, delivered=1, pending=0)
    assert await balanced(gateway.running.services.runtime.database)
    assert is_empty(gateway.running.services.worker)


async def test_a_destination_that_is_switched_on_while_its_backlog_is_closed_gets_what_is_left(
    gateway: Gateway, receiver: Consumer
) -> None:
    made = await gateway.create("github", receiver.url("/before"))
    await pending_for(gateway, made, 3_000, due_in_ms=HOUR_MS)
    receiver.status = 410
    await send(gateway, made)
    await receiver.wait(1)
    receiver.status = 200
    assert (await patch(gateway, made, receiver.url("/after"))).status == 200
    await asyncio.gather(*(send(gateway, made, 100 + number) for number in range(20)))
    await until(gateway, delivered=20)
    assert await balanced(gateway.running.services.runtime.database)


async def test_stopping_does_not_wait_for_a_large_backlog_to_be_closed(
    database_url: str, tmp_path: Path, receiver: Consumer
) -> None:
    config = settings(tmp_path, database_url)
    async with started(config) as gateway:
        made = await gateway.create("github", receiver.url())
        await pending_for(gateway, made, 5_000, due_in_ms=500)
        assert (await gateway.call("DELETE", f"/instances/{made['id']}")).status == 200
        began = time.monotonic()
    assert time.monotonic() - began < 3
    async with node(config) as (runtime, _):
        await settled(runtime.database, cancelled=5_000)


async def test_what_cannot_be_sent_for_want_of_its_connector_is_kept(
    database_url: str, tmp_path: Path, receiver: Consumer
) -> None:
    config = settings(tmp_path, database_url)
    instance_id, destination_id = await instance(config, receiver.url())
    async with node(config) as (runtime, _):
        async with runtime.database.transaction() as transaction:
            await transaction.execute("UPDATE instances SET connector = 'gone' WHERE id = $1", instance_id)
        await backlog(runtime.database, instance_id, destination_id, 10)
    async with node(config) as (runtime, _):
        await asyncio.sleep(0.5)
        assert await states(runtime.database) == {"pending": 10}
        async with runtime.database.transaction() as transaction:
            await transaction.execute("UPDATE instances SET connector = 'github' WHERE id = $1", instance_id)
    async with node(config) as (runtime, _):
        await settled(runtime.database, delivered=10)
