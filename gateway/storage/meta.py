"""Single values that belong to the database as a whole, by name."""

from gateway.storage.database import Reader, Transaction


async def get(reader: Reader, name: str) -> str | None:
    """The value on record; None where there is none."""
    row = await reader.one("SELECT value FROM meta WHERE key = $1", name)
    return None if row is None else str(row["value"])


async def put(transaction: Transaction, name: str, value: str) -> None:
    """Put a value on record, in place of an older one."""
    await transaction.execute(
        "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        name,
        value,
    )
