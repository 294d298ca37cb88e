"""Credential sets and access tokens as rows; secrets are kept as hashes only."""

from collections.abc import Sequence
from typing import cast

from gateway.accounts.credentials.model import REFRESHABLE_MS, AccessToken, CredentialSet, GrantType
from gateway.accounts.model import AccountId, PartnerId
from gateway.ids import digest
from gateway.storage.database import Reader, Row, Transaction

_FIELDS = ("id", "partner_id", "account_id", "client_id", "user_id", "grant_type", "created_at", "expires_at")
_STORED = "hash, refresh_hash, " + ", ".join(_FIELDS)


async def credential_sets(reader: Reader, partner_id: str) -> list[CredentialSet]:
    """The partner's credential sets that are not revoked, the oldest first."""
    rows = await reader.all(
        "SELECT * FROM credential_sets WHERE partner_id = $1 AND revoked_at IS NULL ORDER BY created_at, client_id",
        partner_id,
    )
    return [_credential_set(row) for row in rows]


async def credential_set(reader: Reader, client_id: str) -> CredentialSet | None:
    """The set with this client id, whosever it is, unless it is revoked."""
    row = await reader.one("SELECT * FROM credential_sets WHERE client_id = $1 AND revoked_at IS NULL", client_id)
    return None if row is None else _credential_set(row)


async def with_secret(reader: Reader, client_id: str, client_secret: str) -> CredentialSet | None:
    """The set whose id and secret these are, unless it is revoked."""
    row = await reader.one(
        "SELECT * FROM credential_sets WHERE client_id = $1 AND secret_hash = $2 AND revoked_at IS NULL",
        client_id,
        digest(client_secret),
    )
    return None if row is None else _credential_set(row)


async def add(transaction: Transaction, made: CredentialSet, secret: str) -> None:
    """Add a credential set."""
    await transaction.execute(
        "INSERT INTO credential_sets (client_id, partner_id, secret_hash, created_at, name) "
        "VALUES ($1, $2, $3, $4, $5)",
        made.client_id,
        made.partner_id,
        digest(secret),
        made.created_at,
        made.name,
    )


async def rotate(transaction: Transaction, partner_id: str, client_id: str, secret: str) -> bool:
    """Put another secret in place of the set's; tokens stay. False where the partner has no such set."""
    changed = await transaction.execute(
        "UPDATE credential_sets SET secret_hash = $3 WHERE client_id = $1 AND partner_id = $2 AND revoked_at IS NULL",
        client_id,
        partner_id,
        digest(secret),
    )
    return changed > 0


async def revoke(transaction: Transaction, partner_id: str, client_id: str, now: int) -> bool:
    """Revoke a set and all its tokens; False where the partner has no such set."""
    changed = await transaction.execute(
        "UPDATE credential_sets SET revoked_at = $3 WHERE client_id = $1 AND partner_id = $2 AND revoked_at IS NULL",
        client_id,
        partner_id,
        now,
    )
    await transaction.execute(
        "DELETE FROM access_tokens WHERE client_id = $1 AND partner_id = $2", client_id, partner_id
    )
    return changed > 0


async def keep(transaction: Transaction, made: AccessToken, token: str, refresh: str | None) -> None:
    """Keep the hashes of a fresh token and of its refresh token, and drop those whose time is over."""
    await transaction.execute(
        "DELETE FROM access_tokens WHERE expires_at < $1 AND (refresh_hash IS NULL OR expires_at < $2)",
        made.created_at,
        made.created_at - REFRESHABLE_MS,
    )
    places = ", ".join(f"${place}" for place in range(1, len(_FIELDS) + 3))
    await transaction.execute(
        f"INSERT INTO access_tokens ({_STORED}) VALUES ({places})",  # noqa: S608
        digest(token),
        None if refresh is None else digest(refresh),
        *(getattr(made, name) for name in _FIELDS),
    )


async def take_refreshable(transaction: Transaction, client_id: str, refresh: str, now: int) -> AccessToken | None:
    """Take away the token that goes with this refresh token, so that the pair counts once."""
    hashed = digest(refresh)
    row = await transaction.one(
        "DELETE FROM access_tokens WHERE refresh_hash = $1 AND client_id = $2 AND expires_at > $3 RETURNING *",
        hashed,
        client_id,
        now - REFRESHABLE_MS,
    )
    return None if row is None else _token(row)


async def tokens(reader: Reader, partner_id: str, *, now: int, after: str, size: int) -> Sequence[AccessToken]:
    """The partner's tokens that can be used or refreshed, by id, which sorts by age; those behind `after`."""
    rows = await reader.all(
        "SELECT * FROM access_tokens WHERE partner_id = $1 AND id > $2 "
        "AND (expires_at > $3 OR (refresh_hash IS NOT NULL AND expires_at > $4)) ORDER BY id LIMIT $5",
        partner_id,
        after,
        now,
        now - REFRESHABLE_MS,
        size,
    )
    return [_token(row) for row in rows]


async def revoke_token(transaction: Transaction, partner_id: str, token_id: str) -> bool:
    """Revoke one token with its refresh token; False where the partner has no such token."""
    return (
        await transaction.execute("DELETE FROM access_tokens WHERE id = $1 AND partner_id = $2", token_id, partner_id)
        > 0
    )


async def revoke_tokens_of_user(transaction: Transaction, partner_id: str, user_id: int) -> None:
    """Revoke what a user got with a password; tokens of a client only act in somebody's name."""
    await transaction.execute(
        "DELETE FROM access_tokens WHERE partner_id = $1 AND user_id = $2 AND grant_type = 'password'",
        partner_id,
        user_id,
    )


def _credential_set(row: Row) -> CredentialSet:
    return CredentialSet(
        client_id=row["client_id"],
        partner_id=PartnerId(row["partner_id"]),
        name=row["name"],
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
    )


def _token(row: Row) -> AccessToken:
    scope = row["account_id"]
    return AccessToken(
        id=row["id"],
        partner_id=PartnerId(row["partner_id"]),
        client_id=row["client_id"],
        grant_type=cast(GrantType, row["grant_type"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        account_id=None if scope is None else AccountId(scope),
        user_id=row["user_id"],
    )
