"""What an access token is given for: a client's own secret, a user's password, or an earlier token's refresh token."""

from dataclasses import dataclass

from gateway import ids
from gateway.accounts import store as people
from gateway.accounts.credentials import passwords, store
from gateway.accounts.credentials.model import LIFETIME_MS, AccessToken, CredentialSet, GrantType
from gateway.accounts.directory import store as directory
from gateway.accounts.model import AccountId, User
from gateway.accounts.reception import Reception
from gateway.clock import now_ms
from gateway.storage.database import Database, Transaction

SCOPE = "account:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who asks for a token, as far as it says."""

    client_id: str
    secret: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A fresh token; this is the only time that it is known."""

    token: str
    client_id: str
    issued_at: int
    expires_at: int
    refresh: str | None = None
    username: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Why there is no token, in the words of RFC 6749; with a wait, nobody has looked at the secret."""

    error: str
    message: str
    wait_s: float = 0.0


_WRONG_CLIENT = Refused("invalid_client", "The client ID or secret is wrong.")
_WRONG_USER = Refused("invalid_grant", "The user name or password is wrong.")
_NO_ACCOUNT = Refused("invalid_scope", "There is no such account.")


async def by_client(database: Database, reception: Reception, client: Client, scope: str) -> Issued | Refused:
    """A token for a client's secret: for the whole partner, or in the scope `account:{id}` for that account."""
    found = await _authenticated(database, reception, client)
    if isinstance(found, Refused):
        return found
    account_id: AccountId | None = None
    if scope:
        account_id = await _account(database, found, scope)
        if account_id is None:
            return _NO_ACCOUNT
    user_id = await people.first_user(database, found.partner_id)
    async with database.transaction() as transaction:
        return await _issued(transaction, found, "client_credentials", account_id, user_id)


async def by_password(
    database: Database, reception: Reception, client: Client, username: str, password: str
) -> Issued | Refused:
    """A token for a user's password; the client's secret, where there is one, is the id of an account.

    Who is no administrator gets a token for their own account only.
    """
    found = await store.credential_set(database, client.client_id)
    if found is None:
        return _WRONG_CLIENT
    user = await passwords.checked(database, reception, found.partner_id, username, password, client.address)
    if isinstance(user, float):
        return _slower(user) if user > 0 else _WRONG_USER
    account_id: AccountId | None = None
    if client.secret:
        account = await directory.find(database, found.partner_id, client.secret)
        if account is None:
            return _WRONG_USER
        account_id = account.id
    if user.role != "administrator":
        if account_id not in (None, user.account_id):
            return _WRONG_USER
        account_id = user.account_id
    async with database.transaction() as transaction:
        return await _issued(transaction, found, "password", account_id, user.id, user)


async def by_refresh(database: Database, reception: Reception, client: Client, refresh: str) -> Issued | Refused:
    """A new pair for a refresh token, which ends the old one."""
    name = f"refresh:{client.client_id}"
    wait = reception.throttle.wait_s(name, client.address)
    if wait > 0:
        return _slower(wait)
    found = await store.credential_set(database, client.client_id)
    if found is None:
        return _WRONG_CLIENT
    async with database.transaction() as transaction:
        earlier = await store.take_refreshable(transaction, client.client_id, refresh, now_ms())
        user = None if earlier is None else await people.user(transaction, found.partner_id, earlier.user_id)
        issued = None
        if earlier is not None and user is not None:
            issued = await _issued(transaction, found, "password", earlier.account_id, user.id, user)
    if earlier is not None:
        # Not before the commit: whoever calls with the old token meanwhile would be believed once more.
        reception.forget()
    if issued is not None:
        reception.throttle.passed(name, client.address)
        return issued
    reception.throttle.failed(name, client.address)
    return Refused("invalid_grant", "The refresh token is not known, or was used before.")


async def _authenticated(database: Database, reception: Reception, client: Client) -> CredentialSet | Refused:
    name = f"client:{client.client_id}"
    wait = reception.throttle.wait_s(name, client.address)
    if wait > 0:
        return _slower(wait)
    found = await store.with_secret(database, client.client_id, client.secret)
    if found is None:
        reception.throttle.failed(name, client.address)
        return _WRONG_CLIENT
    reception.throttle.passed(name, client.address)
    return found


async def _account(database: Database, found: CredentialSet, scope: str) -> AccountId | None:
    if not scope.startswith(SCOPE):
        return None
    account = await directory.find(database, found.partner_id, scope.removeprefix(SCOPE))
    return None if account is None else account.id


async def _issued(
    transaction: Transaction,
    found: CredentialSet,
    grant_type: GrantType,
    account_id: AccountId | None,
    user_id: int | None,
    user: User | None = None,
) -> Issued:
    """Keep a new token; only users' tokens can be refreshed."""
    now, token = now_ms(), ids.token()
    refresh = None if user is None else ids.token()
    made = AccessToken(
        id=ids.time_ordered(),
        partner_id=found.partner_id,
        client_id=found.client_id,
        grant_type=grant_type,
        created_at=now,
        expires_at=now + LIFETIME_MS,
        account_id=account_id,
        user_id=user_id,
    )
    await store.keep(transaction, made, token, refresh)
    return Issued(
        token=token,
        client_id=found.client_id,
        issued_at=now,
        expires_at=made.expires_at,
        refresh=refresh,
        username=None if user is None else user.username,
    )


def _slower(wait_s: float) -> Refused:
    return Refused("temporarily_unavailable", "Too many log-ins have failed; try again later.", wait_s)
