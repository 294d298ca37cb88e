"""An event's notification for one who follows: the body as consumers get it, under the headers that sign it."""

import asyncio
from dataclasses import dataclass

from gateway.clock import now_ms
from gateway.delivery.attempt import MOST_INLINE, signed_headers
from gateway.delivery.notification import render
from gateway.events.model import Event
from gateway.instances import store as instances
from gateway.instances.index import InstanceIndex
from gateway.instances.model import Destination
from gateway.instances.view import Callback, InstanceView, build
from gateway.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Notification:
    """What a consumer would get; without the headers that only its own callback is given."""

    headers: tuple[tuple[str, str], ...]
    body: bytes


async def notification(runtime: Runtime, index: InstanceIndex, event: Event) -> Notification | None:
    """The event's notification, signed now; None where its payload or its instance is gone."""
    view = await index.by_id(event.instance_id) if event.emptied_at is None else None
    if view is None:
        return None
    callback = view.callback or await _callback(runtime, view)
    connector = runtime.catalogue.get(event.connector)
    hub = connector.hub if connector is not None else ""
    if len(event.payload) > MOST_INLINE:
        return await asyncio.to_thread(_signed, event, hub, callback)
    return _signed(event, hub, callback)


def _signed(event: Event, hub: str, callback: Callback) -> Notification:
    body = render(event, hub)
    return Notification(tuple(signed_headers(event, body, callback, now_ms(), None)), body)


async def _callback(runtime: Runtime, view: InstanceView) -> Callback:
    """The secrets that would sign, of an instance whose events go nowhere yet."""
    database, seal, instance_id = runtime.database, runtime.seal, view.instance.id
    settings = await instances.settings(database, seal, instance_id)
    stored = {key: setting.value for key, setting in settings.items() if setting.value is not None}
    secrets = await instances.secrets(database, seal, instance_id, now_ms())
    nowhere = Destination(id=0, url="", state="active", reason=None, since=0)
    made = build(view.instance, view.connector, stored, secrets, nowhere, view.max_body).callback
    assert made is not None  # with a destination there is one
    return made
