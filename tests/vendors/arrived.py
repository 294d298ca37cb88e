"""A request as it reached the simulated vendor."""

from dataclasses import dataclass

from aiohttp import web
from multidict import CIMultiDict

#: Where handlers find the body, which was read before.
BODY = web.RequestKey("body", bytes)
_KEPT = 1 << 20


@dataclass(frozen=True)
class Arrived:
    """One request as it came; of a long body the beginning is kept."""

    method: str
    path: str
    query: str
    headers: CIMultiDict[str]
    body: bytes
    size: int
    raw_path: str


async def read(request: web.Request) -> Arrived:
    """Read a request to its end, and keep what is worth keeping."""
    kept, size = bytearray(), 0
    async for piece in request.content.iter_any():
        size += len(piece)
        kept += piece[: max(0, _KEPT - len(kept))]
    return Arrived(
        method=request.method,
        path=request.path,
        query=request.rel_url.raw_query_string,
        headers=CIMultiDict(request.headers),
        body=bytes(kept),
        size=size,
        raw_path=request.raw_path,
    )
