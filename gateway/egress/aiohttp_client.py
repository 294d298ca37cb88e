"""The client on top of aiohttp: the same promises as the lean one, kept by a library that many have tried."""

import asyncio
import io
import time

import aiohttp
from yarl import URL

from gateway.egress import fault, limits
from gateway.egress.aiohttp_session import Progress, RefusedError, Sessions
from gateway.egress.body import Body, CorruptBodyError
from gateway.egress.guard import Guard
from gateway.egress.head import Headers, headers_of
from gateway.egress.model import Answer, Fault, Outcome, Request
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

    async def close(self) -> None:
        """Let go of every connection."""
        await self._sessions.close()

    async def _attempted(self, request: Request, progress: Progress) -> Answer | Fault:
        target = self._guard.admit(request.url)
        if isinstance(target, Fault):
            return target
        headers = headers_of(request, self._agent)
        if isinstance(headers, Fault):
            return headers
        if self._sessions.closed:
            return fault.of_closing()
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
    body = Body(response.headers.get("Content-Encoding"), request.max_answer)
    try:
        async for piece in response.content.iter_any():
            body.feed(piece)
            if body.truncated:
                response.close()
                break
    except CorruptBodyError:
        return fault.of_protocol(target.host, "its body is not what Content-Encoding says")
    return Answer(
        status=response.status,
        headers=tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t"))
            for name, value in response.raw_headers
        ),
        body=body.whole(),
        truncated=body.truncated,
        connect_ms=progress.connect_ms(),
        total_ms=progress.total_ms(),
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
