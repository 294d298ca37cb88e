"""What an examination asks of the database: sums, full counts, and what stands in the way."""

from collections.abc import Sequence

from gateway.doctor.model import MOST_ITEMS
from gateway.storage.database import Reader, Row

#: The two halves of the ledger, each by what it is counted by.
ARRIVED = ("received", "accepted", "duplicate", "refused", "ignored", "routed", "unrouted", "removed")
LEFT = (
    *("created", "delivered", "pending", "dead", "cancelled"),
    *("removed_delivered", "removed_dead", "removed_cancelled"),
)
_ARRIVED = ", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in ARRIVED)
_LEFT = ", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in LEFT)
_EVERY_EVENT = f"SELECT {_ARRIVED} FROM ledger_events"  # noqa: S608
_EVERY_DELIVERY = f"SELECT {_LEFT} FROM ledger_deliveries"  # noqa: S608
_UNEVEN_EVENTS = (
    f"SELECT instance_id AS id, {_ARRIVED} FROM ledger_events GROUP BY instance_id "  # noqa: S608
    "HAVING sum(received) <> sum(accepted) + sum(duplicate) + sum(refused) + sum(ignored) "
    "OR sum(accepted) <> sum(routed) + sum(unrouted) OR sum(removed) > sum(accepted) ORDER BY instance_id LIMIT $1"
)
_UNEVEN_DELIVERIES = (
    f"SELECT destination_id AS id, {_LEFT} FROM ledger_deliveries GROUP BY destination_id "  # noqa: S608
    "HAVING sum(created) <> sum(delivered) + sum(pending) + sum(dead) + sum(cancelled) OR sum(pending) < 0 "
    "OR sum(removed_delivered) > sum(delivered) OR sum(removed_dead) > sum(dead) "
    "OR sum(removed_cancelled) > sum(cancelled) ORDER BY destination_id LIMIT $1"
)
_STATES = ("pending", "delivered", "dead", "cancelled")
_TOLD = " UNION ALL ".join(
    f"SELECT '{state}', destination_id, sum({state}){'' if state == 'pending' else f' - sum(removed_{state})'}, 0 "  # noqa: S608
    "FROM ledger_deliveries GROUP BY destination_id"
    for state in _STATES
)
# One statement, so that what it counts and what it compares with are of the same moment.
_COUNTED = (
    "WITH told_and_counted AS (SELECT what, id, sum(told) AS told, sum(counted) AS counted FROM ("  # noqa: S608
    "SELECT 'events' AS what, instance_id AS id, sum(accepted) - sum(removed) AS told, 0 AS counted "
    f"FROM ledger_events GROUP BY instance_id UNION ALL {_TOLD} "
    "UNION ALL SELECT 'events', instance_id, 0, count(*) FROM events GROUP BY instance_id "
    "UNION ALL SELECT state, destination_id, 0, count(*) FROM deliveries GROUP BY state, destination_id"
    ") AS every_row GROUP BY what, id) "
    "SELECT what, id, told, counted FROM (SELECT * FROM told_and_counted WHERE told <> counted "
    "ORDER BY what, id LIMIT $1) AS uneven "
    "UNION ALL SELECT what, -1, sum(told), sum(counted) FROM told_and_counted GROUP BY what"
)
_NOW = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS at"
_OF_PARTNER = "i.deleted_at IS NULL AND (i.partner_id = $1 OR $1 = '')"
_DESTINATIONS_OFF = (
    "SELECT id, instance_id, reason FROM ("  # noqa: S608
    "SELECT d.id, d.instance_id, d.reason, d.since FROM destinations AS d JOIN instances AS i ON i.id = d.instance_id "
    f"WHERE {_OF_PARTNER} AND d.state = 'off' "
    # What somebody has switched off on purpose needs no attention.
    "UNION ALL SELECT d.id, 0, d.reason, d.since FROM destinations AS d JOIN third_parties AS t ON t.id = d.id "
    "WHERE t.deleted_at IS NULL AND (t.partner_id = $1 OR $1 = '') AND d.state = 'off' AND d.reason <> 'disabled'"
    ") AS every_one ORDER BY since DESC, id LIMIT $2"
)
_REGISTRATIONS = (
    "SELECT r.instance_id, r.state, r.reason, r.expires_at FROM registrations AS r "  # noqa: S608
    f"JOIN instances AS i ON i.id = r.instance_id WHERE {_OF_PARTNER} AND (r.state IN ('failing', 'refused') "
    "OR (r.state = 'wanted' AND r.since < $3) OR (r.expires_at IS NOT NULL AND r.expires_at < $4)) "
    "ORDER BY r.instance_id LIMIT $2"
)
_POLLERS = (
    "SELECT p.instance_id, p.name, p.state, p.reason FROM pollers AS p JOIN instances AS i ON i.id = p.instance_id "  # noqa: S608
    f"WHERE {_OF_PARTNER} AND p.enabled = 1 AND p.state NOT IN ('ok', 'paused') ORDER BY p.instance_id, p.name LIMIT $2"
)
_POLLERS_OVERDUE = (
    "SELECT count(*) AS number, coalesce(min(next_due), 0) AS since FROM pollers WHERE enabled = 1 AND next_due < $1"
)
_LOGINS = (
    "SELECT l.instance_id, l.state, l.reason FROM logins AS l JOIN instances AS i ON i.id = l.instance_id "  # noqa: S608
    f"WHERE {_OF_PARTNER} AND l.state = 'reauth' ORDER BY l.instance_id LIMIT $2"
)
_JOBS = (
    "SELECT id, kind, state, reason FROM jobs WHERE (partner_id = $1 OR $1 = '') "
    "AND (state = 'failed' OR (state = 'running' AND updated_at < $3)) ORDER BY id DESC LIMIT $2"
)
_JOBS_RUNNING = "SELECT kind, count(*) AS number FROM jobs WHERE state = 'running' GROUP BY kind"


async def sums(reader: Reader) -> dict[str, int]:
    """Both halves of the ledger over everything."""
    arrived, left = await reader.one(_EVERY_EVENT), await reader.one(_EVERY_DELIVERY)
    return {name: int(value) for row in (arrived, left) for name, value in dict(row or {}).items()}


async def uneven_instances(reader: Reader) -> list[dict[str, int]]:
    """Instances whose half of the ledger contradicts itself."""
    return [_numbers(row) for row in await reader.all(_UNEVEN_EVENTS, MOST_ITEMS)]


async def uneven_destinations(reader: Reader) -> list[dict[str, int]]:
    """Destinations whose half of the ledger contradicts itself."""
    return [_numbers(row) for row in await reader.all(_UNEVEN_DELIVERIES, MOST_ITEMS)]


async def counted(reader: Reader) -> list[tuple[str, int, int, int]]:
    """(what, of which instance or destination, what the ledger says, what there is); -1: of all together."""
    rows = await reader.all(_COUNTED, MOST_ITEMS)
    return [(row["what"], int(row["id"]), int(row["told"]), int(row["counted"])) for row in rows]


async def server_time(reader: Reader) -> int:
    """What time PostgreSQL says it is."""
    row = await reader.one(_NOW)
    return 0 if row is None else int(row["at"])


async def destinations_off(reader: Reader, partner_id: str) -> Sequence[Row]:
    """Destinations that get nothing; an empty partner means all."""
    return await reader.all(_DESTINATIONS_OFF, partner_id, MOST_ITEMS)


async def registrations_in_trouble(
    reader: Reader, partner_id: str, *, wanted_since: int, ends_before: int
) -> Sequence[Row]:
    """Registrations that fail, were refused, have been wanted for long, or end soon."""
    return await reader.all(_REGISTRATIONS, partner_id, MOST_ITEMS, wanted_since, ends_before)


async def pollers_in_trouble(reader: Reader, partner_id: str) -> Sequence[Row]:
    """Pollers that are not well."""
    return await reader.all(_POLLERS, partner_id, MOST_ITEMS)


async def pollers_overdue(reader: Reader, before: int) -> tuple[int, int]:
    """How many pollers were due before a moment, and when the first of them was."""
    row = await reader.one(_POLLERS_OVERDUE, before)
    return (0, 0) if row is None else (int(row["number"]), int(row["since"]))


async def logins_lost(reader: Reader, partner_id: str) -> Sequence[Row]:
    """Instances whose vendor does not take their credentials any more."""
    return await reader.all(_LOGINS, partner_id, MOST_ITEMS)


async def jobs_in_trouble(reader: Reader, partner_id: str, silent_since: int) -> Sequence[Row]:
    """Jobs that failed, or run without moving."""
    return await reader.all(_JOBS, partner_id, MOST_ITEMS, silent_since)


async def jobs_running(reader: Reader) -> dict[str, int]:
    """How many jobs run, by kind."""
    return {row["kind"]: int(row["number"]) for row in await reader.all(_JOBS_RUNNING)}


def _numbers(row: Row) -> dict[str, int]:
    return {name: int(value) for name, value in dict(row).items()}
