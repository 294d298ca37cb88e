"""The keys that the database needs: a node without one of them refuses to start; and moving all to the newest."""

from collections.abc import AsyncGenerator

from gateway.errors import StartRefused
from gateway.seal import Seal
from gateway.storage import meta, sealed
from gateway.storage.database import Database, Reader

_NAME = "sealing_key_fingerprint"
BATCH = 200


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


async def reseal(database: Database, seal: Seal) -> AsyncGenerator[tuple[str, int], None]:
    """Seal every value anew that stands under an older key, batch by batch: the table, and how many of it are done.

    What was done stays done: a run that was broken off is begun again, and goes on where it was.
    """
    await check_fingerprint(database, seal)
    for shelf in sealed.SHELVES:
        after, done = shelf.first, 0
        while found := await sealed.under_other_keys(database, shelf, seal.fingerprint, after, BATCH):
            async with database.transaction() as transaction:
                for one in found:
                    value = seal.close(seal.open(one.value, one.place), one.place)
                    done += await sealed.swap(transaction, shelf, one, value)
            after = found[-1].row
            yield shelf.name, done


async def older_keys_in_use(reader: Reader, seal: Seal) -> int:
    """How many keys beside the newest are still needed."""
    return len(await sealed.key_ids(reader) - {seal.fingerprint})
