"""Events by a filter, walking along one index in the order of their ids, never over more than `LOOKED` rows at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.accounts.model import Caller, PartnerId
from gateway.errors import NotFound
from gateway.history import store as history
from gateway.history.filter import END, EventFilter
from gateway.history.listing.plan import POINTED, Driver, driver
from gateway.history.model import Listed, LookedAt, Page
from gateway.storage.database import Reader, Row, Value

LOOKED = 2_000
#: What follows an id at once: no id lies between.
_NEXT = "0"
#: Of an event `e`: pending where any delivery is, dead where one of its destinations was given up, else as the newest.
_STATUS = (
    "coalesce((SELECT d.state FROM deliveries AS d WHERE d.event_id = e.id "  # noqa: S608
    f"ORDER BY {history.RANK}, d.id DESC LIMIT 1), 'unrouted')"
)
#: A text with a `{}` for each of its values.
_Condition = tuple[str, tuple[Value, ...]]
_LISTED = (
    "e.id, e.account_id, e.instance_id, e.connector, e.source, e.type, e.action, e.object_type, e.object_id, "
    f"e.occurred_at, e.vendor_event_id, e.received_at, e.backfill, length(e.payload) AS size, {_STATUS} AS status"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What is looked for, and on whose behalf; without an account, in all of the partner."""

    partner_id: PartnerId
    account_id: str | None
    chosen: EventFilter
    body_hash: str | None = None


@dataclass(frozen=True, slots=True)
class _Walk:
    """Ids from `low` on and below `high`, along the index of a driver."""

    wanted: _Wanted
    by: Driver
    low: str
    high: str
    ascending: bool


async def events_before(
    reader: Reader, caller: Caller, chosen: EventFilter, before: str | None, size: int, *, body_hash: str | None = None
) -> Page:
    """The caller's events that fit, newest first, below an id; a page may be short, even empty, and still go on."""
    high = chosen.end_id if before is None else min(before, chosen.end_id)
    rows, position = await _page(reader, caller, chosen, chosen.first_id, high, size, _LISTED, body_hash=body_hash)
    return Page(tuple(Listed.from_row(row) for row in rows), position)


async def events_after(
    reader: Reader, caller: Caller, chosen: EventFilter, after_id: str, until_id: str, size: int
) -> Page:
    """The caller's events that fit, oldest first, above an id and below another."""
    low, high = max(chosen.first_id, after_id + _NEXT), min(chosen.end_id, until_id)
    rows, position = await _page(reader, caller, chosen, low, high, size, _LISTED, ascending=True)
    return Page(tuple(Listed.from_row(row) for row in rows), position)


async def event_ids_after(
    reader: Reader, caller: Caller, chosen: EventFilter, after_id: str, until_id: str, limit_rows: int
) -> LookedAt:
    """The ids of the caller's events that fit, oldest first, above an id and below another, and how far it looked."""
    low, high = max(chosen.first_id, after_id + _NEXT), min(chosen.end_id, until_id)
    rows, position = await _page(reader, caller, chosen, low, high, limit_rows, "e.id", ascending=True)
    ids = tuple(str(row["id"]) for row in rows)
    return LookedAt(ids, position or (ids[-1] if ids else after_id), position is not None)


async def events_among(reader: Reader, caller: Caller, chosen: EventFilter, ids: Sequence[str]) -> list[Listed]:
    """Those of these events that are the caller's and fit, wherever in time they lie; oldest first."""
    wanted = _Wanted(partner_id=caller.partner_id, account_id=await _account(reader, caller, chosen), chosen=chosen)
    named: _Condition = (f"e.id IN ({', '.join(['{}'] * len(ids))})", tuple(ids))
    where, args = _rendered([named, *_remaining(wanted, "time")])
    sql = f"SELECT {_LISTED} FROM events AS e WHERE {where} ORDER BY e.id"  # noqa: S608
    return [Listed.from_row(row) for row in await reader.all(sql, *args)]


async def event_listed(reader: Reader, caller: Caller, event_id: str) -> Listed | None:
    """The caller's event as a list tells it; None where it is another's, or never was."""
    row = await reader.one(
        f"SELECT {_LISTED} FROM events AS e WHERE e.id = $1 AND EXISTS (SELECT 1 FROM accounts "  # noqa: S608
        "WHERE accounts.id = e.account_id AND accounts.partner_id = $2 AND ($3 = '' OR accounts.id = $3))",
        event_id,
        caller.partner_id,
        caller.account_id or "",
    )
    return None if row is None else Listed.from_row(row)


async def _page(
    reader: Reader,
    caller: Caller,
    chosen: EventFilter,
    low: str,
    high: str,
    size: int,
    columns: str,
    *,
    ascending: bool = False,
    body_hash: str | None = None,
) -> tuple[Sequence[Row], str | None]:
    account_id = await _account(reader, caller, chosen)
    wanted = _Wanted(partner_id=caller.partner_id, account_id=account_id, chosen=chosen, body_hash=body_hash)
    walk = _Walk(wanted, await _driver(reader, wanted), low, high, ascending)
    edge = await _edge(reader, walk)
    rows = await _found(reader, walk, edge, columns, size + 1)
    return rows[:size], str(rows[size - 1]["id"]) if len(rows) > size else edge


async def _account(reader: Reader, caller: Caller, chosen: EventFilter) -> str | None:
    """The one account that is looked in, None for all of the partner's; NotFound where another's is asked for."""
    own = caller.account_id or ""
    if chosen.instance_id is not None:
        sql = "SELECT account_id FROM instances WHERE partner_id = $1 AND ($2 = '' OR account_id = $2) AND id = $3"
        row = await reader.one(sql, caller.partner_id, own, chosen.instance_id)
        if row is None:
            raise NotFound(f"No instance found with ID {chosen.instance_id}")
        return chosen.account_id or str(row["account_id"])
    sql = "SELECT id FROM accounts WHERE partner_id = $1 AND ($2 = '' OR id = $2) AND ($3 = '' OR id = $3) LIMIT 2"
    rows = await reader.all(sql, caller.partner_id, own, chosen.account_id or "")
    if chosen.account_id is not None and not rows:
        raise NotFound(f"No account found with ID {chosen.account_id[:64]}")
    return str(rows[0]["id"]) if len(rows) == 1 else None


async def _driver(reader: Reader, wanted: _Wanted) -> Driver:
    """The index to walk along; what a pointed one finds has no order, so it must not be more than is looked at."""
    crowded: set[Driver] = set()
    while (by := driver(wanted.chosen, wanted.account_id, wanted.body_hash, crowded)) in POINTED:
        where, args = _rendered(_driving(wanted, by))
        sql = f"SELECT count(*) AS number FROM (SELECT 1 FROM events AS e WHERE {where} LIMIT {LOOKED + 1}) AS found"  # noqa: S608
        row = await reader.one(sql, *args)
        if row is None or row["number"] <= LOOKED:
            break
        crowded.add(by)
    return by


async def _edge(reader: Reader, walk: _Walk) -> str | None:
    """The id at which looking ends; None where the range is at its end before."""
    if walk.by in POINTED or not _is_selective(walk.wanted, walk.by):
        return None
    if walk.by == "unsettled":
        table, name = "deliveries AS e", "event_id"
        where, args = _rendered([("e.state <> 'delivered'", ()), *_bounds("e.event_id", walk.low, walk.high)])
    else:
        table, name = "events AS e", "id"
        where, args = _rendered([*_driving(walk.wanted, walk.by), *_between(walk.wanted, walk.by, walk.low, walk.high)])
    order = "ASC" if walk.ascending else "DESC"
    sql = f"SELECT e.{name} AS id FROM {table} WHERE {where} ORDER BY e.{name} {order} LIMIT 1 OFFSET {LOOKED - 1}"  # noqa: S608
    row = await reader.one(sql, *args)
    return None if row is None else str(row["id"])


async def _found(reader: Reader, walk: _Walk, edge: str | None, columns: str, most: int) -> Sequence[Row]:
    low, high = walk.low, walk.high
    if edge is not None:
        low, high = (low, edge + _NEXT) if walk.ascending else (edge, high)
    by, wanted = walk.by, walk.wanted
    conditions = [*_driving(wanted, by), *_between(wanted, by, low, high), *_remaining(wanted, by)]
    where, args = _rendered(conditions)
    order = ("e.id || ''" if by in POINTED else "e.id") + (" ASC" if walk.ascending else " DESC")
    sql = f"SELECT {columns} FROM events AS e WHERE {where} ORDER BY {order} LIMIT ${len(args) + 1}"  # noqa: S608
    return await reader.all(sql, *args, most)


def _rendered(conditions: Sequence[_Condition]) -> tuple[str, list[Value]]:
    """One text with numbered places, and its values."""
    texts: list[str] = []
    args: list[Value] = []
    for text, values in conditions:
        texts.append(text.format(*(f"${len(args) + number}" for number in range(1, len(values) + 1))))
        args += values
    return " AND ".join(texts) or "true", args


def _driving(wanted: _Wanted, by: Driver) -> list[_Condition]:
    """The conditions that the index of the driver answers."""
    chosen = wanted.chosen
    found: dict[Driver, _Condition] = {
        "vendor_event": ("e.vendor_event_id = {}", (chosen.vendor_event_id,)),
        "object": ("e.object_id = {}", (chosen.object_id,)),
        "body": ("e.body_hash = {}", (wanted.body_hash,)),
        "unrouted": ("e.routed = 0", ()),
        "instance": ("e.instance_id = {}", (chosen.instance_id,)),
        "account": ("e.account_id = {}", (wanted.account_id,)),
    }
    return [found[by]] if by in found else []


def _between(wanted: _Wanted, by: Driver, low: str, high: str) -> list[_Condition]:
    """Ids from `low` on and below `high`; what a pointed driver finds is not looked for by its id."""
    if by == "unsettled":
        status: _Condition = ("d.state = {}", (wanted.chosen.status,))
        conditions = [("d.state <> 'delivered'", ()), status, *_bounds("d.event_id", low, high)]
        inner = " AND ".join(text for text, _ in conditions)
        values = tuple(value for _, found in conditions for value in found)
        return [(f"e.id IN (SELECT d.event_id FROM deliveries AS d WHERE {inner})", values)]  # noqa: S608
    return _bounds("e.id || ''" if by in POINTED else "e.id", low, high)


def _bounds(name: str, low: str, high: str) -> list[_Condition]:
    # A bound that bounds nothing would let PostgreSQL expect few rows, and sort them all.
    least: list[_Condition] = [(f"{name} >= {{}}", (low,))] if low else []
    return [*least, (f"{name} < {{}}", (high,))] if high < END else least


def _remaining(wanted: _Wanted, by: Driver) -> list[_Condition]:
    """What is asked of every event that the driver finds; as expressions, so that no other index is used for it."""
    return [*_scope(wanted, by), *_asked(wanted, by)]


def _is_selective(wanted: _Wanted, by: Driver) -> bool:
    """Whether the driver may find events that do not fit."""
    foreign = wanted.account_id is None and by != "instance"
    mixed = by == "instance" and wanted.chosen.account_id is not None
    return foreign or mixed or by in ("unsettled", "unrouted") or bool(_asked(wanted, by))


def _scope(wanted: _Wanted, by: Driver) -> Iterator[_Condition]:
    if wanted.account_id is None:
        # One value for each event, and not a join, which would be made for all events before any is ordered.
        yield "(SELECT accounts.partner_id FROM accounts WHERE accounts.id = e.account_id) = {}", (wanted.partner_id,)
    elif by != "account":
        yield "e.account_id || '' = {}", (wanted.account_id,)


def _asked(wanted: _Wanted, by: Driver) -> list[_Condition]:
    chosen = wanted.chosen
    conditions: list[tuple[str, Value]] = [
        ("e.connector = {}", chosen.connector),
        ("e.type = {}", chosen.type),
        ("e.object_type = {}", chosen.object_type),
        ("e.source = {}", chosen.source),
        ("e.backfill = {}", None if chosen.backfill is None else int(chosen.backfill)),
        ("e.vendor_event_id || '' = {}", None if by == "vendor_event" else chosen.vendor_event_id),
        ("e.object_id || '' = {}", None if by == "object" else chosen.object_id),
        ("e.body_hash || '' = {}", None if by == "body" else wanted.body_hash),
        ("e.instance_id + 0 = {}", None if by == "instance" else chosen.instance_id),
        (f"{_STATUS} = {{}}", chosen.status),
    ]
    return [(text, (value,)) for text, value in conditions if value is not None]
