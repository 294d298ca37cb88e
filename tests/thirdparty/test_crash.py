"""A kill while requests to several destinations are under way: nothing is lost, and the ledger adds up."""

import asyncio
import random
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web

from tests.crash.process import Process, process
from tests.crash.vendor import Vendor
from tests.kit.consumer import Arrived, consumer
from tests.thirdparty.parts import PLACE

KINDS = ("JSON", "FORM", "XML")


@pytest.mark.timeout(180)
async def test_nothing_is_lost_where_it_is_killed_while_several_destinations_are_served(
    database_url: str, tmp_path: Path
) -> None:
    async with process(tmp_path, database_url) as gateway, consumer() as receiver:
        dice = random.Random(7)

        async def answer(_: Arrived) -> web.StreamResponse:
            await asyncio.sleep(dice.random() / 20)
            return web.Response(status=200 if dice.random() < 0.8 else 500)

        receiver.answer = answer
        await gateway.start()
        instance = await gateway.create("github", receiver.url("/callback"))
        for kind in KINDS:
            await made(gateway, kind, receiver.url(f"/{kind}"))
        vendor = Vendor(gateway.session, [("github", instance)] * 3, dice)
        sending = asyncio.create_task(vendor.send_all())
        for _ in range(2):
            await asyncio.sleep(1)
            await gateway.kill()
            await gateway.start()
        vendor.stopping = True
        await sending
        await gateway.settled()
        ledger = await gateway.ledger()
        assert ledger["accepted"] == ledger["routed"] == len(vendor.acknowledged) > 0
        assert ledger["delivered"] == 4 * ledger["accepted"]
        by_path: dict[str, set[str]] = {}
        for one in receiver.arrived:
            by_path.setdefault(one.path, set()).add(one.id)
        paths = ("/callback", *(f"/{kind}" for kind in KINDS))
        assert {path: len(ids) for path, ids in by_path.items()} == dict.fromkeys(paths, ledger["accepted"])
        await gateway.terminate()
        wrong = {one["check"]: one["items"] for one in await doctor(gateway) if one["verdict"] != "ok"}
        # No vendor listens, and by now no gateway runs.
        assert set(wrong) <= {"registrations", "gateway"}, wrong


async def made(gateway: Process, kind: str, url: str) -> None:
    secrets = gateway.secrets["bootstrap"]
    auth = {"Authorization": f"User {secrets['user_secret']}, Organization {secrets['organization_secret']}"}
    body: dict[str, Any] = {"name": kind, "type": kind, "url": url, "data": [{"name": "all", "value": "{body:}"}]}
    async with gateway.session.post(gateway.url + PLACE, json=body, headers=auth) as answered:
        assert answered.status == 201


async def doctor(gateway: Process) -> list[dict[str, Any]]:
    """What `gateway doctor --full` says of the data."""
    run = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "doctor", "--full", "--json",
        env=gateway._environment(), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    found: list[dict[str, Any]] = orjson.loads((await run.communicate())[0])["checks"]
    return found
