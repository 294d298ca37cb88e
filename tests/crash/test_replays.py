"""A replay, under load, whose node is killed again and again: each event is sent once more, none is made twice."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.storage.open import connect
from tests.crash import rows
from tests.crash.process import Process, process
from tests.crash.vendor import Vendor, send_one
from tests.kit.consumer import consumer

EVENTS = 120
RATE = 60
#: On PostgreSQL a job is anybody's when the dead node's lease has ended, so that each kill takes its time.
KILLS = {"sqlite": 3, "postgresql": 2}


async def _asked(gateway: Process, method: str, path: str, json: Any = None) -> Any:
    secrets = gateway.secrets["bootstrap"]
    auth = f"User {secrets['user_secret']}, Organization {secrets['organization_secret']}"
    url = f"{gateway.url}/api/v1{path}"
    async with gateway.session.request(method, url, json=json, headers={"Authorization": auth}) as answer:
        assert answer.status in (200, 202), await answer.text()
        return await answer.json()


async def _job(gateway: Process, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = await _asked(gateway, "GET", f"/replays/{job_id}")
    return found


async def _until(gateway: Process, job_id: str, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            job = await _job(gateway, job_id)
            if is_so(job) or job["state"] != "running":
                return job
            await asyncio.sleep(0.02)


def _further_than(done: int) -> Callable[[dict[str, Any]], bool]:
    return lambda job: bool(job["done"] > done)


@pytest.mark.timeout(240)
async def test_a_replay_under_load_survives_kills_and_makes_no_delivery_twice(
    database_url: str, tmp_path: Path
) -> None:
    dice = random.Random(11)
    async with process(tmp_path, database_url) as gateway, consumer() as destination:
        await gateway.start()
        made = await gateway.create("github", destination.url())
        await asyncio.gather(*(send_one(gateway.session, made) for _ in range(EVENTS)))
        await gateway.settled()
        originals = set(destination.ids)
        wanted = {"filter": {"instance_id": made["id"]}, "rate": RATE}
        job_id = (await _asked(gateway, "POST", "/replays", wanted))["id"]
        vendor = Vendor(gateway.session, [("github", made)] * 3, dice)
        sending, done = asyncio.create_task(vendor.send_all()), 0
        for _ in range(KILLS[gateway.engine]):
            done = (await _until(gateway, job_id, _further_than(done)))["done"]
            await asyncio.sleep(0.3 * dice.random())
            await gateway.kill()
            await gateway.start()
        job = await _until(gateway, job_id, lambda _: False)
        assert (job["state"], job["seen"], job["done"], job["skipped"]["total"]) == ("done", EVENTS, EVENTS, 0)
        vendor.stopping = True
        await sending
        await gateway.settled()
        again = [one.id for one in destination.arrived if one.headers.get("Gateway-Replay-Id") == job_id]
        assert set(again) == originals
        assert len(set(destination.ids)) == EVENTS + len(vendor.acknowledged)
        shown = await gateway.ledger()
        await gateway.terminate()
    assert await rows.problems(database_url, shown) == []
    async with connect(database_url, min_free=0) as database:
        found = await database.all(
            "SELECT event_id, count(*) AS number FROM deliveries WHERE replay_id = $1 GROUP BY event_id", job_id
        )
    assert {row["event_id"]: row["number"] for row in found} == dict.fromkeys(originals, 1)
