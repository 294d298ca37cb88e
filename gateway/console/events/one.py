"""`/console/events/{id}`: one event, the road it took, what came, what was sent, and every attempt."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from gateway.console.events import content
from gateway.console.events.listing import event_id
from gateway.console.events.phases import phases
from gateway.console.events.road import Sent, road
from gateway.console.forms import Form
from gateway.console.page import page
from gateway.console.shown import cut
from gateway.console.visitor import Visitor, services, visitor
from gateway.errors import NotFound
from gateway.events import store as events
from gateway.events.model import Event
from gateway.history import store as history
from gateway.history.fates.model import Question
from gateway.history.fates.store import refusals_before
from gateway.history.listing.store import event_listed
from gateway.history.model import Listed
from gateway.history.targets import store as targets
from gateway.runtime import Runtime
from gateway.storage.database import Reader

MOST_DELIVERIES = 50
MOST_ARRIVALS = 10
#: How often a page of an event that is on its way looks again, in seconds.
SOON, LATER = 3, 30


@dataclass(frozen=True, slots=True)
class Whole:
    """An event with its status and its content."""

    listed: Listed
    event: Event


async def show(request: web.Request) -> web.Response:
    """`GET /console/events/{id}`."""
    who = await visitor(request)
    return await shown(request, who, await whole(request, who), Form())


async def shown(request: web.Request, who: Visitor, found: Whole, form: Form, status: int = 200) -> web.Response:
    """The page of an event, with what is wrong with something that was asked of it."""
    rooms, event, listed = services(request), found.event, found.listed
    database = rooms.runtime.database
    sent = await _sent(database, event.id)
    again = await refusals_before(database, who.caller, Question("event_id", event.id), None, MOST_ARRIVALS)
    view = await rooms.index.by_id(event.instance_id)
    names = await targets.instance_names(database, [event.instance_id])
    return page(
        request,
        "events/one.html",
        status=status,
        form=form,
        event=event,
        listed=listed,
        instance=names.get(event.instance_id, ""),
        instance_is_there=view is not None,
        road=road(event, sent[:MOST_DELIVERIES], again.items),
        sent=sent[:MOST_DELIVERIES],
        more_deliveries=len(sent) > MOST_DELIVERIES,
        arrivals=again.items,
        content=await content.content(event, hub_of(rooms.runtime, event)),
        headers=content.headers(event, None if view is None else view.callback),
        asked=content.request_of(event.request),
        refresh=0 if listed.status != "pending" else SOON if listed.size <= content.MOST_INLINE else LATER,
        phases=phases,
        answer_headers=content.answer_headers,
        answer_body=content.answer_body,
        cut=cut,
    )


async def payload(request: web.Request) -> web.Response:
    """`GET /console/events/{id}/payload`: the vendor's bytes."""
    found = await whole(request, await visitor(request))
    return _download(_kept(found.event).payload, f"{found.event.id}-received.json")


async def notification(request: web.Request) -> web.Response:
    """`GET /console/events/{id}/notification`: the bytes that every attempt sends."""
    found = await whole(request, await visitor(request))
    event = _kept(found.event)
    body = await content.notification(event, hub_of(services(request).runtime, event))
    return _download(body, f"{event.id}-sent.json")


async def whole(request: web.Request, who: Visitor) -> Whole:
    """The event in the path; NotFound where it is another account's, or never was."""
    database, wanted = services(request).runtime.database, event_id(request)
    listed = await event_listed(database, who.caller, wanted)
    if listed is None:
        raise NotFound(f"No event found with ID {wanted}")
    return Whole(listed, await events.get(database, who.caller, wanted))


def hub_of(runtime: Runtime, event: Event) -> str:
    """The hub that the event's notification names."""
    connector = runtime.catalogue.get(event.connector)
    return connector.hub if connector is not None else ""


async def _sent(reader: Reader, wanted: str) -> Sequence[Sent]:
    """The newest deliveries of an event, one more than are shown."""
    found = await history.newest_deliveries(reader, wanted, MOST_DELIVERIES + 1)
    attempts = await history.attempts(reader, [one.id for one in found])
    places = await targets.targets(reader, {one.destination_id for one in found})
    return [Sent(one, places.get(one.destination_id), attempts[one.id]) for one in found]


def _kept(event: Event) -> Event:
    if event.emptied_at is not None:
        raise NotFound(f"The payload of event {event.id} is kept no longer.")
    return event


def _download(body: bytes, name: str) -> web.Response:
    # Never a page of ours, whatever is in it.
    response = web.Response(body=body, headers={"Content-Disposition": f'attachment; filename="{name}"'})
    response.content_type, response.charset = "text/plain", "utf-8"
    return response
