"""Instances as rows: records, sealed configuration, secrets, destinations. Every question names its tenant."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from gateway.accounts.model import Caller, PartnerId
from gateway.errors import NotFound
from gateway.ids import digest, time_ordered
from gateway.instances.model import Destination, DestinationState, Instance, InstanceId, Secret, SecretKind, Setting
from gateway.seal import Seal
from gateway.storage import sequence
from gateway.storage.database import Reader, Row, Transaction, Value
from gateway.storage.patterns import literal

CALLBACK = "callback"
#: A longer value is no name that a delivery is routed by; the index of values holds none.
LONGEST_LOOKED_UP = 200
_COLUMNS = tuple(Instance.__dataclass_fields__)
# The length as in the index, which would not be used otherwise; SQLite takes the tables of a cross join in their order.
_BY_VALUE = (
    "FROM configuration CROSS JOIN instances WHERE configuration.key = $2 AND length(configuration.value) <= 200 "
    "AND instances.id = configuration.instance_id AND instances.connector = $1 AND instances.deleted_at IS NULL"
)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which instances a list shows: all of these tags, a part of the name or the connector's key, one connector."""

    tags: tuple[str, ...] = ()
    search: str = ""
    connector: str = ""


def _scope(caller: Caller) -> tuple[PartnerId, str]:
    return caller.partner_id, caller.account_id or ""


async def get(reader: Reader, caller: Caller, instance_id: int) -> Instance:
    """The caller's instance; NotFound where it is another's, was deleted or never was."""
    row = await reader.one(
        "SELECT * FROM instances WHERE partner_id = $1 AND ($2 = '' OR account_id = $2) "
        "AND id = $3 AND deleted_at IS NULL",
        *_scope(caller),
        instance_id,
    )
    if row is None:
        raise NotFound(f"No instance found with ID {instance_id}")
    return Instance.from_row(row)


async def belongs(reader: Reader, caller: Caller, instance_id: int) -> bool:
    """Whether the instance is the caller's."""
    try:
        await get(reader, caller, instance_id)
    except NotFound:
        return False
    return True


async def locked(transaction: Transaction, caller: Caller, instance_id: int, now: int) -> Instance:
    """The caller's instance for this transaction alone; who else wants to change it waits, and then sees the change."""
    await transaction.execute(
        "UPDATE instances SET updated_at = $4 "
        "WHERE partner_id = $1 AND ($2 = '' OR account_id = $2) AND id = $3 AND deleted_at IS NULL",
        *_scope(caller),
        instance_id,
        now,
    )
    return await get(transaction, caller, instance_id)


async def page(reader: Reader, caller: Caller, chosen: Filter, *, after: int, size: int) -> list[Instance]:
    """The caller's instances whose id is above `after`, in the order of their ids."""
    clauses, args = _where(caller, chosen)
    rows = await reader.all(
        f"SELECT * FROM instances WHERE {clauses} AND id > ${len(args) + 1} ORDER BY id LIMIT ${len(args) + 2}",  # noqa: S608
        *args,
        after,
        size,
    )
    return [Instance.from_row(row) for row in rows]


async def count(reader: Reader, caller: Caller) -> int:
    """How many instances the caller has."""
    clauses, args = _where(caller, Filter())
    row = await reader.one(f"SELECT count(*) AS total FROM instances WHERE {clauses}", *args)  # noqa: S608
    return 0 if row is None else int(row["total"])


async def count_by_connector(reader: Reader, caller: Caller) -> list[tuple[str, int]]:
    """How many instances the caller has of each connector."""
    clauses, args = _where(caller, Filter())
    rows = await reader.all(
        f"SELECT connector, count(*) AS total FROM instances WHERE {clauses} GROUP BY connector ORDER BY connector",  # noqa: S608
        *args,
    )
    return [(row["connector"], row["total"]) for row in rows]


def _where(caller: Caller, chosen: Filter) -> tuple[str, list[Value]]:
    clauses = ["partner_id = $1", "($2 = '' OR account_id = $2)", "deleted_at IS NULL"]
    args: list[Value] = [*_scope(caller)]
    for tag in chosen.tags:
        args.append(_tag(tag))
        clauses.append(f"replace(tags, ${len(args)}, '') <> tags")
    if chosen.search:
        args.append(f"%{literal(chosen.search)}%")
        place = f"lower(${len(args)})"
        clauses.append(f"(lower(name) LIKE {place} ESCAPE '!' OR lower(connector) LIKE {place} ESCAPE '!')")
    if chosen.connector:
        args.append(chosen.connector)
        clauses.append(f"connector = ${len(args)}")
    return " AND ".join(clauses), args


def _tags(tags: Sequence[str]) -> str:
    return f"[{','.join(_tag(tag) for tag in tags)}]"


def _tag(tag: str) -> str:
    # Written so that a tag is found by its text alone: inside it stands no quote, comma or bracket of the list.
    inner = orjson.dumps(tag).decode()[1:-1].replace('\\"', "\\u0022").replace(",", "\\u002c").replace("]", "\\u005d")
    return f'"{inner}"'


async def by_id_any_account(reader: Reader, instance_id: int) -> Instance | None:
    """An instance of whatever tenant; for the vendor's road and the worker."""
    row = await reader.one("SELECT * FROM instances WHERE id = $1 AND deleted_at IS NULL", instance_id)
    return None if row is None else Instance.from_row(row)


async def id_of_secret(reader: Reader, kind: SecretKind, value: str, now: int) -> InstanceId | None:
    """The instance whose token this is."""
    row = await reader.one(
        "SELECT instance_id FROM instance_secrets "
        "WHERE hash = $1 AND kind = $2 AND (expires_at IS NULL OR expires_at > $3)",
        _hash(kind, value),
        kind,
        now,
    )
    return None if row is None else InstanceId(row["instance_id"])


async def ids_by_value(reader: Reader, connector: str, key: str, value: str, most: int) -> list[InstanceId]:
    """The instances of whatever tenant whose entry has this short value in the clear, the oldest first."""
    rows = await reader.all(
        f"SELECT instances.id {_BY_VALUE} AND configuration.value = $3 ORDER BY instances.id LIMIT $4",
        connector,
        key,
        value,
        most,
    )
    return [InstanceId(row["id"]) for row in rows]


async def newest_ids(reader: Reader, connector: str, most: int) -> list[InstanceId]:
    """The instances of a connector that were made last, of whatever tenant."""
    rows = await reader.all(
        "SELECT id FROM instances WHERE connector = $1 AND deleted_at IS NULL ORDER BY id DESC LIMIT $2",
        connector,
        most,
    )
    return [InstanceId(row["id"]) for row in rows]


async def values_in_use(reader: Reader, connector: str, key: str, most: int) -> list[str]:
    """The distinct short values that the instances of a connector have in an entry, those of the oldest first."""
    rows = await reader.all(
        f"SELECT configuration.value, min(instances.id) AS first {_BY_VALUE} "
        "GROUP BY configuration.value ORDER BY first LIMIT $3",
        connector,
        key,
        most,
    )
    return [row["value"] for row in rows]


async def lock_any_account(transaction: Transaction, instance_id: int, now: int) -> bool:
    """Keep an instance of whatever tenant for this transaction alone; False where it is gone."""
    changed = await transaction.execute(
        "UPDATE instances SET updated_at = $2 WHERE id = $1 AND deleted_at IS NULL", instance_id, now
    )
    return changed == 1


async def add(transaction: Transaction, instance: Instance) -> None:
    """Store a new instance."""
    places = ", ".join(f"${place}" for place in range(1, len(_COLUMNS) + 1))
    sql = f"INSERT INTO instances ({', '.join(_COLUMNS)}) VALUES ({places})"  # noqa: S608
    values = {name: getattr(instance, name) for name in _COLUMNS}
    flags = {"enabled": int(instance.enabled), "native": int(instance.native)}
    await transaction.execute(sql, *(values | flags | {"tags": _tags(instance.tags)}).values())


async def update(transaction: Transaction, instance: Instance) -> None:
    """Store what of an instance may change."""
    await transaction.execute(
        "UPDATE instances SET name = $3, tags = $4, enabled = $5, updated_at = $6, external_authentication = $7, "
        "description = $8, native = $9 WHERE partner_id = $1 AND id = $2",
        instance.partner_id,
        instance.id,
        instance.name,
        _tags(instance.tags),
        int(instance.enabled),
        instance.updated_at,
        instance.external_authentication,
        instance.description,
        int(instance.native),
    )


async def remove(transaction: Transaction, instance: Instance, now: int) -> None:
    """Mark the instance deleted, forget its credentials and tokens, and take its destinations away."""
    await transaction.execute("UPDATE instances SET deleted_at = $2, updated_at = $2 WHERE id = $1", instance.id, now)
    await transaction.execute("DELETE FROM configuration WHERE instance_id = $1", instance.id)
    await transaction.execute("DELETE FROM instance_secrets WHERE instance_id = $1", instance.id)
    await transaction.execute(
        "UPDATE destinations SET state = 'removed', reason = 'instance deleted', since = $2 WHERE instance_id = $1",
        instance.id,
        now,
    )


async def settings(reader: Reader, seal: Seal, instance_id: int) -> dict[str, Setting]:
    """All stored configuration entries of an instance, opened."""
    return (await settings_of(reader, seal, [instance_id]))[instance_id]


async def settings_of(reader: Reader, seal: Seal, instance_ids: Sequence[int]) -> dict[int, dict[str, Setting]]:
    """All stored configuration entries of instances, opened."""
    found: dict[int, dict[str, Setting]] = defaultdict(dict)
    for row in await _all_of(reader, "SELECT * FROM configuration WHERE instance_id", "ORDER BY id", instance_ids):
        found[row["instance_id"]][row["key"]] = _setting(row, seal)
    return found


async def _all_of(reader: Reader, select: str, order: str, instance_ids: Sequence[int]) -> Sequence[Row]:
    if not instance_ids:
        return []
    places = ", ".join(f"${place}" for place in range(1, len(instance_ids) + 1))
    return await reader.all(f"{select} IN ({places}) {order}", *instance_ids)


def _setting(row: Row, seal: Seal) -> Setting:
    sealed = row["sealed"]
    value = row["value"] if sealed is None else seal.open(bytes(sealed), _place(row["instance_id"], row["key"]))
    return Setting(id=row["id"], key=row["key"], value=value)


async def put_settings(
    transaction: Transaction,
    seal: Seal,
    instance_id: int,
    values: Mapping[str, str | None],
    sealed_keys: frozenset[str],
) -> None:
    """Store or clear entries; an entry keeps the id that it once got."""
    if not values:
        return
    first = await sequence.take(transaction, "configuration", len(values))
    for number, (key, value) in enumerate(values.items(), first):
        closed = key in sealed_keys and value is not None
        await transaction.execute(
            "INSERT INTO configuration (instance_id, key, id, value, sealed) VALUES ($1, $2, $3, $4, $5) "
            "ON CONFLICT (instance_id, key) DO UPDATE SET value = excluded.value, sealed = excluded.sealed",
            instance_id,
            key,
            number,
            None if closed else value,
            seal.close(value, _place(instance_id, key)) if closed and value is not None else None,
        )


def _place(instance_id: int, key: str) -> str:
    return f"configuration:{instance_id}:{key}"


async def secrets(reader: Reader, seal: Seal, instance_id: int, now: int) -> list[Secret]:
    """The tokens and secrets of an instance that still count, newest first."""
    rows = await reader.all(
        "SELECT * FROM instance_secrets WHERE instance_id = $1 AND (expires_at IS NULL OR expires_at > $2) "
        "ORDER BY created_at DESC, id DESC",
        instance_id,
        now,
    )
    return [_secret(row, seal) for row in rows]


def _secret(row: Row, seal: Seal) -> Secret:
    value = seal.open(bytes(row["sealed"]), f"instance_secrets:{row['id']}")
    return Secret(kind=row["kind"], value=value, created_at=row["created_at"], expires_at=row["expires_at"])


async def element_tokens(reader: Reader, seal: Seal, instance_ids: Sequence[int]) -> dict[int, str]:
    """The Element tokens of instances."""
    select = "SELECT * FROM instance_secrets WHERE kind = 'element' AND instance_id"
    rows = await _all_of(reader, select, "ORDER BY created_at, id", instance_ids)
    return {row["instance_id"]: _secret(row, seal).value for row in rows}


async def add_secret(transaction: Transaction, seal: Seal, instance_id: int, secret: Secret) -> None:
    """Keep a token or secret, sealed, under its hash."""
    secret_id = time_ordered()
    await transaction.execute(
        "INSERT INTO instance_secrets (id, instance_id, kind, hash, sealed, created_at, expires_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        secret_id,
        instance_id,
        secret.kind,
        # Only random tokens are looked up by hash; an earlier value of an entry may stand in several instances.
        _hash(secret.kind, secret.value) if ":" not in secret.kind else secret_id,
        seal.close(secret.value, f"instance_secrets:{secret_id}"),
        secret.created_at,
        secret.expires_at,
    )


def _hash(kind: SecretKind, value: str) -> str:
    return digest(f"{kind}:{value}")


async def end_secrets(transaction: Transaction, instance_id: int, kind: SecretKind, at: int) -> None:
    """Let all secrets of a kind end at a time, unless they end sooner."""
    await transaction.execute(
        "UPDATE instance_secrets SET expires_at = $3 "
        "WHERE instance_id = $1 AND kind = $2 AND (expires_at IS NULL OR expires_at > $3)",
        instance_id,
        kind,
        at,
    )


async def forget_ended_secrets(transaction: Transaction, instance_id: int, now: int) -> None:
    """Remove what does not count any more."""
    await transaction.execute(
        "DELETE FROM instance_secrets WHERE instance_id = $1 AND expires_at <= $2", instance_id, now
    )


async def callback(reader: Reader, instance_id: int) -> Destination | None:
    """The destination that stands for the instance's callback URL."""
    return (await callbacks_of(reader, [instance_id])).get(instance_id)


async def callbacks_of(reader: Reader, instance_ids: Sequence[int]) -> dict[int, Destination]:
    """The destinations that stand for the callback URLs of instances."""
    select = "SELECT * FROM destinations WHERE kind = 'callback' AND instance_id"
    rows = await _all_of(reader, select, "", instance_ids)
    return {row["instance_id"]: Destination.from_row(row) for row in rows}


async def set_callback(
    transaction: Transaction, instance: Instance, url: str, state: DestinationState, reason: str | None, now: int
) -> None:
    """Make or change the destination that stands for the callback URL; it keeps its id."""
    found = await callback(transaction, instance.id)
    if found is None and state == "active":
        await transaction.execute(
            "INSERT INTO destinations (id, account_id, instance_id, kind, url, state, reason, since) "
            "VALUES ($1, $2, $3, $4, $5, 'active', NULL, $6)",
            await sequence.take(transaction, "destinations"),
            instance.account_id,
            instance.id,
            CALLBACK,
            url,
            now,
        )
    elif found is not None:
        await transaction.execute(
            "UPDATE destinations SET url = $2, state = $3, reason = $4, since = $5 WHERE id = $1",
            found.id,
            url,
            state,
            reason,
            now if (state, url) != (found.state, found.url) else found.since,
        )
