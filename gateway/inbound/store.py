"""What the diagnosis of a refusal asks the rows."""

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
