"""Measurements that run in a process of their own and print one JSON value: `python -m bench.programs NAME OPTIONS`."""

import asyncio
import json
import random
import sqlite3
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
import orjson
import uvloop

from bench import connectors, pollers, servers, stored, vendor
from gateway.accounts.model import AccountId
from gateway.clock import now_ms
from gateway.delivery import store as deliveries
from gateway.delivery.model import Attempt, Job, Settlement
from gateway.events import store as events
from gateway.events.model import Event, EventId
from gateway.ids import time_ordered
from gateway.nulls import filter_nulls
from gateway.storage.database import Database, Effect, Write
from gateway.storage.open import open_database

SCHEDULE_MS = [5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000]


async def post_loop(options: dict[str, Any]) -> float:
    """Posts a second of a bare `ClientSession`."""
    left = iter(range(options["number"]))
    body = vendor.body(1)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def drive() -> None:
            for _ in left:
                async with session.post(options["url"], data=body) as response:
                    await response.read()

        began = time.monotonic()
        await asyncio.gather(*(drive() for _ in range(options["connections"])))
        return float(options["number"] / (time.monotonic() - began))


async def deliver(options: dict[str, Any]) -> float:
    """Deliveries a second: signed, sent and recorded, from rows that are durable already."""
    context, running, made = await servers.opened({**options, "callbacks": [options["url"]]})
    try:
        services, number = running.services, options["number"]
        view = await services.index.by_id(made[0]["id"])
        assert view is not None
        assert view.callback is not None
        jobs = [
            _job(_event(view.instance.account_id, view.instance.id, one), view.callback.destination.id)
            for one in range(number)
        ]
        for start in range(0, number, 200):
            await _insert(services.runtime.database, jobs[start : start + 200], services.worker.owner)
        for job in jobs:
            services.worker.hold(job)
        began = time.monotonic()
        services.worker.hand_over(jobs)
        await _all_settled(services.runtime.database)
        return float(number / (time.monotonic() - began))
    finally:
        await context.__aexit__(None, None, None)


async def _all_settled(database: Database) -> None:
    pending = 1
    while pending:
        row = await database.one("SELECT count(*) AS number FROM deliveries WHERE state = 'pending'")
        pending = 0 if row is None else row["number"]
        await asyncio.sleep(0.02)


def _event(account_id: str, instance_id: int, number: int) -> Event:
    return Event(
        id=EventId(time_ordered()), account_id=AccountId(account_id), instance_id=instance_id, connector="github",
        source="webhook", type="issues.opened", action="CREATED", object_type="issues", object_id=str(number),
        occurred_at=None, vendor_event_id=str(number), identity=f"d:bench-{number}", filter_nulls=True,
        received_at=now_ms(), payload=vendor.body(number),
    )  # fmt: skip


def _job(event: Event, destination_id: int) -> Job:
    return Job(
        id=time_ordered(), event_id=event.id, instance_id=event.instance_id, destination_id=destination_id, attempts=0,
        epoch=1, lease_until=now_ms() + 600_000, event=event,
    )  # fmt: skip


async def _insert(database: Database, jobs: list[Job], owner: str) -> None:
    accepted = [events.accept(job.event, routed=True) for job in jobs if job.event is not None]
    queued = [deliveries.queued(job, owner, now_ms()) for job in jobs]
    tallies = [deliveries.created(job.destination_id, 1) for job in jobs]
    await database.write(Write(accepted, lambda _: Effect(None, queued, tallies)))


async def claims(options: dict[str, Any]) -> float:
    """Deliveries a second that are claimed and settled, with so many pending."""
    path = Path(options["folder"]) / f"claims-{options['pending']}-{options['order']}.db"
    async with open_database(f"sqlite:///{path}", min_free=0, auto_migrate=True):
        pass
    now = now_ms()
    _fill(path, options["pending"], options["order"], now)
    async with open_database(f"sqlite:///{path}", min_free=0, auto_migrate=True) as database:
        rounds = [await _claim_and_settle(database, now, options["settle"]) for _ in range(3)]
    return median(rounds)


def _fill(path: Path, pending: int, order: str, now: int) -> None:
    dice = random.Random(7)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.executemany(
            "INSERT INTO deliveries (id, event_id, instance_id, destination_id, state, attempts, due_at, lease_until, "
            "epoch, created_at) VALUES (?, ?, 1, ?, 'pending', ?, ?, 0, 1, ?)",
            (_pending(number, pending, order, now, dice) for number in range(pending)),
        )
    connection.close()


def _pending(number: int, pending: int, order: str, now: int, dice: random.Random) -> tuple[Any, ...]:
    """Half of them are due; the schedule's way, or at random."""
    day = 86_400_000
    if order == "random":
        created, due = now - day, now + round((dice.random() - 0.5) * day)
        attempts = 1
    else:
        attempts = 1 + min(8, int(dice.expovariate(0.7)))
        wait = sum(SCHEDULE_MS[: attempts - 1]) + SCHEDULE_MS[attempts - 1] * (0.9 + 0.2 * dice.random())
        due = now - day + round(2 * day * number / pending)
        created = round(due - wait)
    return f"{created:012x}{number:020x}", f"{created:012x}{number:020x}", 1 + number % 10, attempts, due, created


async def _claim_and_settle(database: Database, now: int, wanted: int) -> float:
    done, began = 0, time.monotonic()
    while done < wanted:
        before = done
        for destination_id in range(1, 11):
            jobs = await deliveries.claim_due_any_account(
                database, destination_id, now=now, wall=now, most=100, held=0, owner="bench", lease_until=now + 30_000
            )
            await asyncio.gather(*(_settle(database, job, now) for job in jobs))
            done += len(jobs)
        if done == before:
            raise RuntimeError("fewer were due than were wanted")
    return done / (time.monotonic() - began)


async def _settle(database: Database, job: Job, now: int) -> None:
    made = Attempt(at=now, duration_ms=5, status=200, reason=None, retry_after_ms=None, answer=b"{}")
    step = Settlement(state="delivered", reason=None, due_at=now)
    await database.submit(deliveries.settlement(job, made, step, "", now))


async def nulls(_: dict[str, Any]) -> dict[str, float]:
    """Microseconds of the null filter on 1 KiB, and of orjson there and back."""
    with_nulls = vendor.body(1)
    without = with_nulls.replace(b"null", b"1234")
    inexact = with_nulls.replace(b'"seq":1,', b'"seq":1.10,"big":36893488147419103232,')
    return {
        "orjson": _microseconds(lambda: orjson.dumps(orjson.loads(with_nulls))),
        "with nulls": _microseconds(lambda: filter_nulls(with_nulls)),
        "without nulls": _microseconds(lambda: filter_nulls(without)),
        "inexact": _microseconds(lambda: filter_nulls(inexact)),
    }


def _microseconds(function: Any, number: int = 3000) -> float:
    rounds = []
    for _ in range(7):
        began = time.perf_counter()
        for _ in range(number):
            function()
        rounds.append((time.perf_counter() - began) / number * 1e6)
    return median(rounds)


async def fill_events(options: dict[str, Any]) -> int:
    """A data directory with so many events, each with a delivery to a destination that is dead."""
    context, _, made = await servers.opened({**options, "callbacks": [options["url"]]})
    await context.__aexit__(None, None, None)
    number, now = options["number"], now_ms()
    with sqlite3.connect(Path(options["folder"]) / "gateway.db") as connection:
        connection.execute("PRAGMA synchronous=OFF")
        account = connection.execute("SELECT account_id FROM instances").fetchone()[0]
        connection.executemany(
            "INSERT INTO events (id, account_id, instance_id, connector, source, type, action, object_type, object_id, "
            "vendor_event_id, identity, filter_nulls, received_at, backfill, routed, payload) "
            "VALUES (?, ?, ?, 'github', 'webhook', 'issues.opened', 'CREATED', 'issues', ?, ?, ?, 1, ?, 0, 1, ?)",
            (
                (f"{one:032x}", account, made[0]["id"], str(one), str(one), f"d:{one}", now, b'{"seq":%d}' % one)
                for one in range(number)
            ),
        )
        connection.executemany(
            "INSERT INTO deliveries (id, event_id, instance_id, destination_id, state, attempts, due_at, lease_until, "
            "epoch, created_at) VALUES (?, ?, ?, 1, 'pending', 0, ?, 0, 1, ?)",
            ((f"{one:032x}", f"{one:032x}", made[0]["id"], now, now) for one in range(number)),
        )
    connection.close()
    return int(number)


PROGRAMS = {
    "post_loop": post_loop,
    "deliver": deliver,
    "claims": claims,
    "nulls": nulls,
    "fill_events": fill_events,
    "fill_accounts": stored.fill_accounts,
    "fill_history": stored.fill,
    "verify_normalise": connectors.verify_normalise,
    "load_connectors": connectors.load_connectors,
    "fill_pollers": pollers.fill,
    "claim_pollers": pollers.claims,
    "crowd_of_pollers": pollers.crowd,
    "stall_of_pollers": pollers.stall,
    "records": pollers.records,
}

if __name__ == "__main__":
    answer = uvloop.run(PROGRAMS[sys.argv[1]](json.loads(sys.argv[2])))
    print("answer:" + json.dumps(answer), file=sys.stderr)
