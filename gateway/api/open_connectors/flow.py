"""Bodies of callers that do not fit into memory, up to the vendor piece by piece."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from gateway.api.streaming import PIECE_S

MOST_UPLOAD = 5 << 30


class Upload:
    """The caller's body on its way up; `problem` says why it ended early."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self.problem: web.HTTPException | None = None
        if (request.content_length or 0) > MOST_UPLOAD:
            raise web.HTTPRequestEntityTooLarge(MOST_UPLOAD, request.content_length or 0)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        while True:
            piece = await self._next()
            if not piece:
                return
            size += len(piece)
            if size > MOST_UPLOAD:
                raise self._ended(web.HTTPRequestEntityTooLarge(MOST_UPLOAD, size))
            yield piece

    async def _next(self) -> bytes:
        content = self._request.content
        try:
            async with asyncio.timeout(PIECE_S):
                while True:
                    piece = await content.readany()
                    if piece or content.at_eof():
                        return piece
        except TimeoutError as late:
            raise self._ended(web.HTTPRequestTimeout()) from late
        except web.RequestPayloadError as broken:
            raise self._ended(web.HTTPBadRequest()) from broken

    def _ended(self, problem: web.HTTPException) -> ConnectionError:
        self.problem = problem
        return ConnectionError("the caller's body ended early")
