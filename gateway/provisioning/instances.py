"""An instance with all that hangs on it: made, changed, switched, removed; what every surface calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway import ids
from gateway.accounts.model import Caller
from gateway.catalogue.core import completed, entries_of
from gateway.catalogue.model import Connector
from gateway.clock import now_ms
from gateway.errors import Invalid, NotFound, Problem
from gateway.instances import configuration, store
from gateway.instances.model import Destination, Instance, InstanceId, Secret, Setting
from gateway.provisioning import generate
from gateway.provisioning.draft import Draft
from gateway.provisioning.services import Services
from gateway.storage import sequence
from gateway.storage.database import Reader, Transaction

CALLBACK_URL = "event.notification.callback.url"


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """An instance as its owner sees it; values are opened, the surfaces mask them."""

    instance: Instance
    connector: Connector
    settings: Mapping[str, Setting]
    element_token: str
    callback: Destination | None

    @property
    def stored(self) -> dict[str, str]:
        """The values that are set."""
        return {key: setting.value for key, setting in self.settings.items() if setting.value is not None}

    @property
    def values(self) -> dict[str, str]:
        """The values in effect, defaults included."""
        return completed(self.connector, self.stored)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What is shown once: where the vendor sends to, and the secrets that the gateway made."""

    webhook_url: str | None
    signing_secret: str
    webhook_secret: str | None


async def create(services: Services, caller: Caller, draft: Draft) -> tuple[Details, Made]:
    """Make an instance in the caller's account; Invalid names everything that is missing or wrong."""
    connector = connector_of(services, draft.connector)
    if draft.name is None:
        raise Invalid("Invalid instance: name: is required.", (Problem("name", "is required"),))
    sent = draft.configuration or {}
    values = dict(configuration.check(connector, {}, sent, services.runtime.guard.refuses_url).values)
    made = Made(
        webhook_url=webhook_url(services, ids.token()) if connector.has_webhook else None,
        signing_secret=ids.signing_secret(),
        webhook_secret=_generated(connector, values),
    )
    instance = await _store(services, caller, draft, connector, values, made)
    return await details(services, caller, instance.id), made


def connector_of(services: Services, named: str | int | None) -> Connector:
    """The connector with this key, or with this number; a number may be a text."""
    runtime = services.runtime
    if named is None:
        raise Invalid("Invalid instance: element.key: is required.", (Problem("element.key", "is required"),))
    keys = {str(number): key for key, number in runtime.connector_ids.items()}
    connector = runtime.catalogue.get(str(named)) or runtime.catalogue.get(keys.get(str(named), ""))
    if connector is None:
        raise NotFound(f"No element found with key or ID {str(named)[:64]!r}")
    return connector


def webhook_url(services: Services, token: str) -> str:
    """The address that goes into the vendor's settings."""
    return f"{services.runtime.config.public_url}/in/{token}"


def _generated(connector: Connector, values: dict[str, str | None]) -> str | None:
    given = {key: value for key, value in values.items() if value is not None}
    in_effect = completed(connector, given)
    key = generate.secret_entry(connector, in_effect)
    if key is None or in_effect.get(key):
        return None
    values[key] = generate.make(connector, in_effect, key)
    return values[key]


async def _store(
    services: Services,
    caller: Caller,
    draft: Draft,
    connector: Connector,
    values: Mapping[str, str | None],
    made: Made,
) -> Instance:
    now = now_ms()
    async with services.runtime.database.transaction() as transaction:
        instance = Instance(
            id=InstanceId(await sequence.take(transaction, "instances")),
            partner_id=caller.partner_id,
            account_id=caller.account_id or caller.user.account_id,
            user_id=caller.user.id,
            connector=connector.key,
            name=draft.name or connector.name,
            tags=draft.tags or (),
            enabled=True,
            external_authentication=draft.external_authentication or "none",
            created_at=now,
            updated_at=now,
        )
        await store.add(transaction, instance)
        every = {key: values.get(key) for key in entries_of(connector)}
        await store.put_settings(transaction, services.runtime.seal, instance.id, every, sealed_keys(connector))
        await _add_secrets(services, transaction, instance, made, now)
        await _place_callback(transaction, instance, values, now)
    return instance


async def _add_secrets(services: Services, transaction: Transaction, instance: Instance, made: Made, now: int) -> None:
    secrets = {"element": ids.base64_token(), "signing": made.signing_secret}
    if made.webhook_url is not None:
        secrets["inbound"] = made.webhook_url.rsplit("/", 1)[-1]
    for kind, value in secrets.items():
        secret = Secret(kind=kind, value=value, created_at=now, expires_at=None)
        await store.add_secret(transaction, services.runtime.seal, instance.id, secret)


def sealed_keys(connector: Connector) -> frozenset[str]:
    """The entries that are encrypted at rest."""
    return frozenset(key for key, entry in entries_of(connector).items() if entry.sealed or entry.secret)


async def details(services: Services, caller: Caller, instance_id: int) -> Details:
    """The caller's instance with everything that stands on it."""
    runtime = services.runtime
    instance = await store.get(runtime.database, caller, instance_id)
    return await _details(services, runtime.database, instance)


async def _details(services: Services, reader: Reader, instance: Instance) -> Details:
    runtime = services.runtime
    connector = runtime.catalogue.get(instance.connector)
    if connector is None:
        raise NotFound(f"The connector {instance.connector} of this instance is not in the catalogue any more")
    secrets = await store.secrets(reader, runtime.seal, instance.id, now_ms())
    return Details(
        instance=instance,
        connector=connector,
        settings=await store.settings(reader, runtime.seal, instance.id),
        element_token=next(secret.value for secret in secrets if secret.kind == "element"),
        callback=await store.callback(reader, instance.id),
    )


async def page(services: Services, caller: Caller, chosen: store.Filter, *, after: int, size: int) -> Sequence[Details]:
    """A stretch of the caller's instances, by id."""
    found = await store.page(services.runtime.database, caller, chosen, after=after, size=size)
    known = [instance for instance in found if services.runtime.catalogue.get(instance.connector)]
    return [await _details(services, services.runtime.database, instance) for instance in known]


async def change(
    services: Services, caller: Caller, instance_id: int, draft: Draft, *, replaces: bool = False
) -> Details:
    """Change what the draft names; with `replaces`, entries that it leaves out go back to their defaults."""
    current = await details(services, caller, instance_id)
    _same_connector(services, current, draft)
    sent: Mapping[str, Any] = draft.configuration or {}
    if replaces and draft.configuration is not None:
        sent = {**_cleared(current, sent), **sent}
    stored = {key: value for key, value in current.stored.items() if key not in sent or sent[key] == configuration.MASK}
    values = dict(configuration.check(current.connector, stored, sent, services.runtime.guard.refuses_url).values)
    _keep_generated(current, values)
    now = now_ms()
    instance = replace(
        current.instance,
        name=draft.name or current.instance.name,
        tags=current.instance.tags if draft.tags is None else draft.tags,
        external_authentication=draft.external_authentication or current.instance.external_authentication,
        updated_at=now,
    )
    async with services.runtime.database.transaction() as transaction:
        await store.update(transaction, instance)
        keys = sealed_keys(current.connector)
        await store.put_settings(transaction, services.runtime.seal, instance.id, values, keys)
        await _place_callback(transaction, instance, values, now)
    await _noticed(services, instance.id)
    return await details(services, caller, instance_id)


def _same_connector(services: Services, current: Details, draft: Draft) -> None:
    if draft.connector is not None and connector_of(services, draft.connector).key != current.connector.key:
        raise Invalid("Invalid instance: element: an instance stays with its element; create another one.")


def _cleared(current: Details, sent: Mapping[str, Any]) -> dict[str, None]:
    entries = entries_of(current.connector)
    return {key: None for key in current.stored if key not in sent and key in entries and not entries[key].filled_by}


def _keep_generated(current: Details, values: dict[str, str | None]) -> None:
    """A secret that the gateway made is replaced by another, never by nothing."""
    in_effect = {**current.stored, **{key: value for key, value in values.items() if value is not None}}
    key = generate.secret_entry(current.connector, completed(current.connector, in_effect))
    if key is not None and values.get(key, current.stored.get(key)) is None:
        values[key] = current.stored.get(key) or generate.make(
            current.connector, completed(current.connector, in_effect), key
        )


async def _place_callback(
    transaction: Transaction, instance: Instance, values: Mapping[str, str | None], now: int
) -> None:
    if CALLBACK_URL not in values:
        return
    url = values[CALLBACK_URL]
    if url is None:
        await store.set_callback(transaction, instance, "", "removed", "callback URL removed", now)
    else:
        await store.set_callback(transaction, instance, url, "active", None, now)


async def _noticed(services: Services, instance_id: int) -> None:
    services.index.forget(instance_id)
    callback = await store.callback(services.runtime.database, instance_id)
    if callback is not None:
        services.worker.destination_changed(callback.id)


async def switch(services: Services, caller: Caller, instance_id: int, *, enabled: bool) -> Details:
    """Enable or disable an instance; its configuration is kept."""
    instance = await store.get(services.runtime.database, caller, instance_id)
    async with services.runtime.database.transaction() as transaction:
        await store.update(transaction, replace(instance, enabled=enabled, updated_at=now_ms()))
    await _noticed(services, instance_id)
    return await details(services, caller, instance_id)


async def remove(services: Services, caller: Caller, instance_id: int) -> None:
    """Delete an instance: its tokens stop working at once, its pending deliveries are cancelled."""
    instance = await store.get(services.runtime.database, caller, instance_id)
    async with services.runtime.database.transaction() as transaction:
        await store.remove(transaction, instance, now_ms())
    await _noticed(services, instance_id)


async def enable_destination(services: Services, caller: Caller, instance_id: int) -> Details:
    """Switch a callback on again that its consumer had switched off."""
    instance = await store.get(services.runtime.database, caller, instance_id)
    callback = await store.callback(services.runtime.database, instance_id)
    if callback is None or callback.state == "removed":
        raise NotFound("This instance has no callback URL; set event.notification.callback.url")
    async with services.runtime.database.transaction() as transaction:
        await store.set_callback(transaction, instance, callback.url, "active", None, now_ms())
    await _noticed(services, instance_id)
    return await details(services, caller, instance_id)
