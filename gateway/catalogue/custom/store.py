"""Custom connectors as rows; every change raises a number, by which each node sees that there is something new."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.accounts.model import PartnerId
from gateway.catalogue.custom.model import MOST_OF_A_PARTNER, Custom, Entry
from gateway.catalogue.store import FIRST_OWN_ID
from gateway.errors import Conflict, Invalid
from gateway.storage import sequence
from gateway.storage.database import Reader, Row, Transaction

_CHANGES = "custom_connectors"
AT_ONCE = 50


async def version(reader: Reader) -> int:
    """A number that is another one after every change."""
    row = await reader.one("SELECT value FROM sequences WHERE name = $1", _CHANGES)
    return 0 if row is None else int(row["value"])


async def page(reader: Reader, partner_id: PartnerId) -> list[Entry]:
    """A partner's connectors, by id."""
    rows = await reader.all(
        "SELECT id, unique_id, key, name, status, released IS NOT NULL AS is_released, created_at, updated_at "
        "FROM custom_connectors WHERE partner_id = $1 AND deleted_at IS NULL ORDER BY id",
        partner_id,
    )
    return [
        Entry(
            id=row["id"],
            guid=_guid(row),
            key=row["key"],
            name=row["name"],
            status=row["status"],
            is_released=bool(row["is_released"]),
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )
        for row in rows
    ]


async def get(reader: Reader, partner_id: PartnerId, number: int) -> Custom | None:
    """A partner's connector by its number."""
    row = await reader.one(
        "SELECT * FROM custom_connectors WHERE partner_id = $1 AND id = $2 AND deleted_at IS NULL", partner_id, number
    )
    return None if row is None else _custom(row)


async def by_guid(reader: Reader, partner_id: PartnerId, guid: str) -> Custom | None:
    """A partner's connector by its GUID."""
    unique = _unique(partner_id, guid)
    row = await reader.one("SELECT * FROM custom_connectors WHERE unique_id = $1 AND deleted_at IS NULL", unique)
    return None if row is None else _custom(row)


async def released(reader: Reader) -> dict[int, int]:
    """Of every partner's connectors that count: when they were changed, by id."""
    rows = await reader.all(
        "SELECT id, updated_at FROM custom_connectors WHERE released IS NOT NULL AND deleted_at IS NULL"
    )
    return {row["id"]: row["updated_at"] for row in rows}


async def some_any_partner(reader: Reader, ids: Sequence[int]) -> list[Custom]:
    """The connectors with these ids."""
    found = []
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        places = ", ".join(f"${place}" for place in range(1, len(some) + 1))
        rows = await reader.all(
            f"SELECT * FROM custom_connectors WHERE deleted_at IS NULL AND id IN ({places})",  # noqa: S608
            *some,
        )
        found += [_custom(row) for row in rows]
    return found


async def number(transaction: Transaction) -> tuple[int, str]:
    """A connector's number that nobody has, and its key; from here on no other node changes a custom connector."""
    await sequence.take(transaction, _CHANGES)
    while True:
        found = FIRST_OWN_ID + await sequence.take(transaction, "connectors")
        key = f"custom-{found}"
        if await transaction.one("SELECT id FROM connector_ids WHERE id = $1 OR key = $2", found, key) is None:
            await transaction.execute("INSERT INTO connector_ids (key, id) VALUES ($1, $2)", key, found)
            return found, key


async def add(transaction: Transaction, one: Custom) -> None:
    """A new connector, whose number was taken in this transaction; Invalid where the partner cannot have it."""
    if await by_guid(transaction, one.partner_id, one.guid) is not None:
        raise Invalid("UniqueIdentifier is in use already.")
    if len(await page(transaction, one.partner_id)) >= MOST_OF_A_PARTNER:
        raise Invalid(f"There are {MOST_OF_A_PARTNER} custom connectors already; delete one that is not used.")
    await transaction.execute(
        "INSERT INTO custom_connectors "
        "(id, partner_id, unique_id, key, name, status, definition, released, created_at, updated_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        one.id,
        one.partner_id,
        _unique(one.partner_id, one.guid),
        one.key,
        one.name,
        one.status,
        one.definition,
        one.released,
        one.created_at,
        one.updated_at,
    )


async def change(transaction: Transaction, before: Custom, changes: Mapping[str, Any], now: int) -> Custom:
    """Let some of it be otherwise; Conflict where it is not as it was before."""
    await sequence.take(transaction, _CHANGES)
    changed = replace(before, **changes, updated_at=max(now, before.updated_at + 1))
    count = await transaction.execute(
        "UPDATE custom_connectors SET name = $3, status = $4, definition = $5, released = $6, updated_at = $7 "
        "WHERE id = $1 AND updated_at = $2 AND deleted_at IS NULL",
        before.id,
        before.updated_at,
        changed.name,
        changed.status,
        changed.definition,
        changed.released,
        changed.updated_at,
    )
    if count == 0:
        raise Conflict(f"Connector {before.id} was changed meanwhile; read it again.")
    return changed


async def remove(transaction: Transaction, one: Custom, now: int) -> None:
    """Remove it; its row stays, and its GUID may be given again."""
    await sequence.take(transaction, _CHANGES)
    await transaction.execute(
        "UPDATE custom_connectors SET deleted_at = $2, unique_id = key WHERE id = $1 AND deleted_at IS NULL",
        one.id,
        now,
    )


def _unique(partner_id: PartnerId, guid: str) -> str:
    """Two partners may bring the same definition, so a GUID is unique to its partner only."""
    return f"{partner_id}:{guid}"


def _guid(row: Row) -> str:
    return str(row["unique_id"]).rpartition(":")[2]


def _custom(row: Row) -> Custom:
    return Custom(
        id=row["id"],
        partner_id=PartnerId(row["partner_id"]),
        guid=_guid(row),
        key=row["key"],
        name=row["name"],
        status=row["status"],
        definition=row["definition"],
        released=row["released"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
