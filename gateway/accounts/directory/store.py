"""Accounts as rows; every statement but those for duties names the partner."""

import re
from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import msgspec

from gateway.accounts.model import Account, AccountId, ErrorWebhook, PartnerId
from gateway.errors import Conflict
from gateway.storage import sequence
from gateway.storage.database import Reader, Row, Transaction, Value
from gateway.storage.patterns import literal

Order = Literal["id", "name", "created"]

LONGEST_ID = 200
_GUID = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_COLUMNS = (
    *("name", "external_id", "parent_id", "description", "timezone", "price_plan", "audit_info", "task_audit_info"),
    *("last_bill_at", "next_bill_at", "billing_day", "success_hours", "errored_hours", "error_webhook", "updated_at"),
)
_ORDERS: dict[Order, str] = {"id": "id", "created": "created_at, id", "name": "lower(name), name, id"}


def guid(given: str) -> AccountId | None:
    """The id that a GUID in either spelling stands for; None where it is none."""
    return AccountId(UUID(given).hex) if _GUID.fullmatch(given) else None


async def find(reader: Reader, partner_id: str, given: str) -> Account | None:
    """The partner's account by its GUID, in either spelling, or by the partner's own id for it."""
    if not given or len(given) > LONGEST_ID or not given.isprintable():
        return None
    row = await reader.one(
        "SELECT * FROM accounts WHERE partner_id = $1 AND deleted_at IS NULL AND (id = $2 OR external_id = $3) "
        "ORDER BY CASE WHEN id = $2 THEN 0 ELSE 1 END LIMIT 1",
        partner_id,
        guid(given) or "",
        given,
    )
    return None if row is None else _account(row)


async def get(reader: Reader, account_id: str) -> Account | None:
    """The account with this id, whosever it is; for those who know that it is theirs."""
    row = await reader.one("SELECT * FROM accounts WHERE id = $1 AND deleted_at IS NULL", account_id)
    return None if row is None else _account(row)


async def with_ids(reader: Reader, partner_id: str, ids: Sequence[str]) -> list[Account]:
    """The partner's accounts with these ids, in their order; what was removed is left out."""
    if not ids:
        return []
    places = ", ".join(f"${place}" for place in range(2, len(ids) + 2))
    sql = f"SELECT * FROM accounts WHERE partner_id = $1 AND deleted_at IS NULL AND id IN ({places})"  # noqa: S608
    found = {row["id"]: _account(row) for row in await reader.all(sql, partner_id, *ids)}
    return [found[one] for one in ids if one in found]


async def search(reader: Reader, partner_id: str, wanted: str, most: int) -> list[Account]:
    """The first of the partner's accounts whose name holds a text, or whose id it is, in the order of their names."""
    like = literal(wanted)
    rows = await reader.all(
        "SELECT * FROM accounts WHERE partner_id = $1 AND deleted_at IS NULL AND (lower(name) LIKE lower($2) "  # noqa: S608
        f"ESCAPE '!' OR id = $3 OR external_id = $4) ORDER BY {_ORDERS['name']} LIMIT $5",
        partner_id,
        f"%{like}%",
        guid(wanted) or "",
        wanted,
        most,
    )
    return [_account(row) for row in rows]


async def children(reader: Reader, account: Account) -> list[Account]:
    """The accounts below one, in the order of their creation."""
    rows = await reader.all(
        "SELECT * FROM accounts WHERE parent_id = $1 AND partner_id = $2 AND deleted_at IS NULL ORDER BY id",
        account.id,
        account.partner_id,
    )
    return [_account(row) for row in rows]


async def ids(reader: Reader, partner_id: str, order: Order) -> list[AccountId]:
    """The ids of all the partner's accounts, in an order."""
    sql = f"SELECT id FROM accounts WHERE partner_id = $1 AND deleted_at IS NULL ORDER BY {_ORDERS[order]}"  # noqa: S608
    return [AccountId(row["id"]) for row in await reader.all(sql, partner_id)]


async def version(reader: Reader, partner_id: str) -> int:
    """A number that is another one after every change of which accounts the partner has, or what they are called."""
    row = await reader.one("SELECT value FROM sequences WHERE name = $1", _version_of(partner_id))
    return 0 if row is None else int(row["value"])


async def due_for_billing_any_account(reader: Reader, now: int, most: int) -> list[Account]:
    """The accounts whose period is over, those that are over longest first."""
    rows = await reader.all(
        "SELECT * FROM accounts WHERE deleted_at IS NULL AND next_bill_at <= $1 ORDER BY next_bill_at LIMIT $2",
        now,
        most,
    )
    return [_account(row) for row in rows]


async def without_billing_any_account(reader: Reader, most: int) -> list[Account]:
    """The accounts of before there were periods."""
    rows = await reader.all(
        "SELECT * FROM accounts WHERE deleted_at IS NULL AND next_bill_at IS NULL ORDER BY id LIMIT $1", most
    )
    return [_account(row) for row in rows]


async def add(transaction: Transaction, account: Account) -> None:
    """Add an account; Conflict where its partner has one with that external id."""
    await _refuse_taken(transaction, account)
    columns = ("id", "partner_id", "created_at", *_COLUMNS)
    places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    await transaction.execute(
        f"INSERT INTO accounts ({', '.join(columns)}) VALUES ({places})",  # noqa: S608
        account.id,
        account.partner_id,
        account.created_at,
        *_values(account),
    )
    await sequence.take(transaction, _version_of(account.partner_id))


async def change(transaction: Transaction, account: Account) -> None:
    """Let an account be as this record says; Conflict where its external id is another one's."""
    await _refuse_taken(transaction, account)
    renamed = await transaction.one("SELECT id FROM accounts WHERE id = $1 AND name <> $2", account.id, account.name)
    assignments = ", ".join(f"{column} = ${place}" for place, column in enumerate(_COLUMNS, start=3))
    await transaction.execute(
        f"UPDATE accounts SET {assignments} WHERE id = $1 AND partner_id = $2 AND deleted_at IS NULL",  # noqa: S608
        account.id,
        account.partner_id,
        *_values(account),
    )
    if renamed is not None:
        await sequence.take(transaction, _version_of(account.partner_id))


async def remove(transaction: Transaction, account: Account, now: int) -> None:
    """Remove an account with its users, tokens and sessions; its external id may be given again.

    Its instances are provisioning's: they are removed first. Conflict where nobody would be left to rule the partner.
    """
    await _refuse_the_last(transaction, account)
    await transaction.execute(
        "UPDATE accounts SET deleted_at = $3, updated_at = $3, external_id = NULL WHERE id = $1 AND partner_id = $2",
        account.id,
        account.partner_id,
        now,
    )
    await transaction.execute("UPDATE accounts SET parent_id = NULL WHERE parent_id = $1", account.id)
    await transaction.execute(
        "UPDATE users SET deleted_at = $2 WHERE account_id = $1 AND deleted_at IS NULL", account.id, now
    )
    for table in ("access_tokens", "sign_in_tokens", "sessions"):
        await transaction.execute(f"DELETE FROM {table} WHERE account_id = $1", account.id)  # noqa: S608
    await sequence.take(transaction, _version_of(account.partner_id))


async def _refuse_taken(transaction: Transaction, account: Account) -> None:
    if account.external_id is None:
        return
    # A GUID of another account as an external id would make one of the two unreachable.
    row = await transaction.one(
        "SELECT id FROM accounts WHERE partner_id = $1 AND (external_id = $2 OR id = $3) AND id <> $4 LIMIT 1",
        account.partner_id,
        account.external_id,
        guid(account.external_id) or "",
        account.id,
    )
    if row is not None:
        raise Conflict("ID already in use")


async def _refuse_the_last(transaction: Transaction, account: Account) -> None:
    row = await transaction.one(
        "SELECT SUM(CASE WHEN account_id = $2 THEN 1 ELSE 0 END) AS here, COUNT(*) AS everywhere FROM users "
        "WHERE partner_id = $1 AND role = 'administrator' AND deleted_at IS NULL",
        account.partner_id,
        account.id,
    )
    if row is not None and row["here"] and row["here"] == row["everywhere"]:
        raise Conflict("This is the account of the partner's administrators; it stays as long as there are no others.")


def _version_of(partner_id: str) -> str:
    return f"accounts:{partner_id}"


def _values(account: Account) -> list[Value]:
    webhook = msgspec.json.encode(account.error_webhook).decode()
    return [webhook if column == "error_webhook" else getattr(account, column) for column in _COLUMNS]


def _account(row: Row) -> Account:
    webhook, parent = row["error_webhook"], row["parent_id"]
    plain = {column: row[column] for column in _COLUMNS if column not in ("error_webhook", "parent_id")}
    return Account(
        id=AccountId(row["id"]),
        partner_id=PartnerId(row["partner_id"]),
        created_at=row["created_at"],
        parent_id=None if parent is None else AccountId(parent),
        error_webhook=ErrorWebhook() if webhook is None else msgspec.json.decode(webhook, type=ErrorWebhook),
        **plain,
    )
