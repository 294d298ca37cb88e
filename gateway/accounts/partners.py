"""Partners: made with all that they need to begin, given another secret, shut out."""

from dataclasses import dataclass

from gateway import ids
from gateway.accounts import people, store
from gateway.accounts.credentials import sets
from gateway.accounts.credentials import store as credentials
from gateway.accounts.directory import store as directory
from gateway.accounts.model import Account, AccountId, Partner, PartnerId
from gateway.accounts.reception import Reception
from gateway.accounts.sessions import store as sessions
from gateway.clock import now_ms
from gateway.errors import Conflict, NotFound
from gateway.storage.database import Database, Reader


@dataclass(frozen=True, slots=True)
class Made:
    """A partner, and its secrets, which are known this once."""

    partner: Partner
    organization_secret: str
    account: Account
    administrator: people.Made
    credential: sets.Made


async def made(database: Database, name: str, administrator: str) -> Made:
    """A partner with an account, an administrator and a credential set."""
    now, secret = now_ms(), ids.hex_token()
    partner = Partner(id=PartnerId(ids.time_ordered()), name=people.checked_name(name, "name"), created_at=now)
    account = Account(
        id=AccountId(ids.time_ordered()),
        partner_id=partner.id,
        name="Default",
        last_bill_at=now,
        created_at=now,
        updated_at=now,
    )
    async with database.transaction() as transaction:
        await store.add_partner(transaction, partner.id, partner.name, secret, now)
        await directory.add(transaction, account)
        user = await people.add(transaction, account, administrator, "administrator")
        credential = await sets.add(transaction, partner.id, "First")
    return Made(partner, secret, account, user, credential)


async def found(reader: Reader, partner_id: str) -> Partner:
    """The partner with this id; NotFound where there is none."""
    partner = await store.partner(reader, partner_id)
    if partner is None:
        raise NotFound(f"No partner found with ID {partner_id[:64]}")
    return partner


async def rotated(database: Database, reception: Reception, partner: Partner) -> str:
    """Another organization secret in place of the partner's."""
    secret = ids.hex_token()
    async with database.transaction() as transaction:
        await store.set_organization(transaction, partner.id, secret)
    reception.forget()
    return secret


async def revoked(database: Database, reception: Reception, partner: Partner) -> None:
    """Make every secret of a partner useless; what it has stays, and its events go on.

    Conflict for the first partner, which runs the gateway.
    """
    if await store.first_partner(database) == partner.id:
        raise Conflict("The first partner runs the gateway and cannot be shut out.")
    now = now_ms()
    async with database.transaction() as transaction:
        await store.set_organization(transaction, partner.id, ids.token())
        await store.lock_users(transaction, partner.id)
        await sessions.end_all(transaction, partner.id)
        for one in await credentials.credential_sets(transaction, partner.id):
            await credentials.revoke(transaction, partner.id, one.client_id, now)
    reception.forget()
