"""Events, refusals and nonces as rows, and the half of the ledger that counts what arrived."""

from collections.abc import Sequence

from gateway.accounts.model import Caller
from gateway.errors import NotFound
from gateway.events.model import Event, Source
from gateway.events.refusal import Refusal
from gateway.storage.database import Reader, Row, Statement, Tally

#: How long two equal bodies without an identity count as one event.
BODY_WINDOW_MS = 600_000
BODY_IDENTITY = "b:"

_COLUMNS = (
    "id, account_id, instance_id, connector, source, type, action, object_type, object_id, occurred_at, "
    "vendor_event_id, identity, filter_nulls, received_at, backfill, routed, body_hash, request, payload"
)
_TYPES = (
    *("text", "text", "bigint", "text", "text", "text", "text", "text", "text", "bigint", "text", "text"),
    *("bigint", "bigint", "bigint", "bigint", "text", "text", "bytea"),
)
_PLACES = len(_TYPES)
_INSERT = (
    f"INSERT INTO events ({_COLUMNS}) SELECT * FROM ({{rows}}) AS v WHERE true "  # noqa: S608
    "ON CONFLICT (instance_id, identity) DO NOTHING RETURNING id"
)
# The window slides: the same body in the slice of time before counts too, where it came less than ten minutes ago.
_INSERT_BY_BODY = (
    f"INSERT INTO events ({_COLUMNS}) "  # noqa: S608
    f"SELECT {', '.join(f'column{place}' for place in range(1, _PLACES + 1))} "
    "FROM ({rows}) AS v WHERE NOT EXISTS (SELECT 1 FROM events WHERE events.instance_id = column3 "
    f"AND events.identity = column{_PLACES + 1} AND events.received_at > column{_PLACES + 2}) "
    "ON CONFLICT (instance_id, identity) DO NOTHING RETURNING id"
)
_REFUSE = (
    "INSERT INTO refusals (id, instance_id, at, outcome, failed_check, detail, remote, body_hash, vendor_event_id, "
    "object_id, event_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
)
# Without ON CONFLICT: of two nodes that were given one nonce, one learns it.
_REMEMBER = "INSERT INTO nonces (instance_id, nonce, body_hash, at) VALUES ($1, $2, $3, $4)"
_LEDGER = (
    "INSERT INTO ledger_events (instance_id, shard, received, accepted, duplicate, refused, ignored, routed, unrouted) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (instance_id, shard) DO UPDATE SET "
    "received = ledger_events.received + excluded.received, "
    "accepted = ledger_events.accepted + excluded.accepted, "
    "duplicate = ledger_events.duplicate + excluded.duplicate, "
    "refused = ledger_events.refused + excluded.refused, "
    "ignored = ledger_events.ignored + excluded.ignored, "
    "routed = ledger_events.routed + excluded.routed, "
    "unrouted = ledger_events.unrouted + excluded.unrouted"
)


def body_identity(digest: str, now: int) -> str:
    """The identity of a change that is known by its body alone: its hash and a slice of time."""
    return f"{BODY_IDENTITY}{digest}:{now // BODY_WINDOW_MS}"


def accept(event: Event, *, routed: bool) -> Statement:
    """Store the event unless its change is stored already; the id comes back where it was."""
    values = (
        event.id,
        event.account_id,
        event.instance_id,
        event.connector,
        event.source,
        event.type,
        event.action,
        event.object_type,
        event.object_id,
        event.occurred_at,
        event.vendor_event_id,
        event.identity,
        int(event.filter_nulls),
        event.received_at,
        int(event.backfill),
        int(routed),
        event.body_hash,
        event.request,
        event.payload,
    )
    *_, earlier = identities(event) or [None]
    if earlier == event.identity:
        return Statement(_INSERT, values, True, _TYPES)
    since = event.received_at - BODY_WINDOW_MS
    return Statement(_INSERT_BY_BODY, (*values, earlier, since), True, (*_TYPES, "text", "bigint"))


def identities(event: Event) -> tuple[str, ...]:
    """Under which identities the same change may stand: its own, and that of its body in the slice of time before."""
    if event.identity is None:
        return ()
    if not event.identity.startswith(BODY_IDENTITY):
        return (event.identity,)
    return event.identity, body_identity(event.identity.split(":")[1], event.received_at - BODY_WINDOW_MS)


async def ids_by_identity(reader: Reader, wanted: Sequence[tuple[int, str]]) -> dict[tuple[int, str], str]:
    """The events that stand under an instance's identities, some dozens at once."""
    if not wanted:
        return {}
    pairs = (f"(instance_id = ${2 * place + 1} AND identity = ${2 * place + 2})" for place in range(len(wanted)))
    sql = f"SELECT id, instance_id, identity FROM events WHERE {' OR '.join(pairs)}"  # noqa: S608
    rows = await reader.all(sql, *(value for pair in wanted for value in pair))
    return {(row["instance_id"], row["identity"]): row["id"] for row in rows}


def arrived(instance_id: int, *, accepted: int, duplicate: int, routed: int) -> Tally:
    """Events of one request in the ledger."""
    received = accepted + duplicate
    return Tally(_LEDGER, (instance_id, 0), (received, accepted, duplicate, 0, 0, routed, accepted - routed))


def ignored(instance_id: int, number: int) -> Tally:
    """Verified events of an instance that takes none."""
    return Tally(_LEDGER, (instance_id, 0), (number, 0, 0, 0, number, 0, 0))


def refused(instance_id: int) -> Tally:
    """A request that was not accepted; it counts one."""
    return Tally(_LEDGER, (instance_id, 0), (1, 0, 0, 1, 0, 0, 0))


def refuse(refusal: Refusal) -> Statement:
    """Keep a refusal."""
    return Statement(
        _REFUSE,
        (
            refusal.id,
            refusal.instance_id,
            refusal.at,
            refusal.outcome,
            refusal.check,
            refusal.detail,
            refusal.remote,
            refusal.body_hash,
            refusal.vendor_event_id,
            refusal.object_id,
            refusal.event_id,
        ),
    )


def remember_nonce(instance_id: int, nonce: str, body_hash: str, at: int) -> Statement:
    """Remember a nonce and its body; Conflict where the instance knows it already."""
    return Statement(_REMEMBER, (instance_id, nonce, body_hash, at))


async def body_of_nonce(reader: Reader, instance_id: int, nonce: str) -> str | None:
    """The hash of the body that came with a nonce; None where the instance does not know it."""
    row = await reader.one("SELECT body_hash FROM nonces WHERE instance_id = $1 AND nonce = $2", instance_id, nonce)
    return None if row is None else str(row["body_hash"])


async def get(reader: Reader, caller: Caller, event_id: str) -> Event:
    """The caller's event."""
    row = await reader.one(
        "SELECT events.* FROM events JOIN accounts ON accounts.id = events.account_id "
        "WHERE accounts.partner_id = $1 AND ($2 = '' OR events.account_id = $2) AND events.id = $3",
        caller.partner_id,
        caller.account_id or "",
        event_id,
    )
    if row is None:
        raise NotFound(f"No event found with ID {event_id[:64]}")
    return Event.from_row(row)


async def came_by(reader: Reader, instance_id: int, source: Source, since_id: str) -> bool:
    """Whether an event of an instance came on this road, with an id of a moment or a newer one."""
    row = await reader.one(
        "SELECT 1 AS came FROM events WHERE instance_id = $1 AND id >= $2 AND source = $3 LIMIT 1",
        instance_id,
        since_id,
        source,
    )
    return row is not None


async def newest_by_object(
    reader: Reader, instance_id: int, source: Source, object_ids: Sequence[str]
) -> Sequence[Row]:
    """Of each object that came on a road the newest date, and the newest of those events that say it is gone."""
    if not object_ids:
        return []
    places = ", ".join(f"${place}" for place in range(3, 3 + len(object_ids)))
    return await reader.all(
        "SELECT object_type, object_id, max(occurred_at) AS at, "  # noqa: S608
        "max(CASE WHEN action = 'DELETED' THEN occurred_at END) AS gone_at FROM events "
        f"WHERE instance_id = $1 AND source = $2 AND object_id IN ({places}) GROUP BY object_type, object_id",
        instance_id,
        source,
        *object_ids,
    )
