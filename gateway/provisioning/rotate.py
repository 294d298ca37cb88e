"""New secrets for an instance, while the old ones still count for a time."""

from typing import Literal

from gateway import ids
from gateway.accounts.model import Caller
from gateway.clock import duration_ms, now_ms
from gateway.errors import Conflict, Invalid, Problem
from gateway.instances import store
from gateway.instances.model import Secret
from gateway.instances.view import EARLIER
from gateway.provisioning import generate
from gateway.provisioning.instances import details, sealed_keys, webhook_url
from gateway.provisioning.services import Services

What = Literal["webhook-url", "signing-secret", "webhook-secret"]
DEFAULT_OVERLAP = "24h"
LONGEST_OVERLAP_MS = 30 * 86_400_000


def overlap_ms(text: object) -> int:
    """The overlap that a caller asked for; Invalid says what is expected."""
    try:
        found = duration_ms(text) if isinstance(text, str) else -1
    except ValueError:
        found = -1
    if not 0 <= found <= LONGEST_OVERLAP_MS:
        message = "expected a duration from 0s to 30d, such as 24h"
        raise Invalid(f"overlap: {message}.", (Problem("overlap", message),))
    return found


async def rotate(services: Services, caller: Caller, instance_id: int, what: What, overlap: int) -> dict[str, str]:
    """Make a new one and let the old ones end after the overlap (milliseconds); the new one is shown this once."""
    if what == "webhook-secret":
        return {"webhookSecret": await _rotate_entry(services, caller, instance_id, overlap)}
    kind, value = ("inbound", ids.token()) if what == "webhook-url" else ("signing", ids.signing_secret())
    instance = await store.get(services.runtime.database, caller, instance_id)
    now = now_ms()
    async with services.runtime.database.transaction() as transaction:
        await store.end_secrets(transaction, instance.id, kind, now + overlap)
        secret = Secret(kind=kind, value=value, created_at=now, expires_at=None)
        await store.add_secret(transaction, services.runtime.seal, instance.id, secret)
    services.index.forget(instance_id)
    return {"webhookUrl": webhook_url(services, value)} if what == "webhook-url" else {"signingSecret": value}


async def _rotate_entry(services: Services, caller: Caller, instance_id: int, overlap: int) -> str:
    current = await details(services, caller, instance_id)
    key = generate.secret_entry(current.connector, current.values)
    if key is None:
        raise Conflict(f"{current.connector.name} gives the webhook secret itself; change it in the configuration.")
    now, old = now_ms(), current.stored.get(key)
    value = generate.make(current.connector, current.values, key)
    async with services.runtime.database.transaction() as transaction:
        if old and overlap:
            earlier = Secret(kind=EARLIER + key, value=old, created_at=now, expires_at=now + overlap)
            await store.add_secret(transaction, services.runtime.seal, instance_id, earlier)
        await store.put_settings(
            transaction, services.runtime.seal, instance_id, {key: value}, sealed_keys(current.connector)
        )
    services.index.forget(instance_id)
    return value
