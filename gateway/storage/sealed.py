"""The sealed values of a database: which keys they need, and putting others in their place."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.storage.database import Reader, Transaction, Value

# A sealed value begins with the id of its key.
_KEY_IDS = (
    "SELECT substr(sealed, 1, 4) AS key_id FROM configuration WHERE sealed IS NOT NULL "
    "UNION SELECT substr(sealed, 1, 4) FROM instance_secrets "
    "UNION SELECT substr(sealed, 1, 4) FROM registrations WHERE sealed IS NOT NULL "
    "UNION SELECT substr(sealed, 1, 4) FROM third_parties WHERE deleted_at IS NULL"
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """A table with sealed values; `first` stands before every row, `place` is what a value is bound to."""

    name: str
    columns: tuple[str, ...]
    first: tuple[Value, ...]
    place: str
    page: str
    swap: str


SHELVES = (
    Shelf(
        "configuration",
        ("instance_id", "key"),
        (-1, ""),
        "configuration:{instance_id}:{key}",
        "SELECT instance_id, key, sealed FROM configuration WHERE sealed IS NOT NULL AND substr(sealed, 1, 4) <> $1 "
        "AND (instance_id > $2 OR (instance_id = $2 AND key > $3)) ORDER BY instance_id, key LIMIT $4",
        "UPDATE configuration SET sealed = $1 WHERE sealed = $2 AND instance_id = $3 AND key = $4",
    ),
    Shelf(
        "instance_secrets",
        ("id",),
        ("",),
        "instance_secrets:{id}",
        "SELECT id, sealed FROM instance_secrets WHERE substr(sealed, 1, 4) <> $1 AND id > $2 ORDER BY id LIMIT $3",
        "UPDATE instance_secrets SET sealed = $1 WHERE sealed = $2 AND id = $3",
    ),
    Shelf(
        "registrations",
        ("instance_id",),
        (-1,),
        "registrations:{instance_id}",
        "SELECT instance_id, sealed FROM registrations WHERE sealed IS NOT NULL AND substr(sealed, 1, 4) <> $1 "
        "AND instance_id > $2 ORDER BY instance_id LIMIT $3",
        "UPDATE registrations SET sealed = $1 WHERE sealed = $2 AND instance_id = $3",
    ),
    Shelf(
        "third_parties",
        ("id",),
        (-1,),
        "third_parties:{id}",
        "SELECT id, sealed FROM third_parties WHERE deleted_at IS NULL AND substr(sealed, 1, 4) <> $1 AND id > $2 "
        "ORDER BY id LIMIT $3",
        "UPDATE third_parties SET sealed = $1 WHERE sealed = $2 AND id = $3",
    ),
)


@dataclass(frozen=True, slots=True)
class Sealed:
    """One sealed value: its row, what it is bound to, and what stands there."""

    row: tuple[Value, ...]
    place: str
    value: bytes


async def key_ids(reader: Reader) -> frozenset[str]:
    """The ids of all keys that are still needed, as hexadecimal digits."""
    return frozenset(bytes(row["key_id"]).hex() for row in await reader.all(_KEY_IDS))


async def under_other_keys(
    reader: Reader, shelf: Shelf, key_id: str, after: tuple[Value, ...], most: int
) -> Sequence[Sealed]:
    """Values that were not sealed with this key, in the order of their rows."""
    rows = await reader.all(shelf.page, bytes.fromhex(key_id), *after, most)
    return [
        Sealed(
            tuple(row[column] for column in shelf.columns),
            shelf.place.format_map({column: row[column] for column in shelf.columns}),
            bytes(row["sealed"]),
        )
        for row in rows
    ]


async def swap(transaction: Transaction, shelf: Shelf, found: Sealed, value: bytes) -> bool:
    """Put another value in its place; False where somebody else has done so meanwhile."""
    return await transaction.execute(shelf.swap, value, found.value, *found.row) == 1
