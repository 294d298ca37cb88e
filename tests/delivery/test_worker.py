"""The worker under stress: memory that is short, restarts, outages, other nodes, clocks, backlogs."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from gateway import app
from gateway.clock import now_ms
from gateway.config import Config
from gateway.delivery import lane, lanes
from gateway.delivery.worker import Worker
from gateway.egress.model import Client, Outcome, Request
from gateway.errors import StorageDown
from gateway.instances.index import InstanceIndex
from gateway.runtime import Runtime
from gateway.storage.database import Database
from tests.delivery.parts import balanced, event, insert, job, states
from tests.journeys.test_delivery import deliveries, patch, send, until
from tests.kit import postgres
from tests.kit.consumer import Arrived, Consumer
from tests.kit.gateway import Gateway, settings, started

HOUR_MS = 3_600_000


async def instance(config: Config, url: str) -> tuple[int, int]:
    """The ids of a new instance and of its destination; the gateway that made them is gone."""
    async with started(config) as gateway:
        made = await gateway.create("github", url)
        return made["id"], await destination_of(gateway, made)


async def destination_of(gateway: Gateway, made: dict[str, Any]) -> int:
    database = gateway.running.services.runtime.database
    row = await database.one("SELECT id FROM destinations WHERE instance_id = $1", made["id"])
    assert row is not None
    return int(row["id"])


async def backlog(database: Database, instance_id: int, destination_id: int, number: int, due_at: int = 0) -> None:
    """So many pending deliveries that nobody holds."""
    for place in range(0, number, 500):
        made = [event(instance_id=instance_id) for _ in range(min(500, number - place))]
        jobs = [job(one, destination_id=destination_id, lease_until=0) for one in made]
        await insert(database, jobs, due_at=due_at or now_ms())


@asynccontextmanager
async def node(config: Config, wrap: Any = None) -> AsyncIterator[tuple[Runtime, Worker]]:
    """A worker without a server before it."""
    async with AsyncExitStack() as stack:
        runtime = await app._runtime(stack, config)
        if wrap is not None:
            runtime = replace(runtime, client=wrap(runtime.client))
        worker = await stack.enter_async_context(Worker(runtime, InstanceIndex(runtime)).running())
        yield runtime, worker


async def settled(database: Database, timeout_s: float = 20, **wanted: int) -> None:
    """Wait until so many deliveries stand in these states; then the ledger is right."""
    await stand(database, timeout_s, **wanted)
    assert await balanced(database)


async def stand(database: Database, timeout_s: float = 20, **wanted: int) -> None:
    """Wait until so many deliveries stand in these states."""
    async with asyncio.timeout(timeout_s):
        while True:
            if await states(database) == wanted:
                return
            await asyncio.sleep(0.05)


def is_empty(worker: Worker) -> bool:
    """Whether nothing is left of anything in the worker's memory."""
    found = worker._lanes
    return (found.jobs, found.bytes, found.active) == (0, 0, 0) and not any(
        one.held or one.queue for one in found.all()
    )


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "MOST_JOBS", 10)
    monkeypatch.setattr(lane, "MOST_QUEUED", 5)
    monkeypatch.setattr(lane, "MOST_QUEUED_FAILING", 2)


# Memory


@pytest.mark.usefixtures("little_memory")
async def test_more_than_memory_holds_is_delivered_and_nothing_twice(gateway: Gateway, receiver: Consumer) -> None:
    async def slowly(_: Arrived) -> web.StreamResponse:
        await asyncio.sleep(0.005)
        return web.Response()

    receiver.answer = slowly
    every = [await gateway.create("github", receiver.url(f"/{number}")) for number in range(5)]
    for turn in range(5):
        await asyncio.gather(*(send(gateway, made, 100 * turn + n) for made in every for n in range(6)))
    await until(gateway, delivered=150, pending=0)
    assert len(receiver.ids) == len(set(receiver.ids)) == 150
    assert is_empty(gateway.running.services.worker)


@pytest.mark.usefixtures("little_memory")
async def test_more_than_memory_holds_comes_through_while_every_other_attempt_fails(
    gateway: Gateway, receiver: Consumer
) -> None:
    seen: set[str] = set()

    async def second_time(one: Arrived) -> web.StreamResponse:
        known = one.id in seen
        seen.add(one.id)
        return web.Response(status=200 if known else 500)

    receiver.answer = second_time
    made = await gateway.create("github", receiver.url())
    await asyncio.gather(*(send(gateway, made, number) for number in range(60)))
    await until(gateway, delivered=60, pending=0)
    assert is_empty(gateway.running.services.worker)


async def test_a_large_backlog_is_claimed_within_the_bound_and_delivered_once(
    database_url: str, tmp_path: Path, receiver: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(tmp_path, database_url)
    instance_id, destination_id = await instance(config, receiver.url())
    monkeypatch.setattr(lanes, "MOST_JOBS", 300)
    most = 0

    async def watch(worker: Worker) -> None:
        nonlocal most
        while True:
            most = max(most, worker._lanes.jobs)
            await asyncio.sleep(0)

    async with node(config) as (runtime, worker):
        watching = asyncio.create_task(watch(worker))
        await backlog(runtime.database, instance_id, destination_id, 2_000)
        worker.left_behind(destination_id)
        await settled(runtime.database, delivered=2_000)
        watching.cancel()
        assert is_empty(worker)
    assert len(receiver.ids) == len(set(receiver.ids)) == 2_000
    assert 0 < most <= 300


# Restarts and other nodes


async def test_what_was_left_by_a_dead_process_is_claimed_after_a_restart(
    database_url: str, tmp_path: Path, receiver: Consumer
) -> None:
    config = settings(tmp_path, database_url)
    instance_id, destination_id = await instance(config, receiver.url())
    async with node(config) as (runtime, _):
        made = [event(instance_id=instance_id) for _ in range(300)]
        ends = now_ms() + 1_500
        jobs = [job(one, destination_id=destination_id, lease_until=ends) for one in made]
        await insert(runtime.database, jobs, due_at=now_ms(), owner="a dead process")
    async with node(config) as (runtime, worker):
        await settled(runtime.database, delivered=300)
        assert is_empty(worker)
    assert len(receiver.ids) == len(set(receiver.ids)) == 300


async def test_a_second_node_leaves_what_the_first_holds_and_takes_it_when_the_lease_has_ended(
    postgres_server: str, tmp_path: Path, receiver: Consumer
) -> None:
    config = settings(tmp_path, await postgres.fresh(postgres_server, f"nodes_{now_ms()}"))
    instance_id, destination_id = await instance(config, receiver.url())
    async with node(config) as (runtime, _):
        leased = job(event(instance_id=instance_id), destination_id=destination_id, lease_until=now_ms() + 3_000)
        await insert(runtime.database, [leased], due_at=now_ms(), owner="another node")
        await backlog(runtime.database, instance_id, destination_id, 5)
        async with node(config) as (_, second):
            second.left_behind(destination_id)
            await receiver.wait(5)
            await asyncio.sleep(0.5)
            assert leased.event_id not in receiver.ids
            await settled(runtime.database, delivered=6)
    assert len(receiver.ids) == len(set(receiver.ids)) == 6


async def test_two_nodes_on_one_database_share_a_backlog_and_deliver_it_once(
    postgres_server: str, tmp_path: Path, receiver: Consumer
) -> None:
    config = settings(tmp_path, await postgres.fresh(postgres_server, f"nodes_{now_ms()}"))
    instance_id, destination_id = await instance(config, receiver.url())
    async with node(config) as (runtime, first), node(config) as (_, second):
        await backlog(runtime.database, instance_id, destination_id, 1_000)
        for worker in (first, second):
            worker.left_behind(destination_id)
        await settled(runtime.database, delivered=1_000)
    assert len(receiver.ids) == len(set(receiver.ids)) == 1_000


async def test_a_node_that_leaves_finishes_what_is_under_way_and_gives_the_rest_back(
    database_url: str, tmp_path: Path, receiver: Consumer
) -> None:
    async def slowly(_: Arrived) -> web.StreamResponse:
        await asyncio.sleep(0.5)
        return web.Response()

    receiver.answer = slowly
    config = settings(tmp_path, database_url)
    async with started(config) as gateway:
        made = await gateway.create("github", receiver.url())
        await asyncio.gather(*(send(gateway, made, number) for number in range(20)))
        await receiver.wait(1)
        begun = len(receiver.arrived)
    begun = max(begun, len(receiver.arrived))
    receiver.answer = None
    async with node(config) as (runtime, _):
        await settled(runtime.database, delivered=20)
    assert len(receiver.ids) == len(set(receiver.ids)) == 20
    assert begun < 20


async def test_what_is_broken_off_at_the_end_of_the_grace_is_given_back(
    database_url: str, tmp_path: Path, receiver: Consumer
) -> None:
    async def never(_: Arrived) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    receiver.answer = never
    config = settings(tmp_path, database_url, server={"shutdown_grace": "400ms"}, delivery={"timeout": "20s"})
    async with started(config) as gateway:
        await send(gateway, await gateway.create("github", receiver.url()))
        await receiver.wait(1)
    receiver.answer = None
    async with node(config) as (runtime, _):
        await settled(runtime.database, timeout_s=5, delivered=1)


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
        await insert(runtime.database, [job(poison, destination_id=destination_id, lease_until=0)], due_at=now_ms() - 5)
        await backlog(runtime.database, instance_id, destination_id, 20)
        with capture_logs() as logged:
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


# The clock


def shift(monkeypatch: pytest.MonkeyPatch, by_ms: int) -> None:
    """Set the system's clock, as far as the gateway can see."""
    moved = SimpleNamespace(time_ns=lambda: time.time_ns() + by_ms * 1_000_000, time=lambda: time.time() + by_ms / 1000)
    monkeypatch.setattr("gateway.clock.time", moved)


@pytest.mark.parametrize("by_ms", [-HOUR_MS, HOUR_MS])
async def test_a_clock_that_is_set_stops_neither_new_deliveries_nor_retries(
    gateway: Gateway, receiver: Consumer, monkeypatch: pytest.MonkeyPatch, by_ms: int
) -> None:
    receiver.status, receiver.headers = 503, {"Retry-After": "1"}
    made = await gateway.create("github", receiver.url())
    await send(gateway, made, 1)
    await receiver.wait(1)
    shift(monkeypatch, by_ms)
    receiver.status = 200
    await asyncio.gather(*(send(gateway, made, number) for number in range(2, 30)))
    await until(gateway, delivered=29, pending=0, timeout_s=10)
    assert all((row["attempts"] or 0) <= 2 for row in await deliveries(gateway))


@pytest.mark.usefixtures("little_memory")
async def test_what_memory_has_no_room_for_is_found_after_the_clock_was_set_back(
    gateway: Gateway, receiver: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await gateway.create("github", receiver.url())
    receiver.status = 500
    await asyncio.gather(*(send(gateway, made, number) for number in range(20)))
    shift(monkeypatch, -HOUR_MS)
    receiver.status = 200
    await asyncio.gather(*(send(gateway, made, number) for number in range(20, 40)))
    await until(gateway, delivered=40, pending=0)


async def test_a_caller_that_leaves_before_the_commit_costs_no_delivery(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    callers = [asyncio.create_task(send(gateway, made, number)) for number in range(20)]
    await asyncio.sleep(0.01)
    for caller in callers[::2]:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    async with asyncio.timeout(10):
        while True:
            ledger = await gateway.ledger()
            if ledger["accepted"] >= 10 and ledger["delivered"] == ledger["accepted"]:
                break
            await asyncio.sleep(0.05)
    assert len(receiver.ids) == len(set(receiver.ids))
