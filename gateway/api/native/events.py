"""Events: pages of them by a filter, one with all that happened to it, and its exact bytes."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from gateway.accounts.model import Caller
from gateway.api.native import calls, shapes_history
from gateway.delivery.notification import render
from gateway.errors import NotFound
from gateway.events import store as events
from gateway.events.model import Event
from gateway.history import store as history
from gateway.history.filter import FIELDS, fingerprint
from gateway.history.listing.store import event_listed, events_before
from gateway.history.model import DeliveryRecord
from gateway.nulls import removed_paths

#: A longer payload, and its notification, are to be had by their own addresses only.
MOST_SHOWN = 1 << 20
MOST_DELIVERIES = 200
#: Longer ones are rendered and looked through on a thread.
MOST_INLINE = 64 << 10
_ID = re.compile(r"[0-9a-f]{32}")
#: Made anew for each attempt.
_SIGNED = ("webhook-timestamp", "webhook-signature")


def routes() -> list[web.AbstractRouteDef]:
    """The routes of events."""
    one = calls.PREFIX + "/events/{id}"
    return [
        web.get(calls.PREFIX + "/events", list_),
        web.get(one, get),
        web.get(one + "/payload", payload),
        web.get(one + "/notification", notification),
    ]


async def list_(request: web.Request) -> web.Response:
    """`GET /api/v1/events`: newest first; a page may be short and still have a next one."""
    who = await calls.caller(request)
    given = calls.query(request, *FIELDS, *calls.PAGING)
    chosen = calls.event_filter({name: value for name, value in given.items() if name in FIELDS})
    about = calls.about("events", who, fingerprint(chosen))
    before, size = calls.position(request, about), calls.size(request)
    page = await events_before(calls.services(request).runtime.database, who, chosen, before, size)
    return calls.page([shapes_history.event(one) for one in page.items], page.position, about)


async def get(request: web.Request) -> web.Response:
    """`GET /api/v1/events/{id}`: what came, what was sent, and every attempt."""
    calls.query(request)
    who = await calls.caller(request)
    database, event_id = calls.services(request).runtime.database, _event_id(request)
    listed = await event_listed(database, who, event_id)
    found = await events.get(database, who, event_id)
    if listed is None:
        raise NotFound(f"No event found with ID {event_id}")
    deliveries = await history.newest_deliveries(database, event_id, MOST_DELIVERIES + 1)
    return calls.answer(
        shapes_history.event(listed)
        | await _content(request, found)
        | {
            "deliveries": await _deliveries(request, deliveries[:MOST_DELIVERIES]),
            "more_deliveries": len(deliveries) > MOST_DELIVERIES,
        }
    )


async def payload(request: web.Request) -> web.Response:
    """`GET /api/v1/events/{id}/payload`: the vendor's bytes."""
    found = await _stored(request)
    return web.Response(body=found.payload, content_type="application/json")


async def notification(request: web.Request) -> web.Response:
    """`GET /api/v1/events/{id}/notification`: the bytes that every attempt sends."""
    found = await _stored(request)
    return web.Response(body=await _rendered(request, found), content_type="application/json")


async def _stored(request: web.Request) -> Event:
    calls.query(request)
    who: Caller = await calls.caller(request)
    found = await events.get(calls.services(request).runtime.database, who, _event_id(request))
    if found.emptied_at is not None:
        raise NotFound(f"The payload of event {found.id} is kept no longer.")
    return found


def _event_id(request: web.Request) -> str:
    given = request.match_info["id"]
    if not _ID.fullmatch(given):
        raise NotFound(f"No event found with ID {given[:64]}")
    return given


async def _content(request: web.Request, found: Event) -> dict[str, Any]:
    """What was received and what is sent, as far as it is kept and short enough to be shown within JSON."""
    shown = found.emptied_at is None and len(found.payload) <= MOST_SHOWN
    received = shapes_history.text(found.payload if shown else None)
    return {
        "emptied_at": shapes_history.time(found.emptied_at),
        "body_hash": found.body_hash,
        "filter_nulls": found.filter_nulls,
        "request": shapes_history.request(found.request),
        "payload": received["text"],
        "payload_base64": received["base64"],
        "notification": await _told(request, found, await _rendered(request, found) if shown else None),
        "removed_nulls": await _removed(found) if shown else None,
    }


async def _removed(found: Event) -> dict[str, Any]:
    if not found.filter_nulls:
        return shapes_history.removed((), 0)
    if len(found.payload) > MOST_INLINE:
        return shapes_history.removed(*await asyncio.to_thread(removed_paths, found.payload))
    return shapes_history.removed(*removed_paths(found.payload))


async def _rendered(request: web.Request, found: Event) -> bytes:
    connector = calls.services(request).runtime.catalogue.get(found.connector)
    hub = connector.hub if connector else "general"
    if len(found.payload) > MOST_INLINE:
        return await asyncio.to_thread(render, found, hub)
    return render(found, hub)


async def _told(request: web.Request, found: Event, body: bytes | None) -> dict[str, Any]:
    """The notification, with the headers that all attempts share; of the callback's own, their names."""
    plain = [("Content-Type", "application/json"), ("webhook-id", found.id), ("Elements-Webhook-Id", found.id)]
    view = await calls.services(request).index.by_id(found.instance_id)
    callback = None if view is None else view.callback
    own = [] if callback is None else [name for name, _ in callback.headers]
    keyed = [] if callback is None or callback.elements_key is None else ["Elements-Webhook-Signature"]
    return shapes_history.notification(body, plain, [*_SIGNED, *keyed, *own])


async def _deliveries(request: web.Request, found: Sequence[DeliveryRecord]) -> list[dict[str, Any]]:
    database = calls.services(request).runtime.database
    attempts = await history.attempts(database, [one.id for one in found])
    destinations = await history.destinations(database, sorted({one.destination_id for one in found}))
    return [shapes_history.delivery(one, destinations.get(one.destination_id), attempts[one.id]) for one in found]
