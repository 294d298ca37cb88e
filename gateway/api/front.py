"""In front of all surfaces: each request gets its id, each failure its surface's shape, each act one line."""

import os
import time
from collections.abc import Sequence

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway.api.auditing import audited, route_of
from gateway.api.surface import Failure, Surface, broken, of_error, of_http
from gateway.errors import GatewayError
from gateway.log import keep_requests_out
from gateway.metrics import Metrics

REQUEST_ID = web.RequestKey("request_id", str)

log = structlog.get_logger()


def front(surfaces: Sequence[Surface], metrics: Metrics) -> Middleware:
    """The middleware that stands before every handler; the last surface owns what no other does."""
    keep_requests_out()

    @web.middleware
    async def before(request: web.Request, handler: Handler) -> web.StreamResponse:
        surface = next((one for one in surfaces if one.owns(request.path)), surfaces[-1])
        request[REQUEST_ID] = os.urandom(12).hex()
        began = time.perf_counter()
        response = await _answered(surface, request, handler)
        await audited(surface, request, response.status)
        surface.finish(request, response)
        metrics.requests.labels(surface.name, str(response.status)).inc()
        _tell(surface, request, response, time.perf_counter() - began)
        return response

    return before


async def _answered(surface: Surface, request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as problem:
        return _refused(surface, request, of_http(problem))
    except GatewayError as problem:
        return _refused(surface, request, of_error(problem))
    except Exception as problem:
        if isinstance(problem, ConnectionError) and request.transport is None:
            raise  # The caller has gone; there is nobody to answer.
        log.exception("request.broke", surface=surface.name, route=route_of(request), request_id=request[REQUEST_ID])
        return _refused(surface, request, broken())


def _refused(surface: Surface, request: web.Request, failure: Failure) -> web.StreamResponse:
    response = surface.refuse(request, failure)
    for name, value in failure.headers:
        response.headers.setdefault(name, value)
    return response


def _tell(surface: Surface, request: web.Request, response: web.StreamResponse, took_s: float) -> None:
    if surface.name in ("inbound", "operations"):
        return
    log.info(
        "request.answered",
        surface=surface.name,
        method=request.method,
        route=route_of(request),
        status=response.status,
        request_id=request[REQUEST_ID],
        remote=request.remote,
        duration_ms=round(1000 * took_s, 2),
    )
