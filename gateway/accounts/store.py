"""Partners, accounts, users, credential sets and access tokens as rows; secrets are kept as hashes only."""

from collections.abc import Sequence
from typing import cast

from gateway.accounts.model import AccountId, Caller, PartnerId, Role, User
from gateway.ids import digest
from gateway.storage.database import Database, Reader, Row, Transaction

TOKEN_LIFETIME_S = 3600


async def caller_by_secrets(database: Database, user_secret: str, organization_secret: str) -> Caller | None:
    """The user of this secret, where the organization's secret is its partner's."""
    row = await database.one(
        "SELECT users.* FROM users JOIN partners ON partners.id = users.partner_id "
        "WHERE users.secret_hash = $1 AND partners.organization_hash = $2",
        digest(user_secret),
        digest(organization_secret),
    )
    return None if row is None else _caller(row, AccountId(row["account_id"]))


async def caller_by_user(database: Database, user_secret: str) -> Caller | None:
    """The user of this secret; for requests where an Element token stands in for the organization."""
    row = await database.one("SELECT * FROM users WHERE secret_hash = $1", digest(user_secret))
    return None if row is None else _caller(row, AccountId(row["account_id"]))


async def caller_by_token(database: Database, token: str, now: int) -> Caller | None:
    """Whom an access token that has not expired speaks for; acts happen in the name of the partner's first user."""
    row = await database.one(
        "SELECT users.*, access_tokens.account_id AS scope FROM access_tokens "
        "JOIN users ON users.partner_id = access_tokens.partner_id "
        "WHERE access_tokens.hash = $1 AND access_tokens.expires_at > $2 ORDER BY users.id LIMIT 1",
        digest(token),
        now,
    )
    if row is None:
        return None
    return _caller(row, None if row["scope"] is None else AccountId(row["scope"]))


async def users(reader: Reader, partner_id: PartnerId, user_ids: Sequence[int]) -> dict[int, User]:
    """The partner's users with these ids."""
    places = ", ".join(f"${place}" for place in range(2, len(user_ids) + 2))
    sql = f"SELECT * FROM users WHERE partner_id = $1 AND id IN ({places})"  # noqa: S608
    rows = await reader.all(sql, partner_id, *user_ids) if user_ids else []
    return {row["id"]: _user(row) for row in rows}


async def partner_of_client(database: Database, client_id: str, client_secret: str) -> PartnerId | None:
    """The partner whose credential set this is."""
    row = await database.one(
        "SELECT partner_id FROM credential_sets WHERE client_id = $1 AND secret_hash = $2",
        client_id,
        digest(client_secret),
    )
    return None if row is None else PartnerId(row["partner_id"])


async def keep_token(database: Database, partner_id: PartnerId, client_id: str, token: str, now: int) -> None:
    """Keep the hash of a fresh access token, and drop those that have expired."""
    async with database.transaction() as transaction:
        await transaction.execute("DELETE FROM access_tokens WHERE expires_at < $1", now)
        await transaction.execute(
            "INSERT INTO access_tokens (hash, partner_id, account_id, client_id, created_at, expires_at) "
            "VALUES ($1, $2, NULL, $3, $4, $5)",
            digest(token),
            partner_id,
            client_id,
            now,
            now + TOKEN_LIFETIME_S * 1000,
        )


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
    """Add an account of a partner."""
    await transaction.execute(
        "INSERT INTO accounts (id, partner_id, name, created_at) VALUES ($1, $2, $3, $4)",
        account_id,
        partner_id,
        name,
        now,
    )


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


async def add_credential_set(
    transaction: Transaction, partner_id: PartnerId, client_id: str, client_secret: str, now: int
) -> None:
    """Add a client id and secret of a partner."""
    await transaction.execute(
        "INSERT INTO credential_sets (client_id, partner_id, secret_hash, created_at) VALUES ($1, $2, $3, $4)",
        client_id,
        partner_id,
        digest(client_secret),
        now,
    )


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
