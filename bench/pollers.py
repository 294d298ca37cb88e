"""Programs about polling: many rows that wait, claims with few and many of them, a crowd that comes due, records."""

import asyncio
import gc
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from bench import servers, vendor
from gateway import app as gateway_app
from gateway.accounts import store as accounts
from gateway.accounts.model import AccountId
from gateway.clock import now_ms
from gateway.events.model import Event, EventId, Source
from gateway.ids import time_ordered
from gateway.instances.view import InstanceView
from gateway.polling import store
from gateway.polling.model import NEW, Poller
from gateway.provisioning import draft, instances
from gateway.storage.database import Database, Effect, Write
from gateway.storage.open import open_database
from gateway.subscriptions.publish import Publisher

HOUR_MS = 3_600_000
#: What the events of both roads are published by at once: requests of webhooks, and pollers.
AT_ONCE = 64
CHUNK = 500
POLLS_OF_ONE = 4


async def fill(options: dict[str, Any]) -> int:
    """A data directory with so many pollers, none of which is due for a long time."""
    context, _, made = await servers.opened({**options, "callbacks": [None]})
    await context.__aexit__(None, None, None)
    later = now_ms() + 100 * HOUR_MS
    _insert(Path(options["folder"]) / "gateway.db", options["number"], made[0]["id"], later)
    return int(options["number"])


async def claims(options: dict[str, Any]) -> float:
    """Pollers a second that are claimed and finished, with so many rows."""
    path = Path(options["folder"]) / f"pollers-{options['rows']}.db"
    async with open_database(f"sqlite:///{path}", min_free=0, auto_migrate=True):
        pass
    _insert(path, options["rows"], 1, now_ms() - HOUR_MS, spread=True)
    async with open_database(f"sqlite:///{path}", min_free=0, auto_migrate=True) as database:
        return median([await _claimed_and_finished(database, options["wanted"]) for _ in range(5)])


async def crowd(options: dict[str, Any]) -> int:
    """A data directory with so many pollers of instances that poll a vendor."""
    context, running, _ = await servers.opened({"folder": options["folder"]})
    await _hire(running, options["url"], options["number"] // POLLS_OF_ONE)
    await context.__aexit__(None, None, None)
    return int(options["number"])


async def stall(options: dict[str, Any]) -> dict[str, float]:
    """For how many milliseconds the event loop stands still at most while all pollers of a folder come due at once."""
    context, running, _ = await servers.opened({"folder": options["folder"]})
    # As the command that serves does it.
    gc.collect()
    gc.freeze()
    try:
        database = running.services.runtime.database
        async with database.transaction() as transaction:
            await transaction.execute("UPDATE pollers SET next_due = $1 WHERE enabled = 1", now_ms())
        measuring = asyncio.create_task(_pauses())
        began = time.monotonic()
        running.services.pollers.poke()
        await _nothing_due(database)
        took = time.monotonic() - began
        measuring.cancel()
        done = await database.one("SELECT count(*) AS number FROM pollers WHERE state = 'ok' AND epoch > 0")
        assert done is not None
        pauses = await measuring
        worst, worked = max(late for late, _ in pauses), max(work for _, work in pauses)
        return {"worst_ms": worst, "worked_ms": worked, "took_s": took, "polled": done["number"]}
    finally:
        await context.__aexit__(None, None, None)


async def records(options: dict[str, Any]) -> dict[str, float]:
    """Events a second through `publish`: of webhooks, one in each commit's share, and of polls, by the chunk."""
    context, running, made = await servers.opened({"folder": options["folder"], "callbacks": [None]})
    try:
        view = await running.services.index.by_id(made[0]["id"])
        assert view is not None
        number, database = options["number"], running.services.runtime.database
        publisher = Publisher(running.services.runtime, running.services.worker)

        async def one(event: Event) -> None:
            await publisher.publish(view, [event], now_ms())

        async def many(chunk: list[Event]) -> None:
            await publisher.publish(view, chunk, now_ms(), guard=store.commit(row, now_ms(), goes_on=True))

        row = await _claimed(database, view)
        rates: dict[str, list[float]] = {"webhook": [], "polling": []}
        for turn in range(options["rounds"]):
            hooks = [_event(view, "webhook", f"w{turn}-{place}", place) for place in range(number)]
            rates["webhook"].append(number / await _took(one, hooks))
            found = [_event(view, "polling", f"p{turn}-{place}", place) for place in range(number)]
            chunks = [found[place : place + CHUNK] for place in range(0, number, CHUNK)]
            rates["polling"].append(number / await _took(many, chunks))
        return {road: median(found) for road, found in rates.items()}
    finally:
        await context.__aexit__(None, None, None)


async def _nothing_due(database: Database) -> None:
    due = True
    while due:
        due = await database.one("SELECT 1 AS due FROM pollers WHERE next_due <= $1 LIMIT 1", now_ms()) is not None
        await asyncio.sleep(0.05)


async def _took(act: Callable[[Any], Awaitable[None]], work: list[Any]) -> float:
    left: Iterator[Any] = iter(work)

    async def drive() -> None:
        for one in left:
            await act(one)

    began = time.monotonic()
    await asyncio.gather(*(drive() for _ in range(AT_ONCE)))
    return time.monotonic() - began


async def _claimed(database: Database, view: InstanceView) -> Poller:
    now = now_ms()
    async with database.transaction() as transaction:
        await store.add(transaction, _poller(view.instance.id, "bench", now))
    row = await store.claim_one(database, view.instance.id, "bench", owner="bench", now=now, until=now + HOUR_MS)
    assert row is not None
    return row


async def _claimed_and_finished(database: Database, wanted: int) -> float:
    done, began = 0, time.monotonic()
    while done < wanted:
        now = now_ms()
        rows = await store.claim(database, owner="bench", now=now, until=now + 90_000, most=32)
        if not rows:
            raise RuntimeError("fewer were due than were wanted")
        await asyncio.gather(*(_finished(database, row, now) for row in rows))
        done += len(rows)
    return done / (time.monotonic() - began)


async def _finished(database: Database, row: Poller, now: int) -> None:
    # Due again at once, behind all the others: the number of those that are due stays as it is.
    after = replace(row, next_due=now - 1, records_total=row.records_total + 1)
    await database.write(Write([store.commit(after, now)], lambda _: Effect(None)))


async def _pauses() -> list[tuple[float, float]]:
    """Milliseconds by which the loop was late, again and again, and for which it worked; until it is cancelled."""
    late = []
    try:
        while True:
            began, worked = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.001)
            late.append(((time.perf_counter() - began - 0.001) * 1000, (time.thread_time() - worked) * 1000))
    except asyncio.CancelledError:
        return late


async def _hire(running: gateway_app.Running, url: str, number: int) -> None:
    secrets, database = running.config.bootstrap, running.services.runtime.database
    who = await accounts.caller_by_secrets(database, secrets.user_secret, secrets.organization_secret)
    assert who is not None
    left = iter(range(number))

    async def drive() -> None:
        for one in left:
            values = {"api.token": f"t{one}", "base.url": url, "event.vendor.type": "polling"}
            wanted = draft.Draft(
                connector="pipedrive", name="bench", configuration={**values, "event.notification.enabled": True}
            )
            await instances.create(running.services, who, wanted)

    await asyncio.gather(*(drive() for _ in range(32)))


def _insert(path: Path, number: int, instance_id: int, due: int, *, spread: bool = False) -> None:
    columns = "id, instance_id, name, enabled, next_due, state, since, failures, records_total, lease_until, epoch"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.executemany(
            f"INSERT INTO pollers ({columns}, wishes, updated_at, cursor) "
            "VALUES (?, ?, ?, 1, ?, 'ok', ?, 0, 0, 0, 0, 0, ?, '{\"started\":true}')",
            (
                # A share of them for each instance, as pollers have: of one instance only some are taken at once.
                (
                    f"{one:032x}",
                    instance_id + one // POLLS_OF_ONE,
                    f"poll{one % POLLS_OF_ONE}",
                    due + one * spread,
                    due,
                    due,
                )
                for one in range(number)
            ),
        )
    connection.close()


def _poller(instance_id: int, name: str, now: int) -> Poller:
    return Poller(
        id=time_ordered(), instance_id=instance_id, name=name, next_due=now, since=now, updated_at=now, cursor=NEW
    )


def _event(view: InstanceView, source: Source, identity: str, number: int) -> Event:
    return Event(
        id=EventId(time_ordered()), account_id=AccountId(view.instance.account_id), instance_id=view.instance.id,
        connector="github", source=source, type="issues.opened", action="CREATED", object_type="issues",
        object_id=str(number), occurred_at=None, vendor_event_id=str(number), identity=f"v:issues:{identity}",
        filter_nulls=True, received_at=now_ms(), payload=vendor.body(number),
    )  # fmt: skip
