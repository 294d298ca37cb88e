"""Opens a way out: one of two clients behind one interface, with the guard, the resolver and TLS they share."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from gateway.egress.aiohttp_client import AiohttpClient
from gateway.egress.aiohttp_session import Sessions
from gateway.egress.dial import Dialler
from gateway.egress.guard import Guard
from gateway.egress.lean_client import LeanClient
from gateway.egress.model import Client, Resolver, StreamingClient
from gateway.egress.resolve import SystemResolver

ClientKind = Literal["lean", "aiohttp"]


@asynccontextmanager
async def open_client(
    kind: ClientKind,
    guard: Guard,
    *,
    connections_per_host: int = 64,
    ssl_context: ssl.SSLContext | None = None,
    resolver: Resolver | None = None,
) -> AsyncIterator[Client]:
    """A client that is closed at the end of the block."""
    async with open_streaming_client(
        guard, kind=kind, connections_per_host=connections_per_host, ssl_context=ssl_context, resolver=resolver
    ) as client:
        yield client


@asynccontextmanager
async def open_streaming_client(
    guard: Guard,
    *,
    kind: ClientKind = "lean",
    connections_per_host: int = 64,
    ssl_context: ssl.SSLContext | None = None,
    resolver: Resolver | None = None,
) -> AsyncIterator[StreamingClient]:
    """The same for calls to vendors, whose answers may be of any size."""
    async with AsyncExitStack() as stack:
        if resolver is None:
            resolver = SystemResolver()
            stack.push_async_callback(resolver.close)
        tls = ssl_context or _default_tls()
        client: StreamingClient
        if kind == "lean":
            dialler = Dialler(guard, resolver, tls)
            client = LeanClient(guard, dialler, agent=_agent(), connections_per_host=connections_per_host)
        else:
            sessions = Sessions(guard, resolver, tls, connections_per_host=connections_per_host)
            client = AiohttpClient(guard, sessions, agent=_agent())
        stack.push_async_callback(client.close)
        yield client


@lru_cache(maxsize=1)
def _default_tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _agent() -> str:
    try:
        return f"connector-gateway/{version('connector-gateway')}"
    except PackageNotFoundError:
        return "connector-gateway/0"
