"""Polling on the Open Connectors wire: what is polled, and where that has stopped."""

from collections.abc import Sequence

from aiohttp import web

from gateway.accounts.model import Caller
from gateway.api import read
from gateway.api.open_connectors import shapes, shapes_polling
from gateway.api.open_connectors.calls import answer, by_element, caller, chosen, page, services
from gateway.clock import now_ms
from gateway.instances import store as instances
from gateway.polling.lists import store
from gateway.provisioning.details import details_of

DEFAULT_PAGE = 100
LARGEST_PAGE = 200


async def records(request: web.Request) -> web.Response:
    """`GET …/event-poller-records`: one record for each thing that is polled."""
    who, instance_id = await _scope(request)
    size = read.number(request, "pageSize", default=DEFAULT_PAGE, most=LARGEST_PAGE)
    after = read.position(request, "nextPage", "after", str) or ""
    database = services(request).runtime.database
    found = await store.pollers(database, who, instance_id, now_ms(), after=after, size=size + 1)
    more = read.page_token({"after": found[size - 1].id}) if len(found) > size else None
    return page([shapes_polling.record(one) for one in found[:size]], more)


async def jobs(request: web.Request) -> web.Response:
    """`GET /jobs/polling-disabled`: every poller that has stopped, whichever instance it belongs to."""
    who, instance_id = await _scope(request)
    size = read.number(request, "pageSize", default=DEFAULT_PAGE, most=LARGEST_PAGE)
    after = read.position(request, "nextPage", "after", str) or ""
    database = services(request).runtime.database
    found = await store.pollers(database, who, instance_id, now_ms(), after=after, size=size + 1, stopped=True)
    more = read.page_token({"after": found[size - 1].id}) if len(found) > size else None
    return page([shapes_polling.job(one) for one in found[:size]], more)


async def disabled(request: web.Request) -> web.Response:
    """`GET /instances/polling-disabled`: the instances of which something is not polled any more, and why."""
    who = await caller(request)
    size = read.number(request, "pageSize", default=DEFAULT_PAGE, most=LARGEST_PAGE)
    after = read.position(request, "nextPage", "after", int) or 0
    runtime = services(request).runtime
    found = await store.stopped(runtime.database, who, after=after, size=size + 1)
    shown = [one for one in found[:size] if runtime.catalogue.get(one.connector)]
    pollers = await store.stopped_pollers(runtime.database, [one.id for one in shown], now_ms())
    items = [
        shapes.instance(one, runtime.connector_ids[one.connector.key], full=False)
        | {"pollers": [shapes_polling.stopped(poller) for poller in pollers[one.instance.id]]}
        for one in await details_of(runtime, shown)
    ]
    return page(items, read.page_token({"after": found[size - 1].id}) if len(found) > size else None)


async def disabled_of(request: web.Request) -> web.Response:
    """`GET /instances/{id}/polling-disabled`: what of this instance is not polled any more."""
    who, instance_id = await chosen(request)
    database = services(request).runtime.database
    await instances.get(database, who, instance_id)
    pollers = await store.stopped_pollers(database, [instance_id], now_ms())
    return answer([shapes_polling.stopped(one) for one in pollers[instance_id]])


async def _scope(request: web.Request) -> tuple[Caller, int | None]:
    if "id" in request.match_info:
        who, instance_id = await chosen(request)
        await instances.get(services(request).runtime.database, who, instance_id)
        return who, instance_id
    return await by_element(request) or (await caller(request), None)


def routes(prefix: str) -> Sequence[web.AbstractRouteDef]:
    """The routes below a prefix."""
    own, one = prefix + "/instances", prefix + "/instances/{id:[^/]+}"
    return [
        web.get(own + "/polling-disabled", disabled),
        web.get(own + "/event-poller-records", records),
        web.get(prefix + "/jobs/polling-disabled", jobs),
        web.get(one + "/polling-disabled", disabled_of),
        web.get(one + "/event-poller-records", records),
    ]
