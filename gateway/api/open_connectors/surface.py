"""The Open Connectors surface: below `/elements/api-v2`, and at the bare paths that SAP's documents write."""

from aiohttp import web

from gateway.api.auditing import route_of
from gateway.api.open_connectors import (
    calls,
    configuration,
    discovery,
    elements,
    events,
    instances,
    logins,
    polling,
    resources,
    usage,
)
from gateway.api.open_connectors.described.chapters import CHAPTERS
from gateway.api.surface import Surface

PREFIXES = ("/elements/api-v2", "")
_BARE = ("/instances", "/elements", "/hubs", "/jobs")


def surface() -> Surface:
    """All routes of this wire. The id-less ones stand before those with an id, which would take their words for one."""
    rooms = (events, polling, configuration, instances, elements, logins, discovery, usage, resources)
    routes = [route for prefix in PREFIXES for room in rooms for route in room.routes(prefix)]
    idless = [route for route in routes if isinstance(route, web.RouteDef) and "{id" not in route.path]
    others = [route for route in routes if isinstance(route, web.RouteDef) and "{id" in route.path]
    # Each path has its own, so that an unknown path stays 404.
    preflights = [web.options(path, calls.preflight) for path in dict.fromkeys(one.path for one in [*idless, *others])]
    every = [*idless, *others, *preflights]
    return Surface("open_connectors", _owns, every, calls.refuse, calls.finish, CHAPTERS, _audits)


def _audits(request: web.Request, status: int) -> bool:
    """Changes of instances; neither calls of vendors through them, nor the address of a login page."""
    del status
    route = route_of(request)
    return "/instances" in route and not route.endswith("/oauth/url")


def _owns(path: str) -> bool:
    return any(path == start or path.startswith(start + "/") for start in _BARE) and not path.startswith(
        "/elements/api-v2/events/"
    )
