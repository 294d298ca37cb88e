"""The first start: a partner, its default account, an administrator and a credential set."""

import asyncio

from argon2 import PasswordHasher

from gateway.accounts import store
from gateway.accounts.credentials import store as credentials
from gateway.accounts.credentials.model import CredentialSet
from gateway.accounts.model import AccountId, PartnerId, User
from gateway.clock import now_ms
from gateway.config import Bootstrap
from gateway.ids import time_ordered
from gateway.storage import sequence
from gateway.storage.database import Database

#: How a password begins that was hashed before it was configured.
HASHED = "$argon2id$"


async def bootstrap(database: Database, secrets: Bootstrap) -> bool:
    """Make the first partner from complete secrets; False where there is one already."""
    if await store.has_partner(database):
        return False
    password_hash = secrets.admin_password
    if not password_hash.startswith(HASHED):
        password_hash = await asyncio.to_thread(PasswordHasher().hash, secrets.admin_password)
    now = now_ms()
    partner_id, account_id = PartnerId(time_ordered()), AccountId(time_ordered())
    async with database.transaction() as transaction:
        user = User(
            id=await sequence.take(transaction, "users"),
            partner_id=partner_id,
            account_id=account_id,
            username=secrets.admin_username,
            role="administrator",
        )
        await store.add_partner(transaction, partner_id, "Partner", secrets.organization_secret, now)
        await store.add_account(transaction, account_id, partner_id, "Default", now)
        await store.add_user(transaction, user, secrets.user_secret, password_hash, now)
        made = CredentialSet(client_id=secrets.client_id, partner_id=partner_id, name="First", created_at=now)
        await credentials.add(transaction, made, secrets.client_secret)
    return True
