"""Instances on the Open Connectors wire."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from gateway.accounts.model import Caller
from gateway.api import read
from gateway.api.open_connectors import shapes
from gateway.api.open_connectors.calls import answer, caller, chosen, page, services
from gateway.instances import store
from gateway.instances.store import Filter
from gateway.provisioning import draft as drafts
from gateway.provisioning import instances
from gateway.provisioning.instances import Details

DEFAULT_PAGE = 200
LARGEST_PAGE = 500


async def create(request: web.Request) -> web.Response:
    """`POST /instances` and `POST /elements/{keyOrId}/instances`."""
    who = await caller(request)
    body = await read.json_body(request)
    if isinstance(body, dict) and "keyOrId" in request.match_info:
        body = {**body, "element": {"key": request.match_info["keyOrId"]}}
    details, made = await instances.create(services(request), who, drafts.read(body))
    return answer(_shape(request, who, details) | shapes.made(made))


async def list_(request: web.Request) -> web.Response:
    """`GET /instances` and `GET /elements/{keyOrId}/instances`."""
    who = await caller(request)
    wanted, filtered = _filter(request)
    size = read.number(request, "pageSize", default=DEFAULT_PAGE, most=LARGEST_PAGE)
    after = read.position(request, "nextPage", "after", int) or 0
    found = list(await instances.page(services(request), who, wanted, after=after, size=size + 1))
    if not found and filtered and not after:
        raise web.HTTPNotFound
    more = read.page_token({"after": found[size - 1].instance.id}) if len(found) > size else None
    full = read.flag(request, "hydrate", default=False)
    return page([_shape(request, who, details, full=full) for details in found[:size]], more)


def _filter(request: web.Request) -> tuple[Filter, bool]:
    tags = tuple(request.query.getall("tags[]", []) + request.query.getall("tags", []))
    search = request.query.get("searchText", "").replace("\x00", "")
    connector = ""
    if "keyOrId" in request.match_info:
        connector = instances.connector_of(services(request), request.match_info["keyOrId"]).key
    return Filter(tags[:20], search[:255], connector), bool(tags or search)


async def count(request: web.Request) -> web.Response:
    """`GET /instances/count`."""
    who = await caller(request)
    total = await store.count(services(request).runtime.database, who)
    by_element = [
        {"elementKey": key, "elementId": services(request).runtime.connector_ids[key], "count": number}
        for key, number in await store.count_by_connector(services(request).runtime.database, who)
        if key in services(request).runtime.connector_ids
    ]
    return answer({"totalInstances": total, "elementInstances": by_element})


async def get(request: web.Request) -> web.Response:
    """`GET /instances/{id}`."""
    who, instance_id = await chosen(request)
    return answer(_shape(request, who, await instances.details(services(request), who, instance_id)))


async def put(request: web.Request) -> web.Response:
    """`PUT /instances/{id}` and `PUT /instances`: a configuration that is sent replaces the stored one."""
    return await _change(request, replaces=True)


async def patch(request: web.Request) -> web.Response:
    """`PATCH /instances/{id}` and `PATCH /instances`."""
    return await _change(request, replaces=False)


async def _change(request: web.Request, *, replaces: bool) -> web.Response:
    who, instance_id = await chosen(request)
    await store.get(services(request).runtime.database, who, instance_id)
    wanted = drafts.read(await read.json_body(request))
    return answer(
        _shape(request, who, await instances.change(services(request), who, instance_id, wanted, replaces=replaces))
    )


async def delete(request: web.Request) -> web.Response:
    """`DELETE /instances/{id}` and `DELETE /instances`."""
    who, instance_id = await chosen(request)
    await instances.remove(services(request), who, instance_id)
    return answer({})


async def enable(request: web.Request) -> web.Response:
    """`PUT …/enabled`."""
    return await _switch(request, enabled=True)


async def disable(request: web.Request) -> web.Response:
    """`DELETE …/enabled`."""
    return await _switch(request, enabled=False)


async def _switch(request: web.Request, *, enabled: bool) -> web.Response:
    who, instance_id = await chosen(request)
    return answer(_shape(request, who, await instances.switch(services(request), who, instance_id, enabled=enabled)))


def _shape(request: web.Request, who: Caller, details: Details, *, full: bool = True) -> dict[str, Any]:
    number = services(request).runtime.connector_ids[details.connector.key]
    user = shapes.user(details.instance.user_id, who.user.username)
    return shapes.instance(details, number, user, full=full)


def routes(prefix: str) -> Sequence[web.AbstractRouteDef]:
    """The routes below a prefix."""
    one, own = prefix + "/instances/{id:[^/]+}", prefix + "/instances"
    return [
        web.post(own, create),
        web.get(own, list_),
        web.put(own, put),
        web.patch(own, patch),
        web.delete(own, delete),
        web.get(own + "/count", count),
        web.put(own + "/enabled", enable),
        web.delete(own + "/enabled", disable),
        web.get(one, get),
        web.put(one, put),
        web.patch(one, patch),
        web.delete(one, delete),
        web.put(one + "/enabled", enable),
        web.delete(one + "/enabled", disable),
        web.post(prefix + "/elements/{keyOrId}/instances", create),
        web.get(prefix + "/elements/{keyOrId}/instances", list_),
    ]
