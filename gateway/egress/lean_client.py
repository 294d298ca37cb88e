"""The lean client: our own HTTP/1.1 on a bare protocol, made for many small requests to the same few hosts."""

import asyncio
import time
from collections.abc import AsyncIterable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TypeVar

from gateway.egress import fault, limits
from gateway.egress.dial import Dialler
from gateway.egress.guard import Guard
from gateway.egress.head import Headers, headers_of
from gateway.egress.lean_call import Call, Collecting
from gateway.egress.lean_connection import Connection
from gateway.egress.lean_pool import Lane, Pool
from gateway.egress.lean_stream import Streaming
from gateway.egress.model import Answer, Failure, Fault, Outcome, Request, Streamed
from gateway.egress.target import Target

T = TypeVar("T")
_WITHOUT_LENGTH = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class LeanClient:
    """Sends over connections of its own, kept alive per origin."""

    def __init__(self, guard: Guard, dialler: Dialler, *, agent: str, connections_per_host: int) -> None:
        self._guard = guard
        self._dialler = dialler
        self._agent = agent
        self._pool = Pool(connections_per_host)
        self._loop = asyncio.get_running_loop()
        self._targets: dict[str, Target | Fault] = {}

    async def send(self, request: Request) -> Outcome:
        """Send once, follow nothing, and say what became of it."""
        started = time.perf_counter()
        ready = self._ready(request)
        if isinstance(ready, Fault):
            return ready.failure(0.0, _since(started))
        target, headers = ready
        wire = _wire(request, target, headers)
        call = Collecting(request, target, wire, started, self._loop.time() + request.timeout)
        lane = self._pool.lane(target.origin)
        carried = await self._carried(call, lane)
        outcome, connection = carried
        if connection is not None:
            self._pool.give_back(lane, connection)
        return outcome if isinstance(outcome, Answer) else outcome.failure(call.connect_ms, _since(started))

    def open(
        self, request: Request, *, body: AsyncIterable[bytes] | None = None
    ) -> AbstractAsyncContextManager[Streamed | Failure]:
        """Send once, and give the answer as soon as its head is there."""
        return _Opening(self, request, body)

    async def close(self) -> None:
        """Let go of every connection; requests under way end as failures."""
        await self._pool.close()

    async def begun(self, request: Request, body: AsyncIterable[bytes] | None) -> tuple[Streaming, Streamed] | Failure:
        """A call whose answer has begun; whoever gets it has to leave it."""
        started = time.perf_counter()
        ready = self._ready(request)
        if isinstance(ready, Fault):
            return ready.failure(0.0, _since(started))
        target, headers = ready
        wire = _wire(request, target, headers, in_pieces=body is not None)
        call = Streaming(request, target, wire, started, self._loop.time() + request.timeout, body)
        lane = self._pool.lane(target.origin)
        try:
            carried = await self._carried(call, lane)
        except asyncio.CancelledError:
            await call.upload_stopped()
            raise
        outcome, connection = carried
        if isinstance(outcome, Fault):
            if connection is not None:
                self._pool.give_back(lane, connection)
            await call.upload_stopped()
            return outcome.failure(call.connect_ms, _since(started))
        assert connection is not None  # without one there is a fault
        return call, call.streamed(partial(self._pool.give_back, lane, connection))

    def _ready(self, request: Request) -> tuple[Target, Headers] | Fault:
        target = self._targets.get(request.url) or self._admitted(request.url)
        if isinstance(target, Fault):
            return target
        headers = headers_of(request, self._agent)
        if isinstance(headers, Fault):
            return headers
        return fault.of_closing() if self._pool.closed else (target, headers)

    def _admitted(self, url: str) -> Target | Fault:
        if len(self._targets) >= limits.MAX_TARGETS:
            self._targets.clear()
        judged = self._targets[url] = self._guard.admit(url)
        return judged

    async def _carried(self, call: Call[T], lane: Lane) -> tuple[T | Fault, Connection | None]:
        """What became of a call, and the connection in whose slot it was; without one the slot is given back."""
        connection: Connection | Fault | None = self._pool.idle_connection(lane)
        if connection is None:
            connection = await self._obtained(call, lane)
        else:
            call.reused = True
        if isinstance(connection, Fault):
            return connection, None
        outcome = await self._exchanged(call, lane, connection)
        if call.reused and call.repeatable and connection.untouched and _was_lost(outcome):
            # The peer had let go of the idle connection; its slot is still ours.
            connection = await self._dialled(call, lane)
            if isinstance(connection, Fault):
                return connection, None
            outcome = await self._exchanged(call, lane, connection)
        return outcome, connection

    async def _obtained(self, call: Call[T], lane: Lane) -> Connection | Fault:
        try:
            async with asyncio.timeout_at(call.deadline):
                connection = await self._pool.slot(lane)
        except TimeoutError:
            return fault.of_deadline(call.request.timeout, call.target.host, "no connection became free")
        if connection is None:
            return await self._dialled(call, lane)
        call.reused = True
        return connection

    async def _dialled(self, call: Call[T], lane: Lane) -> Connection | Fault:
        """A new connection in a slot that is already ours; without one, the slot is given back."""
        begun = time.perf_counter()
        connection: Connection | Fault | None = None
        try:
            async with asyncio.timeout_at(call.deadline):
                connection = await self._dialler.dial(
                    call.target, call.deadline, partial(Connection, call.target, self._pool)
                )
        except TimeoutError:
            connection = fault.of_deadline(call.request.timeout, call.target.host, "no connection was made")
        finally:
            call.connect_ms = _since(begun)
            if not isinstance(connection, Connection):
                self._pool.vacate(lane)
        return connection

    async def _exchanged(self, call: Call[T], lane: Lane, connection: Connection) -> T | Fault:
        try:
            return await connection.exchange(call)
        except asyncio.CancelledError:
            connection.abort()
            self._pool.vacate(lane)
            raise


class _Opening(AbstractAsyncContextManager[Streamed | Failure]):
    """One streamed answer, from the sending until its reader leaves."""

    __slots__ = ("_body", "_call", "_client", "_request")

    def __init__(self, client: LeanClient, request: Request, body: AsyncIterable[bytes] | None) -> None:
        self._client = client
        self._request = request
        self._body = body
        self._call: Streaming | None = None

    async def __aenter__(self) -> Streamed | Failure:
        begun = await self._client.begun(self._request, self._body)
        if isinstance(begun, Failure):
            return begun
        self._call, answer = begun
        return answer

    async def __aexit__(self, *_exc: object) -> None:
        call = self._call
        if call is not None:
            call.leave()
            await call.upload_stopped()


def _was_lost(outcome: object) -> bool:
    return isinstance(outcome, Fault) and outcome.reason == "reset"


def _wire(request: Request, target: Target, headers: Headers, *, in_pieces: bool = False) -> bytes:
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
    body = b"" if in_pieces else request.body
    if in_pieces:
        lines += "Transfer-Encoding: chunked\r\n"
    elif body or request.method not in _WITHOUT_LENGTH:
        lines += f"Content-Length: {len(body)}\r\n"
    head = f"{request.method} {target.path} HTTP/1.1\r\nHost: {target.authority}\r\n{lines}\r\n"
    return head.encode() + body


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
