"""Signing people in for their partner: a token for five minutes and a single use, and the session that it becomes."""

from dataclasses import dataclass

from gateway import ids
from gateway.accounts import people, store
from gateway.accounts.directory import store as directory
from gateway.accounts.model import Account
from gateway.accounts.sessions import store as sessions
from gateway.accounts.sessions.model import Session, SignIn
from gateway.accounts.sessions.store import Ended
from gateway.clock import now_ms
from gateway.errors import Conflict
from gateway.storage.database import Database, Reader

TOKEN_MS = 5 * 60_000
SESSION_MS = 12 * 3_600_000


@dataclass(frozen=True, slots=True)
class Made:
    """A token, known this once, and when it ends."""

    token: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session, and the secret of its cookie."""

    secret: str
    session: Session
    account: Account


async def make(database: Database, account: Account, username: str) -> Made:
    """A token by which this user is signed in to the account; an unknown user becomes a power user of it.

    Invalid where that is no user name; Conflict where the user belongs to another account and is no administrator.
    """
    username = people.checked_name(username)
    now, token = now_ms(), ids.token()
    async with database.transaction() as transaction:
        user = await store.user_named(transaction, account.partner_id, username)
        if user is None:
            await people.add(transaction, account, username, "power_user")
        elif user.account_id != account.id and user.role != "administrator":
            raise Conflict("A user of this name belongs to another account.")
        made = SignIn(
            partner_id=account.partner_id,
            account_id=account.id,
            username=username,
            created_at=now,
            expires_at=now + TOKEN_MS,
        )
        await sessions.add_token(transaction, token, made)
    return Made(token, made.expires_at)


async def redeem(database: Database, token: str) -> SignedIn | Ended:
    """Use a token up for a session; or how the token has ended."""
    now, secret = now_ms(), ids.token()
    async with database.transaction() as transaction:
        found = await sessions.use_token(transaction, token, now)
        if not isinstance(found, SignIn):
            return found
        user = await store.user_named(transaction, found.partner_id, found.username)
        account = await directory.find(transaction, found.partner_id, found.account_id)
        if user is None or account is None:
            return "unknown"
        session = Session(user=user, account_id=account.id, created_at=now, expires_at=now + SESSION_MS)
        await sessions.add_session(transaction, secret, session)
    return SignedIn(secret, session, account)


async def session_of(reader: Reader, secret: str) -> Session | None:
    """The session that a cookie's secret stands for, while its user and its account are there."""
    row = await sessions.session_row(reader, secret, now_ms())
    if row is None:
        return None
    user = await store.user(reader, row["partner_id"], row["user_id"])
    account = await directory.find(reader, row["partner_id"], row["account_id"])
    if user is None or account is None:
        return None
    return Session(user=user, account_id=account.id, created_at=row["created_at"], expires_at=row["expires_at"])
