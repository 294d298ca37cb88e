"""Retention: what is old and settled goes, in small batches that let the road pass between them."""

from collections.abc import Sequence

from gateway.ids import first_at
from gateway.storage.database import Database, Effect, Row, Statement, Write

BATCH = 200
MOST_BATCHES = 500
REFUSALS_KEPT_MS = 7 * 86_400_000
MOST_REFUSALS = 10_000
#: Longer than any vendor's tolerance for old deliveries, and than a day of retries.
NONCES_KEPT_MS = 2 * 86_400_000

_OLD = (
    "SELECT id FROM events WHERE id > $1 AND id < $2 AND NOT EXISTS (SELECT 1 FROM deliveries "
    "WHERE deliveries.event_id = events.id AND deliveries.state = 'pending') ORDER BY id LIMIT $3"
)
# What was settled when it was looked for may be on its way again by now, so that is asked once more.
_GONE = (
    "DELETE FROM attempts WHERE delivery_id IN (SELECT id FROM deliveries WHERE event_id = $1) "
    "AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.event_id = $1 AND d.state = 'pending')",
    "DELETE FROM events WHERE id = $1 "
    "AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.event_id = $1 AND d.state = 'pending')",
    "DELETE FROM deliveries WHERE event_id = $1 AND NOT EXISTS (SELECT 1 FROM events WHERE id = $1)",
)
_REFUSALS = "DELETE FROM refusals WHERE id IN (SELECT id FROM refusals WHERE id < $1 ORDER BY id LIMIT $2) RETURNING $1"
_FLOODED = "SELECT instance_id FROM refusals GROUP BY instance_id HAVING count(*) > $1"
_NONCES = (
    "DELETE FROM nonces WHERE (instance_id, nonce) IN "
    "(SELECT instance_id, nonce FROM nonces WHERE at < $1 ORDER BY at LIMIT $2) RETURNING $1"
)
_CALLS = "DELETE FROM calls WHERE id IN (SELECT id FROM calls WHERE id < $1 ORDER BY id LIMIT $2) RETURNING $1"
_TOO_MANY = (
    "DELETE FROM refusals WHERE id IN (SELECT id FROM refusals WHERE instance_id = $1 AND id <= "
    "(SELECT id FROM refusals WHERE instance_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2) LIMIT $3) RETURNING $1"
)


async def sweep(database: Database, now: int, events_kept_ms: int) -> dict[str, int]:
    """Remove what is older than its time, and refusals that are too many; how many of each."""
    refusals = await _deleted(database, Statement(_REFUSALS, (first_at(now - REFUSALS_KEPT_MS), BATCH), returns=True))
    for row in await database.all(_FLOODED, MOST_REFUSALS):
        too_many = Statement(_TOO_MANY, (row["instance_id"], MOST_REFUSALS, BATCH), returns=True)
        refusals += await _deleted(database, too_many)
    nonces = await _deleted(database, Statement(_NONCES, (now - NONCES_KEPT_MS, BATCH), returns=True))
    calls = await _deleted(database, Statement(_CALLS, (first_at(now - events_kept_ms), BATCH), returns=True))
    swept = {"refusals": refusals, "nonces": nonces, "calls": calls}
    return {"events": await _events(database, first_at(now - events_kept_ms)), **swept}


async def _events(database: Database, before: str) -> int:
    removed, last = 0, ""
    for _ in range(MOST_BATCHES):
        rows = await database.all(_OLD, last, before, BATCH)
        if not rows:
            break
        statements = [Statement(sql, (row["id"],)) for sql in _GONE for row in rows]
        await database.write(Write(statements, lambda _: Effect(None)), urgent=False)
        removed, last = removed + len(rows), rows[-1]["id"]
    return removed


async def _deleted(database: Database, batch: Statement) -> int:
    def count(rows: Sequence[Sequence[Row]]) -> Effect[int]:
        return Effect(len(rows[0]))

    removed = 0
    for _ in range(MOST_BATCHES):
        number = await database.write(Write([batch], count), urgent=False)
        removed += number
        if number < BATCH:
            break
    return removed
