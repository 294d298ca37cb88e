"""Bad manners: each is a function from a request to an answer that no client wants to get."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime

from aiohttp import web

Act = Callable[[web.Request], Awaitable[web.StreamResponse]]
MIB = 1 << 20
_PIECE = bytes(1 << 16)


def answering(
    status: int = 200, body: bytes | str = b"", content_type: str = "application/json", **headers: str
) -> Act:
    """A plain answer; names of headers with _ for -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = body.encode() if isinstance(body, str) else body

    async def act(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=data, headers={"Content-Type": content_type, **named})

    return act


def too_many(headers: Mapping[str, str] | None = None, *, status: int = 429, rate_reset: float = 1.0) -> Act:
    """Too many calls, in the words of Close; when to come again is said by headers such as those of RESETS."""
    text = f'{{"error":{{"message":"API call count exceeded.","rate_reset":{rate_reset}}}}}'

    async def act(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text, content_type="application/json", headers=headers)

    return act


#: How vendors say when to come again: headers from a clock's time and a wait, both in seconds.
RESETS: Mapping[str, Callable[[float, float], dict[str, str]]] = {
    "seconds": lambda _now, wait: {"Retry-After": str(round(wait))},
    "http date": lambda now, wait: {
        "Retry-After": format_datetime(datetime.fromtimestamp(now + wait, UTC), usegmt=True)
    },
    "ratelimit": lambda _now, wait: {"RateLimit": f"limit=100, remaining=0, reset={wait:.3f}", "Retry-After": "600"},
    "epoch": lambda now, wait: {"X-RateLimit-Reset": str(round(now + wait))},
    "milliseconds": lambda now, wait: {"X-RateLimit-Reset": str(round(1000 * (now + wait)))},
    "iso": lambda now, wait: {"X-RateLimit-Next": datetime.fromtimestamp(now + wait, UTC).isoformat()},
    "nonsense": lambda _now, _wait: {"Retry-After": "soon", "X-RateLimit-Reset": "\u00bd past never"},
    "nothing": lambda _now, _wait: {},
}


def burst(number: int, status: int = 503) -> list[Act]:
    """So many failures in a row."""
    return [answering(status, '{"error":"Service unavailable"}') for _ in range(number)]


def refused() -> Act:
    """401, as for a token that has ended."""
    return answering(401, '{"error":"The access token provided is expired."}')


def redirect(location: str, status: int = 302) -> Act:
    """Somewhere else; `{self}` stands for the address that was asked."""

    async def act(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": location.replace("{self}", str(request.url))})

    return act


def html(status: int = 200) -> Act:
    """A page for people where JSON was asked for."""
    return answering(status, "<!doctype html><title>Down</title><h1>We are on a break</h1>", "text/html")


def wrong_json() -> Act:
    """What calls itself JSON and breaks off in the middle of a value."""
    return answering(200, '{"data": [{"id": "lead_1", ')


def nothing() -> Act:
    """No answer: the connection is cut."""

    async def act(request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    return act


def half(sent: bytes = b'{"data": [', promised: int = 1000, content_type: str = "application/json") -> Act:
    """A head that promises more than comes before the connection is cut."""

    async def act(request: web.Request) -> web.StreamResponse:
        answer = await _begun(request, content_type, length=promised)
        await answer.write(sent)
        _cut(request)
        return answer

    return act


def zeros(mib: int = 500, content_type: str = "application/octet-stream", *, chunked: bool = False) -> Act:
    """So many MiB of nothing."""

    async def act(request: web.Request) -> web.StreamResponse:
        answer = await _begun(request, content_type, length=None if chunked else mib * MIB)
        for _ in range(mib * MIB // len(_PIECE)):
            await answer.write(_PIECE)
        return answer

    return act


def endless(content_type: str = "application/json", piece: bytes = b'[{"a":1}],' * 1000) -> Act:
    """A body without an end."""

    async def act(request: web.Request) -> web.StreamResponse:
        answer = await _begun(request, content_type)
        while True:
            await answer.write(piece)

    return act


def bomb(mib: int = 10_240, content_type: str = "application/json") -> Act:
    """Zeros without number in a small gzip body: 1 to 1000, and its end is never reached by the careful."""

    async def act(request: web.Request) -> web.StreamResponse:
        answer = await _begun(request, content_type, encoding="gzip")
        for piece in _zipped(mib):
            await answer.write(piece)
        return answer

    return act


def broken_gzip(content_type: str = "application/json") -> Act:
    """Says gzip, and is not."""
    return answering(200, b"this was never compressed", content_type, Content_Encoding="gzip")


def slow_head(seconds: float = 3600.0) -> Act:
    """Thinks for longer than anybody waits."""

    async def act(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return web.json_response({})

    return act


def slow_body(first: bytes = b'{"data": [', seconds: float = 3600.0, content_type: str = "application/json") -> Act:
    """Begins well, and then stands still."""

    async def act(request: web.Request) -> web.StreamResponse:
        answer = await _begun(request, content_type)
        await answer.write(first)
        await asyncio.sleep(seconds)
        return answer

    return act


def waiting(until: asyncio.Event, then: Act) -> Act:
    """Answers when it is told to."""

    async def act(request: web.Request) -> web.StreamResponse:
        await until.wait()
        return await then(request)

    return act


async def _begun(
    request: web.Request, content_type: str, *, length: int | None = None, encoding: str | None = None
) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Type": content_type})
    answer.content_length = length
    if encoding:
        answer.headers["Content-Encoding"] = encoding
    await answer.prepare(request)
    return answer


def _cut(request: web.Request) -> None:
    # What was written reaches the client before the end of the connection does.
    if request.transport is not None:
        request.transport.close()


def _zipped(mib: int) -> Iterator[bytes]:
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    yield packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush the same input gives the same bytes for ever.
    again = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    for _ in range(mib - 1):
        yield again
