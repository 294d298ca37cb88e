"""What tests of the surfaces share: other callers, and the shapes that answers must have."""

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar

from gateway import ids
from gateway.accounts import store
from gateway.accounts.model import AccountId, PartnerId, User
from gateway.clock import now_ms
from gateway.storage import sequence
from gateway.storage.database import Transaction
from tests.kit.gateway import NOWHERE, Answered, Gateway

T = TypeVar("T")

OC = "/elements/api-v2"
GITHUB = {"token": "ghp_credential", "owner": "octo", "repo": "hello", **NOWHERE}


async def stranger(gateway: Gateway) -> dict[str, str]:
    """The header of a user of a second partner."""
    partner_id, account_id, now = PartnerId(uuid.uuid4().hex), AccountId(uuid.uuid4().hex), now_ms()
    user_secret, organization_secret = ids.base64_token(), ids.hex_token()
    async with gateway.running.services.runtime.database.transaction() as transaction:
        await store.add_partner(transaction, partner_id, "Other", organization_secret, now)
        await store.add_account(transaction, account_id, partner_id, "Default", now)
        user = await _user(transaction, partner_id, account_id)
        await store.add_user(transaction, user, user_secret, None, now)
    return {"Authorization": f"User {user_secret}, Organization {organization_secret}"}


async def colleague(gateway: Gateway, *, same_account: bool = True) -> dict[str, str]:
    """The header of another user of the first partner, in its first account or in one of its own."""
    database, user_secret = gateway.running.services.runtime.database, ids.base64_token()
    first = await database.one("SELECT partner_id, account_id FROM users ORDER BY id LIMIT 1")
    assert first is not None
    partner_id, account_id = PartnerId(first["partner_id"]), AccountId(first["account_id"])
    async with database.transaction() as transaction:
        if not same_account:
            account_id = AccountId(uuid.uuid4().hex)
            await store.add_account(transaction, account_id, partner_id, "Another", now_ms())
        user = await _user(transaction, partner_id, account_id)
        await store.add_user(transaction, user, user_secret, None, now_ms())
    organization = gateway.running.config.bootstrap.organization_secret
    return {"Authorization": f"User {user_secret}, Organization {organization}"}


async def _user(transaction: Transaction, partner_id: PartnerId, account_id: AccountId) -> User:
    number = await sequence.take(transaction, "users")
    return User(id=number, partner_id=partner_id, account_id=account_id, username=f"user{number}", role="administrator")


async def bearer(gateway: Gateway) -> dict[str, str]:
    """The header of an access token of the first partner."""
    secrets = gateway.running.config.bootstrap
    form = {
        "grant_type": "client_credentials",
        "client_id": secrets.client_id,
        "client_secret": secrets.client_secret,
    }
    answered = await gateway.call("POST", "/oauth/token", data=form, headers={})
    return {"Authorization": f"Bearer {answered.json['access_token']}"}


async def eventually(look: Callable[[], Awaitable[T]], is_so: Callable[[T], bool]) -> T:
    """What is seen once it is so; fails where that takes too long."""
    async with asyncio.timeout(10):
        while True:
            found = await look()
            if is_so(found):
                return found
            await asyncio.sleep(0.02)


def with_element(gateway: Gateway, token: str, *, organization: bool = True) -> dict[str, str]:
    """The administrator's header with an Element token."""
    secrets = gateway.running.config.bootstrap
    parts = [f"User {secrets.user_secret}", f"Element {token}"]
    if organization:
        parts.insert(1, f"Organization {secrets.organization_secret}")
    return {"Authorization": ", ".join(parts)}


def is_platform_error(answered: Answered, status: int) -> str:
    """The message of an error in the Open Connectors shape; fails where it has another shape."""
    assert answered.status == status, answered.body
    assert set(answered.json) == {"requestId", "message"}
    assert re.fullmatch(r"[0-9a-f]{24}", answered.json["requestId"])
    assert answered.headers["Elements-Request-Id"] == answered.json["requestId"]
    assert answered.headers["Access-Control-Allow-Origin"] == "*"
    message: str = answered.json["message"]
    return message


def is_problem(answered: Answered, status: int) -> str:
    """The detail of an error as RFC 9457 has it; fails where it has another shape."""
    assert answered.status == status, answered.body
    assert answered.headers["Content-Type"].startswith("application/problem+json")
    assert answered.json["status"] == status
    assert {"type", "title", "status", "detail", "instance", "request_id"} <= set(answered.json)
    detail: str = answered.json["detail"]
    return detail
