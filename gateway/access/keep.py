"""Tokens that a vendor has just given, stored before anybody uses them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from gateway.access import logins, model, store
from gateway.calls.grants import Denied
from gateway.catalogue.call_model import Auth
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.core import completed, entries_of
from gateway.catalogue.model import Connector
from gateway.clock import now_ms
from gateway.errors import StorageDown
from gateway.instances import store as instances
from gateway.instances.view import InstanceView
from gateway.runtime import Runtime

_PAUSES_S = (0.1, 0.4, 1.5)
#: Secrets that have nothing to do with calls: whoever changes them while a login runs does not disturb it.
_SIDE = frozenset(
    {
        "event.notification.callback.headers",
        "event.notification.signature.key",
        "event.notification.basic.password",
    }
)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Unsaved:
    """New tokens as entries to store, and the values of the instance that they were asked for with."""

    access: str
    entries: Mapping[str, str | None]
    used: ConfigView

    def belongs_to(self, connector: Connector, values: ConfigView) -> bool:
        """Whether these are still the credentials that the tokens were asked for with."""
        return all(self.used.get(key) == values.get(key) for key in proof_of(connector) | logins.EVERY)


async def keep(runtime: Runtime, view: InstanceView, way: Auth, fresh: Unsaved) -> Denied | None:
    """Store the tokens and the good news; Denied where the credentials were changed meanwhile, or the instance is gone.

    A store that cannot commit is asked again for a while, since a refresh token that counts once must not be lost.
    """
    for pause in _PAUSES_S:
        try:
            return await _stored(runtime, view, way, fresh)
        except StorageDown as problem:
            log.warning("login.not_stored", instance_id=view.instance.id, problem=str(problem))
            await asyncio.sleep(pause)
    return await _stored(runtime, view, way, fresh)


async def _stored(runtime: Runtime, view: InstanceView, way: Auth, fresh: Unsaved) -> Denied | None:
    instance_id = view.instance.id
    async with runtime.database.transaction() as transaction:
        now = now_ms()
        if not await instances.lock_any_account(transaction, instance_id, now):
            return Denied("reauth", "the instance was deleted")
        settings = await instances.settings(transaction, runtime.seal, instance_id)
        stored = {key: setting.value for key, setting in settings.items() if setting.value is not None}
        if not fresh.belongs_to(view.connector, ConfigView(completed(view.connector, stored))):
            return Denied("unavailable", "the credentials were changed meanwhile")
        sealed = logins.SEALED | logins.sealed_of(view.connector)
        await instances.put_settings(transaction, runtime.seal, instance_id, fresh.entries, sealed)
        ends = logins.end_of(way, ConfigView({key: text for key, text in fresh.entries.items() if text}))
        await store.settle(transaction, instance_id, model.good(now, renew_at=logins.renew_at(ends, now)))
    return None


def proof_of(connector: Connector) -> frozenset[str]:
    """The entries that calls and logins are proved with, and where they go; without what a login leaves behind."""
    entries = entries_of(connector)
    own = {key for key, entry in entries.items() if entry.secret or entry.sealed or entry.auth is not None}
    return frozenset(own - _SIDE - logins.EVERY) | _places(connector) | {"authentication.type", "base.url"}


def _places(connector: Connector) -> frozenset[str]:
    """The entries that stand in addresses."""
    logins_of = [way.oauth.token_url for way in connector.auth.values() if way.oauth is not None]
    templates = [one for one in (connector.http.base_url, *logins_of) if one is not None]
    return frozenset(key for one in templates for locator in one.locators for key in locator.config_keys)
