"""The worker under stress: memory that is short, restarts, outages, other nodes, clocks, backlogs."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from gateway.clock import now_ms
from gateway.delivery import lane, lanes
from gateway.delivery.worker import Worker
from tests.delivery.nodes import backlog, instance, is_empty, node, settled, shift
from tests.delivery.parts import event, insert, job
from tests.delivery.road import deliveries, send, until
from tests.kit import postgres
from tests.kit.consumer import Arrived, Consumer
from tests.kit.gateway import Gateway, settings, started

HOUR_MS = 3_600_000


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


# The clock


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
