"""A node with another sealing key than the database's refuses to start."""

from gateway.errors import StartRefused
from gateway.seal import Seal
from gateway.storage import meta
from gateway.storage.database import Database, Reader

_NAME = "sealing_key_fingerprint"


async def check_fingerprint(database: Database, seal: Seal) -> None:
    """Put the newest key's fingerprint on record; StartRefused where the one on record opens with none of our keys."""
    if await kept_fingerprint(database, seal) != seal.fingerprint:
        async with database.transaction() as transaction:
            await meta.put(transaction, _NAME, seal.fingerprint)


async def kept_fingerprint(reader: Reader, seal: Seal) -> str | None:
    """The fingerprint on record; StartRefused where none of our keys has it."""
    kept = await meta.get(reader, _NAME)
    if kept is not None and kept not in seal.fingerprints:
        raise StartRefused(
            "security.encryption_keys lacks the key that this database was sealed with. "
            "Add it behind the newest one, or restore secrets.toml of the data directory."
        )
    return kept
