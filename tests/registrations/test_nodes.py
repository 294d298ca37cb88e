"""Several nodes, and gateways that no vendor reaches."""

import asyncio
import uuid
from pathlib import Path

import msgspec
import pytest

from gateway.clock import now_ms
from gateway.registrations import store
from tests.kit import postgres
from tests.kit.gateway import settings, started
from tests.registrations.office import WEBHOOKS, Office, eventually, office
from tests.vendors.misbehaving import answering, waiting
from tests.vendors.simulator import vendor


async def test_two_nodes_register_once(postgres_server: str, tmp_path: Path) -> None:
    url = await postgres.fresh(postgres_server, f"test_{uuid.uuid4().hex}")
    config = settings(tmp_path, url)
    async with vendor() as found, started(config) as one, started(config) as other:
        first, second = Office(one, found), Office(other, found)
        found.always(answering(503), on=WEBHOOKS)
        made = [await first.hire() for _ in range(10)]
        for each in made:
            await first.until(each, "failing")
        found.behave()
        await first.due()
        await asyncio.gather(first.tick(), second.tick(), *(first.tick() for _ in range(3)))
        for each in made:
            assert (await first.seen(each))["state"] == "active"
        assert len(first.webhooks) == 10
        assert len({one["url"] for one in first.webhooks}) == 10


async def test_a_lease_keeps_others_away_until_it_ends_and_its_epoch_fences_the_late(
    database_url: str, tmp_path: Path
) -> None:
    async with office(tmp_path, database_url) as desk:
        desk.vendor.always(answering(503), on=WEBHOOKS)
        made = await desk.hire()
        await desk.until(made, "failing")
        await desk.due()
        runtime = desk.gateway.running.services.runtime
        database, seal, now = runtime.database, runtime.seal, now_ms()
        [slow] = await store.claim(database, seal, owner="slow", now=now, until=now + 1000, most=16)
        assert await store.claim(database, seal, owner="quick", now=now, until=now + 1000, most=16) == []
        assert await store.claim_one(database, seal, made["id"], owner="quick", now=now, until=now + 1000) is None
        later = now + 1000
        [quick] = await store.claim(database, seal, owner="quick", now=later, until=later + 1000, most=16)
        assert quick.epoch == slow.epoch + 1
        async with database.transaction() as transaction:
            assert not await store.settle(transaction, seal, slow, later)
            assert await store.settle(transaction, seal, quick, later)


async def test_a_change_while_it_is_worked_on_is_looked_at_afterwards(database_url: str, tmp_path: Path) -> None:
    async with office(tmp_path, database_url) as desk:
        gate = asyncio.Event()
        desk.vendor.next(waiting(gate, answering(503)), on=WEBHOOKS)
        made = await desk.hire()
        await desk.vendor.wait(1, WEBHOOKS)
        changed = {"configuration": {"event.notification.enabled": False}}
        assert (await desk.gateway.call("PATCH", f"/instances/{made['id']}", json=changed)).status == 200
        gate.set()

        async def is_settled() -> bool:
            return await desk.rows() == []

        await eventually(is_settled)
        assert desk.webhooks == []


@pytest.mark.parametrize(
    ("public_url", "egress"),
    [
        ("", {"allow_http": True, "allow_networks": []}),
        ("http://gateway.example", {"allow_http": False, "allow_networks": []}),
        ("https://192.168.7.1", {"allow_http": False, "allow_networks": []}),
        ("https://[::1]:8443", {"allow_http": False, "allow_networks": []}),
        ("https://localhost", {"allow_http": False, "allow_networks": []}),
    ],
)
async def test_an_address_that_no_vendor_reaches_is_not_registered_and_says_what_to_set(
    tmp_path: Path, public_url: str, egress: dict[str, object]
) -> None:
    server = {"public_url": public_url}
    async with started(settings(tmp_path, "", server=server, egress=egress)) as gateway:
        made = await gateway.create("github", **{"base.url": "https://api.github.com"})

        async def is_refused() -> bool:
            answered = await gateway.call("GET", f"/api/v1/instances/{made['id']}")
            return bool(answered.json["registration"]["state"] == "refused")

        await eventually(is_refused)
        answered = await gateway.call("GET", f"/api/v1/instances/{made['id']}")
        assert "set server.public_url" in answered.json["registration"]["reason"]


async def test_another_public_url_is_registered_when_the_gateway_starts_with_it(
    database_url: str, tmp_path: Path
) -> None:
    config = settings(tmp_path, database_url)
    async with vendor() as found:
        async with started(config) as gateway:
            desk = Office(gateway, found)
            made = await desk.hire()
            await desk.until(made, "active")
            [former] = desk.webhooks
        moved = msgspec.structs.replace(config.server, public_url="http://127.0.0.1:4711")
        async with started(msgspec.structs.replace(config, server=moved)) as gateway:
            desk = Office(gateway, found)
            await desk.tick()
            await desk.tick()
            [webhook] = desk.webhooks
            assert webhook["id"] != former["id"]
            assert webhook["url"].startswith("http://127.0.0.1:4711/in/")
