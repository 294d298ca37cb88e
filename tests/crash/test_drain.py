"""SIGTERM: what is under way ends, the process leaves within its grace, the rest goes on after the restart."""

import asyncio
import signal
import time
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.crash.process import Process, process
from tests.crash.vendor import send_one
from tests.kit.consumer import Arrived, consumer

GRACE_S = 3.0  # server.shutdown_grace of `process`


async def test_what_is_under_way_ends_and_is_not_sent_again(database_url: str, tmp_path: Path) -> None:
    async def slowly(_: Arrived) -> web.StreamResponse:
        await asyncio.sleep(0.7)
        return web.Response()

    async with process(tmp_path, database_url) as gateway, consumer() as destination:
        destination.answer = slowly
        await gateway.start()
        made = await gateway.create("github", destination.url())
        await send_one(gateway.session, made)
        await destination.wait(1)
        assert await gateway.terminate() < GRACE_S
        await gateway.start()
        await asyncio.sleep(1)
        assert len(destination.arrived) == 1
        ledger = await gateway.ledger()
        assert (ledger["delivered"], ledger["pending"]) == (1, 0)


@pytest.mark.timeout(120)
async def test_a_hanging_consumer_holds_nobody_beyond_the_grace_and_is_tried_again(
    database_url: str, tmp_path: Path
) -> None:
    async def never(_: Arrived) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    async with process(tmp_path, database_url) as gateway, consumer() as destination:
        destination.answer = never
        await gateway.start()
        made = await gateway.create("github", destination.url())
        deliveries = [await send_one(gateway.session, made) for _ in range(6)]
        await destination.wait(2)
        assert await gateway.terminate() < GRACE_S
        destination.answer = None
        before = len(destination.arrived)
        ready = await gateway.start()
        arrived = await destination.wait(before + len(deliveries), 40)
        # A node that leaves in order gives its leases back, so nobody waits for them to end.
        assert time.monotonic() - ready < 5
        assert len({one.id for one in arrived[before:]}) == len(deliveries)


async def test_while_it_drains_it_says_so_or_takes_nobody_in(tmp_path: Path) -> None:
    async def never(_: Arrived) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    async with process(tmp_path, f"sqlite:///{tmp_path / 'gateway.db'}") as gateway, consumer() as destination:
        destination.answer = never
        await gateway.start()
        made = await gateway.create("github", destination.url())
        await send_one(gateway.session, made)
        await destination.wait(1)
        gateway.signal(signal.SIGTERM)
        await asyncio.sleep(0.3)
        assert await _answered(gateway) in (503, None)
        assert await gateway.gone() == 0


async def _answered(gateway: Process) -> int | None:
    try:
        async with gateway.session.get(gateway.url + "/readyz") as answer:
            return answer.status
    except aiohttp.ClientError:
        return None
