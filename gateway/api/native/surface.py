"""The gateway's own API: what none of the other wires has."""

from http import HTTPStatus
from typing import Any, cast

import orjson
from aiohttp import web

from gateway.api import read
from gateway.api.auditing import route_of
from gateway.api.front import REQUEST_ID
from gateway.api.native import (
    credentials,
    dead_letters,
    doctor,
    erasures,
    events,
    fate,
    ip_allow_list,
    ledger,
    partners,
    preview,
    replays,
    retention,
    send,
    shapes,
    stream,
    third_party,
    tokens,
    usage,
    users,
)
from gateway.api.native.calls import DEFAULT_PAGE, LARGEST_PAGE, PREFIX, answer, caller, services
from gateway.api.native.described.chapters import CHAPTERS
from gateway.api.surface import Failure, Surface, clean
from gateway.errors import Invalid, Problem
from gateway.instances.store import Filter
from gateway.provisioning import instances, polling, registration
from gateway.provisioning import rotate as rotation
from gateway.provisioning.details import Details, details, page

#: Operations that are tried dry, or begin a job.
_JOBS = tuple(PREFIX + path for path in ("/replays", "/dead-letters/replay", "/dead-letters/discard"))
_TRIED = ("/preview", "/send", "/test")


def surface() -> Surface:
    """All routes below `/api/v1`."""
    one = PREFIX + "/instances/{id}"
    routes = [
        web.get(PREFIX + "/instances", list_),
        web.get(one, get),
        web.post(one + "/rotate/{what:webhook-url|signing-secret|webhook-secret}", rotate),
        web.post(one + "/destination/enable", enable_destination),
        web.post(one + "/registration", register),
        web.post(one + "/poll", poll),
        web.post(one + "/pollers/resume", resume),
        *stream.routes(),
        *send.routes(),
        *events.routes(),
        *fate.routes(),
        *ip_allow_list.routes(),
        *ledger.routes(),
        *preview.routes(),
        *retention.routes(),
        *doctor.routes(),
        *replays.routes(),
        *dead_letters.routes(),
        *erasures.routes(),
        *partners.routes(),
        *users.routes(),
        *credentials.routes(),
        *tokens.routes(),
        *usage.routes(),
        *third_party.routes(),
    ]
    return Surface("native", _owns, routes, refuse, finish, CHAPTERS, _audits)


def _owns(path: str) -> bool:
    return path == PREFIX or path.startswith(PREFIX + "/")


def _audits(request: web.Request, status: int) -> bool:
    """Neither what is only tried, nor a job that was tried dry."""
    route = route_of(request)
    return status == 202 if route in _JOBS else not route.endswith(_TRIED)


async def list_(request: web.Request) -> web.Response:
    """`GET /api/v1/instances`."""
    who = await caller(request)
    size = read.number(request, "limit", default=DEFAULT_PAGE, most=LARGEST_PAGE)
    after = read.position(request, "cursor", "after", int) or 0
    found = await page(services(request).runtime, who, Filter(), after=after, size=size)
    more = None if found.after is None else read.page_token({"after": found.after})
    return answer({"items": [_shape(request, one) for one in found.items], "next": more})


async def get(request: web.Request) -> web.Response:
    """`GET /api/v1/instances/{id}`."""
    who = await caller(request)
    return answer(_shape(request, await details(services(request).runtime, who, read.path_id(request))))


async def rotate(request: web.Request) -> web.Response:
    """`POST /api/v1/instances/{id}/rotate/{what}` with `{"overlap": "24h"}`."""
    who = await caller(request)
    overlap = _overlap(await read.json_body(request, optional=True))
    what = cast(rotation.What, request.match_info["what"])
    return answer(await rotation.rotate(services(request), who, read.path_id(request), what, overlap))


def _overlap(body: object) -> int:
    if body is None:
        body = {}
    if not isinstance(body, dict):
        raise Invalid("The body must be a JSON object.", (Problem("body", "expected an object"),))
    unknown = tuple(Problem(str(name)[:80], "is no field of this request") for name in body if name != "overlap")
    if unknown:
        raise Invalid('The body may only hold an overlap, such as {"overlap": "24h"}.', unknown)
    return rotation.overlap_ms(body.get("overlap", rotation.DEFAULT_OVERLAP))


async def enable_destination(request: web.Request) -> web.Response:
    """`POST /api/v1/instances/{id}/destination/enable`."""
    who = await caller(request)
    return answer(_shape(request, await instances.enable_destination(services(request), who, read.path_id(request))))


async def register(request: web.Request) -> web.Response:
    """`POST /api/v1/instances/{id}/registration`: look after the registration at the vendor now."""
    who = await caller(request)
    await read.json_body(request, optional=True)
    return answer(_shape(request, await registration.tried(services(request), who, read.path_id(request))))


async def poll(request: web.Request) -> web.Response:
    """`POST /api/v1/instances/{id}/poll`: poll now, and say what was found."""
    who = await caller(request)
    await read.json_body(request, optional=True)
    found = await polling.polled_now(services(request), who, read.path_id(request))
    return answer({"pollers": [shapes.polled(one) for one in found]})


async def resume(request: web.Request) -> web.Response:
    """`POST /api/v1/instances/{id}/pollers/resume`: let what has stopped go on from where it stood."""
    who = await caller(request)
    await read.json_body(request, optional=True)
    return answer(_shape(request, await polling.resumed(services(request), who, read.path_id(request))))


def refuse(request: web.Request, failure: Failure) -> web.StreamResponse:
    """Problem details (RFC 9457)."""
    title, where = HTTPStatus(failure.status).phrase, clean(request.path[:500])
    response = web.Response(
        status=failure.status,
        body=orjson.dumps(shapes.problem(failure, title, where, request[REQUEST_ID])),
        content_type="application/problem+json",
    )
    if failure.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="connector-gateway"'
    return response


def finish(request: web.Request, response: web.StreamResponse) -> None:
    """Headers that every answer has."""
    response.headers["X-Request-Id"] = request[REQUEST_ID]
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"


def _shape(request: web.Request, found: Details) -> dict[str, Any]:
    return shapes.instance(found, services(request).runtime.connector_ids[found.connector.key])
