"""Events, deliveries and attempts as tests need them."""

from typing import Any

import msgspec

from gateway.accounts.model import AccountId
from gateway.clock import now_ms
from gateway.delivery import store
from gateway.delivery.model import Attempt, Job, Settlement
from gateway.events import store as events
from gateway.events.model import Event, EventId
from gateway.ids import time_ordered
from gateway.storage.database import Database, Effect, Write

DESTINATION = 7
INSTANCE = 3


def event(**changes: Any) -> Event:
    """An event with what a test says of it."""
    plain = Event(
        id=EventId(time_ordered()),
        account_id=AccountId("a1"),
        instance_id=INSTANCE,
        connector="github",
        source="webhook",
        type="issues",
        action="CREATED",
        object_type="issues",
        object_id="7",
        occurred_at=None,
        vendor_event_id=None,
        identity=None,
        filter_nulls=True,
        received_at=1_767_323_045_678,
        payload=b'{"a":1}',
    )
    return msgspec.structs.replace(plain, **changes)


def job(of: Event, **changes: Any) -> Job:
    """A delivery of an event, leased for ten minutes."""
    plain = Job(
        id=time_ordered(),
        event_id=of.id,
        instance_id=of.instance_id,
        destination_id=DESTINATION,
        attempts=0,
        epoch=1,
        lease_until=now_ms() + 600_000,
        event=of,
    )
    return msgspec.structs.replace(plain, **changes)


def attempt(status: int | None = 500, **changes: Any) -> Attempt:
    """An attempt that was answered with a status, or not at all."""
    reason = None if status is not None and 200 <= status < 300 else f"status {status}"
    plain = Attempt(at=1_000, duration_ms=5, status=status, reason=reason, retry_after_ms=None, answer=b"{}")
    return msgspec.structs.replace(plain, **changes)


async def insert(database: Database, jobs: list[Job], *, due_at: int, owner: str | None = None) -> None:
    """Store events and their deliveries as publish does."""
    accepted = [events.accept(one.event, routed=True) for one in jobs if one.event is not None]
    rows = [store.queued(one, owner, due_at) for one in jobs]
    tallies = [store.created(one.destination_id, 1) for one in jobs]
    routed = events.arrived(INSTANCE, accepted=len(jobs), duplicate=0, routed=len(jobs))
    await database.write(Write(accepted, lambda _: Effect(None, rows, [*tallies, routed])))


async def settle(database: Database, one: Job, made: Attempt, step: Settlement) -> bool:
    """Settle a delivery as the worker does."""
    return await database.write(store.settlement(one, made, step, "http://127.0.0.1/", now_ms()))


async def destination(database: Database, state: str = "active", reason: str | None = None) -> None:
    """The row of the destination."""
    async with database.transaction() as transaction:
        await transaction.execute("DELETE FROM destinations WHERE id = $1", DESTINATION)
        await transaction.execute(
            "INSERT INTO destinations (id, account_id, instance_id, kind, url, state, reason, since) "
            "VALUES ($1, 'a1', $2, 'callback', 'http://127.0.0.1/', $3, $4, 0)",
            DESTINATION,
            INSTANCE,
            state,
            reason,
        )


async def states(database: Database) -> dict[str, int]:
    """How many deliveries stand in each state, counted one by one."""
    rows = await database.all("SELECT state, count(*) AS number FROM deliveries GROUP BY state")
    return {row["state"]: int(row["number"]) for row in rows}


async def balanced(database: Database) -> bool:
    """Whether the ledger says of deliveries and events what a full count says."""
    ledger = await database.one(
        "SELECT sum(created) AS created, sum(pending) AS pending, sum(delivered) AS delivered, sum(dead) AS dead, "
        "sum(cancelled) AS cancelled FROM ledger_deliveries"
    )
    assert ledger is not None
    counted = await states(database)
    told = {state: int(ledger[state] or 0) for state in ("pending", "delivered", "dead", "cancelled")}
    found = await database.one("SELECT count(*) AS number FROM events")
    arrived = await database.one("SELECT sum(received) AS received, sum(accepted) AS accepted, "
        "sum(duplicate + refused + ignored) AS others, sum(routed + unrouted) AS fates FROM ledger_events")  # fmt: skip
    assert found is not None
    assert arrived is not None
    return (
        told == {state: counted.get(state, 0) for state in told}
        and int(ledger["created"] or 0) == sum(told.values())
        and int(arrived["accepted"] or 0) == int(arrived["fates"] or 0) == int(found["number"])
        and int(arrived["received"] or 0) == int(arrived["accepted"] or 0) + int(arrived["others"] or 0)
    )
