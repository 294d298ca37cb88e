"""An account's instances in any order; accounts have few enough that a page may be counted off."""

from typing import Literal

from gateway.accounts.model import Caller
from gateway.instances.model import Instance
from gateway.storage.database import Reader, Value

Order = Literal["id", "name", "created"]
_ORDERS: dict[tuple[Order, bool], str] = {
    ("id", True): "id",
    ("id", False): "id DESC",
    ("name", True): "lower(name), id",
    ("name", False): "lower(name) DESC, id DESC",
    ("created", True): "created_at, id",
    ("created", False): "created_at DESC, id DESC",
}
_OWN = "partner_id = $1 AND ($2 = '' OR account_id = $2) AND deleted_at IS NULL"


async def page(
    reader: Reader, caller: Caller, *, search: str, order: Order, ascending: bool, first: int, size: int
) -> tuple[list[Instance], int]:
    """Some of the caller's instances without the first ones, and how many there are."""
    clauses, args = _OWN, [*_scope(caller)]
    if search:
        args.append(f"%{search.replace('!', '!!').replace('%', '!%').replace('_', '!_')}%")
        clauses += " AND (lower(name) LIKE lower($3) ESCAPE '!' OR lower(connector) LIKE lower($3) ESCAPE '!')"
    row = await reader.one(f"SELECT count(*) AS total FROM instances WHERE {clauses}", *args)  # noqa: S608
    place = len(args)
    rows = await reader.all(
        f"SELECT * FROM instances WHERE {clauses} ORDER BY {_ORDERS[order, ascending]} "  # noqa: S608
        f"LIMIT ${place + 1} OFFSET ${place + 2}",
        *args,
        size,
        first,
    )
    return [Instance.from_row(one) for one in rows], 0 if row is None else int(row["total"])


async def has_name(reader: Reader, caller: Caller, name: str, *, but: int = 0) -> bool:
    """Whether another of the caller's instances has this name."""
    row = await reader.one(
        f"SELECT id FROM instances WHERE {_OWN} AND lower(name) = lower($3) AND id <> $4 LIMIT 1",  # noqa: S608
        *_scope(caller),
        name,
        but,
    )
    return row is not None


def _scope(caller: Caller) -> list[Value]:
    return [caller.partner_id, caller.account_id or ""]
