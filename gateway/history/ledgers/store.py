"""The ledger's sums within a tenant, each answer from one state of the database."""

from gateway.accounts.model import Caller
from gateway.errors import NotFound
from gateway.history.ledgers.model import ARRIVED, LEFT, Goal, Ledger
from gateway.storage.database import Reader

_SUMS = (
    f"SELECT * FROM (SELECT {', '.join(f'coalesce(sum({name}), 0) AS {name}' for name in ARRIVED)} "  # noqa: S608
    "FROM ledger_events WHERE instance_id IN (SELECT id FROM instances "
    "WHERE partner_id = $1 AND (account_id = $2 OR $2 = '') AND {instances})) AS arrived CROSS JOIN "
    f"(SELECT {', '.join(f'coalesce(sum({name}), 0) AS {name}' for name in LEFT)} "
    "FROM ledger_deliveries WHERE destination_id IN (SELECT destinations.id FROM destinations "
    "JOIN accounts ON accounts.id = destinations.account_id WHERE accounts.partner_id = $1 "
    "AND (accounts.id = $2 OR $2 = '') AND {destinations})) AS gone"
)
# Of all, of an instance ($3), of a destination ($4) and its instance: each in words that an index understands.
_OF_ALL = _SUMS.format(instances="id > $3", destinations="destinations.instance_id >= $3 AND destinations.id > $4")
_OF_INSTANCE = _SUMS.format(instances="id = $3", destinations="destinations.instance_id = $3 AND destinations.id > $4")
_OF_DESTINATION = _SUMS.format(instances="id = $3", destinations="destinations.id = $4")
_GOALS = (
    "SELECT d.id, d.account_id, d.instance_id, d.kind, d.url, d.state, d.reason, d.since, "  # noqa: S608
    f"{', '.join(f'coalesce(sum(l.{name}), 0) AS {name}' for name in LEFT)} "
    "FROM (SELECT destinations.* FROM destinations JOIN accounts ON accounts.id = destinations.account_id "
    "WHERE accounts.partner_id = $1 AND (accounts.id = $2 OR $2 = '') "
    "AND (destinations.instance_id = $3 OR $3 = 0) AND destinations.id > $4 ORDER BY destinations.id LIMIT $5) AS d "
    "LEFT JOIN ledger_deliveries AS l ON l.destination_id = d.id "
    "GROUP BY d.id, d.account_id, d.instance_id, d.kind, d.url, d.state, d.reason, d.since ORDER BY d.id"
)

_NO_INSTANCE = -1


async def ledger(reader: Reader, caller: Caller, instance_id: int | None, destination_id: int | None) -> Ledger:
    """The caller's ledger: of all, of an instance, or of a destination and the instance that it belongs to, if any."""
    if instance_id is not None:
        await _own_instance(reader, caller, instance_id)
    if destination_id is not None:
        instance_id = await _instance_of(reader, caller, destination_id, instance_id)
    scope = (caller.partner_id, caller.account_id or "")
    sums = _OF_ALL if instance_id is None else _OF_INSTANCE if destination_id is None else _OF_DESTINATION
    row = await reader.one(sums, *scope, instance_id or 0, destination_id or 0)
    if row is None:
        raise NotFound
    return Ledger.from_row(row)


async def goals_after(
    reader: Reader, caller: Caller, instance_id: int | None, after: int, size: int
) -> tuple[list[Goal], int | None]:
    """The caller's destinations above an id, each with its half of the ledger, and where the next page begins."""
    if instance_id is not None:
        await _own_instance(reader, caller, instance_id)
    scope = (caller.partner_id, caller.account_id or "")
    rows = await reader.all(_GOALS, *scope, instance_id or 0, after, size + 1)
    found = [Goal.from_row(row) for row in rows]
    return found[:size], found[size - 1].id if len(found) > size else None


async def _own_instance(reader: Reader, caller: Caller, instance_id: int) -> None:
    """NotFound where the instance is another's, or never was; one that was deleted still has its ledger."""
    sql = "SELECT id FROM instances WHERE partner_id = $1 AND (account_id = $2 OR $2 = '') AND id = $3"
    if await reader.one(sql, caller.partner_id, caller.account_id or "", instance_id) is None:
        raise NotFound(f"No instance found with ID {instance_id}")


async def _instance_of(reader: Reader, caller: Caller, destination_id: int, instance_id: int | None) -> int:
    row = await reader.one(
        "SELECT destinations.instance_id FROM destinations JOIN accounts ON accounts.id = destinations.account_id "
        "WHERE accounts.partner_id = $1 AND (accounts.id = $2 OR $2 = '') AND destinations.id = $3",
        caller.partner_id,
        caller.account_id or "",
        destination_id,
    )
    if row is None or instance_id not in (None, row["instance_id"]):
        raise NotFound(f"No destination found with ID {destination_id}")
    # Events come to instances: where the destination has none, that half is nothing, and not that of all.
    return int(row["instance_id"]) or _NO_INSTANCE
