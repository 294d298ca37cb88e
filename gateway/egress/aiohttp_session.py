"""aiohttp sessions as the guard wants them: judged names and sockets, no cookies, no proxies, none of them old."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.egress import limits
from gateway.egress.guard import Guard
from gateway.egress.model import Fault, Resolver
from gateway.egress.resolve import vetted_name


class RefusedError(OSError):
    """The guard's veto, in the only form that aiohttp lets through from its depths."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.detail)
        self.fault = fault


@dataclass(slots=True)
class Progress:
    """How far one request has come, as aiohttp's tracing tells it."""

    started: float
    reused: bool = False
    has_head: bool = False
    connecting: float | None = None
    connected: float | None = None

    def connect_ms(self) -> float:
        """How long connecting took, or has taken up to now."""
        if self.connecting is None:
            return 0.0
        return ((self.connected or time.perf_counter()) - self.connecting) * 1000

    def total_ms(self) -> float:
        """How long it has taken up to now."""
        return (time.perf_counter() - self.started) * 1000

    def stage(self) -> str:
        """What had not happened when the time was over."""
        if self.has_head:
            return "the answer was not complete"
        return "no answer came" if self.reused or self.connected else "no connection was made"


class Sessions:
    """The session whose connections are kept, replaced every minute, and one that keeps none."""

    def __init__(self, guard: Guard, resolver: Resolver, tls: ssl.SSLContext, *, connections_per_host: int) -> None:
        self._guard = guard
        self._names = _VettedNames(guard, resolver)
        self._tls = tls
        self._per_host = connections_per_host
        self._loop = asyncio.get_running_loop()
        self.closed = False
        self._users: dict[aiohttp.ClientSession, int] = {}
        self.fresh = self._opened(keep=False)
        self._current = self._renewed()

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[aiohttp.ClientSession]:
        """The current session, which stays open until its last user has left."""
        before = self._current
        if self._loop.time() >= self._expires:
            self._current = self._renewed()
            await self._close_if_left(before)
        session = self._current
        self._users[session] += 1
        try:
            yield session
        finally:
            self._users[session] -= 1
            await self._close_if_left(session)

    async def close(self) -> None:
        """Close every session, whoever uses it."""
        self.closed = True
        for session in (*self._users, self.fresh):
            await session.close()

    def _renewed(self) -> aiohttp.ClientSession:
        self._expires = self._loop.time() + limits.AGE_SECONDS
        session = self._opened(keep=True)
        self._users[session] = 0
        return session

    async def _close_if_left(self, session: aiohttp.ClientSession) -> None:
        if session is not self._current and self._users.get(session) == 0:
            del self._users[session]
            await session.close()

    def _opened(self, *, keep: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=self._tls,
            limit=0,
            limit_per_host=self._per_host,
            force_close=not keep,
            resolver=self._names,
            use_dns_cache=False,
            socket_factory=self._socket,
            keepalive_timeout=limits.IDLE_SECONDS if keep else None,
        )
        return aiohttp.ClientSession(
            connector=connector,
            request_class=_WaryRequest,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            trust_env=False,
            skip_auto_headers=("Content-Type",),
            max_field_size=limits.MAX_HEAD_BYTES,
            max_headers=limits.MAX_HEADERS,
            trace_configs=[_tracing()],
        )

    def _socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        # The last gate: aiohttp asks no resolver about a host that is an address.
        family, kind, proto, _, address = info
        refusal = self._guard.refuses_address(str(address[0]))
        if refusal is not None:
            raise RefusedError(Fault("forbidden_address", refusal))
        return socket.socket(family, kind, proto)


class _WaryRequest(aiohttp.ClientRequest):
    """Does not go out over a connection on which something has arrived that nobody had asked for."""

    async def send(self, conn: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        # aiohttp would take a second answer to the last request for the answer to this one.
        if conn.protocol is None or conn.protocol.should_close:
            raise aiohttp.ServerDisconnectedError
        return await super().send(conn)


class _VettedNames(AbstractResolver):
    """Shows aiohttp only answers that the guard has let through."""

    def __init__(self, guard: Guard, resolver: Resolver) -> None:
        self._guard = guard
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = await vetted_name(self._resolver, self._guard, host, port)
        if isinstance(addresses, Fault):
            raise RefusedError(addresses)
        found = [_result(host, address, port) for address in addresses]
        return [result for result in found if family in (socket.AF_UNSPEC, result["family"])]

    async def close(self) -> None:
        """The resolver is its owner's to close."""


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=flags)


def _tracing() -> aiohttp.TraceConfig:
    config = aiohttp.TraceConfig()
    config.on_connection_create_start.append(_on_connecting)
    config.on_connection_create_end.append(_on_connected)
    config.on_connection_reuseconn.append(_on_reused)
    return config


async def _on_connecting(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
    context.trace_request_ctx.connecting = time.perf_counter()
    context.trace_request_ctx.connected = None
    context.trace_request_ctx.reused = False


async def _on_connected(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
    context.trace_request_ctx.connected = time.perf_counter()


async def _on_reused(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
    context.trace_request_ctx.reused = True
