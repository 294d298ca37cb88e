"""The points of the road at which a kill is hardest to hit by chance, each hit on purpose."""

import asyncio
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest
from aiohttp import web

from tests.crash import rows
from tests.crash.process import Process, process
from tests.crash.vendor import send_one
from tests.kit import postgres, signed
from tests.kit.consumer import Arrived, Consumer, consumer

#: After the restart: at once on SQLite, when the dead node's leases end on PostgreSQL.
WITHIN_S = {"sqlite": 5.0, "postgresql": 30.0}


@dataclass
class Trap:
    """A consumer that hangs, or that answers while the gateway cannot see it any more."""

    gateway: Process
    hanging: bool = True
    caught: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, arrived: Arrived) -> web.StreamResponse:
        if self.hanging and arrived.path == "/hangs":
            await asyncio.sleep(60)
        if self.hanging and arrived.path == "/answers":
            # Stopped, it cannot read the 2xx that goes out now; then it is killed before it can record it.
            self.gateway.signal(signal.SIGSTOP)
            self.caught.set()
        return web.Response(status=200)


def _of(arrived: list[Arrived], delivery: str) -> list[Arrived]:
    return [one for one in arrived if orjson.loads(one.body)["message"]["raw"]["delivery"] == delivery]


@pytest.mark.timeout(120)
async def test_a_kill_before_sending_while_sending_and_before_recording_loses_nothing(
    database_url: str, tmp_path: Path
) -> None:
    closed = postgres.free_port()
    async with process(tmp_path, database_url) as gateway, consumer() as destination:
        trap = Trap(gateway)
        destination.answer = trap.answer
        await gateway.start()
        hangs = await gateway.create("github", destination.url("/hangs"))
        # Two are under way, three are durable and were never sent.
        deliveries = [await send_one(gateway.session, hangs) for _ in range(5)]
        deliveries.append(
            await send_one(gateway.session, await gateway.create("github", f"http://127.0.0.1:{closed}/closed"))
        )
        await destination.wait(2)
        recorded = await send_one(gateway.session, await gateway.create("github", destination.url("/answers")))
        await asyncio.wait_for(trap.caught.wait(), 10)
        await asyncio.sleep(0.05)
        await gateway.kill()
        trap.hanging = False
        async with consumer(closed) as opened:
            took_s = await _until_all_arrived(gateway, [destination, opened], [*deliveries, recorded])
            arrived = [*destination.arrived, *opened.arrived]
        assert took_s < WITHIN_S[gateway.engine]
        copies = [_of(arrived, delivery) for delivery in (*deliveries, recorded)]
        assert sorted(len(found) for found in copies) == [1, 1, 1, 1, 2, 2, 2]
        assert all(len({(one.id, one.body) for one in found}) == 1 for found in copies)
        shown = await gateway.ledger()
        await gateway.terminate()
        assert await rows.problems(database_url, shown) == []


async def _until_all_arrived(gateway: Process, places: list[Consumer], deliveries: list[str]) -> float:
    before = [len(place.arrived) for place in places]
    ready = await gateway.start()
    async with asyncio.timeout(60):
        while True:
            new = [one for place, number in zip(places, before, strict=True) for one in place.arrived[number:]]
            if all(_of(new, delivery) for delivery in deliveries) and (await gateway.ledger())["pending"] == 0:
                return time.monotonic() - ready
            await asyncio.sleep(0.05)


async def test_a_kill_before_the_vendor_is_answered_makes_one_event_of_the_second_try(
    database_url: str, tmp_path: Path
) -> None:
    async with process(tmp_path, database_url) as gateway, consumer() as destination:
        await gateway.start()
        made = await gateway.create("github", destination.url())
        body = orjson.dumps({"delivery": "once", "action": "opened", "issue": {"id": 1}})
        headers = signed.github(made["webhookSecret"], body, delivery="once")
        assert gateway.running is not None
        sending = asyncio.create_task(gateway.session.post(made["webhookUrl"], data=body, headers=headers))
        # Durable, and on its way to the consumer: the answer to the vendor is not read before the kill.
        await destination.wait(1)
        os.kill(gateway.running.pid, signal.SIGKILL)
        await asyncio.wait([sending])
        await gateway.gone()
        await gateway.start()
        async with gateway.session.post(made["webhookUrl"], data=body, headers=headers) as answer:
            assert answer.status == 200
        ledger = await gateway.ledger()
        assert (ledger["accepted"], ledger["duplicate"]) == (1, 1)
        assert {one.id for one in destination.arrived} == {destination.arrived[0].id}
