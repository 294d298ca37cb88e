"""Answers of vendors that do not fit into memory, passed on piece by piece; what every surface does alike."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

from aiohttp import web

from gateway.egress.model import BrokenOffError

#: How long a caller may take over one piece.
PIECE_S = 30.0


async def streamed(
    request: web.Request,
    status: int,
    headers: Mapping[str, str],
    pieces: AsyncIterator[bytes],
    finish: Callable[[web.Request, web.StreamResponse], None],
) -> tuple[web.StreamResponse, int]:
    """The answer under the surface's last touch, and how many bytes were passed on.

    An answer that breaks off is broken off here too, so that nobody takes the half of it for the whole.
    """
    response = web.StreamResponse(status=status, headers=headers)
    finish(request, response)
    sent = 0
    try:
        await response.prepare(request)
        async for piece in pieces:
            async with asyncio.timeout(PIECE_S):
                await response.write(piece)
            sent += len(piece)
        await response.write_eof()
    except (BrokenOffError, TimeoutError, ConnectionError):
        if request.transport is not None:
            request.transport.abort()
    return response, sent
