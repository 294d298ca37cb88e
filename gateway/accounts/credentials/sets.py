"""Credential sets of a partner: made, given another secret, revoked; a secret is told once."""

from dataclasses import dataclass

from gateway import ids
from gateway.accounts.credentials import store
from gateway.accounts.credentials.model import CredentialSet
from gateway.accounts.model import PartnerId
from gateway.accounts.reception import Reception
from gateway.clock import now_ms
from gateway.errors import Conflict, Invalid, NotFound, Problem
from gateway.storage.database import Database, Transaction

MOST = 20
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Made:
    """A credential set, and its secret, which is known this once."""

    credential: CredentialSet
    secret: str


async def added(database: Database, partner_id: PartnerId, name: str) -> Made:
    """A further credential set; Conflict where the partner has as many as it may."""
    async with database.transaction() as transaction:
        return await add(transaction, partner_id, name)


async def add(transaction: Transaction, partner_id: PartnerId, name: str) -> Made:
    """The same, in a transaction."""
    name = name.strip()
    if len(name) > LONGEST_NAME or not (name.isprintable()):
        message = f"expected at most {LONGEST_NAME} printable characters"
        raise Invalid(f"name: {message}.", (Problem("name", message),))
    if len(await store.credential_sets(transaction, partner_id)) >= MOST:
        raise Conflict(f"A partner may have {MOST} credential sets; revoke one that is not in use any more.")
    secret = ids.token()
    made = CredentialSet(client_id=ids.hex_token(), partner_id=partner_id, name=name, created_at=now_ms())
    await store.add(transaction, made, secret)
    return Made(made, secret)


async def rotated(database: Database, partner_id: PartnerId, client_id: str) -> Made:
    """Another secret in place of a set's; tokens that it was exchanged for stay."""
    secret = ids.token()
    async with database.transaction() as transaction:
        changed = await store.rotate(transaction, partner_id, client_id, secret)
        found = await store.credential_set(transaction, client_id)
    if not changed or found is None:
        raise _unknown(client_id)
    return Made(found, secret)


async def revoked(database: Database, reception: Reception, partner_id: PartnerId, client_id: str) -> None:
    """Revoke a set with all its tokens."""
    async with database.transaction() as transaction:
        gone = await store.revoke(transaction, partner_id, client_id, now_ms())
    if not gone:
        raise _unknown(client_id)
    reception.forget()


async def token_revoked(database: Database, reception: Reception, partner_id: PartnerId, token_id: str) -> None:
    """Revoke one token with its refresh token."""
    async with database.transaction() as transaction:
        gone = await store.revoke_token(transaction, partner_id, token_id)
    if not gone:
        raise NotFound(f"No token found with ID {token_id[:64]}")
    reception.forget()


def _unknown(client_id: str) -> NotFound:
    return NotFound(f"No credential set found with client ID {client_id[:64]}")
