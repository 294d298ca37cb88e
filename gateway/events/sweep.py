"""Retention: what is old and settled goes, in small batches that let the road pass between them."""

from gateway.events import store
from gateway.ids import first_at
from gateway.storage.database import Database

BATCH = 200
MOST_BATCHES = 500
REFUSALS_KEPT_MS = 7 * 86_400_000


async def sweep(database: Database, now: int, events_kept_ms: int) -> dict[str, int]:
    """Remove settled events that are older than their time, and old refusals; how many of each."""
    return {
        "events": await _events(database, first_at(now - events_kept_ms)),
        "refusals": await _refusals(database, first_at(now - REFUSALS_KEPT_MS)),
    }


async def _events(database: Database, before: str) -> int:
    removed = 0
    for _ in range(MOST_BATCHES):
        found = await store.settled_any_account(database, before, BATCH)
        await database.write(store.removal(found), urgent=False)
        removed += len(found)
        if len(found) < BATCH:
            break
    return removed


async def _refusals(database: Database, before: str) -> int:
    removed = 0
    for _ in range(MOST_BATCHES):
        number = await database.write(store.forgetting(before, BATCH), urgent=False)
        removed += number
        if number < BATCH:
            break
    return removed
