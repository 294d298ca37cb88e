"""Partners, users and callers as rows; secrets are kept as hashes only."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from gateway.accounts.directory import store as directory
from gateway.accounts.model import Account, AccountId, Caller, Partner, PartnerId, Retention, Role, User
from gateway.ids import digest
from gateway.storage.database import Database, Reader, Row, Transaction
from gateway.storage.patterns import literal

#: Whose account was removed is nobody any more.
_ALIVE = (
    "users.deleted_at IS NULL AND EXISTS "
    "(SELECT 1 FROM accounts WHERE accounts.id = users.account_id AND accounts.deleted_at IS NULL)"
)


async def caller_by_secrets(database: Database, user_secret: str, organization_secret: str) -> Caller | None:
    """The user of this secret, where the organization's secret is its partner's."""
    row = await database.one(
        "SELECT users.* FROM users JOIN partners ON partners.id = users.partner_id "  # noqa: S608
        f"WHERE users.secret_hash = $1 AND partners.organization_hash = $2 AND {_ALIVE}",
        digest(user_secret),
        digest(organization_secret),
    )
    return None if row is None else _caller(row, AccountId(row["account_id"]))


async def caller_by_user(database: Database, user_secret: str) -> Caller | None:
    """The user of this secret; for requests where an Element token stands in for the organization."""
    sql = f"SELECT * FROM users WHERE secret_hash = $1 AND {_ALIVE}"  # noqa: S608
    row = await database.one(sql, digest(user_secret))
    return None if row is None else _caller(row, AccountId(row["account_id"]))


async def caller_by_token(database: Database, token: str, now: int) -> Caller | None:
    """Whom an access token speaks for that has neither expired nor been revoked, and in whose name it acts.

    A token of one account is that account's alone, whoever it acts for.
    """
    row = await database.one(
        "SELECT users.*, tokens.partner_id AS partner, tokens.account_id AS scope, tokens.grant_type "  # noqa: S608
        "FROM access_tokens AS tokens "
        "JOIN credential_sets AS sets ON sets.client_id = tokens.client_id AND sets.revoked_at IS NULL "
        f"LEFT JOIN users ON users.id = tokens.user_id AND users.partner_id = tokens.partner_id AND {_ALIVE} "
        "WHERE tokens.hash = $1 AND tokens.expires_at > $2 AND (tokens.account_id IS NULL OR EXISTS "
        "(SELECT 1 FROM accounts WHERE accounts.id = tokens.account_id AND accounts.deleted_at IS NULL))",
        digest(token),
        now,
    )
    if row is None:
        return None
    actor = None if row["id"] is None else _user(row)
    # A program goes on when the one leaves in whose name it acted; what a person got ends with them.
    if actor is None and row["grant_type"] == "client_credentials":
        actor = await user(database, row["partner"], await first_user(database, row["partner"]))
    return None if actor is None else _scoped(actor, row["scope"])


def _scoped(actor: User, scope: str | None) -> Caller:
    if scope is None:
        return Caller(partner_id=actor.partner_id, account_id=None, user=actor)
    account_id = AccountId(scope)
    role: Role = "power_user" if actor.role == "administrator" else actor.role
    return Caller(
        partner_id=actor.partner_id, account_id=account_id, user=replace(actor, account_id=account_id, role=role)
    )


async def user(reader: Reader, partner_id: str, user_id: int | None) -> User | None:
    """The partner's user with this id."""
    if user_id is None:
        return None
    sql = f"SELECT * FROM users WHERE id = $1 AND partner_id = $2 AND {_ALIVE}"  # noqa: S608
    row = await reader.one(sql, user_id, partner_id)
    return None if row is None else _user(row)


async def user_named(reader: Reader, partner_id: str, username: str) -> User | None:
    """The partner's user of this name."""
    sql = f"SELECT * FROM users WHERE partner_id = $1 AND username = $2 AND {_ALIVE}"  # noqa: S608
    row = await reader.one(sql, partner_id, username)
    return None if row is None else _user(row)


async def user_with_hash(reader: Reader, partner_id: str, username: str) -> tuple[User | None, str | None]:
    """The partner's user of this name, and the hash of their password."""
    sql = f"SELECT * FROM users WHERE partner_id = $1 AND username = $2 AND {_ALIVE}"  # noqa: S608
    row = await reader.one(sql, partner_id, username)
    return (None, None) if row is None else (_user(row), row["password_hash"])


async def partners_of_name(reader: Reader, username: str, most: int) -> list[str]:
    """The partners that have a user of this name with a password, the oldest first."""
    rows = await reader.all(
        "SELECT users.partner_id FROM users JOIN partners ON partners.id = users.partner_id "  # noqa: S608
        f"WHERE users.username = $1 AND users.password_hash IS NOT NULL AND {_ALIVE} "
        "ORDER BY partners.created_at, partners.id LIMIT $2",
        username,
        most,
    )
    return [row["partner_id"] for row in rows]


async def users_page(
    reader: Reader, partner_id: str, account_id: str | None, *, after: int = 0, size: int = 1000, search: str = ""
) -> list[User]:
    """The partner's users, or those of one account, whose names hold a text, by id, behind `after`."""
    sql = (
        "SELECT * FROM users WHERE partner_id = $1 AND ($2 = '' OR account_id = $2) "  # noqa: S608
        f"AND id > $3 AND {_ALIVE} AND ($5 = '' OR lower(username) LIKE lower($5) ESCAPE '!') ORDER BY id LIMIT $4"
    )
    like = f"%{literal(search)}%" if search else ""
    return [_user(row) for row in await reader.all(sql, partner_id, account_id or "", after, size, like)]


async def has_other_administrator(reader: Reader, user: User) -> bool:
    """Whether the partner has an administrator beside this one."""
    sql = f"SELECT id FROM users WHERE partner_id = $1 AND id <> $2 AND role = 'administrator' AND {_ALIVE} LIMIT 1"  # noqa: S608
    return await reader.one(sql, user.partner_id, user.id) is not None


async def first_user(reader: Reader, partner_id: str) -> int | None:
    """The id of the administrator in whose name a partner's programs act; of any user where there is none."""
    row = await reader.one(
        "SELECT id FROM users WHERE partner_id = $1 AND deleted_at IS NULL "
        "ORDER BY CASE WHEN role = 'administrator' THEN 0 ELSE 1 END, id LIMIT 1",
        partner_id,
    )
    return None if row is None else int(row["id"])


async def users(reader: Reader, partner_id: PartnerId, user_ids: Sequence[int]) -> dict[int, User]:
    """The partner's users with these ids."""
    places = ", ".join(f"${place}" for place in range(2, len(user_ids) + 2))
    sql = f"SELECT * FROM users WHERE partner_id = $1 AND id IN ({places})"  # noqa: S608
    rows = await reader.all(sql, partner_id, *user_ids) if user_ids else []
    return {row["id"]: _user(row) for row in rows}


async def has_partner(database: Database) -> bool:
    """Whether the first start is over."""
    return await database.one("SELECT id FROM partners LIMIT 1") is not None


async def add_partner(transaction: Transaction, partner_id: PartnerId, name: str, secret: str, now: int) -> None:
    """Add a partner with its organization secret."""
    await transaction.execute(
        "INSERT INTO partners (id, name, organization_hash, created_at) VALUES ($1, $2, $3, $4)",
        partner_id,
        name,
        digest(secret),
        now,
    )


async def add_account(
    transaction: Transaction, account_id: AccountId, partner_id: PartnerId, name: str, now: int
) -> None:
    """Add a plain account of a partner."""
    made = Account(id=account_id, partner_id=partner_id, name=name, last_bill_at=now, created_at=now, updated_at=now)
    await directory.add(transaction, made)


async def add_user(transaction: Transaction, user: User, secret: str, password_hash: str | None, now: int) -> None:
    """Add a user with its User secret."""
    await transaction.execute(
        "INSERT INTO users (id, partner_id, account_id, username, role, password_hash, secret_hash, created_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        user.id,
        user.partner_id,
        user.account_id,
        user.username,
        user.role,
        password_hash,
        digest(secret),
        now,
    )


async def removed_user(reader: Reader, partner_id: str, username: str) -> int | None:
    """The id of a user who was removed, or whose account was: a name belongs to one person for ever."""
    row = await reader.one("SELECT id FROM users WHERE partner_id = $1 AND username = $2", partner_id, username)
    return None if row is None else int(row["id"])


async def restore_user(transaction: Transaction, user: User, secret: str, password_hash: str | None, now: int) -> None:
    """Let a removed user be there again, as if they were new."""
    await transaction.execute(
        "UPDATE users SET account_id = $2, role = $3, password_hash = $4, secret_hash = $5, created_at = $6, "
        "deleted_at = NULL WHERE id = $1",
        user.id,
        user.account_id,
        user.role,
        password_hash,
        digest(secret),
        now,
    )


async def change_user(transaction: Transaction, user: User) -> None:
    """Let a user have this role and account."""
    await transaction.execute(
        "UPDATE users SET role = $3, account_id = $4 WHERE id = $1 AND partner_id = $2",
        user.id,
        user.partner_id,
        user.role,
        user.account_id,
    )


async def set_password(transaction: Transaction, user: User, password_hash: str) -> None:
    """Put another password in place of a user's."""
    await transaction.execute("UPDATE users SET password_hash = $2 WHERE id = $1", user.id, password_hash)


async def set_secret(transaction: Transaction, user: User, secret: str) -> None:
    """Put another secret in place of a user's."""
    await transaction.execute("UPDATE users SET secret_hash = $2 WHERE id = $1", user.id, digest(secret))


async def remove_user(transaction: Transaction, user: User, now: int) -> None:
    """Remove a user; the name stays readable where they made something."""
    await transaction.execute("UPDATE users SET deleted_at = $2, password_hash = NULL WHERE id = $1", user.id, now)


async def lock_users(transaction: Transaction, partner_id: str) -> None:
    """Take the secrets and passwords of all a partner's users away."""
    await transaction.execute(
        "UPDATE users SET secret_hash = 'locked:' || id, password_hash = NULL WHERE partner_id = $1", partner_id
    )


async def partner(reader: Reader, partner_id: str) -> Partner | None:
    """The partner with this id."""
    row = await reader.one("SELECT id, name, created_at FROM partners WHERE id = $1", partner_id)
    return None if row is None else Partner(**row)


async def partners(reader: Reader, *, after: str, size: int) -> list[Partner]:
    """Partners by id, behind `after`."""
    sql = "SELECT id, name, created_at FROM partners WHERE id > $1 ORDER BY id LIMIT $2"
    return [Partner(**row) for row in await reader.all(sql, after, size)]


async def first_partner(reader: Reader) -> PartnerId | None:
    """The partner that was made at the first start: it runs the gateway."""
    row = await reader.one("SELECT id FROM partners ORDER BY created_at, id LIMIT 1")
    return None if row is None else PartnerId(row["id"])


async def set_organization(transaction: Transaction, partner_id: str, secret: str) -> None:
    """Put another organization secret in place of a partner's."""
    await transaction.execute("UPDATE partners SET organization_hash = $2 WHERE id = $1", partner_id, digest(secret))


async def has_account(reader: Reader, caller: Caller, account_id: str) -> bool:
    """Whether the caller may see this account."""
    row = await reader.one(
        "SELECT id FROM accounts WHERE id = $1 AND partner_id = $2 AND ($3 = '' OR id = $3) AND deleted_at IS NULL",
        account_id,
        caller.partner_id,
        caller.account_id or "",
    )
    return row is not None


async def retention(reader: Reader, account_id: str) -> Retention | None:
    """What an account says of its own; None where the configuration counts."""
    row = await reader.one("SELECT * FROM account_retention WHERE account_id = $1", account_id)
    return None if row is None else _retention(row)


async def every_retention(reader: Reader) -> dict[AccountId, Retention]:
    """The accounts that have a say of their own."""
    rows = await reader.all("SELECT * FROM account_retention ORDER BY account_id")
    return {AccountId(row["account_id"]): _retention(row) for row in rows}


async def put_retention(database: Database, account_id: str, wanted: Retention, now: int) -> None:
    """Let an account have a say of its own, in place of an earlier one."""
    async with database.transaction() as transaction:
        await transaction.execute(
            "INSERT INTO account_retention (account_id, events_ms, payloads_ms, updated_at) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT (account_id) DO UPDATE SET events_ms = excluded.events_ms, "
            "payloads_ms = excluded.payloads_ms, updated_at = excluded.updated_at",
            account_id,
            wanted.events_ms,
            wanted.payloads_ms,
            now,
        )


async def drop_retention(database: Database, account_id: str) -> None:
    """Let the configuration count again."""
    async with database.transaction() as transaction:
        await transaction.execute("DELETE FROM account_retention WHERE account_id = $1", account_id)


def _retention(row: Row) -> Retention:
    return Retention(events_ms=row["events_ms"], payloads_ms=row["payloads_ms"])


def _caller(row: Row, account_id: AccountId | None) -> Caller:
    user = _user(row)
    return Caller(partner_id=user.partner_id, account_id=account_id, user=user)


def _user(row: Row) -> User:
    return User(
        id=row["id"],
        partner_id=PartnerId(row["partner_id"]),
        account_id=AccountId(row["account_id"]),
        username=row["username"],
        role=cast(Role, row["role"]),
    )
