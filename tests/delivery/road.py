"""What tests of deliveries do and see from outside."""

import asyncio
from typing import Any

import orjson
from aiohttp import web

from tests.kit import signed
from tests.kit.consumer import Arrived
from tests.kit.gateway import Gateway


def body(number: int = 1) -> bytes:
    return orjson.dumps({"action": "opened", "issue": {"id": number, "title": None}})


async def send(gateway: Gateway, made: dict[str, Any], number: int = 1) -> None:
    """A signed delivery of the vendor, accepted."""
    content = body(number)
    answered = await gateway.send(made["webhookUrl"], content, signed.github(made["webhookSecret"], content))
    assert answered.status == 200


async def until(gateway: Gateway, timeout_s: float = 15, **wanted: int) -> dict[str, int]:
    """Wait until the ledger says so; it balances at every look."""
    ledger: dict[str, int] = {}
    async with asyncio.timeout(timeout_s):
        while any(ledger.get(name) != number for name, number in wanted.items()):
            await asyncio.sleep(0.05)
            ledger = await gateway.ledger()
            moved = sum(ledger[name] for name in ("delivered", "pending", "dead", "cancelled"))
            assert ledger["created"] == moved
    assert ledger["accepted"] == ledger["routed"] + ledger["unrouted"]
    return ledger


async def deliveries(gateway: Gateway) -> list[dict[str, Any]]:
    rows = await gateway.running.services.runtime.database.all("SELECT * FROM deliveries ORDER BY id")
    return [dict(row) for row in rows]


async def attempts(gateway: Gateway) -> list[dict[str, Any]]:
    rows = await gateway.running.services.runtime.database.all("SELECT * FROM attempts ORDER BY number")
    return [dict(row) for row in rows]


async def destination(gateway: Gateway, made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await gateway.call("GET", f"/api/v1/instances/{made['id']}")).json["destination"]
    return found


async def never(_: Arrived) -> web.StreamResponse:
    await asyncio.sleep(60)
    return web.Response()


async def patch(gateway: Gateway, made: dict[str, Any], url: str | None) -> Any:
    """Change the callback URL, or take it away."""
    change = {"configuration": {"event.notification.callback.url": url}}
    return await gateway.call("PATCH", f"/instances/{made['id']}", json=change)
