"""The history of events on the Open Connectors wire."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from aiohttp import web

from gateway.accounts.model import Caller
from gateway.api import read
from gateway.api.open_connectors import shapes
from gateway.api.open_connectors.calls import answer, by_element, caller, page, services
from gateway.errors import Invalid, NotFound
from gateway.events import store as events
from gateway.history import store as history
from gateway.history.model import Arrival
from gateway.instances import store as instances

DEFAULT_PAGE = 100
LARGEST_PAGE = 200
LARGEST_PAGE_BYTES = 8 << 20
_ID = re.compile(r"[0-9a-f]{32}")
_END_OF_TIME = 10**15 - 1


async def list_(request: web.Request) -> web.Response:
    """`GET /instances/events`, `GET /instances/{id}/events`: newest first; a page of large events ends early."""
    who, instance_id = await _scope(request)
    database = services(request).runtime.database
    arrivals, more = await _page(request, who, instance_id)
    fitting = _fitting(arrivals)
    if len(fitting) < len(arrivals):
        more = read.page_token({"before": fitting[-1]})
    found = await history.events(database, fitting)
    deliveries = await history.deliveries(database, fitting)
    return page([shapes.event(event, deliveries[event.id], None) for event in found], more)


async def get(request: web.Request) -> web.Response:
    """`GET …/events/{eventId}`, with what the consumer was sent."""
    who, instance_id = await _scope(request)
    database, event_id = services(request).runtime.database, request.match_info["eventId"]
    if not _ID.fullmatch(event_id):
        raise NotFound(f"No event found with ID {event_id[:64]}")
    event = await events.get(database, who, event_id)
    if instance_id not in (None, event.instance_id):
        raise NotFound(f"No event found with ID {event_id}")
    deliveries = await history.deliveries(database, [event.id])
    connector = services(request).runtime.catalogue.get(event.connector)
    return answer(shapes.event(event, deliveries[event.id], connector.hub if connector else "general"))


async def dispositions(request: web.Request) -> web.Response:
    """`GET …/events/dispositions`: what happened to each event."""
    who, instance_id = await _scope(request)
    database = services(request).runtime.database
    found, more = await _page(request, who, instance_id)
    deliveries = await history.deliveries(database, [event.id for event in found])
    attempts = await history.attempts(database, [one.id for every in deliveries.values() for one in every])
    return page([shapes.disposition(event, deliveries[event.id], attempts) for event in found], more)


async def _scope(request: web.Request) -> tuple[Caller, int | None]:
    if "id" in request.match_info:
        who, instance_id = await caller(request), read.path_id(request)
        await instances.get(services(request).runtime.database, who, instance_id)
        return who, instance_id
    return await by_element(request) or (await caller(request), None)


async def _page(request: web.Request, who: Caller, instance_id: int | None) -> tuple[list[Arrival], str | None]:
    size = read.number(request, "pageSize", default=DEFAULT_PAGE, most=LARGEST_PAGE)
    since, until = read.date_ms(request, "from") or 0, read.date_ms(request, "to")
    if until is not None and until < since:
        raise Invalid("to: is before from.")
    found = await history.arrivals_between(
        services(request).runtime.database,
        who,
        instance_id,
        since=since,
        until=_END_OF_TIME if until is None else until,
        before=read.position(request, "nextPage", "before", str) or "",
        size=size + 1,
    )
    more = read.page_token({"before": found[size - 1].id}) if len(found) > size else None
    return found[:size], more


def _fitting(arrivals: Sequence[Arrival]) -> list[str]:
    """The first events whose payloads can be held at once, at least one."""
    totals = accumulate(arrival.size for arrival in arrivals)
    most = bisect_right(list(totals), LARGEST_PAGE_BYTES)
    return [arrival.id for arrival in arrivals[: max(1, most)]]


def routes(prefix: str) -> Sequence[web.AbstractRouteDef]:
    """The routes below a prefix."""
    bases = (prefix + "/instances", prefix + "/instances/{id:[^/]+}")
    return [
        route
        for base in bases
        for route in (
            web.get(base + "/events", list_),
            web.get(base + "/events/dispositions", dispositions),
            web.get(base + "/events/{eventId}", get),
        )
    ]
