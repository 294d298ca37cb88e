"""The client on top of aiohttp: the same promises as the lean one, kept by a library that many have tried."""

import asyncio
import io
import time
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
from yarl import URL

from gateway.egress import fault, limits
from gateway.egress.aiohttp_session import Progress, RefusedError, Sessions
from gateway.egress.body import Body, CorruptBodyError
from gateway.egress.guard import Guard
from gateway.egress.head import Headers, headers_of
from gateway.egress.inflate import Inflater
from gateway.egress.model import Answer, BrokenOffError, Failure, Fault, Outcome, Request, Streamed
from gateway.egress.target import Target

_WARNS_ABOVE = 1 << 20  # aiohttp wants a stream for more than this
_LOST = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)


class AiohttpClient:
    """Sends through aiohttp sessions that are replaced before a name can have moved unnoticed."""

    def __init__(self, guard: Guard, sessions: Sessions, *, agent: str) -> None:
        self._guard = guard
        self._sessions = sessions
        self._agent = agent

    async def send(self, request: Request) -> Outcome:
        """Send once, follow nothing, and say what became of it."""
        progress = Progress(started=time.perf_counter())
        outcome = await self._attempted(request, progress)
        return outcome if isinstance(outcome, Answer) else outcome.failure(progress.connect_ms(), progress.total_ms())

    @asynccontextmanager
    async def open(
        self, request: Request, *, body: AsyncIterable[bytes] | None = None
    ) -> AsyncIterator[Streamed | Failure]:
        """Send once, and give the answer as soon as its head is there."""
        progress = Progress(started=time.perf_counter())
        admitted = self._admitted(request)
        if isinstance(admitted, Fault):
            yield admitted.failure(0.0, progress.total_ms())
            return
        target, headers = admitted
        async with self._sessions.kept() as session:
            answer = await self._answered(session, request, target, headers, progress, body)
            if isinstance(answer, Fault):
                yield answer.failure(progress.connect_ms(), progress.total_ms())
                return
            try:
                yield _streamed(answer, target, progress)
            finally:
                # A body that was read to its end has given its connection back already.
                answer.close()

    async def close(self) -> None:
        """Let go of every connection."""
        await self._sessions.close()

    def _admitted(self, request: Request) -> tuple[Target, Headers] | Fault:
        target = self._guard.admit(request.url)
        if isinstance(target, Fault):
            return target
        headers = headers_of(request, self._agent)
        if isinstance(headers, Fault):
            return headers
        return fault.of_closing() if self._sessions.closed else (target, headers)

    async def _answered(
        self,
        session: aiohttp.ClientSession,
        request: Request,
        target: Target,
        headers: Headers,
        progress: Progress,
        body: AsyncIterable[bytes] | None,
    ) -> aiohttp.ClientResponse | Fault:
        """The answer's head, from a connection that was kept or else from a fresh one; within the time."""
        try:
            async with asyncio.timeout(request.timeout) as deadline:
                try:
                    sent = None if body is None else _watched(body, deadline, request.timeout)
                    return await _head(session, request, target, headers, progress, sent)
                except aiohttp.ClientError as error:
                    if body is not None or not (progress.reused and _untouched(error, progress)):
                        return _fault_of(error, target, progress)
                try:
                    return await _head(self._sessions.fresh, request, target, headers, progress, None)
                except aiohttp.ClientError as error:
                    return _fault_of(error, target, progress)
        except TimeoutError:
            return fault.of_deadline(request.timeout, target.host, progress.stage())

    async def _attempted(self, request: Request, progress: Progress) -> Answer | Fault:
        admitted = self._admitted(request)
        if isinstance(admitted, Fault):
            return admitted
        target, headers = admitted
        try:
            async with asyncio.timeout(request.timeout):
                return await self._performed(request, target, headers, progress)
        except TimeoutError:
            return fault.of_deadline(request.timeout, target.host, progress.stage())

    async def _performed(
        self, request: Request, target: Target, headers: Headers, progress: Progress
    ) -> Answer | Fault:
        try:
            async with self._sessions.kept() as session:
                return await _exchanged(session, request, target, headers, progress)
        except aiohttp.ClientError as error:
            if not (progress.reused and _untouched(error, progress)):
                return _fault_of(error, target, progress)
        # The peer had let go of the idle connection.
        try:
            return await _exchanged(self._sessions.fresh, request, target, headers, progress)
        except aiohttp.ClientError as error:
            return _fault_of(error, target, progress)


async def _exchanged(
    session: aiohttp.ClientSession, request: Request, target: Target, headers: Headers, progress: Progress
) -> Answer | Fault:
    async with session.request(
        request.method,
        URL(f"{target.origin}{target.path}", encoded=True),
        headers=headers,
        data=_data(request.body),
        allow_redirects=False,
        trace_request_ctx=progress,
    ) as response:
        progress.has_head = True
        if response.status == 101:
            return fault.of_protocol(target.host, "it switches protocols")
        if response.version is None or response.version.major != 1:
            return fault.of_protocol(target.host, "its version of HTTP is not 1.x")
        if sum(len(name) + len(value) + 4 for name, value in response.raw_headers) > limits.MAX_HEAD_BYTES:
            return fault.of_too_many_headers(target.host)
        return await _read(response, request, target, progress)


async def _read(
    response: aiohttp.ClientResponse, request: Request, target: Target, progress: Progress
) -> Answer | Fault:
    head_ms = progress.total_ms()
    body = Body(response.headers.get("Content-Encoding"), request.max_answer)
    try:
        async for piece in response.content.iter_any():
            if body.feed(piece):
                response.close()
                break
    except CorruptBodyError:
        return fault.of_protocol(target.host, "its body is not what Content-Encoding says")
    return Answer(
        status=response.status,
        headers=_header_pairs(response),
        body=body.whole(),
        truncated=body.truncated,
        connect_ms=progress.connect_ms(),
        head_ms=head_ms,
        total_ms=progress.total_ms(),
    )


async def _head(
    session: aiohttp.ClientSession,
    request: Request,
    target: Target,
    headers: Headers,
    progress: Progress,
    body: AsyncIterable[bytes] | None,
) -> aiohttp.ClientResponse | Fault:
    response = await session.request(
        request.method,
        URL(f"{target.origin}{target.path}", encoded=True),
        headers=headers,
        data=_data(request.body) if body is None else body,
        allow_redirects=False,
        trace_request_ctx=progress,
    )
    progress.has_head = True
    if response.status == 101 or response.version is None or response.version.major != 1:
        response.close()
        return fault.of_protocol(target.host, "it switches protocols, or its version of HTTP is not 1.x")
    if sum(len(name) + len(value) + 4 for name, value in response.raw_headers) > limits.MAX_HEAD_BYTES:
        response.close()
        return fault.of_too_many_headers(target.host)
    return response


async def _watched(body: AsyncIterable[bytes], deadline: asyncio.Timeout, seconds: float) -> AsyncIterator[bytes]:
    """A body for whose every piece the time begins anew; a peer may answer before it has read the whole."""
    async for piece in body:
        with suppress(RuntimeError):  # the head is there, and the time has ended with it
            deadline.reschedule(asyncio.get_running_loop().time() + seconds)
        yield piece


def _streamed(response: aiohttp.ClientResponse, target: Target, progress: Progress) -> Streamed:
    return Streamed(
        status=response.status,
        headers=_header_pairs(response),
        pieces=_pieces(response, target),
        connect_ms=progress.connect_ms(),
    )


async def _pieces(response: aiohttp.ClientResponse, target: Target) -> AsyncIterator[bytes]:
    inflater = Inflater(response.headers.get("Content-Encoding"))
    try:
        while True:
            async with asyncio.timeout(limits.PIECE_SECONDS):
                data = await response.content.readany()
            if not data and response.content.at_eof():
                inflater.finish()
                return
            for piece in inflater.pieces(data):
                yield piece
    except TimeoutError as error:
        raise BrokenOffError(f"{target.host} stopped sending in the middle of its answer") from error
    except (aiohttp.ClientError, CorruptBodyError) as error:
        raise BrokenOffError(f"{target.host} broke its answer off, or it cannot be understood") from error


def _header_pairs(response: aiohttp.ClientResponse) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")) for name, value in response.raw_headers
    )


def _data(body: bytes) -> bytes | io.BytesIO | None:
    return io.BytesIO(body) if len(body) > _WARNS_ABOVE else body or None


def _untouched(error: aiohttp.ClientError, progress: Progress) -> bool:
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return isinstance(error.message, str)  # else it is the half of an answer
    return not progress.has_head and isinstance(error, aiohttp.ClientOSError | aiohttp.ClientConnectionResetError)


def _fault_of(error: aiohttp.ClientError, target: Target, progress: Progress) -> Fault:
    match error:
        case aiohttp.ClientConnectorCertificateError() if isinstance(error.certificate_error, OSError):
            return fault.of_handshake(target.host, error.certificate_error)
        case aiohttp.ClientConnectorError(os_error=cause):
            return _fault_of_connecting(error, cause, target)
        case aiohttp.ClientResponseError():
            if error.message.startswith(("Too many headers", "Got more than")):
                return fault.of_too_many_headers(target.host)
            return fault.of_protocol(target.host, "it cannot be understood")
        case aiohttp.ClientPayloadError() if not _was_cut(error):
            return fault.of_protocol(target.host, "its body cannot be understood")
        case _:
            return fault.of_loss(target.host, progress.has_head)


def _fault_of_connecting(error: aiohttp.ClientConnectorError, cause: OSError, target: Target) -> Fault:
    if isinstance(cause, RefusedError):
        return cause.fault
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return fault.of_resolving(target.host, cause)
    if isinstance(error, aiohttp.ClientSSLError) or (target.scheme == "https" and isinstance(cause, _LOST)):
        return fault.of_handshake(target.host, cause)
    return fault.of_dialling(fault.place(target.host, target.port), cause)


def _was_cut(error: aiohttp.ClientPayloadError) -> bool:
    cause = error.__cause__
    return cause is None or "not enough data" in str(cause).lower() or isinstance(cause, OSError)
