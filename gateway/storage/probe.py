"""Whether something can be stored now, asked by storing something."""

from gateway.clock import now_ms
from gateway.storage.database import Database, Effect, Statement, Write

_PROBE = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


async def probe(database: Database) -> None:
    """Commit a small change; StorageDown where that cannot be."""
    await database.write(Write([Statement(_PROBE, ("probed_at", str(now_ms())))], lambda _: Effect(None)))
