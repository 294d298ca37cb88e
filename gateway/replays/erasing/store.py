"""What is stored of an account or of one of its objects: found, and taken off its way."""

from collections.abc import Sequence

from gateway.delivery import store as deliveries
from gateway.replays.model import Erasure
from gateway.storage.database import Effect, Reader, Row, Statement, Write

REASON = "erased"
_OF_ACCOUNT = "SELECT id, instance_id FROM events WHERE account_id = $1 AND id > $2 AND id < $3 ORDER BY id LIMIT $4"
_OF_OBJECT = (
    # Found by the object, whatever else an index offers: no object has many.
    "SELECT id, instance_id FROM events WHERE account_id || '' = $1 AND id || '' > $2 AND id || '' < $3 "
    "AND object_id = $5 AND ($6 = '' OR object_type = $6) ORDER BY id || '' LIMIT $4"
)
_CANCEL = (
    "UPDATE deliveries SET state = 'cancelled', reason = column2, settled_at = column3, lease_owner = NULL, "
    "lease_until = 0 FROM ({rows}) AS v WHERE deliveries.id = column1 AND deliveries.state || '' = 'pending' "
    "RETURNING id"
)


async def events(reader: Reader, wanted: Erasure, after_id: str, until_id: str, most: int) -> list[tuple[str, int]]:
    """The next events that are to go, with their instances."""
    if wanted.object_id is None:
        rows = await reader.all(_OF_ACCOUNT, wanted.account_id, after_id, until_id, most)
    else:
        what = (wanted.object_id, wanted.object_type or "")
        rows = await reader.all(_OF_OBJECT, wanted.account_id, after_id, until_id, most, *what)
    return [(row["id"], row["instance_id"]) for row in rows]


async def pending(reader: Reader, event_ids: Sequence[str]) -> list[tuple[str, int]]:
    """The deliveries of events that are on their way, with their destinations."""
    if not event_ids:
        return []
    places = ", ".join(f"${place}" for place in range(1, len(event_ids) + 1))
    rows = await reader.all(
        f"SELECT id, destination_id FROM deliveries WHERE event_id IN ({places}) AND state || '' = 'pending'",  # noqa: S608
        *event_ids,
    )
    return [(row["id"], row["destination_id"]) for row in rows]


async def instances(reader: Reader, account_id: str) -> list[int]:
    """The instances of an account, deleted ones too."""
    rows = await reader.all("SELECT id FROM instances WHERE account_id = $1 ORDER BY id", account_id)
    return [row["id"] for row in rows]


def cancelling(found: Sequence[tuple[str, int]], now: int) -> Write[frozenset[str]]:
    """Take deliveries off their way, for good; the ids of those that were still pending."""

    def then(rows: Sequence[Sequence[Row]]) -> Effect[frozenset[str]]:
        gone = [one for one, changed in zip(found, rows, strict=True) if changed]
        tallies = [deliveries.cancelled(destination_id, 1) for _, destination_id in gone]
        return Effect(frozenset(delivery_id for delivery_id, _ in gone), tallies=tallies)

    types = ("text", "text", "bigint")
    return Write([Statement(_CANCEL, (one, REASON, now), True, types) for one, _ in found], then)
