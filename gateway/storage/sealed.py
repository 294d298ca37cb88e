"""Which keys the sealed values of a database were sealed with."""

from gateway.storage.database import Reader

# A sealed value begins with the id of its key.
_KEY_IDS = (
    "SELECT substr(sealed, 1, 4) AS key_id FROM configuration WHERE sealed IS NOT NULL "
    "UNION SELECT substr(sealed, 1, 4) FROM instance_secrets"
)


async def key_ids(reader: Reader) -> frozenset[str]:
    """The ids of all keys that are still needed, as hexadecimal digits."""
    return frozenset(bytes(row["key_id"]).hex() for row in await reader.all(_KEY_IDS))
