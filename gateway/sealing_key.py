"""A node with another sealing key than the database's refuses to start."""

from gateway.errors import StartRefused
from gateway.seal import Seal
from gateway.storage.database import Database

_NAME = "sealing_key_fingerprint"


async def check_fingerprint(database: Database, seal: Seal) -> None:
    """Put the newest key's fingerprint on record; StartRefused where the one on record opens with none of our keys."""
    row = await database.one("SELECT value FROM meta WHERE key = $1", _NAME)
    if row is not None and row["value"] not in seal.fingerprints:
        raise StartRefused(
            "security.encryption_keys lacks the key that this database was sealed with. "
            "Add it behind the newest one, or restore secrets.toml of the data directory."
        )
    if row is None or row["value"] != seal.fingerprint:
        async with database.transaction() as transaction:
            await transaction.execute(
                "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                _NAME,
                seal.fingerprint,
            )
