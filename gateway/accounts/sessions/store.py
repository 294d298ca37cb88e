"""Sign-in tokens and sessions as rows, kept by their hashes."""

from typing import Literal

from gateway.accounts.model import AccountId, User
from gateway.accounts.sessions.model import Session, SignIn
from gateway.ids import digest
from gateway.storage.database import Effect, Reader, Row, Statement, Transaction, Write

#: For so long a token that has ended is told apart from one that never was.
REMEMBERED_MS = 86_400_000

Ended = Literal["unknown", "used", "expired"]


async def add_token(transaction: Transaction, token: str, made: SignIn) -> None:
    """Keep a fresh token, and drop those that ended long ago."""
    await transaction.execute("DELETE FROM sign_in_tokens WHERE expires_at < $1", made.created_at - REMEMBERED_MS)
    await transaction.execute(
        "INSERT INTO sign_in_tokens (hash, partner_id, account_id, username, created_at, expires_at, used_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, NULL)",
        digest(token),
        made.partner_id,
        made.account_id,
        made.username,
        made.created_at,
        made.expires_at,
    )


async def use_token(transaction: Transaction, token: str, now: int) -> SignIn | Ended:
    """Use a token up; or how it has ended."""
    hashed = digest(token)
    row = await transaction.one(
        "UPDATE sign_in_tokens SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING *",
        hashed,
        now,
    )
    if row is not None:
        return _sign_in(row)
    row = await transaction.one("SELECT used_at FROM sign_in_tokens WHERE hash = $1", hashed)
    if row is None:
        return "unknown"
    return "expired" if row["used_at"] is None else "used"


async def add_session(transaction: Transaction, token: str, made: Session) -> None:
    """Keep a fresh session, and drop those that are over."""
    await transaction.execute("DELETE FROM sessions WHERE expires_at < $1", made.created_at)
    await transaction.execute(
        "INSERT INTO sessions (hash, partner_id, account_id, user_id, created_at, seen_at, expires_at) "
        "VALUES ($1, $2, $3, $4, $5, $5, $6)",
        digest(token),
        made.user.partner_id,
        made.account_id,
        made.user.id,
        made.created_at,
        made.expires_at,
    )


async def session_row(reader: Reader, token: str, now: int) -> Row | None:
    """The ids of a session that is not over."""
    return await reader.one("SELECT * FROM sessions WHERE hash = $1 AND expires_at > $2", digest(token), now)


def seen(token: str, now: int) -> Write[None]:
    """Keep that somebody was there."""
    sql = "UPDATE sessions SET seen_at = $2 WHERE hash = $1 AND seen_at < $2"
    return Write([Statement(sql, (digest(token), now))], lambda _: Effect(None))


async def move(transaction: Transaction, token: str, account_id: str) -> None:
    """Let a session be about another account."""
    await transaction.execute("UPDATE sessions SET account_id = $2 WHERE hash = $1", digest(token), account_id)


async def end(transaction: Transaction, token: str) -> None:
    """End a session."""
    await transaction.execute("DELETE FROM sessions WHERE hash = $1", digest(token))


async def end_sessions_of(transaction: Transaction, user: User) -> None:
    """End all sessions of a user, and take back the sign-in tokens that were not used yet."""
    await transaction.execute("DELETE FROM sessions WHERE partner_id = $1 AND user_id = $2", user.partner_id, user.id)
    await transaction.execute(
        "DELETE FROM sign_in_tokens WHERE partner_id = $1 AND username = $2 AND used_at IS NULL",
        user.partner_id,
        user.username,
    )


async def end_all(transaction: Transaction, partner_id: str) -> None:
    """End all sessions of a partner's users, and take its sign-in tokens back."""
    for table in ("sessions", "sign_in_tokens"):
        await transaction.execute(f"DELETE FROM {table} WHERE partner_id = $1", partner_id)  # noqa: S608


def _sign_in(row: Row) -> SignIn:
    return SignIn(
        partner_id=row["partner_id"],
        account_id=AccountId(row["account_id"]),
        username=row["username"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
    )
