"""Taking events away for good, or their contents alone: the one set of statements, counted in the ledger."""

from collections.abc import Iterable, Sequence

from gateway.storage.database import Effect, Row, Statement, Tally, Write

#: An event and the instance that it is of.
Owned = tuple[str, int]

#: Removals are counted in rows of their own, so that nothing on the road waits for a sweep.
_SHARD = 1
_IDS = "(SELECT column1 FROM ({rows}) AS v)"
# The state is compared as an expression, so that deliveries are found by their event and never by what is pending.
_SETTLED = (
    "NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.event_id = events.id AND d.state || '' = 'pending') RETURNING id"
)
_EVENTS = f"DELETE FROM events WHERE id IN {_IDS} AND {_SETTLED}"  # noqa: S608
# A delivery that begins in this very commit stays; it finds no event, and ends.
_THEIRS = f"event_id IN {_IDS} AND deliveries.state || '' <> 'pending'"
_COUNTED = (
    "INSERT INTO ledger_deliveries (destination_id, shard, created, delivered, pending, dead, cancelled, "  # noqa: S608
    "removed_delivered, removed_dead, removed_cancelled) "
    f"SELECT destination_id, {_SHARD}, 0, 0, 0, 0, 0, sum(CASE WHEN state = 'delivered' THEN 1 ELSE 0 END), "
    "sum(CASE WHEN state = 'dead' THEN 1 ELSE 0 END), sum(CASE WHEN state = 'cancelled' THEN 1 ELSE 0 END) "
    f"FROM deliveries WHERE {_THEIRS} GROUP BY destination_id ORDER BY destination_id "
    "ON CONFLICT (destination_id, shard) DO UPDATE SET "
    "removed_delivered = ledger_deliveries.removed_delivered + excluded.removed_delivered, "
    "removed_dead = ledger_deliveries.removed_dead + excluded.removed_dead, "
    "removed_cancelled = ledger_deliveries.removed_cancelled + excluded.removed_cancelled"
)
_ATTEMPTS = f"DELETE FROM attempts WHERE delivery_id IN (SELECT id FROM deliveries WHERE {_THEIRS})"  # noqa: S608
_DELIVERIES = f"DELETE FROM deliveries WHERE {_THEIRS}"  # noqa: S608
_REMOVED = (
    "INSERT INTO ledger_events (instance_id, shard, received, accepted, duplicate, refused, ignored, routed, unrouted, "
    "removed) VALUES ($1, $2, 0, 0, 0, 0, 0, 0, 0, $3) ON CONFLICT (instance_id, shard) DO UPDATE SET "
    "removed = ledger_events.removed + excluded.removed"
)
_EMPTIED = (
    "UPDATE events SET payload = column2, request = NULL, emptied_at = column3 FROM ({rows}) AS v "  # noqa: S608
    f"WHERE events.id = column1 AND events.emptied_at IS NULL AND {_SETTLED}"
)
_ANSWERS = (
    "UPDATE attempts SET answer = NULL, headers = NULL WHERE delivery_id IN "  # noqa: S608
    f"(SELECT id FROM deliveries WHERE event_id IN {_IDS})"
)
_REFUSALS = (
    "DELETE FROM refusals WHERE id IN (SELECT id FROM refusals WHERE instance_id = $1 "
    "AND ($2 = '' OR object_id = $2) ORDER BY id LIMIT $3) RETURNING $1"
)


def removal(found: Sequence[Owned]) -> Write[int]:
    """Remove events with all that hangs on them and count it in the ledger; how many it were.

    One that is on its way, or gone already, is passed over. Two removals of one event count it once.
    """
    instances = dict(found)

    def then(rows: Sequence[Sequence[Row]]) -> Effect[int]:
        gone = _changed(instances, rows)
        statements = [Statement(sql, (one,), False, ("text",)) for sql in _HANGING for one in gone]
        return Effect(len(gone), statements, [_taken(instances[one]) for one in gone])

    return Write([Statement(_EVENTS, (one,), True, ("text",)) for one in instances], then)


_HANGING = (_COUNTED, _ATTEMPTS, _DELIVERIES)


def _taken(instance_id: int) -> Tally:
    return Tally(_REMOVED, (instance_id, _SHARD), (1,))


def emptying(event_ids: Iterable[str], now: int) -> Write[int]:
    """Take away what events held and what was answered to them, but not that they were; how many it were.

    One that is on its way is passed over: it is still to be sent.
    """
    wanted = tuple(dict.fromkeys(event_ids))

    def then(rows: Sequence[Sequence[Row]]) -> Effect[int]:
        emptied = _changed(wanted, rows)
        return Effect(len(emptied), [Statement(_ANSWERS, (one,), False, ("text",)) for one in emptied])

    return Write([Statement(_EMPTIED, (one, b"", now), True, ("text", "bytea", "bigint")) for one in wanted], then)


def _changed(wanted: Iterable[str], rows: Sequence[Sequence[Row]]) -> list[str]:
    return [one for one, found in zip(wanted, rows, strict=True) if found]


def refusals_removal(instance_id: int, object_id: str | None, most: int) -> Write[int]:
    """Remove some rows of what an instance refused, met again or ignored, of one object or of all; how many it were."""
    batch = Statement(_REFUSALS, (instance_id, object_id or "", most), returns=True)
    return Write([batch], lambda rows: Effect(len(rows[0])))
