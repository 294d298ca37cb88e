"""Several nodes on one store: each poller is polled by one of them at a time, and who goes takes nothing along."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.polling.dispatcher import AT_ONCE
from gateway.storage.database import Database
from tests.crash.process import Process, process
from tests.delivery.nodes import shift
from tests.kit import postgres
from tests.kit.gateway import Gateway, settings, started
from tests.polling.world import BASE
from tests.registrations.office import eventually
from tests.vendors.event_log import PATH
from tests.vendors.misbehaving import answering, waiting
from tests.vendors.simulator import Vendor, vendor

EMPTY = answering(200, '{"data": [], "cursor_next": null}')
Create = Callable[[dict[str, Any]], Awaitable[Any]]
LEASE_MS = 90_000


@pytest.fixture
async def store(postgres_server: str) -> str:
    return await postgres.fresh(postgres_server, f"test_{uuid.uuid4().hex}")


async def hire(there: Vendor, create: Create, number: int) -> None:
    """So many instances that poll, each with a key of its own."""
    for one in range(number):
        key = f"api_{one:04d}"
        there.close.api_keys.add(key)
        wanted = {
            "username": key,
            "base.url": there.url + BASE,
            "event.vendor.type": "polling",
            "event.notification.enabled": True,
        }
        await create({"element": {"key": "closeio"}, "name": key, "configuration": wanted})


def creating(gateway: Gateway) -> Create:
    async def create(body: dict[str, Any]) -> None:
        answered = await gateway.call("POST", "/instances", json=body)
        assert answered.status == 200, answered.body

    return create


def creating_at(node: Process) -> Create:
    secrets = node.secrets["bootstrap"]
    headers = {"Authorization": f"User {secrets['user_secret']}, Organization {secrets['organization_secret']}"}

    async def create(body: dict[str, Any]) -> None:
        async with node.session.post(f"{node.url}/instances", json=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()

    return create


def database_of(gateway: Gateway) -> Database:
    return gateway.running.services.runtime.database


async def due(gateway: Gateway) -> None:
    async with database_of(gateway).transaction() as transaction:
        await transaction.execute("UPDATE pollers SET next_due = 1, planned_at = NULL WHERE lease_owner IS NULL")


async def tick(*nodes: Gateway) -> int:
    """All look for what is due, at the same time and more than once."""
    begun = await asyncio.gather(*(node.running.services.pollers.tick() for node in nodes for _ in range(3)))
    return sum(begun)


async def idle(*nodes: Gateway) -> None:
    await asyncio.gather(*(node.running.services.pollers.idle() for node in nodes))


async def stored(gateway: Gateway) -> Counter[tuple[int, str]]:
    """How often each instance has an event of each object."""
    rows = await database_of(gateway).all("SELECT instance_id, object_id FROM events")
    return Counter((row["instance_id"], row["object_id"]) for row in rows)


def happen(there: Vendor, number: int) -> None:
    for _ in range(number):
        there.close.add("lead", name="Acme")


async def test_two_nodes_never_poll_the_same_thing_twice(store: str, tmp_path: Path) -> None:
    config = settings(tmp_path, store)
    async with vendor() as there, started(config) as one, started(config) as other:
        await hire(there, creating(one), 40)
        gate = asyncio.Event()
        there.requests.clear()
        there.always(waiting(gate, EMPTY), on=PATH)
        owners: Counter[str] = Counter()
        for turn in range(1, 6):
            gate.clear()
            await due(one)
            await tick(one, other)
            assert len(await there.wait(40 * turn, PATH)) == 40 * turn
            assert await tick(one, other) == 0
            leased = await database_of(one).all("SELECT lease_owner FROM pollers WHERE lease_until > 0")
            assert len(leased) == 40
            owners.update(row["lease_owner"] for row in leased)
            gate.set()
            await idle(one, other)
        by_key = Counter(request.headers["Authorization"] for request in there.to(PATH))
        assert set(by_key.values()) == {5}
        assert len(by_key) == 40
        assert len(owners) == 2


async def test_two_processes_share_what_is_too_much_for_one_and_poll_none_of_it_twice(
    store: str, tmp_path: Path
) -> None:
    crowd = AT_ONCE + 44
    async with vendor() as there, process(tmp_path, store) as other:
        await other.start()
        async with started(settings(tmp_path, store, **other.secrets)) as one:
            await hire(there, creating(one), crowd)
            gate = asyncio.Event()
            there.requests.clear()
            there.always(waiting(gate, EMPTY), on=PATH)
            for _ in range(3):
                gate.clear()
                await due(one)
                await tick(one)
                await held(one, crowd)
                owners = await database_of(one).all("SELECT DISTINCT lease_owner FROM pollers WHERE lease_until > 0")
                assert len(owners) == 2
                gate.set()
                await held(one, 0)
            by_key = Counter(request.headers["Authorization"] for request in there.to(PATH))
            assert (len(by_key), set(by_key.values())) == (crowd, {3})


async def held(gateway: Gateway, number: int) -> None:
    """Wait until so many pollers are leased, whoever has them."""

    async def are_so_many() -> bool:
        row = await database_of(gateway).one("SELECT count(*) AS number FROM pollers WHERE lease_until > 0")
        return row is not None and row["number"] == number

    await eventually(are_so_many)


async def test_who_comes_back_after_its_lease_has_lost_what_it_read(store: str, tmp_path: Path) -> None:
    config = settings(tmp_path, store)
    async with vendor() as there, started(config) as slow, started(config) as quick:
        await hire(there, creating(slow), 1)
        happen(there, 30)
        gate = asyncio.Event()
        there.requests.clear()
        there.next(waiting(gate, there.log.answer), on=PATH)
        await due(slow)
        await tick(slow)
        await there.wait(1, PATH)
        async with database_of(slow).transaction() as transaction:
            await transaction.execute("UPDATE pollers SET lease_until = 1, next_due = 1")
        assert await tick(quick) == 1
        await idle(quick)
        before = await database_of(quick).all("SELECT * FROM pollers")
        happen(there, 5)
        gate.set()
        await idle(slow)
        assert await database_of(quick).all("SELECT * FROM pollers") == before
        found = await stored(quick)
        assert len(found) == 30
        assert set(found.values()) == {1}
        await due(quick)
        await tick(quick, slow)
        await idle(quick, slow)
        found = await stored(quick)
        assert (len(found), set(found.values())) == (35, {1})


async def test_a_node_that_leaves_in_the_middle_gives_its_pollers_to_the_others_at_once(
    store: str, tmp_path: Path
) -> None:
    config = settings(tmp_path, store, server={"shutdown_grace": "300ms"})
    async with vendor() as there, started(config) as staying:
        gate = asyncio.Event()
        async with started(config) as leaving:
            await hire(there, creating(leaving), 10)
            happen(there, 3)
            there.requests.clear()
            there.always(waiting(gate, EMPTY), on=PATH)
            await due(leaving)
            await leaving.running.services.pollers.tick()
            await there.wait(10, PATH)
        there.behave()
        await tick(staying)
        await idle(staying)
        found = await stored(staying)
        assert (len(found), set(found.values())) == (30, {1})


async def test_a_node_that_is_killed_while_it_holds_leases_loses_nothing(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with vendor() as there, process(tmp_path, store) as node:
        await node.start()
        await hire(there, creating_at(node), 10)
        happen(there, 3)
        there.requests.clear()
        never = asyncio.Event()
        there.always(waiting(never, EMPTY), on=PATH)
        await poll_all(node, 10)
        await there.wait(10, PATH)
        await node.kill()
        there.behave()
        async with started(settings(tmp_path, store, **node.secrets)) as left:
            assert await tick(left) == 0
            shift(monkeypatch, LEASE_MS + 1_000)
            await tick(left)
            await idle(left)
            found = await stored(left)
            assert (len(found), set(found.values())) == (30, {1})


async def poll_all(node: Process, number: int) -> None:
    """Ask for polls, and wait for none of them."""
    secrets = node.secrets["bootstrap"]
    headers = {"Authorization": f"User {secrets['user_secret']}, Organization {secrets['organization_secret']}"}
    for one in range(1, number + 1):
        asking = node.session.post(
            f"{node.url}/api/v1/instances/{one}/poll", headers=headers, timeout=aiohttp.ClientTimeout(total=0.3)
        )
        with pytest.raises(TimeoutError):
            async with asking:
                pass
