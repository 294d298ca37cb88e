"""The gateway's own API: what none of the other wires has."""

from http import HTTPStatus
from typing import Any, cast

import orjson
from aiohttp import web

from gateway.accounts.authorization import caller_of, parse
from gateway.accounts.model import Caller
from gateway.api import read
from gateway.api.front import REQUEST_ID
from gateway.api.native import shapes
from gateway.api.surface import SERVICES, Failure, Surface, clean
from gateway.clock import now_ms
from gateway.errors import Invalid, Problem
from gateway.instances.store import Filter
from gateway.provisioning import instances, polling, registration
from gateway.provisioning import rotate as rotation
from gateway.provisioning.details import Details, details, page
from gateway.provisioning.services import Services

PREFIX = "/api/v1"
DEFAULT_PAGE = 100
LARGEST_PAGE = 500


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
    ]
    return Surface("native", lambda path: path == PREFIX or path.startswith(PREFIX + "/"), routes, refuse, finish)


async def list_(request: web.Request) -> web.Response:
    """`GET /api/v1/instances`."""
    who = await _caller(request)
    size = read.number(request, "limit", default=DEFAULT_PAGE, most=LARGEST_PAGE)
    after = read.position(request, "cursor", "after", int) or 0
    found = await page(_services(request).runtime, who, Filter(), after=after, size=size)
    more = None if found.after is None else read.page_token({"after": found.after})
    return _answer({"items": [_shape(request, one) for one in found.items], "next": more})


async def get(request: web.Request) -> web.Response:
    """`GET /api/v1/instances/{id}`."""
    who = await _caller(request)
    return _answer(_shape(request, await details(_services(request).runtime, who, read.path_id(request))))


async def rotate(request: web.Request) -> web.Response:
    """`POST /api/v1/instances/{id}/rotate/{what}` with `{"overlap": "24h"}`."""
    who = await _caller(request)
    overlap = _overlap(await read.json_body(request, optional=True))
    what = cast(rotation.What, request.match_info["what"])
    return _answer(await rotation.rotate(_services(request), who, read.path_id(request), what, overlap))


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
    who = await _caller(request)
    return _answer(_shape(request, await instances.enable_destination(_services(request), who, read.path_id(request))))


async def register(request: web.Request) -> web.Response:
    """`POST /api/v1/instances/{id}/registration`: look after the registration at the vendor now."""
    who = await _caller(request)
    await read.json_body(request, optional=True)
    return _answer(_shape(request, await registration.tried(_services(request), who, read.path_id(request))))


async def poll(request: web.Request) -> web.Response:
    """`POST /api/v1/instances/{id}/poll`: poll now, and say what was found."""
    who = await _caller(request)
    await read.json_body(request, optional=True)
    found = await polling.polled_now(_services(request), who, read.path_id(request))
    return _answer({"pollers": [shapes.polled(one) for one in found]})


async def resume(request: web.Request) -> web.Response:
    """`POST /api/v1/instances/{id}/pollers/resume`: let what has stopped go on from where it stood."""
    who = await _caller(request)
    await read.json_body(request, optional=True)
    return _answer(_shape(request, await polling.resumed(_services(request), who, read.path_id(request))))


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


def _services(request: web.Request) -> Services:
    return request.app[SERVICES]


async def _caller(request: web.Request) -> Caller:
    credentials = parse(request.headers.get("Authorization", ""))
    return await caller_of(_services(request).runtime.database, credentials, now=now_ms())


def _shape(request: web.Request, found: Details) -> dict[str, Any]:
    return shapes.instance(found, _services(request).runtime.connector_ids[found.connector.key])


def _answer(body: Any) -> web.Response:
    return web.Response(body=orjson.dumps(body), content_type="application/json")
