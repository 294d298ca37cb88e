"""Destinations and instances by their names; nothing here changes anything."""

from collections.abc import Collection, Sequence

from gateway.accounts.model import Caller
from gateway.history.targets.model import Target
from gateway.storage.database import Reader

# 3rd-party connectors belong to no instance, and have the number of their destination.
_TARGETS = (
    "SELECT d.id, d.kind, d.instance_id, coalesce(t.name, i.name, '') AS name, d.url, d.state, d.reason "
    "FROM destinations AS d LEFT JOIN instances AS i ON i.id = d.instance_id "
    "LEFT JOIN third_parties AS t ON t.id = d.id "
)


async def targets(reader: Reader, ids: Collection[int]) -> dict[int, Target]:
    """The destinations of deliveries that the caller was already shown, by their ids."""
    if not ids:
        return {}
    rows = await reader.all(f"{_TARGETS} WHERE d.id IN ({_places(ids)})", *ids)
    return {row["id"]: Target.from_row(row) for row in rows}


async def active(reader: Reader, caller: Caller, own: int, most: int) -> Sequence[Target]:
    """The caller's destinations that take events, the callback of the instance `own` first."""
    rows = await reader.all(
        f"{_TARGETS} JOIN accounts ON accounts.id = d.account_id WHERE accounts.partner_id = $1 "
        "AND ($2 = '' OR accounts.id = $2) AND d.state = 'active' "
        "ORDER BY CASE WHEN d.instance_id = $3 THEN 0 ELSE 1 END, d.id LIMIT $4",
        caller.partner_id,
        caller.account_id or "",
        own,
        most,
    )
    return [Target.from_row(row) for row in rows]


async def names(reader: Reader, caller: Caller, ids: Collection[int]) -> dict[int, str]:
    """What the caller's destinations are called; those of what was deleted have no name any more."""
    if not ids:
        return {}
    places = ", ".join(f"${place}" for place in range(3, 3 + len(ids)))
    rows = await reader.all(
        f"{_TARGETS} JOIN accounts ON accounts.id = d.account_id WHERE accounts.partner_id = $1 "
        f"AND ($2 = '' OR accounts.id = $2) AND i.deleted_at IS NULL AND t.deleted_at IS NULL AND d.id IN ({places})",
        caller.partner_id,
        caller.account_id or "",
        *ids,
    )
    return {row["id"]: row["name"] for row in rows if row["name"]}


async def instance_names(reader: Reader, ids: Collection[int]) -> dict[int, str]:
    """The names of instances whose events the caller was already shown, deleted ones among them."""
    if not ids:
        return {}
    rows = await reader.all(f"SELECT id, name FROM instances WHERE id IN ({_places(ids)})", *ids)  # noqa: S608
    return {row["id"]: row["name"] for row in rows}


def _places(values: Collection[object]) -> str:
    return ", ".join(f"${place}" for place in range(1, len(values) + 1))
