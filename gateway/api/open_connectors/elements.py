"""Connectors, called elements on the Open Connectors wire."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from gateway.api import read
from gateway.api.open_connectors import shapes
from gateway.api.open_connectors.calls import answer, caller, page, services
from gateway.catalogue.model import Connector
from gateway.errors import NotFound
from gateway.provisioning.instances import connector_of

DEFAULT_PAGE = 200
LARGEST_PAGE = 500


async def list_(request: web.Request) -> web.Response:
    """`GET /elements`."""
    return await _page(request, shapes.element)


async def keys(request: web.Request) -> web.Response:
    """`GET /elements/keys`."""
    return await _page(request, shapes.element_key)


async def _page(request: web.Request, shape: Any) -> web.Response:
    who = await caller(request)
    size = read.number(request, "pageSize", default=DEFAULT_PAGE, most=LARGEST_PAGE)
    start = read.position(request, "nextPage", "from", int) or 0
    every = services(request).runtime.catalogue.visible_to(who.partner_id)
    found = every[start : start + size]
    more = read.page_token({"from": start + size}) if start + size < len(every) else None
    return page([shape(connector, _number(request, connector)) for connector in found], more, len(every))


async def get(request: web.Request) -> web.Response:
    """`GET /elements/{keyOrId}`."""
    who = await caller(request)
    connector = connector_of(services(request), who, request.match_info["keyOrId"])
    shape = shapes.element(connector, _number(request, connector))
    return answer(shape | {"configuration": shapes.element_configuration(connector)})


async def configuration(request: web.Request) -> web.Response:
    """`GET /elements/{keyOrId}/configuration`."""
    who = await caller(request)
    return answer(shapes.element_configuration(connector_of(services(request), who, request.match_info["keyOrId"])))


async def metadata(request: web.Request) -> web.Response:
    """`GET /elements/{id}/metadata`, by number only."""
    who = await caller(request)
    named = request.match_info["keyOrId"]
    if not named.isdigit():
        raise NotFound(f"No element found with ID {named[:64]!r}")
    connector = connector_of(services(request), who, named)
    return answer(shapes.metadata(connector, _number(request, connector)))


def _number(request: web.Request, connector: Connector) -> int:
    return services(request).runtime.connector_ids[connector.key]


def routes(prefix: str) -> Sequence[web.AbstractRouteDef]:
    """The routes below a prefix."""
    own = prefix + "/elements"
    return [
        web.get(own, list_),
        web.get(own + "/keys", keys),
        web.get(own + "/{keyOrId}", get),
        web.get(own + "/{keyOrId}/configuration", configuration),
        web.get(own + "/{keyOrId}/metadata", metadata),
    ]
