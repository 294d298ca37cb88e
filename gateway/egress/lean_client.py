"""The lean client: our own HTTP/1.1 on a bare protocol, made for many small requests to the same few hosts."""

import asyncio
import time
from dataclasses import dataclass
from functools import partial

from gateway.egress import fault, limits
from gateway.egress.dial import Dialler
from gateway.egress.guard import Guard
from gateway.egress.head import Headers, headers_of
from gateway.egress.lean_connection import Connection
from gateway.egress.lean_pool import Lane, Pool
from gateway.egress.model import Answer, Fault, Outcome, Request
from gateway.egress.target import Target

_WITHOUT_LENGTH = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


@dataclass(slots=True)
class _Call:
    """One `send` on its way: what is sent, by when, and how long the connecting took."""

    request: Request
    target: Target
    wire: bytes
    started: float
    deadline: float
    connect_ms: float = 0.0
    reused: bool = False


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
        call = self._prepared(request, started)
        if isinstance(call, Fault):
            return call.failure(0.0, _since(started))
        outcome = await self._performed(call)
        return outcome if isinstance(outcome, Answer) else outcome.failure(call.connect_ms, _since(started))

    async def close(self) -> None:
        """Let go of every connection; requests under way end as failures."""
        await self._pool.close()

    def _prepared(self, request: Request, started: float) -> _Call | Fault:
        target = self._targets.get(request.url) or self._admitted(request.url)
        if isinstance(target, Fault):
            return target
        headers = headers_of(request, self._agent)
        if isinstance(headers, Fault):
            return headers
        if self._pool.closed:
            return fault.of_closing()
        wire = _wire(request, target, headers)
        return _Call(request, target, wire, started, self._loop.time() + request.timeout)

    def _admitted(self, url: str) -> Target | Fault:
        if len(self._targets) >= limits.MAX_TARGETS:
            self._targets.clear()
        judged = self._targets[url] = self._guard.admit(url)
        return judged

    async def _performed(self, call: _Call) -> Answer | Fault:
        lane = self._pool.lane(call.target.origin)
        connection: Connection | Fault | None = self._pool.idle_connection(lane)
        if connection is None:
            connection = await self._obtained(call, lane)
        else:
            call.reused = True
        if isinstance(connection, Fault):
            return connection
        outcome = await self._exchanged(call, lane, connection)
        if call.reused and connection.untouched and isinstance(outcome, Fault) and outcome.reason == "reset":
            # The peer had let go of the idle connection; its slot is still ours.
            connection = await self._dialled(call, lane)
            if isinstance(connection, Fault):
                return connection
            outcome = await self._exchanged(call, lane, connection)
        self._pool.give_back(lane, connection)
        return outcome

    async def _obtained(self, call: _Call, lane: Lane) -> Connection | Fault:
        try:
            async with asyncio.timeout_at(call.deadline):
                connection = await self._pool.slot(lane)
        except TimeoutError:
            return fault.of_deadline(call.request.timeout, call.target.host, "no connection became free")
        if connection is None:
            return await self._dialled(call, lane)
        call.reused = True
        return connection

    async def _dialled(self, call: _Call, lane: Lane) -> Connection | Fault:
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

    async def _exchanged(self, call: _Call, lane: Lane, connection: Connection) -> Answer | Fault:
        try:
            return await connection.exchange(
                call.request,
                call.wire,
                deadline=call.deadline,
                started=call.started,
                connect_ms=call.connect_ms,
            )
        except asyncio.CancelledError:
            connection.abort()
            self._pool.vacate(lane)
            raise


def _wire(request: Request, target: Target, headers: Headers) -> bytes:
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
    body = request.body
    if body or request.method not in _WITHOUT_LENGTH:
        lines += f"Content-Length: {len(body)}\r\n"
    head = f"{request.method} {target.path} HTTP/1.1\r\nHost: {target.authority}\r\n{lines}\r\n"
    return head.encode() + body


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
