"""Signing people in: by a password, or for their partner by a token for a single use; and the session that follows."""

from dataclasses import dataclass

from gateway import ids
from gateway.accounts import people, store
from gateway.accounts.credentials import passwords
from gateway.accounts.directory import store as directory
from gateway.accounts.model import Account, AccountId, User
from gateway.accounts.reception import Reception
from gateway.accounts.sessions import store as sessions
from gateway.accounts.sessions.model import Session, SignIn
from gateway.accounts.sessions.store import Ended
from gateway.clock import now_ms
from gateway.errors import Conflict
from gateway.storage.database import Database, Reader

TOKEN_MS = 5 * 60_000
SESSION_MS = 12 * 3_600_000
#: Who has not been seen for so long is signed out.
IDLE_MS = 2 * 3_600_000
_SEEN_EVERY_MS = 60_000
#: Stands for a partner where nobody has a name, which is told as slowly as a wrong password.
NOBODY = "nobody"
#: A user's name may be taken at several partners; so many are tried.
MOST_PARTNERS = 5


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


async def by_password(
    database: Database, reception: Reception, username: str, password: str, address: str
) -> SignedIn | float:
    """A session for a user's name and password; else how many seconds to wait, 0 where they are wrong."""
    found: float = 0.0
    for partner_id in await store.partners_of_name(database, username, MOST_PARTNERS) or [NOBODY]:
        user = await passwords.checked(database, reception, partner_id, username, password, address)
        if not isinstance(user, float):
            return await _begun(database, user)
        found = max(found, user)
    return found


async def _begun(database: Database, user: User) -> SignedIn | float:
    now, secret = now_ms(), ids.token()
    async with database.transaction() as transaction:
        account = await directory.find(transaction, user.partner_id, user.account_id)
        if account is None:
            return 0.0
        session = Session(user=user, account_id=account.id, created_at=now, expires_at=now + SESSION_MS)
        await sessions.add_session(transaction, secret, session)
    return SignedIn(secret, session, account)


async def moved(database: Database, secret: str, session: Session, account_id: AccountId) -> None:
    """Let an administrator look at another account of the partner; NotFound where that is not the partner's."""
    account = await people.account_of(database, session.user.partner_id, account_id)
    async with database.transaction() as transaction:
        await sessions.move(transaction, secret, account.id)


async def ended(database: Database, secret: str) -> None:
    """End one session."""
    async with database.transaction() as transaction:
        await sessions.end(transaction, secret)


async def seen(database: Database, secret: str, *, by_somebody: bool = True) -> Session | None:
    """The session that a cookie's secret stands for; None where it was left alone for too long.

    It goes on where somebody asks, and not where a page that was left open does by itself.
    """
    now = now_ms()
    row = await sessions.session_row(database, secret, now)
    if row is None or row["seen_at"] + IDLE_MS < now:
        return None
    if by_somebody and row["seen_at"] + _SEEN_EVERY_MS < now:
        await database.write(sessions.seen(secret, now))
    return await session_of(database, secret)


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
