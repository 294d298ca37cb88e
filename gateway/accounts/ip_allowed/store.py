"""The lists as rows."""

from collections.abc import Sequence

from gateway.accounts.ip_allowed.model import Allowed, List
from gateway.accounts.model import PartnerId
from gateway.storage.database import Database, Reader, Transaction


async def every(reader: Reader, partner_id: PartnerId) -> Sequence[Allowed]:
    """All entries of a partner, list by list."""
    rows = await reader.all("SELECT * FROM ip_allowed WHERE partner_id = $1 ORDER BY list, network", partner_id)
    return [Allowed.from_row(row) for row in rows]


async def networks(reader: Reader, partner_id: PartnerId, name: List) -> tuple[str, ...]:
    """The networks of one list."""
    rows = await reader.all(
        "SELECT network FROM ip_allowed WHERE partner_id = $1 AND list = $2 ORDER BY network", partner_id, name
    )
    return tuple(row["network"] for row in rows)


async def add(database: Database, partner_id: PartnerId, entries: Sequence[Allowed]) -> None:
    """Put entries on their lists; one that is there gets the new note."""
    async with database.transaction() as transaction:
        for entry in entries:
            await _put(transaction, partner_id, entry)


async def replace(database: Database, partner_id: PartnerId, name: List, entries: Sequence[Allowed]) -> None:
    """Let a list be just these entries."""
    async with database.transaction() as transaction:
        await transaction.execute("DELETE FROM ip_allowed WHERE partner_id = $1 AND list = $2", partner_id, name)
        for entry in entries:
            await _put(transaction, partner_id, entry)


async def remove(database: Database, partner_id: PartnerId, name: List, network: str) -> bool:
    """Take an entry off its list; False where it is not on it."""
    async with database.transaction() as transaction:
        gone = await transaction.execute(
            "DELETE FROM ip_allowed WHERE partner_id = $1 AND list = $2 AND network = $3", partner_id, name, network
        )
    return gone == 1


async def _put(transaction: Transaction, partner_id: PartnerId, entry: Allowed) -> None:
    await transaction.execute(
        "INSERT INTO ip_allowed (partner_id, list, network, note, created_at) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (partner_id, list, network) DO UPDATE SET note = excluded.note",
        partner_id,
        entry.list,
        entry.network,
        entry.note,
        entry.created_at,
    )
