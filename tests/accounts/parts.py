"""Accounts and users for tests of this room."""

from typing import Any

from gateway import ids
from gateway.accounts import partners
from gateway.accounts.directory import store
from gateway.accounts.model import Account, AccountId, PartnerId
from gateway.storage.database import Database


async def partner(database: Database, name: str = "Acme") -> partners.Made:
    return await partners.made(database, name, "admin")


async def account(database: Database, partner_id: PartnerId, name: str = "One", **values: Any) -> Account:
    made = Account(id=AccountId(ids.time_ordered()), partner_id=partner_id, name=name, **values)
    async with database.transaction() as transaction:
        await store.add(transaction, made)
    return made
