"""A worker without a server before it, and what stands in its database and its memory."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from gateway import app
from gateway.catalogue.folders import Folders
from gateway.clock import now_ms
from gateway.config import Config
from gateway.delivery.worker import Worker
from gateway.instances.index import InstanceIndex
from gateway.runtime import Runtime
from gateway.storage.database import Database
from gateway.thirdparty.index import ThirdParties
from tests.delivery.parts import balanced, event, insert, job, states
from tests.kit.gateway import Gateway, started


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
        runtime = await app._runtime(stack, config, Folders([]))
        if wrap is not None:
            runtime = replace(runtime, client=wrap(runtime.client))
        made = Worker(runtime, InstanceIndex(runtime), ThirdParties(runtime))
        worker = await stack.enter_async_context(made.running())
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


def shift(monkeypatch: pytest.MonkeyPatch, by_ms: int) -> None:
    """Set the system's clock, as far as the gateway can see."""
    moved = SimpleNamespace(time_ns=lambda: time.time_ns() + by_ms * 1_000_000, time=lambda: time.time() + by_ms / 1000)
    monkeypatch.setattr("gateway.clock.time", moved)
