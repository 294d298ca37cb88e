"""What the diagnosis of a refusal, and a test delivery, ask the rows."""

from collections.abc import Sequence

from gateway.instances.model import Instance, InstanceId
from gateway.storage.database import Reader


async def siblings(reader: Reader, instance: Instance, most: int) -> list[InstanceId]:
    """The newest other instances of the same connector in the same account."""
    rows = await reader.all(
        "SELECT id FROM instances WHERE partner_id = $1 AND account_id = $2 AND connector = $3 AND id <> $4 "
        "AND deleted_at IS NULL ORDER BY id DESC LIMIT $5",
        instance.partner_id,
        instance.account_id,
        instance.connector,
        instance.id,
        most,
    )
    return [InstanceId(row["id"]) for row in rows]


async def ids_by_identity(reader: Reader, instance_id: int, identities: Sequence[str]) -> list[str]:
    """The ids of an instance's events with these identities, oldest first."""
    places = ", ".join(f"${place}" for place in range(2, len(identities) + 2))
    sql = f"SELECT id FROM events WHERE instance_id = $1 AND identity IN ({places}) ORDER BY id"  # noqa: S608
    return [row["id"] for row in await reader.all(sql, instance_id, *identities)]


async def ids_by_body(reader: Reader, instance_id: int, body_hash: str, first_id: str) -> list[str]:
    """The ids of an instance's events from an id on that came in a request with this body, oldest first."""
    rows = await reader.all(
        "SELECT id FROM events WHERE body_hash = $1 AND instance_id = $2 AND id >= $3 ORDER BY id",
        body_hash,
        instance_id,
        first_id,
    )
    return [row["id"] for row in rows]
