"""Sending one event again: to its callback, to another destination, or what one delivery was."""

import re

from aiohttp import web

from gateway.api.surface import DESK
from gateway.console.events.asked import PATH
from gateway.console.events.one import Whole, shown, whole
from gateway.console.forms import Form, posted
from gateway.console.page import onwards, page
from gateway.console.recording import recorded
from gateway.console.visitor import Visitor, services, visitor
from gateway.console.wording import text
from gateway.errors import Conflict, NotFound
from gateway.history.targets import store as targets
from gateway.replays.again import store

MOST_OFFERED = 200
_NUMBER = re.compile(r"[0-9]{1,15}")


async def ask(request: web.Request) -> web.Response:
    """`GET /console/events/{id}/replay`: where to?"""
    who = await visitor(request, "change")
    return await _question(request, who, await whole(request, who), Form())


async def send(request: web.Request) -> web.Response:
    """`POST /console/events/{id}/replay`."""
    who, form = await posted(request, "change")
    found = await whole(request, who)
    given = form.get("destination_id")
    if given and not _NUMBER.fullmatch(given):
        form.refuse("destination_id", text("events.replay.no_destination"))
        return await _question(request, who, found, form, 400)
    try:
        made = await request.app[DESK].sending.event(who.caller, found.event.id, int(given) if given else None)
    except (Conflict, NotFound) as problem:
        form.refuse("destination_id", str(problem))
        return await _question(request, who, found, form, 409)
    await recorded(
        request, who, "event.replayed", "event", found.event.id, found.event.type, destination=made.destination_id
    )
    return _back(request, found)


async def send_delivery(request: web.Request) -> web.Response:
    """`POST /console/events/{id}/deliveries/{delivery}/again`: a dead one, to where it was to go."""
    who, form = await posted(request, "change")
    found = await whole(request, who)
    delivery_id = request.match_info["delivery"]
    before = await store.delivery(services(request).runtime.database, who.caller, delivery_id)
    if before.event_id != found.event.id:
        raise NotFound(f"No delivery of this event found with ID {delivery_id[:64]}")
    try:
        made = await request.app[DESK].sending.delivery(who.caller, delivery_id, None, only_dead=True)
    except Conflict as problem:
        form.refuse("", str(problem))
        return await shown(request, who, found, form, 409)
    await recorded(
        request, who, "delivery.replayed", "delivery", delivery_id, found.event.type, destination=made.destination_id
    )
    return _back(request, found)


def _back(request: web.Request, found: Whole) -> web.Response:
    return onwards(services(request).runtime.config, f"{PATH}/{found.event.id}", "events.replay.done")


async def _question(request: web.Request, who: Visitor, found: Whole, form: Form, status: int = 200) -> web.Response:
    database = services(request).runtime.database
    offered = await targets.active(database, who.caller, found.event.instance_id, MOST_OFFERED)
    return page(request, "events/replay.html", status=status, form=form, event=found.event, targets=offered)
