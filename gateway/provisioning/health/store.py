"""Instances by how they stand, and their figures; each at the same cost among few and among many."""

from collections.abc import Mapping, Sequence

from gateway.accounts.model import Caller
from gateway.history.ledgers.model import ARRIVED, LEFT, Ledger
from gateway.instances.model import Instance
from gateway.provisioning.health.model import NOTHING, Attempts, Chosen, Figures, Standing, Stretch
from gateway.storage.database import Reader, Value
from gateway.storage.patterns import literal

#: A row of these tables for which the condition holds is trouble; what is switched off is left alone.
#: `<>` and no list: so it is the condition of the index of pollers that have stopped.
TROUBLES: Mapping[Standing, tuple[str, str]] = {
    "login": ("logins", "s.state = 'reauth'"),
    "registration": ("registrations", "s.state IN ('failing', 'refused')"),
    "polls": ("pollers", "s.state <> 'ok' AND s.state <> 'paused' AND s.enabled = 1"),
    "destination": ("destinations", "s.kind = 'callback' AND s.state = 'off'"),
}
_IN_TROUBLE: Mapping[Standing, str] = {
    standing: f"SELECT s.instance_id FROM {table} AS s WHERE {trouble}"  # noqa: S608
    for standing, (table, trouble) in TROUBLES.items()
}
_LEDGER = (
    f"SELECT * FROM (SELECT {', '.join(f'coalesce(sum({name}), 0) AS {name}' for name in ARRIVED)} "  # noqa: S608
    "FROM ledger_events WHERE instance_id = $1) AS arrived CROSS JOIN "
    f"(SELECT {', '.join(f'coalesce(sum(l.{name}), 0) AS {name}' for name in LEFT)} "
    "FROM destinations AS d JOIN ledger_deliveries AS l ON l.destination_id = d.id WHERE d.instance_id = $1) AS gone"
)
#: So many deliveries are looked at for the one that waits longest.
_LOOKED = 1_000
#: What `page` walks along; an account that is named has an index of its own.
_IN_ORDER = {False: ("id < {}", "DESC"), True: ("id > {}", "ASC")}
_NEWEST = 10**15


async def page(
    reader: Reader, caller: Caller, chosen: Chosen, *, before: int | None = None, after: int | None = None, size: int
) -> Stretch:
    """The caller's instances that were chosen: the newest, those older than `before`, or those newer than `after`."""
    upwards = after is not None and before is None
    border, order = _IN_ORDER[upwards]
    clauses, args = _where(caller, chosen)
    args.append((after or 0) if upwards else (before or _NEWEST))
    clauses.append(border.format(f"${len(args)}"))
    sql = f"SELECT * FROM instances WHERE {' AND '.join(clauses)} ORDER BY id {order} LIMIT ${len(args) + 1}"  # noqa: S608
    found = [Instance.from_row(row) for row in await reader.all(sql, *args, size + 1)]
    more, shown = len(found) > size, found[:size]
    if upwards:
        return Stretch(shown[::-1], newer=more, older=True)
    return Stretch(shown, newer=before is not None, older=more)


def _where(caller: Caller, chosen: Chosen) -> tuple[list[str], list[Value]]:
    clauses, args = ["partner_id = $1", "deleted_at IS NULL"], list[Value]([caller.partner_id])
    if caller.account_id is not None:
        args.append(caller.account_id)
        clauses.append(f"account_id = ${len(args)}")
    if chosen.search:
        clauses.append(_named(chosen.search, args))
    if chosen.connector:
        args.append(chosen.connector)
        clauses.append(f"connector = ${len(args)}")
    return clauses + _standing(chosen.standing), args


def _named(text: str, args: list[Value]) -> str:
    """A part of the name or of the connector's key, or the id."""
    args.append(f"%{literal(text)}%")
    place = f"lower(${len(args)})"
    clauses = [f"lower(name) LIKE {place} ESCAPE '!'", f"lower(connector) LIKE {place} ESCAPE '!'"]
    if text.isascii() and text.isdigit() and len(text) <= 15:
        args.append(int(text))
        clauses.append(f"id = ${len(args)}")
    return f"({' OR '.join(clauses)})"


def _standing(wanted: Standing | None) -> list[str]:
    if wanted is None:
        return []
    if wanted == "disabled":
        return ["enabled = 0"]
    if wanted == "working":
        return ["enabled = 1", *(f"id NOT IN ({sql})" for sql in _IN_TROUBLE.values())]
    return ["enabled = 1", f"id IN ({_IN_TROUBLE[wanted]})"]


async def figures(reader: Reader, instance_ids: Sequence[int]) -> dict[int, Figures]:
    """The figures of instances that the caller was already shown."""
    if not instance_ids:
        return {}
    places = ", ".join(f"${place}" for place in range(1, len(instance_ids) + 1))
    # The newest event and the two sums, each by an index of the instance.
    rows = await reader.all(
        "SELECT i.id, (SELECT e.received_at FROM events AS e WHERE e.instance_id = i.id "  # noqa: S608
        "ORDER BY e.id DESC LIMIT 1) AS last_event_at, "
        "(SELECT CAST(sum(l.pending) AS BIGINT) FROM destinations AS d JOIN ledger_deliveries AS l "
        "ON l.destination_id = d.id WHERE d.instance_id = i.id) AS pending, "
        "(SELECT CAST(sum(l.dead - l.removed_dead) AS BIGINT) FROM destinations AS d JOIN ledger_deliveries AS l "
        f"ON l.destination_id = d.id WHERE d.instance_id = i.id) AS dead FROM instances AS i WHERE i.id IN ({places})",
        *instance_ids,
    )
    found = {row["id"]: Figures(row["last_event_at"], row["pending"] or 0, row["dead"] or 0) for row in rows}
    return {instance_id: found.get(instance_id, NOTHING) for instance_id in instance_ids}


async def ledger(reader: Reader, instance_id: int) -> Ledger:
    """The ledger of an instance that the caller was already shown."""
    row = await reader.one(_LEDGER, instance_id)
    return Ledger.from_row(row or dict.fromkeys((*ARRIVED, *LEFT), 0))


async def waits_since(reader: Reader, destination_id: int) -> int | None:
    """When the delivery was made that waits longest among those that are next in turn; None where none waits."""
    row = await reader.one(
        "SELECT min(created_at) AS since FROM (SELECT created_at FROM deliveries "
        "WHERE destination_id = $1 AND state = 'pending' ORDER BY due_at LIMIT $2) AS next_in_turn",
        destination_id,
        _LOOKED,
    )
    return None if row is None else row["since"]


async def attempts(reader: Reader, destination_id: int, since: int) -> Attempts:
    """How the attempts at a destination went in the hours from then on."""
    rows = await reader.all(
        "SELECT ok, failed, reason, failed_at FROM traffic_destinations WHERE destination_id = $1 AND hour >= $2 "
        "ORDER BY hour DESC",
        destination_id,
        since,
    )
    last = next((row for row in rows if row["failed"]), None)
    return Attempts(
        ok=sum(row["ok"] for row in rows),
        failed=sum(row["failed"] for row in rows),
        reason=None if last is None else last["reason"],
        failed_at=None if last is None else last["failed_at"],
    )
