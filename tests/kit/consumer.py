"""A real consumer on loopback that keeps what it gets and answers as it is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from multidict import CIMultiDict

Answer = Callable[["Arrived"], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Arrived:
    """One request that reached the consumer."""

    path: str
    headers: CIMultiDict[str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Consumer:
    """What arrived, and how to answer: a status, or a function of the request."""

    port: int = 0
    arrived: list[Arrived] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    answer: Answer | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.arrived]

    async def wait(self, number: int, timeout_s: float = 20) -> list[Arrived]:
        """Wait until so many requests have arrived in all."""
        async with asyncio.timeout(timeout_s):
            while len(self.arrived) < number:
                self._news.clear()
                await self._news.wait()
        return self.arrived

    async def handle(self, request: web.Request) -> web.StreamResponse:
        one = Arrived(request.path_qs, CIMultiDict(request.headers), await request.read())
        self.arrived.append(one)
        self._news.set()
        if self.answer is not None:
            return await self.answer(one)
        return web.Response(status=self.status, headers=self.headers, text="{}")


@asynccontextmanager
async def consumer(port: int = 0) -> AsyncIterator[Consumer]:
    """A consumer that listens until the block ends."""
    found = Consumer()
    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{tail:.*}", found.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    found.port = runner.addresses[0][1]
    try:
        yield found
    finally:
        await runner.cleanup()
