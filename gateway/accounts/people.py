"""Partners' users: made, changed and removed; a secret is told once."""

from dataclasses import dataclass, replace

from gateway import ids
from gateway.accounts import store
from gateway.accounts.credentials import store as credentials
from gateway.accounts.credentials.passwords import hashed
from gateway.accounts.directory import store as directory
from gateway.accounts.model import Account, AccountId, PartnerId, Role, User
from gateway.accounts.reception import Reception
from gateway.accounts.sessions import store as sessions
from gateway.clock import now_ms
from gateway.errors import Conflict, Invalid, NotFound, Problem
from gateway.storage import sequence
from gateway.storage.database import Database, Reader, Transaction

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Made:
    """A user, and the secret that opens their account; it is known this once."""

    user: User
    secret: str


def checked_name(given: str, field: str = "username") -> str:
    """A name as it is kept; Invalid where it is none."""
    name = given.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        message = f"expected a name of 1 to {LONGEST_NAME} printable characters"
        raise Invalid(f"{field}: {message}.", (Problem(field, message),))
    return name


async def add(
    transaction: Transaction, account: Account, username: str, role: Role, password_hash: str | None = None
) -> Made:
    """Add a user to an account; Conflict where the partner has one of this name."""
    name, secret = checked_name(username), ids.base64_token()
    if await store.user_named(transaction, account.partner_id, name) is not None:
        raise Conflict("The partner has a user of this name already.")
    earlier = await store.removed_user(transaction, account.partner_id, name)
    user = User(
        id=earlier or await sequence.take(transaction, "users"),
        partner_id=account.partner_id,
        account_id=account.id,
        username=name,
        role=role,
    )
    if earlier is None:
        await store.add_user(transaction, user, secret, password_hash, now_ms())
    else:
        await store.restore_user(transaction, user, secret, password_hash, now_ms())
    return Made(user, secret)


async def added(
    database: Database, reception: Reception, account: Account, username: str, role: Role, password: str | None
) -> Made:
    """Add a user to an account, with a password where one is given."""
    checked_name(username)
    kept = None if password is None else await hashed(reception, password)
    async with database.transaction() as transaction:
        return await add(transaction, account, username, role, kept)


async def with_password(
    database: Database, reception: Reception, account: Account, username: str, password: str
) -> User:
    """Let an account have a user of this name and password, who may be there already and then is signed out."""
    name, kept = checked_name(username), await hashed(reception, password)
    async with database.transaction() as transaction:
        user = await store.user_named(transaction, account.partner_id, name)
        if user is None:
            return (await add(transaction, account, name, "power_user", kept)).user
        if user.account_id != account.id:
            raise Conflict("A user of this name belongs to another account.")
        await store.set_password(transaction, user, kept)
        await _signed_out(transaction, user)
    reception.forget()
    return user


async def changed(
    database: Database,
    reception: Reception,
    user: User,
    *,
    role: Role | None = None,
    account_id: AccountId | None = None,
    password: str | None = None,
) -> User:
    """Give a user another role, account or password, which signs them out; Conflict where that was the last ruler."""
    kept = None if password is None else await hashed(reception, password)
    wanted = replace(user, role=role or user.role, account_id=account_id or user.account_id)
    async with database.transaction() as transaction:
        if user.role == "administrator" and wanted.role != "administrator":
            await _refuse_the_last(transaction, user)
        await store.change_user(transaction, wanted)
        if kept is not None:
            await store.set_password(transaction, wanted, kept)
        await _signed_out(transaction, user)
    reception.forget()
    return wanted


async def rotated(database: Database, reception: Reception, user: User) -> Made:
    """Put another secret in place of a user's."""
    secret = ids.base64_token()
    async with database.transaction() as transaction:
        await store.set_secret(transaction, user, secret)
    reception.forget()
    return Made(user, secret)


async def removed(database: Database, reception: Reception, user: User) -> None:
    """Remove a user, with sessions and tokens; Conflict where nobody would be left to rule the partner."""
    async with database.transaction() as transaction:
        if user.role == "administrator":
            await _refuse_the_last(transaction, user)
        await store.remove_user(transaction, user, now_ms())
        await _signed_out(transaction, user)
    reception.forget()


async def signed_out(database: Database, reception: Reception, user: User) -> None:
    """End whatever a user is signed in with: sessions, tokens, sign-in tokens."""
    async with database.transaction() as transaction:
        await _signed_out(transaction, user)
    reception.forget()


async def of_partner(reader: Reader, partner_id: PartnerId, user_id: int) -> User:
    """The partner's user with this id; NotFound where there is none."""
    found = await store.user(reader, partner_id, user_id)
    if found is None:
        raise NotFound(f"No user found with ID {user_id}")
    return found


async def account_of(reader: Reader, partner_id: PartnerId, given: str) -> Account:
    """The partner's account by either of its ids; NotFound where there is none."""
    found = await directory.find(reader, partner_id, given)
    if found is None:
        raise NotFound(f"No account found with ID {given[:200]}")
    return found


async def _signed_out(transaction: Transaction, user: User) -> None:
    await sessions.end_sessions_of(transaction, user)
    await credentials.revoke_tokens_of_user(transaction, user.partner_id, user.id)


async def _refuse_the_last(transaction: Transaction, user: User) -> None:
    if not await store.has_other_administrator(transaction, user):
        raise Conflict("This is the partner's last administrator; it stays as long as there is no other.")
