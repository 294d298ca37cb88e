"""Retention: what is old and settled goes, in small batches that let the road pass between them."""

from collections.abc import Sequence

from gateway.ids import first_at
from gateway.storage.database import Database, Effect, Row, Statement, Write

BATCH = 200
MOST_BATCHES = 500
REFUSALS_KEPT_MS = 7 * 86_400_000

_OLD = (
    "SELECT id FROM events WHERE id < $1 AND NOT EXISTS (SELECT 1 FROM deliveries "
    "WHERE deliveries.event_id = events.id AND deliveries.state = 'pending') ORDER BY id LIMIT $2"
)
_GONE = (
    "DELETE FROM attempts WHERE delivery_id IN (SELECT id FROM deliveries WHERE event_id = $1)",
    "DELETE FROM deliveries WHERE event_id = $1",
    "DELETE FROM events WHERE id = $1",
)
_REFUSALS = "DELETE FROM refusals WHERE id IN (SELECT id FROM refusals WHERE id < $1 ORDER BY id LIMIT $2) RETURNING $1"


async def sweep(database: Database, now: int, events_kept_ms: int) -> dict[str, int]:
    """Remove settled events that are older than their time, and old refusals; how many of each."""
    return {
        "events": await _events(database, first_at(now - events_kept_ms)),
        "refusals": await _refusals(database, first_at(now - REFUSALS_KEPT_MS)),
    }


async def _events(database: Database, before: str) -> int:
    removed = 0
    for _ in range(MOST_BATCHES):
        rows = await database.all(_OLD, before, BATCH)
        statements = [Statement(sql, (row["id"],)) for sql in _GONE for row in rows]
        await database.write(Write(statements, lambda _: Effect(None)), urgent=False)
        removed += len(rows)
        if len(rows) < BATCH:
            break
    return removed


async def _refusals(database: Database, before: str) -> int:
    def count(rows: Sequence[Sequence[Row]]) -> Effect[int]:
        return Effect(len(rows[0]))

    removed = 0
    for _ in range(MOST_BATCHES):
        number = await database.write(Write([Statement(_REFUSALS, (before, BATCH), returns=True)], count), urgent=False)
        removed += number
        if number < BATCH:
            break
    return removed
