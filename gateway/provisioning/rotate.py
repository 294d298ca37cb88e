"""New secrets for an instance, while the old ones still count for a time."""

from dataclasses import replace
from typing import Literal

from gateway import ids
from gateway.accounts.model import Caller
from gateway.clock import duration_ms, now_ms
from gateway.errors import Conflict, Invalid, Problem
from gateway.instances import store
from gateway.instances.model import Secret
from gateway.instances.view import EARLIER
from gateway.provisioning import generate, registration
from gateway.provisioning.details import Details, details
from gateway.provisioning.earlier import MOST_EARLIER
from gateway.provisioning.instances import sealed_keys, webhook_url
from gateway.provisioning.services import Services
from gateway.storage.database import Transaction

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
    current = await details(services.runtime, caller, instance_id)
    if what == "webhook-url" and not current.connector.has_webhook:
        raise Conflict(f"{current.connector.name} declares no webhook, so there is no URL to rotate.")
    kind, value = ("inbound", ids.token()) if what == "webhook-url" else ("signing", ids.signing_secret())
    async with services.runtime.database.transaction() as transaction:
        now = now_ms()
        instance = await store.locked(transaction, caller, instance_id, now)
        await _end(services, transaction, instance_id, kind, now, now + overlap)
        secret = Secret(kind=kind, value=value, created_at=now, expires_at=None)
        await store.add_secret(transaction, services.runtime.seal, instance_id, secret)
        await registration.noted(services, transaction, instance)
    services.index.forget(instance_id)
    services.registrations.wake(instance_id)
    return {"webhookUrl": webhook_url(services, value)} if what == "webhook-url" else {"signingSecret": value}


async def _end(services: Services, transaction: Transaction, instance_id: int, kind: str, now: int, at: int) -> None:
    await store.end_secrets(transaction, instance_id, kind, at)
    await store.forget_ended_secrets(transaction, instance_id, now)
    left = await store.secrets(transaction, services.runtime.seal, instance_id, now)
    if sum(secret.kind == kind for secret in left) > MOST_EARLIER:
        raise Conflict(f"{MOST_EARLIER} earlier ones still count; rotate with a shorter overlap, such as 0s.")


async def _rotate_entry(services: Services, caller: Caller, instance_id: int, overlap: int) -> str:
    current = await details(services.runtime, caller, instance_id)
    async with services.runtime.database.transaction() as transaction:
        now = now_ms()
        instance = await store.locked(transaction, caller, instance_id, now)
        settings = await store.settings(transaction, services.runtime.seal, instance_id)
        current = replace(current, settings=settings)
        key = _secret_entry(current)
        value = generate.make(current.connector, current.values, key)
        earlier = current.stored.get(key)
        if earlier:
            secret = Secret(kind=EARLIER + key, value=earlier, created_at=now, expires_at=now + overlap)
            await store.add_secret(transaction, services.runtime.seal, instance_id, secret)
        await _end(services, transaction, instance_id, EARLIER + key, now, now + overlap)
        sealed = sealed_keys(current.connector)
        await store.put_settings(transaction, services.runtime.seal, instance_id, {key: value}, sealed)
        await registration.noted(services, transaction, instance)
    services.index.forget(instance_id)
    services.registrations.wake(instance_id)
    return value


def _secret_entry(current: Details) -> str:
    key = generate.secret_entry(current.connector, current.values)
    if key is None:
        raise Conflict(
            f"{current.connector.name} gives the webhook secret itself, or this instance is verified without one; "
            "change it in the configuration."
        )
    return key
