"""An instance with all that hangs on it: made, changed, switched, removed; what every surface calls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from gateway import ids
from gateway.access import store as access
from gateway.access.model import Standing
from gateway.accounts.model import Caller
from gateway.catalogue.core import completed, entries_of
from gateway.catalogue.model import Connector
from gateway.clock import now_ms
from gateway.errors import Invalid, NotFound, Problem
from gateway.instances import configuration, store
from gateway.instances.model import Instance, InstanceId, Secret
from gateway.polling.pollers import Seed
from gateway.provisioning import base_url, credentials, earlier, generate, oauth, polling, registration
from gateway.provisioning.details import Details, details
from gateway.provisioning.draft import Draft
from gateway.provisioning.flows import active as flows
from gateway.provisioning.services import Services
from gateway.storage import sequence
from gateway.storage.database import Transaction

CALLBACK_URL = "event.notification.callback.url"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What is shown once: where the vendor sends to, and the secrets that the gateway made."""

    webhook_url: str | None
    signing_secret: str
    webhook_secret: str | None


async def create(services: Services, caller: Caller, draft: Draft) -> tuple[Details, Made]:
    """Make an instance in the caller's account; Invalid names everything that is missing or wrong."""
    connector = connector_of(services, caller, draft.connector)
    draft = credentials.with_way(connector, draft, {})
    guard = services.runtime.guard
    sent, later = draft.configuration or {}, draft.unfinished
    values = dict(configuration.check(connector, {}, sent, guard.refuses_url, unfinished=later).values)
    await base_url.permitted(guard, connector, {}, values)
    verifier = oauth.verifier(services.runtime, caller, connector, values)
    entered = await credentials.entered(services.vendors.calls, connector, {}, values, draft, verifier)
    values = dict(entered.values)
    seeds = {} if credentials.awaited(entered.standing) else await polling.first(services, connector, values)
    made = Made(
        webhook_url=webhook_url(services, ids.token()) if connector.has_webhook else None,
        signing_secret=ids.signing_secret(),
        webhook_secret=_generated(connector, values),
    )
    instance = await _store(services, caller, draft, connector, values, made, entered.standing, seeds)
    # Somebody may have asked for this number before it was given.
    services.index.forget(instance.id)
    services.registrations.wake(instance.id)
    services.pollers.poke()
    return await details(services.runtime, caller, instance.id), made


def connector_of(services: Services, caller: Caller, named: str | int | None) -> Connector:
    """The connector with this key, or with this number; a number may be a text. One of another partner is none."""
    runtime = services.runtime
    if named is None:
        raise Invalid("Invalid instance: element.key: is required.", (Problem("element.key", "is required"),))
    keys = {str(number): key for key, number in runtime.connector_ids.items()}
    connector = runtime.catalogue.get(str(named)) or runtime.catalogue.get(keys.get(str(named), ""))
    if connector is None or connector.partner_id not in (None, caller.partner_id):
        known = [one.key for one in runtime.catalogue.visible_to(caller.partner_id)]
        near = get_close_matches(str(named)[:100], known, n=1)
        hint = f"; did you mean {near[0]}?" if near else "; GET /elements/keys lists them"
        raise NotFound(f"No element found with key or ID {str(named)[:64]!a}{hint}")
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
    standing: Standing,
    seeds: Mapping[str, Seed],
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
            description=draft.description or "",
            native=bool(draft.native),
        )
        await store.add(transaction, instance)
        every = {key: values.get(key) for key in [*entries_of(connector), *(values.keys() & credentials.LOGIN_ENTRIES)]}
        await store.put_settings(transaction, services.runtime.seal, instance.id, every, sealed_keys(connector))
        await _add_secrets(services, transaction, instance, made, now)
        await _place_callback(transaction, instance, values, now)
        await access.settle(transaction, instance.id, standing)
        await registration.noted(services, transaction, instance)
        await polling.noted(services, transaction, instance, seeds=seeds)
        await flows.noted(services.runtime.catalogue, transaction, instance.account_id, now)
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
    found = frozenset(key for key, entry in entries_of(connector).items() if entry.sealed or entry.secret)
    return found | credentials.sealed_keys(connector)


async def change(
    services: Services,
    caller: Caller,
    instance_id: int,
    draft: Draft,
    *,
    replaces: bool = False,
    agreed: Callable[[Details], None] | None = None,
) -> Details:
    """Change what the draft names; with `replaces`, entries that it leaves out go back to their defaults.

    `agreed` is shown the instance while nobody else can change it, and raises where it is not what the draft was
    made for.
    """
    current = await details(services.runtime, caller, instance_id)
    _same_connector(services, caller, current, draft)
    draft = credentials.with_way(current.connector, draft, current.stored)
    fresh = await _credentials(services, caller, current, draft, replaces=replaces)
    now = now_ms()
    async with services.runtime.database.transaction() as transaction:
        record = await store.locked(transaction, caller, instance_id, now)
        settings = await store.settings(transaction, services.runtime.seal, instance_id)
        current = replace(current, instance=record, settings=settings)
        if agreed is not None:
            agreed(current)
        values = _checked(services, current, draft, replaces=replaces) | fresh.values
        instance = _renamed(record, draft)
        await store.update(transaction, instance)
        keys = sealed_keys(current.connector)
        await earlier.keep(services.runtime, transaction, current, values, now)
        await store.put_settings(transaction, services.runtime.seal, instance.id, values, keys)
        await _place_callback(transaction, instance, values, now)
        if fresh.standing is not None:
            await access.settle(transaction, instance.id, fresh.standing)
        await registration.noted(services, transaction, instance)
        await polling.noted(services, transaction, instance, before=current.values)
        await flows.noted(services.runtime.catalogue, transaction, instance.account_id, now)
    await _noticed(services, instance.id)
    return await details(services.runtime, caller, instance_id)


@dataclass(frozen=True, slots=True)
class _Fresh:
    """What a change of credentials brought: the tokens of a login, and how the vendor takes them."""

    values: dict[str, str | None]
    standing: Standing | None


async def _credentials(services: Services, caller: Caller, current: Details, draft: Draft, *, replaces: bool) -> _Fresh:
    """Log in and try the credentials anew where the change concerns them; asked before anything is locked."""
    connector, changed = current.connector, _checked(services, current, draft, replaces=replaces)
    await base_url.permitted(services.runtime.guard, connector, current.stored, changed)
    ready = credentials.awaited(current.standing) and not credentials.lacks(connector, {**current.stored, **changed})
    if draft.code is None and not ready and not credentials.concerns(connector, current.stored, changed):
        return _Fresh({}, None)
    stale = credentials.renewed_by(connector, current.stored, changed)
    values = {**current.stored, **changed, **stale}
    verifier = oauth.verifier(services.runtime, caller, connector, values)
    calls = services.vendors.calls
    entered = await credentials.entered(calls, connector, current.stored, values, draft, verifier)
    fresh = {key: value for key, value in entered.values.items() if values.get(key) != value}
    return _Fresh({**stale, **fresh}, entered.standing)


def _same_connector(services: Services, caller: Caller, current: Details, draft: Draft) -> None:
    if draft.connector is not None and connector_of(services, caller, draft.connector).key != current.connector.key:
        message = f"an instance stays with its element ({current.connector.key}); create another one"
        raise Invalid(f"Invalid instance: element: {message}.", (Problem("element", message),))


def _renamed(record: Instance, draft: Draft) -> Instance:
    return replace(
        record,
        name=draft.name or record.name,
        tags=record.tags if draft.tags is None else draft.tags,
        external_authentication=draft.external_authentication or record.external_authentication,
        description=record.description if draft.description is None else draft.description,
        native=record.native if draft.native is None else draft.native,
    )


def _checked(services: Services, current: Details, draft: Draft, *, replaces: bool) -> dict[str, str | None]:
    sent = dict(draft.configuration or {})
    if replaces and draft.configuration is not None:
        sent = _cleared(current, sent) | _new(current, sent)
    stored = {key: value for key, value in current.stored.items() if key not in sent or sent[key] == configuration.MASK}
    rule = services.runtime.guard.refuses_url
    # Who changes nothing of it need not complete what somebody else has begun.
    later = draft.unfinished or (draft.configuration is None and draft.code is None)
    values = dict(configuration.check(current.connector, stored, sent, rule, unfinished=later).values)
    _keep_generated(current, values)
    return values


def _cleared(current: Details, sent: Mapping[str, object]) -> dict[str, object]:
    entries = entries_of(current.connector)
    own = (key for key in current.stored if key not in sent and key in entries)
    # What logins and registrations have filled is not the caller's to leave out.
    return {key: None for key in own if not entries[key].filled_by and not entries[key].internal}


def _new(current: Details, sent: Mapping[str, object]) -> dict[str, object]:
    """What a whole object that was read before really changes: a value that is in effect already is no news.

    So a default that was shown does not become a setting, and a callback that was switched off stays off.
    """
    values = current.values
    return {key: value for key, value in sent.items() if value is None or key not in values or value != values[key]}


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
    services.registrations.wake(instance_id)
    services.pollers.poke()
    callback = await store.callback(services.runtime.database, instance_id)
    if callback is not None:
        services.worker.destination_changed(callback.id)


async def switch(services: Services, caller: Caller, instance_id: int, *, enabled: bool) -> Details:
    """Enable or disable an instance; its configuration is kept."""
    async with services.runtime.database.transaction() as transaction:
        now = now_ms()
        instance = await store.locked(transaction, caller, instance_id, now)
        instance = replace(instance, enabled=enabled)
        await store.update(transaction, instance)
        await registration.noted(services, transaction, instance)
        await polling.noted(services, transaction, instance)
        await flows.noted(services.runtime.catalogue, transaction, instance.account_id, now)
    await _noticed(services, instance_id)
    return await details(services.runtime, caller, instance_id)


async def remove(services: Services, caller: Caller, instance_id: int) -> None:
    """Delete an instance: its tokens stop working at once, its pending deliveries are cancelled."""
    async with services.runtime.database.transaction() as transaction:
        now = now_ms()
        instance = await store.locked(transaction, caller, instance_id, now)
        await registration.departing(services, transaction, instance)
        await polling.departing(transaction, instance)
        await store.remove(transaction, instance, now)
        await access.forget(transaction, instance_id)
        await flows.noted(services.runtime.catalogue, transaction, instance.account_id, now)
    await _noticed(services, instance_id)


async def enable_destination(services: Services, caller: Caller, instance_id: int) -> Details:
    """Switch a callback on again that its consumer had switched off."""
    async with services.runtime.database.transaction() as transaction:
        now = now_ms()
        instance = await store.locked(transaction, caller, instance_id, now)
        callback = await store.callback(transaction, instance_id)
        if callback is None or callback.state == "removed":
            raise NotFound("This instance has no callback URL; set event.notification.callback.url")
        await store.set_callback(transaction, instance, callback.url, "active", None, now)
    await _noticed(services, instance_id)
    return await details(services.runtime, caller, instance_id)
