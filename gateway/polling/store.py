"""Pollers as rows: brought in line, claimed by a lease, committed under its epoch; and what snapshots remember."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from gateway.polling.model import NEW, STATES, Known, Poller
from gateway.storage.database import Database, Effect, Reader, Row, Statement, Transaction, Value, Write

PER_INSTANCE = 8
#: Looked at for one that is taken, so that an instance with many pollers leaves room for others.
_LOOKED_AT = 4

_COLUMNS = (
    "id, instance_id, name, enabled, next_due, planned_at, state, reason, since, failures, records_total, "
    "lease_owner, lease_until, epoch, wishes, updated_at, cursor"
)
_ADD = (
    f"INSERT INTO pollers ({_COLUMNS}) "  # noqa: S608
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, NULL, 0, 0, 0, $9, $12) "
    "ON CONFLICT (instance_id, name) DO NOTHING"
)
IS_DUE = "SELECT next_due FROM pollers WHERE enabled = 1 AND next_due <= $1 ORDER BY next_due LIMIT 1"
_DUE = (
    "SELECT next_due, id, instance_id FROM pollers WHERE enabled = 1 AND next_due <= $1{others} "
    "ORDER BY next_due, id LIMIT $2{lock}"
)
_LEASE = "UPDATE pollers SET lease_owner = $1, lease_until = $2, next_due = $2, epoch = epoch + 1 "
_CLAIM = _LEASE + "WHERE enabled = 1 AND lease_until <= $3 AND id IN ({ids}) RETURNING *"
_CLAIM_ONE = _LEASE + "WHERE enabled = 1 AND lease_until <= $3 AND instance_id = $4 AND name = $5 RETURNING *"
_COMMIT = (
    "UPDATE pollers SET cursor = column3, state = column4, "
    "since = CASE WHEN pollers.state = column4 THEN pollers.since ELSE column5 END, updated_at = column5, "
    "reason = column6, failures = column7, planned_at = column8, records_total = pollers.records_total + column11, "
    # Somebody asked for it while it was read: it is looked at again at once.
    "next_due = CASE WHEN column12 = 1 THEN pollers.next_due WHEN pollers.wishes = column9 THEN column10 "
    "ELSE column5 END, lease_owner = CASE WHEN column12 = 1 THEN pollers.lease_owner END, "
    "lease_until = CASE WHEN column12 = 1 THEN pollers.lease_until ELSE 0 END "
    "FROM ({rows}) AS v WHERE pollers.id = column1 AND pollers.epoch = column2 RETURNING id"
)
_COMMIT_TYPES = (
    *("text", "bigint", "text", "text", "bigint", "text"),
    *("bigint", "bigint", "bigint", "bigint", "bigint", "bigint"),
)
_RENEW = (
    "UPDATE pollers SET lease_until = column3, next_due = column3 FROM ({rows}) AS v "
    "WHERE pollers.id = column1 AND pollers.epoch = column2 AND pollers.lease_owner = column4 RETURNING id"
)
_RENEW_TYPES = ("text", "bigint", "bigint", "text")
_KEEP = (
    "INSERT INTO poller_objects (poller_id, object_id, content, misses) SELECT * FROM ({rows}) AS v WHERE true "
    "ON CONFLICT (poller_id, object_id) DO UPDATE SET content = excluded.content, misses = excluded.misses"
)
_KEEP_TYPES = ("text", "text", "text", "bigint")
_DROP = "DELETE FROM poller_objects WHERE poller_id = $1 AND object_id = $2"
_VALUE = "coalesce((SELECT value FROM configuration WHERE instance_id = instances.id AND key = '{key}'), {usual})"
_POLLED = (
    f"SELECT id, CASE WHEN enabled = 1 AND {_VALUE.format(key='event.notification.enabled', usual='$4')} = 'true' "  # noqa: S608
    f"AND ({_VALUE.format(key='event.vendor.type', usual='$5')} = 'polling' "
    f"OR {_VALUE.format(key='event.reconcile.enabled', usual='$6')} = 'true') THEN 1 ELSE 0 END AS polled "
    "FROM instances WHERE connector = $1 AND deleted_at IS NULL AND id > $2 ORDER BY id LIMIT $3"
)
_FREED = "lease_owner = NULL, lease_until = 0, epoch = epoch + 1"


async def add(transaction: Transaction, new: Poller) -> None:
    """A poller of an instance, unless it has one of that name already."""
    await transaction.execute(
        _ADD,
        new.id,
        new.instance_id,
        new.name,
        int(new.enabled),
        new.next_due,
        new.planned_at,
        new.state,
        new.reason,
        new.since,
        new.failures,
        new.records_total,
        _text(new),
    )


async def of_instance(reader: Reader, instance_id: int) -> list[Poller]:
    """The pollers of an instance by name, those that are switched off too."""
    rows = await reader.all("SELECT * FROM pollers WHERE instance_id = $1 ORDER BY name", instance_id)
    return [Poller.from_row(row) for row in rows]


async def rows_of(reader: Reader, instance_ids: Sequence[int]) -> Sequence[Row]:
    """The pollers of several instances, cursors as texts."""
    if not instance_ids:
        return []
    places = _places(1, len(instance_ids))
    sql = f"SELECT * FROM pollers WHERE instance_id IN ({places}) ORDER BY instance_id, name"  # noqa: S608
    return await reader.all(sql, *instance_ids)


async def one(reader: Reader, instance_id: int, name: str) -> Poller | None:
    """The poller of an instance with a name."""
    row = await reader.one("SELECT * FROM pollers WHERE instance_id = $1 AND name = $2", instance_id, name)
    return None if row is None else Poller.from_row(row)


async def switch(transaction: Transaction, poller_id: str, now: int, *, enabled: bool, next_due: int | None) -> None:
    """Switch a poller on or off; how far it has read stays, and whoever polls it now has lost the lease."""
    await transaction.execute(
        f"UPDATE pollers SET enabled = $2, next_due = $3, planned_at = NULL, updated_at = $4, {_FREED} "  # noqa: S608
        "WHERE id = $1",
        poller_id,
        int(enabled),
        next_due,
        now,
    )


async def reschedule(transaction: Transaction, poller_id: str, now: int, next_due: int | None) -> None:
    """Another interval: this is the next slot; a poll that runs goes on, and it is looked at again after it."""
    await transaction.execute(
        "UPDATE pollers SET planned_at = $2, wishes = wishes + 1, "
        "next_due = CASE WHEN lease_until > $3 THEN next_due ELSE $2 END WHERE id = $1",
        poller_id,
        next_due,
        now,
    )


async def names_of(reader: Reader, instance_ids: Sequence[int]) -> dict[int, set[str]]:
    """The names of the pollers of several instances that are switched on."""
    if not instance_ids:
        return {}
    places = _places(1, len(instance_ids))
    sql = f"SELECT instance_id, name FROM pollers WHERE enabled = 1 AND instance_id IN ({places})"  # noqa: S608
    found: dict[int, set[str]] = {}
    for row in await reader.all(sql, *instance_ids):
        found.setdefault(row["instance_id"], set()).add(row["name"])
    return found


async def offers(reader: Reader, prefix: str) -> dict[str, str]:
    """What connectors offered when their instances were looked at last, by connector."""
    rows = await reader.all("SELECT key, value FROM meta WHERE substr(key, 1, $1) = $2", len(prefix), prefix)
    return {row["key"].removeprefix(prefix): row["value"] for row in rows if row["value"]}


async def connectors_in_use(reader: Reader) -> list[str]:
    """The connectors that have instances."""
    rows = await reader.all("SELECT connector FROM instances WHERE deleted_at IS NULL GROUP BY connector")
    return [row["connector"] for row in rows]


async def page_of_instances(
    reader: Reader, connector: str, usual: Mapping[str, str], *, after: int, size: int
) -> tuple[list[int], int | None]:
    """The next instances of a connector by id, as far as they are polled, and the last that was looked at.

    `usual` are the values of who has none; no last one where there are no more.
    """
    rows = await reader.all(
        _POLLED,
        connector,
        after,
        size,
        usual.get("event.notification.enabled", ""),
        usual.get("event.vendor.type", ""),
        usual.get("event.reconcile.enabled", ""),
    )
    return [row["id"] for row in rows if row["polled"]], rows[-1]["id"] if rows else None


async def hold(transaction: Transaction, database: Database, instance_id: int) -> bool:
    """Whether the instance is there and switched on; until the end of the transaction nobody else changes it."""
    lock = " FOR UPDATE" if database.engine == "postgresql" else ""
    sql = f"SELECT id FROM instances WHERE id = $1 AND enabled = 1 AND deleted_at IS NULL{lock}"  # noqa: S608
    return await transaction.one(sql, instance_id) is not None


async def wake(transaction: Transaction, instance_id: int, now: int) -> None:
    """Look at the pollers of an instance that are going, now; at one that is being read, right after that."""
    await transaction.execute(
        "UPDATE pollers SET wishes = wishes + 1, next_due = CASE WHEN lease_until > $2 THEN next_due ELSE $2 END "
        "WHERE instance_id = $1 AND enabled = 1 AND state IN ('ok', 'failing')",
        instance_id,
        now,
    )


async def resume(transaction: Transaction, instance_id: int, now: int, name: str | None = None) -> int:
    """Poll again what had stopped or fails, as if nothing had happened; how many that are."""
    return await transaction.execute(
        f"UPDATE pollers SET state = 'ok', reason = NULL, since = $2, failures = 0, next_due = $2, {_FREED} "  # noqa: S608
        "WHERE instance_id = $1 AND enabled = 1 AND state <> 'ok' AND (CAST($3 AS TEXT) IS NULL OR name = $3)",
        instance_id,
        now,
        name,
    )


async def reset(transaction: Transaction, poller_id: str, now: int) -> None:
    """Forget how far a poller has read; it begins anew."""
    await transaction.execute("DELETE FROM poller_objects WHERE poller_id = $1", poller_id)
    await transaction.execute(
        f"UPDATE pollers SET cursor = $2, state = 'ok', reason = NULL, since = $3, failures = 0, "  # noqa: S608
        f"next_due = CASE WHEN enabled = 1 THEN CAST($3 AS BIGINT) END, {_FREED} WHERE id = $1",
        poller_id,
        msgspec.json.encode(NEW).decode(),
        now,
    )


async def forget(transaction: Transaction, instance_id: int) -> None:
    """The instance is gone."""
    await transaction.execute(
        "DELETE FROM poller_objects WHERE poller_id IN (SELECT id FROM pollers WHERE instance_id = $1)", instance_id
    )
    await transaction.execute("DELETE FROM pollers WHERE instance_id = $1", instance_id)


async def claim(
    database: Database, *, owner: str, now: int, until: int, most: int, busy: Mapping[int, int] | None = None
) -> list[Poller]:
    """Take up to `most` that are due and free, the longest due first; `busy`: how many of each instance run here."""
    if most <= 0 or await database.one(IS_DUE, now) is None:
        return []
    busy = busy or {}
    full = [instance_id for instance_id, number in busy.items() if number >= PER_INSTANCE]
    async with database.transaction() as transaction:
        due = await transaction.all(due_sql(database, len(full)), now, most * _LOOKED_AT, *full)
        ids = fair(due, most, busy)
        if not ids:
            return []
        sql = _CLAIM.format(ids=_places(4, len(ids)))
        rows = await transaction.all(sql, owner, until, now, *ids)
    order = {one: number for number, one in enumerate(ids)}
    since = {row["id"]: row["next_due"] for row in due}
    # Since when each was due, which the lease has written over.
    claimed = [Poller.from_row({**row, "next_due": since[row["id"]]}) for row in rows]
    return sorted(claimed, key=lambda poller: order[poller.id])


async def claim_one(
    database: Database, instance_id: int, name: str, *, owner: str, now: int, until: int
) -> Poller | None:
    """Take this one, due or not, where it is on and nobody has it."""
    async with database.transaction() as transaction:
        row = await transaction.one(_CLAIM_ONE, owner, until, now, instance_id, name)
    return None if row is None else Poller.from_row(row)


def fair(due: Iterable[Row], most: int, busy: Mapping[int, int]) -> list[str]:
    """Whose turn it is: in order, but of one instance only so many at once."""
    taken: list[str] = []
    counts = dict(busy)
    for row in due:
        running = counts.get(row["instance_id"], 0)
        if running < PER_INSTANCE and len(taken) < most:
            counts[row["instance_id"]] = running + 1
            taken.append(row["id"])
    return taken


def commit(after: Poller, now: int, *, records: int = 0, goes_on: bool = False) -> Statement:
    """What became of a claimed poller; its id comes back unless it is somebody else's by now: then nothing is written.

    With `goes_on` the lease stays, else it is given back.
    """
    row: tuple[Value, ...] = (
        after.id,
        after.epoch,
        _text(after),
        after.state,
        now,
        after.reason,
        after.failures,
        after.planned_at,
        after.wishes,
        after.next_due,
        records,
        int(goes_on),
    )
    return Statement(_COMMIT, row, True, _COMMIT_TYPES)


def renewal(held: Collection[Poller], owner: str, until: int) -> Write[frozenset[str]]:
    """The heartbeat: prolong the leases of what is being polled; the ids of those that are still this node's."""
    statements = [Statement(_RENEW, (one.id, one.epoch, until, owner), True, _RENEW_TYPES) for one in held]

    def then(rows: Sequence[Sequence[Row]]) -> Effect[frozenset[str]]:
        return Effect(frozenset(poller.id for poller, found in zip(held, rows, strict=True) if found))

    return Write(statements, then)


async def give_back(transaction: Transaction, owner: str, now: int) -> None:
    """Let go of everything that a leaving node has; others may take it at once."""
    await transaction.execute(
        f"UPDATE pollers SET next_due = $2, {_FREED} WHERE lease_owner = $1",  # noqa: S608
        owner,
        now,
    )


async def begin(transaction: Transaction, now: int) -> None:
    """The only node of a store starts: nobody else can hold a lease."""
    await transaction.execute(f"UPDATE pollers SET next_due = $1, {_FREED} WHERE lease_owner IS NOT NULL", now)  # noqa: S608


async def objects(reader: Reader, poller_id: str) -> dict[str, Known]:
    """What was in the last complete listing."""
    rows = await reader.all("SELECT object_id, content, misses FROM poller_objects WHERE poller_id = $1", poller_id)
    return {row["object_id"]: Known(row["object_id"], row["content"], row["misses"]) for row in rows}


def remembered(poller_id: str, kept: Iterable[Known], gone: Iterable[str]) -> list[Statement]:
    """What changes in the snapshot; to be written with the commit, and after it."""
    keeps = [Statement(_KEEP, (poller_id, one.id, one.content, one.misses), False, _KEEP_TYPES) for one in kept]
    return [*keeps, *(Statement(_DROP, (poller_id, object_id)) for object_id in gone)]


async def counts(reader: Reader) -> dict[str, int]:
    """How many there are in each state, of those that are switched on."""
    rows = await reader.all("SELECT state, count(*) AS number FROM pollers WHERE enabled = 1 GROUP BY state")
    return dict.fromkeys(STATES, 0) | {row["state"]: row["number"] for row in rows}


async def overdue(reader: Reader, now: int) -> tuple[int, int]:
    """How many wait for their turn, and for how long the first of them has."""
    row = await reader.one(
        "SELECT count(*) AS number, min(next_due) AS at FROM pollers WHERE enabled = 1 AND next_due <= $1", now
    )
    return (0, 0) if row is None or row["at"] is None else (row["number"], now - row["at"])


async def not_ok(reader: Reader) -> Mapping[str, int]:
    """How many fail or have stopped, by state."""
    rows = await reader.all(
        "SELECT state, count(*) AS number FROM pollers WHERE state <> 'ok' AND enabled = 1 GROUP BY state"
    )
    return {row["state"]: row["number"] for row in rows}


def due_sql(database: Database, full: int) -> str:
    """The look at what is due, without the pollers of so many instances."""
    lock = " FOR UPDATE SKIP LOCKED" if database.engine == "postgresql" else ""
    others = f" AND instance_id NOT IN ({_places(3, full)})" if full else ""
    return _DUE.format(others=others, lock=lock)


def _places(first: int, number: int) -> str:
    return ", ".join(f"${place}" for place in range(first, first + number))


def _text(poller: Poller) -> str:
    return msgspec.json.encode(poller.cursor).decode()
