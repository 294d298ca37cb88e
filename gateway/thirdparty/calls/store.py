"""The calls of a 3rd-party connector, along an index that holds no other delivery."""

from collections import defaultdict
from collections.abc import Sequence

from gateway.accounts.model import Caller
from gateway.errors import NotFound
from gateway.storage.database import Reader
from gateway.thirdparty.calls.model import Call, Tried

#: Above every id of a delivery.
_END = "g"
_CALLS = (
    "SELECT d.id, d.event_id, d.instance_id, d.state, d.reason, d.attempts, d.due_at, d.created_at, d.settled_at, "
    "d.replay_id, d.replayed_as, e.connector, e.type, e.action, e.object_type, e.object_id "
    "FROM deliveries AS d LEFT JOIN events AS e ON e.id = d.event_id "
    "WHERE d.third_party = $1 AND d.id < $2 ORDER BY d.id DESC LIMIT $3"
)


async def calls_of(
    reader: Reader, caller: Caller, connector_id: int, *, before: str | None = None, size: int = 50
) -> list[Call]:
    """The calls of the caller's connector, newest first, from behind one on; those of a deleted one too."""
    owned = "SELECT id FROM third_parties WHERE partner_id = $1 AND ($2 = '' OR account_id = $2) AND id = $3"
    if await reader.one(owned, caller.partner_id, caller.account_id or "", connector_id) is None:
        raise NotFound(f"No 3rd-party connector found with ID {connector_id}")
    rows = await reader.all(_CALLS, connector_id, before or _END, size)
    tried = await _tried(reader, [row["id"] for row in rows])
    return [Call.from_row(row, tuple(tried[row["id"]])) for row in rows]


async def _tried(reader: Reader, delivery_ids: Sequence[str]) -> dict[str, list[Tried]]:
    found: dict[str, list[Tried]] = defaultdict(list)
    if delivery_ids:
        places = ", ".join(f"${place}" for place in range(1, len(delivery_ids) + 1))
        sql = f"SELECT * FROM attempts WHERE delivery_id IN ({places}) ORDER BY delivery_id, number"  # noqa: S608
        for row in await reader.all(sql, *delivery_ids):
            found[row["delivery_id"]].append(Tried.from_row(row))
    return found
