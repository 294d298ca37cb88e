"""Deliveries as rows: queue, claim, settle, close; the ledger moves in the same transaction."""

from collections.abc import Iterable, Sequence

from gateway.delivery.model import Attempt, End, Job, Settlement, State
from gateway.events.model import Event
from gateway.storage.database import Database, Effect, Row, Statement, Tally, Value, Write
from gateway.thirdparty import store as third_parties

CLOSED_AT_ONCE = 500

_INSERT = (
    "INSERT INTO deliveries (id, event_id, instance_id, destination_id, due_at, lease_owner, lease_until, created_at, "
    "state, attempts, epoch) SELECT column1, column2, column3, column4, column5, column6, column7, column5, "
    "'pending', 0, 1 FROM ({rows}) AS v"
)
_INSERT_TYPES = ("text", "text", "bigint", "bigint", "bigint", "text", "bigint")
# Apart, so that a delivery to a callback has nothing more to write.
_INSERT_THIRD_PARTY = (
    "INSERT INTO deliveries (id, event_id, instance_id, destination_id, due_at, lease_owner, lease_until, created_at, "
    "state, attempts, epoch, third_party) SELECT column1, column2, column3, column4, column5, column6, column7, "
    "column5, 'pending', 0, 1, column4 FROM ({rows}) AS v"
)
_LEDGER = (
    "INSERT INTO ledger_deliveries (destination_id, shard, created, delivered, pending, dead, cancelled) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (destination_id, shard) DO UPDATE SET "
    "created = ledger_deliveries.created + excluded.created, "
    "delivered = ledger_deliveries.delivered + excluded.delivered, "
    "pending = ledger_deliveries.pending + excluded.pending, "
    "dead = ledger_deliveries.dead + excluded.dead, "
    "cancelled = ledger_deliveries.cancelled + excluded.cancelled"
)
# The state is compared as an expression, so that the row is found by its id and never by what is pending.
_SETTLE = (
    "UPDATE deliveries SET state = column3, attempts = column4, due_at = column5, reason = column6, "
    "settled_at = column7, lease_owner = NULL, lease_until = 0 FROM ({rows}) AS v "
    "WHERE deliveries.id = column1 AND deliveries.epoch = column2 AND deliveries.state || '' = 'pending' RETURNING id"
)
_SETTLE_TYPES = ("text", "bigint", "text", "bigint", "bigint", "text", "bigint")
_ATTEMPT = (
    "INSERT INTO attempts (delivery_id, number, at, duration_ms, status, reason, connect_ms, head_ms, headers, answer) "
    "SELECT * FROM ({rows}) AS v WHERE true ON CONFLICT (delivery_id, number) DO NOTHING"
)
_ATTEMPT_TYPES = (
    *("text", "bigint", "bigint", "bigint", "bigint", "text"),
    *("bigint", "bigint", "text", "bytea"),
)
_SWITCH_OFF = (
    "UPDATE destinations SET state = 'off', reason = $2, since = $3 WHERE id = $1 AND state = 'active' AND url = $4"
)
_CLOSE = (
    "UPDATE deliveries SET state = $2, reason = $3, settled_at = $4, lease_owner = NULL, lease_until = 0 "
    "WHERE id IN (SELECT id FROM deliveries WHERE state = 'pending' AND destination_id = $1 LIMIT $5) "
    # Another node may have settled it meanwhile, or somebody may have switched the destination on again.
    "AND deliveries.state || '' = 'pending' "
    "AND NOT EXISTS (SELECT 1 FROM destinations WHERE destinations.id = $1 AND destinations.state = 'active') "
    "RETURNING destination_id"
)
# One process owns a SQLite file and knows what it holds, so a claim there is a look and needs no write.
_CLAIM_SQLITE = (
    "SELECT * FROM deliveries WHERE state = 'pending' AND destination_id = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3"
)
_CLAIM_POSTGRES = (
    "UPDATE deliveries SET lease_owner = $4, lease_until = $5, epoch = epoch + 1 WHERE id IN ("
    "SELECT id FROM deliveries WHERE state = 'pending' AND destination_id = $1 AND due_at <= $2 AND lease_until <= $6 "
    "ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING *"
)
# On PostgreSQL what is due may be leased by a node that is dead: it may be claimed when that lease ends, not later.
_NEXT_DUE = "SELECT min(due_at) AS at FROM deliveries WHERE state = 'pending' AND destination_id = $1 AND due_at > $2"
_NEXT_FREE = (
    "SELECT min(lease_until) AS at FROM deliveries "
    "WHERE state = 'pending' AND destination_id = $1 AND due_at <= $2 AND lease_until > $3"
)
_HEADS = """WITH RECURSIVE heads (destination_id) AS (
    SELECT min(destination_id) FROM deliveries WHERE state = 'pending'
    UNION ALL
    SELECT (SELECT min(deliveries.destination_id) FROM deliveries
            WHERE deliveries.state = 'pending' AND deliveries.destination_id > heads.destination_id)
    FROM heads WHERE heads.destination_id IS NOT NULL)
SELECT destination_id, (SELECT min(deliveries.due_at) FROM deliveries
    WHERE deliveries.state = 'pending' AND deliveries.destination_id = heads.destination_id) AS due_at
FROM heads WHERE destination_id IS NOT NULL"""

_CAP = (
    f"UPDATE deliveries SET due_at = $1 WHERE destination_id IN (SELECT destination_id FROM ({_HEADS}) AS h) "  # noqa: S608
    "AND state = 'pending' AND due_at > $1"
)


def queued(job: Job, owner: str | None, now: int) -> Statement:
    """A new delivery, due now, leased to `owner` where it goes from memory."""
    row = (job.id, job.event_id, job.instance_id, job.destination_id, now, owner, job.lease_until)
    return Statement(_INSERT_THIRD_PARTY if job.third_party else _INSERT, row, False, _INSERT_TYPES)


def created(destination_id: int, number: int) -> Tally:
    """New deliveries in the ledger."""
    return Tally(_LEDGER, (destination_id, 0), (number, 0, number, 0, 0))


def _moved(destination_id: int, state: State, number: int) -> Tally:
    to = {"delivered": (1, 0, 0), "dead": (0, 1, 0), "cancelled": (0, 0, 1)}[state]
    delivered, dead, cancelled = (number * part for part in to)
    return Tally(_LEDGER, (destination_id, 0), (0, delivered, -number, dead, cancelled))


def cancelled(destination_id: int, number: int) -> Tally:
    """Pending deliveries that were called off, in the ledger."""
    return _moved(destination_id, "cancelled", number)


def discarded(destination_id: int, number: int) -> Tally:
    """Dead deliveries that were laid down, in the ledger."""
    return Tally(_LEDGER, (destination_id, 0), (0, 0, 0, -number, number))


def settlement(job: Job, attempt: Attempt, step: Settlement, url: str, now: int) -> Write[bool]:
    """Record an attempt and what follows from it; False where another node has taken the delivery meanwhile."""
    final = step.state != "pending"
    number = job.attempts + 1
    settled = (job.id, job.epoch, step.state, number, step.due_at, step.reason, now if final else None)
    update = Statement(_SETTLE, settled, True, _SETTLE_TYPES)
    record = _record(job, number, attempt)
    statements = [record]
    if step.switch_off:
        statements += [Statement(_SWITCH_OFF, (job.destination_id, "gone", now, url)), third_parties.changing()]
    tallies = [_moved(job.destination_id, step.state, 1)] if final else []

    def then(rows: Sequence[Sequence[Row]]) -> Effect[bool]:
        return Effect(True, statements, tallies) if rows[0] else Effect(False)

    return Write([update], then)


def _record(job: Job, number: int, attempt: Attempt) -> Statement:
    made = (
        job.id,
        number,
        attempt.at,
        attempt.duration_ms,
        attempt.status,
        attempt.reason,
        attempt.connect_ms,
        attempt.head_ms,
        attempt.headers,
        attempt.answer,
    )
    return Statement(_ATTEMPT, made, False, _ATTEMPT_TYPES)


def ending(job: Job, step: Settlement, now: int) -> Write[bool]:
    """End a delivery without an attempt; False where another node has taken it meanwhile."""
    ended = (job.id, job.epoch, step.state, job.attempts, step.due_at, step.reason, now)
    tallies = [_moved(job.destination_id, step.state, 1)]

    def then(rows: Sequence[Sequence[Row]]) -> Effect[bool]:
        return Effect(True, tallies=tallies) if rows[0] else Effect(False)

    return Write([Statement(_SETTLE, ended, True, _SETTLE_TYPES)], then)


def closing(destination_id: int, end: End, now: int) -> Write[int]:
    """Close some pending deliveries of a destination that is not active; how many it were."""
    close = Statement(_CLOSE, (destination_id, end.state, end.reason, now, CLOSED_AT_ONCE), returns=True)

    def then(rows: Sequence[Sequence[Row]]) -> Effect[int]:
        number = len(rows[0])
        return Effect(number, tallies=[_moved(destination_id, end.state, number)] if number else ())

    return Write([close], then)


async def claim_due_any_account(
    database: Database, destination_id: int, *, now: int, wall: int, most: int, held: int, owner: str, lease_until: int
) -> list[Job]:
    """Take up to `most` deliveries of a destination that are due by now and leased to nobody by the clock on the wall.

    On SQLite the `held` ones come along and must be passed over.
    """
    if database.engine == "sqlite":
        rows = await database.all(_CLAIM_SQLITE, destination_id, now, most + held)
    else:
        async with database.transaction() as transaction:
            found = await transaction.all(_CLAIM_POSTGRES, destination_id, now, most, owner, lease_until, wall)
        rows = sorted(found, key=lambda row: (row["due_at"], row["id"]))
    return [_job(row, lease_until) for row in rows]


def _job(row: Row, lease_until: int) -> Job:
    return Job(
        id=row["id"],
        event_id=row["event_id"],
        instance_id=row["instance_id"],
        destination_id=row["destination_id"],
        attempts=row["attempts"],
        epoch=row["epoch"],
        lease_until=lease_until,
        event=None,
        replay_id=row["replay_id"],
    )


async def next_due_any_account(database: Database, destination_id: int, after: int, wall: int) -> int | None:
    """When the next delivery of the destination may be claimed, after a time."""
    due_at = await _time(database, _NEXT_DUE, destination_id, after)
    if database.engine == "sqlite":
        return due_at
    free_at = await _time(database, _NEXT_FREE, destination_id, after, wall)
    times = [due_at, None if free_at is None else after + free_at - wall]
    return min((at for at in times if at is not None), default=None)


async def _time(database: Database, sql: str, *args: Value) -> int | None:
    row = await database.one(sql, *args)
    return None if row is None or row["at"] is None else int(row["at"])


async def end_any_account(database: Database, destination_id: int) -> End | None:
    """What becomes of what is pending for a destination: None while it is active."""
    row = await database.one("SELECT state, reason FROM destinations WHERE id = $1", destination_id)
    if row is not None and row["state"] == "active":
        return None
    if row is not None and row["state"] == "off":
        return End("dead", row["reason"] or "off")
    return End("cancelled", row["reason"] if row is not None and row["reason"] else "destination removed")


async def heads_any_account(database: Database) -> list[tuple[int, int]]:
    """Each destination that has pending deliveries, and when the first of them is due."""
    return [(row["destination_id"], row["due_at"]) for row in await database.all(_HEADS)]


async def cap_any_account(database: Database, due_at: int) -> None:
    """Make nothing pending due later than this; looks into the index once for each destination."""
    await database.write(Write([Statement(_CAP, (due_at,))], lambda _: Effect(None)))


async def event_any_account(database: Database, event_id: str) -> Event | None:
    """The event of a delivery that was not kept in memory; None where it, or what it held, is gone."""
    row = await database.one("SELECT * FROM events WHERE id = $1 AND emptied_at IS NULL", event_id)
    return None if row is None else Event.from_row(row)


def released(jobs: Iterable[Job]) -> Write[None]:
    """Give back leases of deliveries that were not made, so that any node may take them at once."""
    statements = [
        Statement(
            "UPDATE deliveries SET lease_owner = NULL, lease_until = 0 WHERE id = $1 AND epoch = $2",
            (job.id, job.epoch),
        )
        for job in jobs
    ]
    return Write(statements, lambda _: Effect(None))
