"""Instances on the Open Connectors wire."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from gateway.accounts.model import Caller
from gateway.api import read
from gateway.api.open_connectors import shapes
from gateway.api.open_connectors.calls import answer, caller, chosen, page, services
from gateway.errors import NotFound
from gateway.instances import store
from gateway.instances.store import Filter
from gateway.provisioning import draft as drafts
from gateway.provisioning import instances
from gateway.provisioning.details import Details, details
from gateway.provisioning.details import page as details_page
from gateway.provisioning.draft import LONGEST_NAME, MOST_TAGS

DEFAULT_PAGE = 200
LARGEST_PAGE = 500


async def create(request: web.Request) -> web.Response:
    """`POST /instances` and `POST /elements/{keyOrId}/instances`."""
    who = await caller(request)
    body = await read.json_body(request)
    if isinstance(body, dict) and "keyOrId" in request.match_info:
        body = {**body, "element": {"key": request.match_info["keyOrId"]}}
    found, made = await instances.create(services(request), who, drafts.read(body))
    return answer(_shape(request, found) | shapes.made(made) | shapes.recommended(found))


async def list_(request: web.Request) -> web.Response:
    """`GET /instances` and `GET /elements/{keyOrId}/instances`."""
    who = await caller(request)
    wanted, filtered = _filter(request, who)
    size = read.number(request, "pageSize", default=DEFAULT_PAGE, most=LARGEST_PAGE)
    after = read.position(request, "nextPage", "after", int) or 0
    full = read.flag(request, "hydrate", default=False)
    found = await details_page(services(request).runtime, who, wanted, after=after, size=size)
    if not found.items and filtered and not after:
        raise NotFound(
            "No instances found with these tags and this searchText; without a filter the list is all instances"
        )
    more = None if found.after is None else read.page_token({"after": found.after})
    return page([_shape(request, one, full=full) for one in found.items], more)


def _filter(request: web.Request, who: Caller) -> tuple[Filter, bool]:
    tags = read.texts(request, ("tags[]", "tags"), most=MOST_TAGS, longest=LONGEST_NAME)
    search = read.text(request, "searchText", longest=LONGEST_NAME)
    connector = ""
    if "keyOrId" in request.match_info:
        connector = instances.connector_of(services(request), who, request.match_info["keyOrId"]).key
    return Filter(tags, search, connector), bool(tags or search)


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
    return answer(_shape(request, await details(services(request).runtime, who, instance_id)))


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
        _shape(request, await instances.change(services(request), who, instance_id, wanted, replaces=replaces))
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
    return answer(_shape(request, await instances.switch(services(request), who, instance_id, enabled=enabled)))


def _shape(request: web.Request, found: Details, *, full: bool = True) -> dict[str, Any]:
    return shapes.instance(found, services(request).runtime.connector_ids[found.connector.key], full=full)


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
