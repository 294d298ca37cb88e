"""Pollers as rows, seen by a caller: those of an instance or of all, and the instances whose polling has stopped."""

from dataclasses import dataclass

from gateway.accounts.model import Caller
from gateway.instances.model import Instance
from gateway.polling.status import Status
from gateway.storage.database import Reader, Row

_OF_CALLER = "instances.partner_id = $1 AND ($2 = '' OR instances.account_id = $2) AND instances.deleted_at IS NULL"
_STOPPED = "pollers.state <> 'ok' AND pollers.state = 'disabled' AND pollers.enabled = 1"


@dataclass(frozen=True, slots=True)
class Listed:
    """A poller, and whose vendor it asks."""

    id: str
    instance_id: int
    connector: str
    status: Status

    @classmethod
    def from_row(cls, row: Row, now: int) -> "Listed":
        return cls(row["id"], row["instance_id"], row["connector"], Status.from_row(row, now))


async def pollers(
    reader: Reader, caller: Caller, instance_id: int | None, now: int, *, after: str, size: int, stopped: bool = False
) -> list[Listed]:
    """The caller's pollers that are switched on, of one instance or of all, by id; or only those that have stopped."""
    rows = await reader.all(
        "SELECT pollers.*, instances.connector AS connector FROM pollers "  # noqa: S608
        f"JOIN instances ON instances.id = pollers.instance_id WHERE {_OF_CALLER} "
        f"AND {_STOPPED if stopped else 'pollers.enabled = 1'} "
        "AND (CAST($3 AS BIGINT) = 0 OR pollers.instance_id = CAST($3 AS BIGINT)) "
        "AND pollers.id > $4 ORDER BY pollers.id LIMIT $5",
        caller.partner_id,
        caller.account_id or "",
        instance_id or 0,
        after,
        size,
    )
    return [Listed.from_row(row, now) for row in rows]


async def stopped(reader: Reader, caller: Caller, *, after: int, size: int) -> list[Instance]:
    """The caller's instances of which a poller was switched off after too many failures, by id."""
    rows = await reader.all(
        f"SELECT * FROM instances WHERE {_OF_CALLER} AND id > $3 "  # noqa: S608
        f"AND id IN (SELECT instance_id FROM pollers WHERE {_STOPPED}) ORDER BY id LIMIT $4",
        caller.partner_id,
        caller.account_id or "",
        after,
        size,
    )
    return [Instance.from_row(row) for row in rows]


async def stopped_pollers(reader: Reader, instance_ids: list[int], now: int) -> dict[int, list[Status]]:
    """The pollers of these instances that were switched off after too many failures."""
    found: dict[int, list[Status]] = {instance_id: [] for instance_id in instance_ids}
    if not instance_ids:
        return found
    places = ", ".join(f"${number}" for number in range(1, len(instance_ids) + 1))
    rows = await reader.all(
        f"SELECT * FROM pollers WHERE {_STOPPED} AND instance_id IN ({places}) ORDER BY instance_id, name",  # noqa: S608
        *instance_ids,
    )
    for row in rows:
        found[row["instance_id"]].append(Status.from_row(row, now))
    return found
