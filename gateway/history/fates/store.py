"""What was not stored, by the names that the vendor, or its sender, gave it."""

from dataclasses import dataclass

from gateway.accounts.model import Caller
from gateway.history.fates.model import Asked, Question, RefusalRecord
from gateway.history.filter import END
from gateway.storage.database import Reader

# There is no index of the events that duplicates are of; but they share a name with it.
_SAME = " UNION ".join(
    f"SELECT same.id FROM refusals AS same WHERE same.{name} = (SELECT e.{name} FROM events AS e WHERE e.id = $1)"  # noqa: S608
    for name in ("vendor_event_id", "body_hash", "object_id")
)
#: What carries one name is few, and is looked for by that alone.
_NAMED: dict[Asked, str] = {
    "vendor_event_id": "r.vendor_event_id = $1",
    "body_hash": "r.body_hash = $1",
    "object_id": "r.object_id = $1",
    "event_id": f"r.event_id = $1 AND r.id IN ({_SAME})",
}


@dataclass(frozen=True, slots=True)
class Refusals:
    """Some of them, newest first; `position` is where to go on, None where nothing is left."""

    items: tuple[RefusalRecord, ...]
    position: str | None


async def refusals_before(reader: Reader, caller: Caller, asked: Question, before: str | None, size: int) -> Refusals:
    """What the caller's instances did not store under a name, newest first; of an event's id its duplicates."""
    rows = await reader.all(
        "SELECT r.id, r.instance_id, r.at, r.outcome, r.failed_check, r.detail, r.remote, r.body_hash, "  # noqa: S608
        "r.vendor_event_id, r.object_id, r.event_id FROM refusals AS r "
        f"WHERE {_NAMED[asked.by]} AND r.id || '' < $2 AND EXISTS (SELECT 1 FROM instances "
        "WHERE instances.id = r.instance_id AND instances.partner_id = $3 AND ($4 = '' OR instances.account_id = $4)) "
        "ORDER BY r.id || '' DESC LIMIT $5",
        asked.value,
        before or END,
        caller.partner_id,
        caller.account_id or "",
        size + 1,
    )
    found = tuple(RefusalRecord.from_row(row) for row in rows)
    return Refusals(found[:size], found[size - 1].id if len(found) > size else None)
