"""New deliveries of events that were delivered, or given up, before."""

from collections.abc import Collection, Sequence

from gateway.accounts.model import Caller
from gateway.delivery import store as deliveries
from gateway.errors import NotFound
from gateway.history.model import DeliveryRecord
from gateway.replays.again.model import Place, Stored, Wish
from gateway.storage.database import Effect, Reader, Row, Statement, Tally, Write

# Asked once more in the commit itself, since all of it may have changed since it was looked at.
_INSERT = (
    "INSERT INTO deliveries (id, event_id, instance_id, destination_id, due_at, lease_until, replay_id, created_at, "
    "state, attempts, epoch, third_party) SELECT column1, column2, column3, column4, column5, 0, column6, column5, "
    "'pending', 0, 1, (SELECT id FROM destinations WHERE destinations.id = column4 AND kind = 'third_party') "
    "FROM ({rows}) AS v WHERE EXISTS (SELECT 1 FROM events WHERE events.id = column2 AND events.emptied_at IS NULL) "
    "AND EXISTS (SELECT 1 FROM destinations WHERE destinations.id = column4 AND destinations.state = 'active') "
    # The state is compared as an expression: found by the event, never by what is pending.
    "AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.event_id = column2 AND d.destination_id = column4 "
    "AND d.state || '' = 'pending') RETURNING id"
)
_INSERT_TYPES = ("text", "text", "bigint", "bigint", "bigint", "text")
_REPLAYED = (
    "UPDATE deliveries SET replayed_as = column3 FROM ({rows}) AS v WHERE deliveries.event_id = column1 "
    "AND deliveries.destination_id = column2 AND deliveries.state || '' = 'dead' AND deliveries.replayed_as IS NULL"
)
_REPLAYED_TYPES = ("text", "bigint", "text")
_STORED = "events.id, events.account_id, events.instance_id, events.type, events.received_at, events.emptied_at"
_PLACE = "SELECT id, account_id, instance_id, url, state, reason FROM destinations"
_OWNED = "accounts.partner_id = $1 AND ($2 = '' OR accounts.id = $2)"


def resending(wishes: Sequence[Wish], now: int) -> Write[frozenset[str]]:
    """Make the deliveries that are still possible, and mark the dead ones in whose place they come; the ids made."""
    rows_of = [(one.id, one.event_id, one.instance_id, one.destination_id, now, one.replay_id) for one in wishes]

    def then(rows: Sequence[Sequence[Row]]) -> Effect[frozenset[str]]:
        made = [wish for wish, found in zip(wishes, rows, strict=True) if found]
        marks = [Statement(_REPLAYED, (one.event_id, one.origin, one.id), False, _REPLAYED_TYPES) for one in made]
        return Effect(frozenset(one.id for one in made), marks, _counted(made))

    return Write([Statement(_INSERT, row, True, _INSERT_TYPES) for row in rows_of], then)


def _counted(made: Sequence[Wish]) -> list[Tally]:
    return [deliveries.created(one.destination_id, 1) for one in made]


async def event(reader: Reader, caller: Caller, event_id: str) -> Stored:
    """The caller's event."""
    row = await reader.one(
        f"SELECT {_STORED} FROM events JOIN accounts ON accounts.id = events.account_id "  # noqa: S608
        f"WHERE {_OWNED} AND events.id = $3",
        caller.partner_id,
        caller.account_id or "",
        event_id,
    )
    if row is None:
        raise NotFound(f"No event found with ID {event_id[:64]}")
    return Stored.from_row(row)


async def delivery(reader: Reader, caller: Caller, delivery_id: str) -> DeliveryRecord:
    """The caller's delivery; it is of the account of its destination."""
    row = await reader.one(
        "SELECT deliveries.* FROM deliveries JOIN destinations ON destinations.id = deliveries.destination_id "  # noqa: S608
        f"JOIN accounts ON accounts.id = destinations.account_id WHERE {_OWNED} AND deliveries.id = $3",
        caller.partner_id,
        caller.account_id or "",
        delivery_id,
    )
    if row is None:
        raise NotFound(f"No delivery found with ID {delivery_id[:64]}")
    return DeliveryRecord.from_row(row)


async def place(reader: Reader, caller: Caller, destination_id: int) -> Place:
    """The caller's destination."""
    row = await reader.one(
        f"{_PLACE} WHERE account_id IN (SELECT id FROM accounts WHERE {_OWNED}) AND id = $3",  # noqa: S608
        caller.partner_id,
        caller.account_id or "",
        destination_id,
    )
    if row is None:
        raise NotFound(f"No destination found with ID {destination_id}")
    return Place.from_row(row)


async def events(reader: Reader, event_ids: Collection[str]) -> dict[str, Stored]:
    """Events that the caller was found to own, by id."""
    if not event_ids:
        return {}
    sql = f"SELECT {_STORED} FROM events WHERE id IN ({_places(event_ids)})"  # noqa: S608
    return {row["id"]: Stored.from_row(row) for row in await reader.all(sql, *event_ids)}


async def callbacks(reader: Reader, instance_ids: Collection[int]) -> dict[int, Place]:
    """The callback of each instance that has one, by instance."""
    if not instance_ids:
        return {}
    sql = f"{_PLACE} WHERE instance_id IN ({_places(instance_ids)}) AND kind = 'callback'"
    return {row["instance_id"]: Place.from_row(row) for row in await reader.all(sql, *instance_ids)}


async def places(reader: Reader, destination_ids: Collection[int]) -> dict[int, Place]:
    """Destinations by id, as they stand now."""
    if not destination_ids:
        return {}
    sql = f"{_PLACE} WHERE id IN ({_places(destination_ids)})"
    return {row["id"]: Place.from_row(row) for row in await reader.all(sql, *destination_ids)}


async def under_way(reader: Reader, event_ids: Collection[str]) -> set[tuple[str, int]]:
    """Which of the events are pending, and to where."""
    if not event_ids:
        return set()
    rows = await reader.all(
        f"SELECT event_id, destination_id FROM deliveries WHERE event_id IN ({_places(event_ids)}) "  # noqa: S608
        "AND state || '' = 'pending'",
        *event_ids,
    )
    return {(row["event_id"], row["destination_id"]) for row in rows}


async def backlog(reader: Reader, destination_id: int, most: int) -> int:
    """How many deliveries wait for a destination; counted up to `most`."""
    row = await reader.one(
        "SELECT count(*) AS number FROM "
        "(SELECT 1 FROM deliveries WHERE state = 'pending' AND destination_id = $1 LIMIT $2) AS looked_at",
        destination_id,
        most,
    )
    return 0 if row is None else int(row["number"])


def _places(values: Collection[object]) -> str:
    return ", ".join(f"${place}" for place in range(1, len(values) + 1))
