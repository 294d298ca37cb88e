"""The stable number of each connector: the vendor's own where it is known, else one that is never given twice."""

from collections.abc import Container, Iterable, Mapping

from gateway.catalogue.model import Connector
from gateway.storage import sequence
from gateway.storage.database import Database, Transaction

FIRST_OWN_ID = 10_000


async def stable_ids(database: Database, connectors: Iterable[Connector]) -> Mapping[str, int]:
    """The number of every connector by key, also of those that were; those that are new get theirs now."""
    known = {row["key"]: row["id"] for row in await database.all("SELECT key, id FROM connector_ids")}
    missing = [connector for connector in connectors if connector.key not in known]
    if missing:
        async with database.transaction() as transaction:
            for connector in missing:
                wanted = await _free(transaction, connector.id, frozenset(known.values()))
                known[connector.key] = await _give(transaction, connector.key, wanted)
    return known


async def _free(transaction: Transaction, wanted: int | None, taken: Container[int]) -> int:
    """The vendor's number, unless another key has it already."""
    while wanted is None or wanted in taken:
        wanted = FIRST_OWN_ID + await sequence.take(transaction, "connectors")
    return wanted


async def _give(transaction: Transaction, key: str, number: int) -> int:
    row = await transaction.one(
        "INSERT INTO connector_ids (key, id) VALUES ($1, $2) "
        "ON CONFLICT (key) DO UPDATE SET key = excluded.key RETURNING id",
        key,
        number,
    )
    return number if row is None else int(row["id"])
