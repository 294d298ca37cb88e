"""The numbers as rows: each given once, the same on every node, never given again."""

from collections.abc import Mapping, Sequence

from gateway.storage import sequence
from gateway.storage.database import Database, Reader

_AT_ONCE = 200


async def numbers(database: Database, keys: Sequence[str]) -> Mapping[str, int]:
    """The number of every key; those that are new get theirs now."""
    known = await _known(database, keys)
    missing = [key for key in dict.fromkeys(keys) if key not in known]
    if missing:
        known.update(await _given(database, missing))
    return known


async def key_of(reader: Reader, number: int) -> str | None:
    """Whose number this is; None where it was never given."""
    row = await reader.one("SELECT key FROM member_ids WHERE id = $1", number)
    return None if row is None else str(row["key"])


async def _known(reader: Reader, keys: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        places = ", ".join(f"${place}" for place in range(1, len(some) + 1))
        rows = await reader.all(f"SELECT key, id FROM member_ids WHERE key IN ({places})", *some)  # noqa: S608
        found.update({row["key"]: row["id"] for row in rows})
    return found


async def _given(database: Database, keys: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    async with database.transaction() as transaction:
        first = await sequence.take(transaction, "members", len(keys))
        for number, key in enumerate(keys, first):
            row = await transaction.one(
                "INSERT INTO member_ids (key, id) VALUES ($1, $2) "
                "ON CONFLICT (key) DO UPDATE SET key = excluded.key RETURNING id",
                key,
                number,
            )
            found[key] = number if row is None else int(row["id"])
    return found
