"""Small integers that are never given twice."""

from gateway.storage.database import Transaction


async def take(transaction: Transaction, name: str, count: int = 1) -> int:
    """Reserve `count` numbers of the sequence and answer the first; sequences begin at 1."""
    row = await transaction.one(
        "INSERT INTO sequences (name, value) VALUES ($1, $2) "
        "ON CONFLICT (name) DO UPDATE SET value = sequences.value + excluded.value RETURNING value",
        name,
        count,
    )
    last: int = 0 if row is None else row["value"]
    return last - count + 1
