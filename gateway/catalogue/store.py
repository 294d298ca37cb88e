"""The stable number of each connector: the vendor's own where it is known, else one that is never given twice."""

from collections.abc import Mapping

from gateway.catalogue.catalogue import Catalogue
from gateway.storage import sequence
from gateway.storage.database import Database, Transaction

FIRST_OWN_ID = 10_000


async def stable_ids(database: Database, catalogue: Catalogue) -> Mapping[str, int]:
    """The number of every connector by key; those that are new get theirs now."""
    known = {row["key"]: row["id"] for row in await database.all("SELECT key, id FROM connector_ids")}
    missing = [connector for connector in catalogue if connector.key not in known]
    if missing:
        async with database.transaction() as transaction:
            for connector in missing:
                known[connector.key] = await _give(transaction, connector.key, connector.id)
    return known


async def _give(transaction: Transaction, key: str, wanted: int | None) -> int:
    number = wanted if wanted is not None else FIRST_OWN_ID + await sequence.take(transaction, "connectors")
    row = await transaction.one(
        "INSERT INTO connector_ids (key, id) VALUES ($1, $2) "
        "ON CONFLICT (key) DO UPDATE SET key = excluded.key RETURNING id",
        key,
        number,
    )
    return number if row is None else int(row["id"])
