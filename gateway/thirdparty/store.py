"""3rd-party connectors as rows, and as destinations. Every question names its tenant."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from gateway.accounts.model import AccountId, Caller, PartnerId
from gateway.errors import NotFound
from gateway.events.model import Event
from gateway.instances.model import DestinationState
from gateway.seal import Seal
from gateway.storage import sequence
from gateway.storage.database import Reader, Row, Statement, Transaction, Value
from gateway.storage.patterns import literal
from gateway.thirdparty.fitting import Brief
from gateway.thirdparty.masking import is_secret
from gateway.thirdparty.model import DataRow, Definition, Fires, Header, SigningSecret, SortBy, ThirdParty
from gateway.thirdparty.naming import folded

KIND = "third_party"
_CHANGES = "third_party_changes"
_INSTANCES_LOOKED_AT = 500
_SELECT = (
    "SELECT third_parties.*, destinations.state, destinations.reason "
    "FROM third_parties JOIN destinations ON destinations.id = third_parties.id"
)
_OWNED = "third_parties.partner_id = $1 AND ($2 = '' OR third_parties.account_id = $2) AND deleted_at IS NULL"
_ORDERS: Mapping[SortBy, str] = {
    "name": "folded_name",
    "url": "third_parties.url",
    "method": "method",
    "type": "type",
    "date": "updated_at",
}
_SEARCHED = "($3 = '' OR folded_name LIKE $3 ESCAPE '!' OR lower(third_parties.url) LIKE $3 ESCAPE '!' "
_SEARCHED += "OR lower(method) LIKE $3 ESCAPE '!' OR lower(type) LIKE $3 ESCAPE '!')"


async def get(reader: Reader, seal: Seal, caller: Caller, connector_id: int) -> ThirdParty:
    """The caller's connector; NotFound where it is another's, was deleted or never was."""
    row = await reader.one(f"{_SELECT} WHERE {_OWNED} AND third_parties.id = $3", *_scope(caller), connector_id)
    if row is None:
        raise NotFound(f"No 3rd-party connector found with ID {connector_id}")
    return _connector(row, seal)


async def locked(transaction: Transaction, seal: Seal, caller: Caller, connector_id: int) -> ThirdParty:
    """The caller's connector for this transaction alone; who else wants to change it waits, and sees the change."""
    await transaction.execute(
        f"UPDATE third_parties SET version = version WHERE {_OWNED} AND id = $3",  # noqa: S608
        *_scope(caller),
        connector_id,
    )
    return await get(transaction, seal, caller, connector_id)


async def hold_account(transaction: Transaction, account_id: str) -> None:
    """Let nobody else give a name in this account, or take the account away, before this transaction is over."""
    await transaction.execute("UPDATE accounts SET name = name WHERE id = $1", account_id)


async def page(
    reader: Reader, seal: Seal, caller: Caller, search: str, sort: SortBy, ascending: bool, skipped: int, size: int
) -> list[ThirdParty]:
    """Some of the caller's connectors that the search finds."""
    way = "ASC" if ascending else "DESC"
    rows = await reader.all(
        f"{_SELECT} WHERE {_OWNED} AND {_SEARCHED} ORDER BY {_ORDERS[sort]} {way}, third_parties.id {way} "
        "LIMIT $4 OFFSET $5",
        *_scope(caller),
        _pattern(search),
        size,
        skipped,
    )
    return [_connector(row, seal) for row in rows]


async def total(reader: Reader, caller: Caller, search: str) -> int:
    """How many of the caller's connectors the search finds."""
    row = await reader.one(
        f"SELECT count(*) AS total FROM third_parties WHERE {_OWNED} AND {_SEARCHED}",  # noqa: S608
        *_scope(caller),
        _pattern(search),
    )
    return 0 if row is None else int(row["total"])


async def of_account(reader: Reader, seal: Seal, account_id: str) -> list[ThirdParty]:
    """All connectors of an account, of whatever state."""
    rows = await reader.all(
        f"{_SELECT} WHERE third_parties.account_id = $1 AND deleted_at IS NULL ORDER BY third_parties.id", account_id
    )
    return [_connector(row, seal) for row in rows]


async def account_of(reader: Reader, connector_id: int) -> str | None:
    """The account of a connector, whoever asks; None where there is none."""
    row = await reader.one("SELECT account_id FROM third_parties WHERE id = $1 AND deleted_at IS NULL", connector_id)
    return None if row is None else str(row["account_id"])


async def number_in(reader: Reader, account_id: str) -> int:
    """How many connectors an account has."""
    row = await reader.one(
        "SELECT count(*) AS total FROM third_parties WHERE account_id = $1 AND deleted_at IS NULL", account_id
    )
    return 0 if row is None else int(row["total"])


async def has_name(reader: Reader, account_id: str, name: str, but: int) -> bool:
    """Whether the account has a connector of this name, one left aside."""
    row = await reader.one(
        "SELECT id FROM third_parties WHERE account_id = $1 AND folded_name = $2 AND deleted_at IS NULL AND id <> $3",
        account_id,
        folded(name),
        but,
    )
    return row is not None


async def add(transaction: Transaction, seal: Seal, made: ThirdParty) -> None:
    """Keep a new connector with its destination."""
    await transaction.execute(
        "INSERT INTO destinations (id, account_id, instance_id, kind, url, state, reason, since) "
        "VALUES ($1, $2, 0, $3, $4, $5, $6, $7)",
        made.id,
        made.account_id,
        KIND,
        made.place,
        made.state,
        made.reason,
        made.created_at,
    )
    columns = _columns(seal, made)
    fixed: dict[str, Value] = {
        "id": made.id,
        "partner_id": made.partner_id,
        "account_id": made.account_id,
        "created_at": made.created_at,
    }
    row = {**fixed, **columns}
    places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
    await transaction.execute(f"INSERT INTO third_parties ({', '.join(row)}) VALUES ({places})", *row.values())  # noqa: S608
    await changed(transaction)


async def put(transaction: Transaction, seal: Seal, made: ThirdParty) -> None:
    """Keep a changed connector, its state and URL with it."""
    row = _columns(seal, made)
    sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(row, 2))
    await transaction.execute(f"UPDATE third_parties SET {sets} WHERE id = $1", made.id, *row.values())  # noqa: S608
    await transaction.execute(
        "UPDATE destinations SET since = CASE WHEN url = $2 AND state = $3 THEN since ELSE $5 END, "
        "url = $2, state = $3, reason = $4 WHERE id = $1",
        made.id,
        made.place,
        made.state,
        made.reason,
        made.updated_at,
    )
    await changed(transaction)


async def remove(transaction: Transaction, connector_id: int, now: int) -> None:
    """Mark a connector deleted, forget its secrets, and take its destination away."""
    await transaction.execute(
        "UPDATE third_parties SET deleted_at = $2, updated_at = $2, sealed = $3 WHERE id = $1", connector_id, now, b""
    )
    await transaction.execute(
        "UPDATE destinations SET state = 'removed', reason = 'connector deleted', since = $2 WHERE id = $1",
        connector_id,
        now,
    )
    await changed(transaction)


async def newest_events(reader: Reader, account_id: str, most: int) -> list[Brief]:
    """The newest events of an account whose payload is there, of so many that are looked at."""
    rows = await reader.all(
        "SELECT id, instance_id, connector, type, action, object_type, emptied_at FROM events "
        "WHERE account_id = $1 ORDER BY id DESC LIMIT $2",
        account_id,
        most,
    )
    return [Brief.from_row(row) for row in rows if row["emptied_at"] is None]


async def connectors_in(reader: Reader, account_id: str) -> list[str]:
    """The keys of the connectors that an account's newest instances are of, those of the newest first."""
    rows = await reader.all(
        "SELECT connector FROM instances WHERE account_id = $1 AND deleted_at IS NULL ORDER BY id DESC LIMIT $2",
        account_id,
        _INSTANCES_LOOKED_AT,
    )
    return list(dict.fromkeys(row["connector"] for row in rows))


async def event(reader: Reader, account_id: str, event_id: str) -> Event | None:
    """The account's event with its payload; None where it is another's, or what it held is gone."""
    row = await reader.one(
        "SELECT * FROM events WHERE account_id = $1 AND id = $2 AND emptied_at IS NULL", account_id, event_id
    )
    return None if row is None else Event.from_row(row)


async def changed(transaction: Transaction) -> None:
    """Let every node know that what it remembers may not be true any more."""
    await sequence.take(transaction, _CHANGES)


def changing() -> Statement:
    """The same as a statement of a grouped write."""
    return Statement(
        "INSERT INTO sequences (name, value) VALUES ($1, 1) "
        "ON CONFLICT (name) DO UPDATE SET value = sequences.value + 1",
        (_CHANGES,),
    )


async def changes(reader: Reader) -> int:
    """A number that grows with every change of any connector."""
    row = await reader.one("SELECT value FROM sequences WHERE name = $1", _CHANGES)
    return 0 if row is None else int(row["value"])


def _scope(caller: Caller) -> tuple[PartnerId, str]:
    return caller.partner_id, caller.account_id or ""


def _pattern(search: str) -> str:
    text = literal(folded(search))
    return f"%{text}%" if text else ""


def _columns(seal: Seal, made: ThirdParty) -> dict[str, Value]:
    wanted = made.definition
    headers = [(one.name, None if is_secret(one.name) else one.value) for one in wanted.headers]
    return {
        "name": wanted.name,
        "folded_name": folded(wanted.name),
        "method": wanted.method,
        "type": wanted.type,
        "url": wanted.url,
        "headers": orjson.dumps(headers).decode(),
        "username": wanted.username,
        "data": orjson.dumps([(one.name, one.value, one.kind) for one in wanted.data]).decode(),
        "root": wanted.root,
        "fires": orjson.dumps(wanted.fires).decode(),
        "sealed": seal.close(_secrets(made), _where(made.id)),
        "version": made.version,
        "updated_at": made.updated_at,
    }


def _secrets(made: ThirdParty) -> str:
    kept = {
        "headers": {one.name: one.value for one in made.definition.headers if is_secret(one.name)},
        "password": made.definition.password,
        "signing": [(one.value, one.expires_at) for one in made.signing_secrets],
    }
    return orjson.dumps(kept).decode()


def _where(connector_id: int) -> str:
    return f"third_parties:{connector_id}"


def _connector(row: Row, seal: Seal) -> ThirdParty:
    kept = orjson.loads(seal.open(bytes(row["sealed"]), _where(row["id"])))
    state: DestinationState = row["state"]
    return ThirdParty(
        id=row["id"],
        partner_id=PartnerId(row["partner_id"]),
        account_id=AccountId(row["account_id"]),
        definition=_definition(row, kept),
        state=state,
        reason=row["reason"],
        signing_secrets=tuple(SigningSecret(value, expires_at) for value, expires_at in kept["signing"]),
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _definition(row: Row, kept: Mapping[str, Any]) -> Definition:
    headers: Sequence[tuple[str, str | None]] = orjson.loads(row["headers"])
    conditions = orjson.loads(row["fires"])
    return Definition(
        name=row["name"],
        method=row["method"],
        type=row["type"],
        url=row["url"],
        headers=tuple(Header(name, kept["headers"][name] if value is None else value) for name, value in headers),
        username=row["username"],
        password=kept["password"],
        data=tuple(DataRow(*one) for one in orjson.loads(row["data"])),
        root=row["root"],
        fires=Fires(**{name: tuple(values) for name, values in conditions.items()}),
    )
