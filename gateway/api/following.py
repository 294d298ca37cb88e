"""Streams of server-sent events that readers stay at; what every surface does alike."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from gateway.api.front import REQUEST_ID
from gateway.api.operations import DRAINING
from gateway.api.surface import FEED
from gateway.errors import Busy, GatewayError

#: After so long without a message something is written, so that nobody in between takes the stream for dead.
HEARTBEAT_S = 10.0
#: How long a reader may leave the socket full before it is let go.
PATIENCE_S = 30.0
_PIECE = 65_536
_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Accel-Buffering": "no",
}

log = structlog.get_logger()


async def followed(
    request: web.Request, flow: Callable[[web.StreamResponse], Awaitable[None]], full: str, person: int | None = None
) -> web.StreamResponse:
    """The stream that `flow` writes; Busy with the text `full` where there is no room for one more."""
    async with request.app[FEED].followed(person) as may:
        if not may:
            raise Busy(full)
        response = web.StreamResponse(headers=_HEADERS | {"X-Request-Id": request[REQUEST_ID]})
        await response.prepare(request)
        try:
            await flow(response)
        except TimeoutError:
            log.warning("stream.let_go", reason="its reader does not read", request_id=request[REQUEST_ID])
            if request.transport is not None:
                request.transport.abort()
        except ConnectionError:
            pass  # The reader has gone.
        except GatewayError as problem:
            # It has begun, so that there is no other way to say it; the reader resumes.
            log.warning("stream.broke_off", problem=str(problem), request_id=request[REQUEST_ID])
        return response


def goes_on(request: web.Request) -> bool:
    """Whether the reader is there, and the gateway stays."""
    is_there = request.transport is not None and not request.transport.is_closing()
    return is_there and not request.app[FEED].closed and not request.app[DRAINING]


async def write(response: web.StreamResponse, data: bytes) -> None:
    """Write to the reader; TimeoutError where it does not read."""
    for start in range(0, len(data), _PIECE):
        async with asyncio.timeout(PATIENCE_S):
            await response.write(data[start : start + _PIECE])
