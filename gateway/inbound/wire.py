"""The short way in: plain webhook requests are read here, everything else is handed to aiohttp with all its bytes.

A request is plain when it is a `POST /in/…` in HTTP/1.1 with one Content-Length, a head of ordinary lines and a body
of ordinary size. What is chunked, asks for `100-continue`, is malformed, large or anything else takes aiohttp's way,
which knows all of HTTP; the connection stays there. So this reader never has to decide a doubtful case.
"""

import asyncio
import re
import time
from collections.abc import Callable
from functools import lru_cache
from itertools import islice
from typing import cast

from gateway.inbound.answers import plain
from gateway.inbound.forwarded import source_address
from gateway.inbound.handshake import Reply
from gateway.inbound.receive import Receiver
from gateway.proofs.received import Received

_START = b"POST /in/"
_MOST_HEAD = 16_384
_MOST_HEADERS = 100
_MOST_BODY = 262_144
_MOST_AHEAD = 65_536
#: Pieces that a plain request may come in; one that dribbles takes aiohttp's way, which keeps pieces apart.
_MOST_PIECES = 64
IDLE_S = 75.0
ARRIVAL_S = 10.0

_REQUEST_LINE = re.compile(r"POST (/in/([A-Za-z0-9_-]{1,256})(?:\?([!-~]*))?) HTTP/1\.1")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_STRAY = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH = re.compile(r"[0-9]{1,9}", re.ASCII)
_ONCE = frozenset(("content-length", "host"))
#: Headers that ask for something only aiohttp's way knows.
_NOT_PLAIN = frozenset(("transfer-encoding", "expect", "upgrade", "connection", "http2-settings", "te", "trailer"))
_REASONS = {
    200: b"OK", 201: b"Created", 202: b"Accepted", 204: b"No Content", 400: b"Bad Request", 401: b"Unauthorized",
    403: b"Forbidden", 404: b"Not Found",
    405: b"Method Not Allowed", 408: b"Request Timeout", 413: b"Content Too Large",
    429: b"Too Many Requests", 503: b"Service Unavailable",
}  # fmt: skip


class Wire:
    """Makes the protocol of each connection, and knows those that are on the short way."""

    def __init__(
        self,
        receiver: Receiver,
        other: Callable[[], asyncio.Protocol],
        *,
        public_url: str,
        trusted_proxies: tuple[str, ...],
    ) -> None:
        self.receiver = receiver
        self.other = other
        self.public_url = public_url
        self.proxies = trusted_proxies
        self.connections: set[Connection] = set()
        self.draining = False

    def __call__(self) -> "Connection":
        return Connection(self)

    async def sweep_forever(self) -> None:
        """Close connections that stand idle, or whose request does not get on."""
        while True:
            await asyncio.sleep(1)
            now = time.monotonic()
            for connection in list(self.connections):
                connection.expire(now)

    async def drain(self, grace_s: float) -> None:
        """Take no further request, and wait for those under way."""
        self.draining = True
        for connection in list(self.connections):
            connection.close_if_idle()
        busy = [connection.task for connection in self.connections if connection.task is not None]
        if busy:
            await asyncio.wait(busy, timeout=grace_s)
        for connection in list(self.connections):
            connection.abort()


class Connection(asyncio.Protocol):
    """One connection for as long as its requests are plain."""

    __slots__ = ("_blocked", "_buffer", "_paused", "_pieces", "_seen", "_transport", "_wire", "peer", "task")

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._seen = time.monotonic()
        self._pieces = 0
        self._paused = False
        #: The sender does not read its answers, so no further request is begun.
        self._blocked = False
        self.peer = ""
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not of that class
        peer = transport.get_extra_info("peername")
        self.peer = peer[0] if isinstance(peer, tuple) else ""
        self._wire.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport = None
        self._wire.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        self._pieces += 1
        if self.task is None:
            # The time of a request's first piece: later ones do not put its deadline off.
            if self._pieces == 1:
                self._seen = time.monotonic()
            self._advance()
        self._govern()

    def pause_writing(self) -> None:
        self._blocked = True
        self._govern()

    def resume_writing(self) -> None:
        self._blocked = False
        if self.task is None and self._buffer:
            self._advance()
        self._govern()

    def _govern(self) -> None:
        """Read no further ahead than the bound while something has to happen first."""
        if self._transport is None:
            return
        full = (self.task is not None or self._blocked) and len(self._buffer) > _MOST_AHEAD
        if full and not self._paused:
            self._transport.pause_reading()
        elif self._paused and not full:
            self._transport.resume_reading()
        self._paused = full

    def _advance(self) -> None:
        """Begin the request that is complete, wait for more of it, or hand everything over."""
        buffer = self._buffer
        if self._blocked:
            return
        if not buffer.startswith(_START) or self._pieces > _MOST_PIECES:
            if not _START.startswith(buffer):
                self._hand_over()
            return
        end = buffer.find(b"\r\n\r\n", 0, _MOST_HEAD)
        if end < 0:
            if len(buffer) >= _MOST_HEAD:
                self._hand_over()
            return
        parsed = _parsed(buffer[:end])
        if parsed is None:
            self._hand_over()
            return
        target, token, query, headers, length = parsed
        stop = end + 4 + length
        if length > _MOST_BODY:
            self._hand_over()
        elif len(buffer) >= stop:
            self._buffer = buffer[stop:]
            self._pieces = 0
            received = Received(
                method="POST",
                url=self._wire.public_url + target,
                query=query,
                headers=headers,
                body=buffer[end + 4 : stop],
                remote=self._remote(headers),
            )
            self.task = asyncio.get_running_loop().create_task(self._serve(token, received))

    def _remote(self, headers: dict[str, str]) -> str:
        forwarded = headers.get("x-forwarded-for")
        if forwarded is None or not self._wire.proxies:
            return self.peer
        return source_address(self.peer, [forwarded], self._wire.proxies)

    async def _serve(self, token: str, received: Received) -> None:
        reply = await self._wire.receiver.answer(token, received)
        self.task = None
        self._seen = time.monotonic()
        transport = self._transport
        if transport is None:
            return
        transport.write(_rendered(reply, close=self._wire.draining))
        if self._wire.draining:
            transport.close()
            return
        if self._buffer:
            self._pieces = 1
            self._advance()
        self._govern()

    def _hand_over(self) -> None:
        transport, data, self._buffer = self._transport, self._buffer, b""
        if transport is None:
            return
        self._wire.connections.discard(self)
        self._transport = None
        if self._paused:
            transport.resume_reading()
        protocol = self._wire.other()
        protocol.connection_made(transport)
        transport.set_protocol(protocol)
        protocol.data_received(data)

    def expire(self, now: float) -> None:
        """Close where nothing has moved for too long; a request that is being stored is waited for."""
        if self.task is not None or self._transport is None:
            return
        if self._blocked and now - self._seen > ARRIVAL_S:
            self._transport.abort()
        elif self._buffer and now - self._seen > ARRIVAL_S:
            self._transport.write(_rendered(plain(408, "the request came too slowly"), close=True))
            self._transport.close()
        elif now - self._seen > IDLE_S:
            self._transport.close()

    def close_if_idle(self) -> None:
        """Close where no request is under way."""
        if self.task is None and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Give the connection up."""
        if self._transport is not None:
            self._transport.abort()


def _parsed(head: bytes) -> tuple[str, str, str, dict[str, str], int] | None:
    """Target, token, query, headers and body length of a plain request's head; None where it is not plain."""
    lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    match = _REQUEST_LINE.fullmatch(lines[0])
    # Every carriage return and line feed was one of the pairs that were split at.
    if match is None or len(lines) > _MOST_HEADERS or _STRAY.search("".join(lines)):
        return None
    headers = _headers(lines)
    if headers is None or "host" not in headers or not _LENGTH.fullmatch(headers.get("content-length", "")):
        return None
    return match[1], match[2], match[3] or "", headers, int(headers["content-length"])


def _headers(lines: list[str]) -> dict[str, str] | None:
    headers: dict[str, str] = {}
    for line in islice(lines, 1, None):
        name, colon, value = line.partition(":")
        lower = _name(name)
        value = value.strip(" \t")
        if not colon or lower is None or (lower in headers and lower in _ONCE):
            return None
        if lower in _NOT_PLAIN and not (lower == "connection" and value.lower() == "keep-alive"):
            return None
        headers[lower] = f"{headers[lower]}, {value}" if lower in headers else value
    return headers


@lru_cache(maxsize=1024)
def _name(name: str) -> str | None:
    return name.lower() if _TOKEN.fullmatch(name) else None


def _rendered(reply: Reply, *, close: bool) -> bytes:
    reason = _REASONS.get(reply.status, b"-")
    # A 204 has no body, and says nothing of its length (RFC 9110 §8.6).
    body = b"" if reply.status == 204 else reply.body
    length = b"" if reply.status == 204 else b"Content-Length: %d\r\n" % len(body)
    head = b"HTTP/1.1 %d %b\r\n%b" % (reply.status, reason, length)
    for name, value in reply.headers:
        head += f"{name}: {value}\r\n".encode("utf-8", "surrogateescape")
    return head + (b"Connection: close\r\n\r\n" if close else b"\r\n") + body
