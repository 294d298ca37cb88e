"""Dead letters as rows: found along the index of what is dead, destination by destination, never over too many."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from gateway.accounts.model import Caller
from gateway.delivery import store as deliveries
from gateway.errors import NotFound
from gateway.history.filter import END
from gateway.replays.again import store as again
from gateway.replays.again.model import Place
from gateway.replays.letters.model import Attempted, Count, Letter, LetterFilter, Spot
from gateway.storage.database import Effect, Reader, Row, Statement, Write

LOOKED = 2_000
#: Destinations that one page looks at, of whatever tenant: each costs one step in the index.
MOST_HEADS = 500
MOST_COUNTED = 1_000
_LARGEST = 10**15

_HEADS = """WITH RECURSIVE heads (destination_id, number) AS (
    SELECT {last}(destination_id), 1 FROM deliveries WHERE state = 'dead' AND destination_id {towards}= $3
    UNION ALL
    SELECT (SELECT {last}(d.destination_id) FROM deliveries AS d
            WHERE d.state = 'dead' AND d.destination_id {towards} heads.destination_id), heads.number + 1
    FROM heads WHERE heads.destination_id IS NOT NULL AND heads.number < $4)
SELECT heads.destination_id AS head, accounts.id AS owner, destinations.id, destinations.account_id,
    destinations.instance_id, destinations.url, destinations.state, destinations.reason
FROM heads LEFT JOIN destinations ON destinations.id = heads.destination_id
LEFT JOIN accounts ON accounts.id = destinations.account_id AND accounts.partner_id = $1
    AND ($2 = '' OR accounts.id = $2)
WHERE heads.destination_id IS NOT NULL ORDER BY heads.destination_id {order}"""
_DEAD = (
    "SELECT id, event_id, replayed_as FROM deliveries WHERE state = 'dead' AND destination_id = $1 "
    "AND id > $2 AND id < $3 ORDER BY id {order} LIMIT $4"
)
_DOWN = {"last": "max", "towards": "<", "order": "DESC"}
_UP = {"last": "min", "towards": ">", "order": "ASC"}
_DISCARD = (
    "UPDATE deliveries SET state = 'cancelled', reason = column2 FROM ({rows}) AS v WHERE deliveries.id = column1 "
    "AND deliveries.state || '' = 'dead' AND deliveries.replayed_as IS NULL RETURNING id"
)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Dead letters in their order, as (where it stands, its event), and how far was looked."""

    spots: list[tuple[Spot, str]]
    looked_to: Spot | None
    more: bool


class _Heads(msgspec.Struct, frozen=True):
    places: list[Place]
    last: int | None
    more: bool


async def below(reader: Reader, caller: Caller, chosen: LetterFilter, before: Spot | None, most: int) -> Found:
    """The caller's dead letters, the newest destination first, and of each the newest first."""
    heads = await _heads(reader, caller, chosen, _LARGEST if before is None else before.destination_id, _DOWN)
    found = _Finding(most, heads)
    for place in heads.places:
        high = chosen.end_id
        if before is not None and before.destination_id == place.id:
            high = min(high, before.delivery_id)
        rows = await reader.all(_DEAD.format(**_DOWN), place.id, chosen.first_id, high, LOOKED - found.looked)
        if found.full(place.id, rows):
            break
    return found.result("")


async def above(
    reader: Reader, caller: Caller, chosen: LetterFilter, after: Spot | None, until_id: str, most: int
) -> Found:
    """The same in the other order, as far as they began before an id."""
    heads = await _heads(reader, caller, chosen, 0 if after is None else after.destination_id, _UP)
    found = _Finding(most, heads)
    for place in heads.places:
        low = chosen.first_id
        if after is not None and after.destination_id == place.id:
            low = max(low, after.delivery_id)
        high = min(chosen.end_id, until_id)
        rows = await reader.all(_DEAD.format(**_UP), place.id, low, high, LOOKED - found.looked)
        if found.full(place.id, rows):
            break
    return found.result(END)


class _Finding:
    """What was found so far, and whether that is enough."""

    def __init__(self, most: int, heads: _Heads) -> None:
        self.looked = 0
        self._most = most
        self._heads = heads
        self._spots: list[tuple[Spot, str]] = []
        self._last: Spot | None = None
        self._stopped = False

    def full(self, destination_id: int, rows: Sequence[Row]) -> bool:
        for row in rows:
            self.looked += 1
            self._last = Spot(destination_id, row["id"])
            if row["replayed_as"] is None:
                self._spots.append((self._last, row["event_id"]))
            if len(self._spots) == self._most or self.looked == LOOKED:
                self._stopped = True
                return True
        return False

    def result(self, end: str) -> Found:
        if self._stopped:
            return Found(spots=self._spots, looked_to=self._last, more=True)
        last = None if self._heads.last is None else Spot(self._heads.last, end)
        return Found(spots=self._spots, looked_to=last, more=self._heads.more)


async def _heads(reader: Reader, caller: Caller, chosen: LetterFilter, start: int, way: dict[str, str]) -> _Heads:
    """The caller's destinations that have something dead, from one on; those that the filter names, if it does."""
    if chosen.destination_id is not None or chosen.instance_id is not None:
        return _Heads(await _named(reader, caller, chosen, start, way), None, more=False)
    rows = await reader.all(_HEADS.format(**way), caller.partner_id, caller.account_id or "", start, MOST_HEADS)
    places = [Place.from_row(row) for row in rows if row["owner"] is not None]
    return _Heads(places, rows[-1]["head"] if rows else None, more=len(rows) == MOST_HEADS)


async def _named(reader: Reader, caller: Caller, chosen: LetterFilter, start: int, way: dict[str, str]) -> list[Place]:
    if chosen.destination_id is not None:
        found = [await again.place(reader, caller, chosen.destination_id)]
    else:
        rows = await reader.all(
            "SELECT destinations.* FROM destinations JOIN accounts ON accounts.id = destinations.account_id "  # noqa: S608
            "WHERE accounts.partner_id = $1 AND ($2 = '' OR accounts.id = $2) AND destinations.instance_id = $3 "
            f"ORDER BY destinations.id {way['order']}",
            caller.partner_id,
            caller.account_id or "",
            chosen.instance_id,
        )
        found = [Place.from_row(row) for row in rows]
        if not found:
            raise NotFound(f"No destination found of an instance with ID {chosen.instance_id}")
    ahead = [one for one in found if (one.id <= start if way is _DOWN else one.id >= start)]
    return [one for one in ahead if chosen.instance_id in (None, one.instance_id)]


_ROW = (
    "SELECT deliveries.id, deliveries.event_id, deliveries.instance_id, deliveries.destination_id, deliveries.state, "
    "deliveries.reason AS why, deliveries.attempts, deliveries.created_at, deliveries.settled_at, "
    "deliveries.replay_id, deliveries.replayed_as, events.connector, events.type, events.action, events.object_type, "
    "events.object_id, events.vendor_event_id, events.received_at, events.emptied_at, events.id AS stored, "
    "destinations.account_id, destinations.instance_id AS of_instance, destinations.url, "
    "destinations.state AS place_state, destinations.reason AS place_reason "
    "FROM deliveries JOIN destinations ON destinations.id = deliveries.destination_id "
    "JOIN accounts ON accounts.id = destinations.account_id LEFT JOIN events ON events.id = deliveries.event_id "
    "WHERE accounts.partner_id = $1 AND ($2 = '' OR accounts.id = $2)"
)


async def letters(reader: Reader, caller: Caller, delivery_ids: Sequence[str]) -> list[Letter]:
    """The caller's dead letters with these ids, in this order; those that are none any more are left out."""
    if not delivery_ids:
        return []
    places = ", ".join(f"${place}" for place in range(3, 3 + len(delivery_ids)))
    rows = await reader.all(
        f"{_ROW} AND deliveries.id IN ({places})", caller.partner_id, caller.account_id or "", *delivery_ids
    )
    dead = {row["id"]: row for row in rows if row["state"] == "dead" and row["replayed_as"] is None}
    last = await _last_attempts(reader, list(dead))
    return [_letter(dead[one], last.get(one)) for one in delivery_ids if one in dead]


async def letter(reader: Reader, caller: Caller, delivery_id: str) -> Letter:
    """The caller's dead letter."""
    found = await letters(reader, caller, [delivery_id])
    if not found:
        raise NotFound(f"No dead letter found with ID {delivery_id[:64]}")
    return found[0]


async def _last_attempts(reader: Reader, delivery_ids: Collection[str]) -> dict[str, Attempted]:
    if not delivery_ids:
        return {}
    places = ", ".join(f"${place}" for place in range(1, 1 + len(delivery_ids)))
    rows = await reader.all(
        "SELECT attempts.* FROM attempts JOIN deliveries ON deliveries.id = attempts.delivery_id "  # noqa: S608
        f"AND deliveries.attempts = attempts.number WHERE attempts.delivery_id IN ({places})",
        *delivery_ids,
    )
    return {row["delivery_id"]: Attempted.from_row(row) for row in rows}


def _letter(row: Row, last: Attempted | None) -> Letter:
    place = Place(
        id=row["destination_id"],
        account_id=row["account_id"],
        instance_id=row["of_instance"],
        url=row["url"],
        state=row["place_state"],
        reason=row["place_reason"],
    )
    given = {"place", "last", "has_payload", "reason"}
    plain: dict[str, Any] = {name: row[name] for name in Letter.__dataclass_fields__ if name not in given}
    has_payload = row["stored"] is not None and row["emptied_at"] is None
    return Letter(**plain, reason=row["why"], place=place, has_payload=has_payload, last=last)


async def payload(reader: Reader, event_id: str) -> bytes | None:
    """What an event that the caller was found to own holds; None where that was taken away."""
    row = await reader.one("SELECT payload FROM events WHERE id = $1 AND emptied_at IS NULL", event_id)
    return None if row is None else bytes(row["payload"])


async def counts(reader: Reader, caller: Caller, before: Spot | None, most: int) -> tuple[list[Count], Spot | None]:
    """How many dead letters each of the caller's destinations has, the newest destination first; where to go on."""
    start = _LARGEST if before is None else before.destination_id - 1
    heads = await _heads(reader, caller, LetterFilter(), start, _DOWN)
    found = [await _count(reader, place) for place in heads.places[:most]]
    if len(heads.places) > most:
        return found, Spot(heads.places[most - 1].id, "")
    return found, Spot(heads.last, "") if heads.more and heads.last is not None else None


async def _count(reader: Reader, place: Place) -> Count:
    ledger = await reader.one(
        "SELECT coalesce(sum(dead), 0) - coalesce(sum(removed_dead), 0) AS dead FROM ledger_deliveries "
        "WHERE destination_id = $1",
        place.id,
    )
    rows = await reader.one(
        "SELECT count(*) AS looked, sum(CASE WHEN replayed_as IS NULL THEN 1 ELSE 0 END) AS waiting FROM (SELECT "
        "replayed_as FROM deliveries WHERE state = 'dead' AND destination_id = $1 ORDER BY id DESC LIMIT $2) AS newest",
        place.id,
        MOST_COUNTED,
    )
    assert ledger is not None
    assert rows is not None
    more = int(rows["looked"]) == MOST_COUNTED
    return Count(place=place, dead=int(ledger["dead"]), waiting=int(rows["waiting"] or 0), more=more)


def discarded_for(reason: str) -> str:
    """How a delivery tells that it was laid down."""
    return f"discarded: {reason}"


def discarding(found: Sequence[Spot], reason: str) -> Write[frozenset[str]]:
    """Lay dead letters down: cancelled, for a reason; the ids of those that were still dead."""
    why = discarded_for(reason)

    def then(rows: Sequence[Sequence[Row]]) -> Effect[frozenset[str]]:
        gone = [spot for spot, changed in zip(found, rows, strict=True) if changed]
        return Effect(
            frozenset(spot.delivery_id for spot in gone),
            tallies=[deliveries.discarded(spot.destination_id, 1) for spot in gone],
        )

    return Write([Statement(_DISCARD, (one.delivery_id, why), True, ("text", "text")) for one in found], then)
