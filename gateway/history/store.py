"""Questions about what happened; nothing here changes anything."""

from collections.abc import Sequence

from gateway.accounts.model import Caller
from gateway.events.model import Event
from gateway.history.model import Arrival, AttemptRecord, DeliveryRecord, Where
from gateway.storage.database import Reader

#: Which delivery `d` of an event says how it stands, the lowest first: one on its way, one that was given up for good.
RANK = (
    "CASE WHEN d.state = 'pending' THEN 0 WHEN d.state = 'dead' AND d.replayed_as IS NULL AND NOT EXISTS "
    "(SELECT 1 FROM deliveries AS n WHERE n.event_id = d.event_id AND n.destination_id + 0 = d.destination_id "
    "AND n.id || '' > d.id) THEN 1 ELSE 2 END"
)


async def deliveries(reader: Reader, event_ids: Sequence[str]) -> dict[str, list[DeliveryRecord]]:
    """The deliveries of events that the caller was already shown, by event."""
    found: dict[str, list[DeliveryRecord]] = {event_id: [] for event_id in event_ids}
    if event_ids:
        places = ", ".join(f"${place}" for place in range(1, len(event_ids) + 1))
        sql = f"SELECT * FROM deliveries WHERE event_id IN ({places}) ORDER BY id"  # noqa: S608
        for row in await reader.all(sql, *event_ids):
            found[row["event_id"]].append(DeliveryRecord.from_row(row))
    return found


async def newest_deliveries(reader: Reader, event_id: str, most: int) -> list[DeliveryRecord]:
    """The newest deliveries of an event that the caller was already shown."""
    sql = "SELECT * FROM deliveries WHERE event_id = $1 ORDER BY id || '' DESC LIMIT $2"
    return [DeliveryRecord.from_row(row) for row in await reader.all(sql, event_id, most)]


async def deciding_deliveries(reader: Reader, event_ids: Sequence[str]) -> dict[str, DeliveryRecord]:
    """Of each event the delivery that says how it stands: the next on its way, a dead letter, or the newest."""
    if not event_ids:
        return {}
    places = ", ".join(f"${place}" for place in range(1, len(event_ids) + 1))
    rows = await reader.all(
        "SELECT deliveries.* FROM deliveries JOIN (SELECT (SELECT d.id FROM deliveries AS d "  # noqa: S608
        f"WHERE d.event_id = events.id ORDER BY {RANK}, "
        "CASE WHEN d.state = 'pending' THEN d.due_at ELSE 0 END, d.id DESC LIMIT 1) AS id "
        f"FROM events WHERE events.id IN ({places})) AS deciding ON deciding.id = deliveries.id",
        *event_ids,
    )
    return {row["event_id"]: DeliveryRecord.from_row(row) for row in rows}


async def attempts(reader: Reader, delivery_ids: Sequence[str]) -> dict[str, list[AttemptRecord]]:
    """The attempts of deliveries, by delivery, in their order."""
    found: dict[str, list[AttemptRecord]] = {delivery_id: [] for delivery_id in delivery_ids}
    if delivery_ids:
        places = ", ".join(f"${place}" for place in range(1, len(delivery_ids) + 1))
        sql = f"SELECT * FROM attempts WHERE delivery_id IN ({places}) ORDER BY delivery_id, number"  # noqa: S608
        for row in await reader.all(sql, *delivery_ids):
            found[row["delivery_id"]].append(AttemptRecord.from_row(row))
    return found


async def destinations(reader: Reader, destination_ids: Sequence[int]) -> dict[int, Where]:
    """The destinations of deliveries that the caller was already shown, by their ids."""
    if not destination_ids:
        return {}
    places = ", ".join(f"${place}" for place in range(1, len(destination_ids) + 1))
    sql = f"SELECT id, instance_id, url, state, reason FROM destinations WHERE id IN ({places})"  # noqa: S608
    return {row["id"]: Where.from_row(row) for row in await reader.all(sql, *destination_ids)}


async def arrivals_between(
    reader: Reader, caller: Caller, instance_id: int | None, *, since: int, until: int, before: str, size: int
) -> list[Arrival]:
    """The caller's events that were received in a span of time, newest first, without their payloads."""
    rows = await reader.all(
        "SELECT events.id, events.instance_id, events.received_at, length(events.payload) AS size "
        "FROM events JOIN accounts ON accounts.id = events.account_id "
        "WHERE accounts.partner_id = $1 AND ($2 = '' OR events.account_id = $2) "
        "AND ($3 = 0 OR events.instance_id = $3) AND events.received_at >= $4 AND events.received_at < $5 "
        "AND ($6 = '' OR events.id < $6) ORDER BY events.id DESC LIMIT $7",
        caller.partner_id,
        caller.account_id or "",
        instance_id or 0,
        since,
        until,
        before,
        size,
    )
    return [Arrival.from_row(row) for row in rows]


async def events(reader: Reader, event_ids: Sequence[str]) -> list[Event]:
    """The events that the caller was found to own, newest first."""
    if not event_ids:
        return []
    places = ", ".join(f"${place}" for place in range(1, len(event_ids) + 1))
    sql = f"SELECT * FROM events WHERE id IN ({places}) ORDER BY id DESC"  # noqa: S608
    return [Event.from_row(row) for row in await reader.all(sql, *event_ids)]
