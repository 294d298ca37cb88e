"""A node without a sealing key that the database needs refuses to start."""

from gateway.errors import StartRefused
from gateway.seal import Seal
from gateway.storage import meta, sealed
from gateway.storage.database import Database, Reader

_NAME = "sealing_key_fingerprint"


async def check_fingerprint(database: Database, seal: Seal) -> None:
    """Put the newest key's fingerprint on record; StartRefused where a key is missing that is needed."""
    if await kept_fingerprint(database, seal) != seal.fingerprint:
        async with database.transaction() as transaction:
            await meta.put(transaction, _NAME, seal.fingerprint)


async def kept_fingerprint(reader: Reader, seal: Seal) -> str | None:
    """The fingerprint on record; StartRefused where none of our keys has it, or stored values need another one."""
    kept = await meta.get(reader, _NAME)
    if kept is not None and kept not in seal.fingerprints:
        raise StartRefused(
            "security.encryption_keys lacks the key that this database was sealed with. "
            "Add it behind the newest one, or restore secrets.toml of the data directory."
        )
    missing = await sealed.key_ids(reader) - seal.fingerprints
    if missing:
        raise StartRefused(
            f"security.encryption_keys lacks {len(missing)} of the keys that stored credentials were sealed with. "
            "Add every earlier key again, behind the newest one."
        )
    return kept
