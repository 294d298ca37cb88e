"""What goes out, and what comes back: an answer of the peer, or the reason why there is none."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec

Reason = Literal[
    "forbidden_address",
    "invalid_url",
    "invalid_method",
    "invalid_header",
    "dns",
    "connect",
    "tls",
    "timeout",
    "reset",
    "protocol",
    "too_many_headers",
]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request; Host, Content-Length and Connection are the client's own business."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    timeout: float  # seconds, over everything from the name's look-up to the last byte of the body
    max_answer: int = 65536  # bytes of the body after decompression; what comes after is not read


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the peer said; names of headers are lower-case, the body is decompressed and may be cut."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: bool
    connect_ms: float  # 0 when a connection was used again
    head_ms: float = 0.0  # until the status and the headers were there
    total_ms: float


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no answer, in a word for machines and a sentence for people."""

    reason: Reason
    detail: str
    connect_ms: float
    total_ms: float


Outcome = Answer | Failure


@dataclass(frozen=True, slots=True)
class Fault:
    """A failure before anybody has looked at the watch."""

    reason: Reason
    detail: str

    def failure(self, connect_ms: float, total_ms: float) -> Failure:
        """The same with the times it took."""
        return Failure(reason=self.reason, detail=self.detail, connect_ms=connect_ms, total_ms=total_ms)


class Client(Protocol):
    """The way out; what the network or a peer does is never an exception."""

    async def send(self, request: Request) -> Outcome:
        """Send once, follow nothing, and say what became of it."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


class Streamed(msgspec.Struct, frozen=True, kw_only=True):
    """An answer whose body is still on its way; names of headers are lower-case, pieces are decompressed."""

    status: int
    headers: tuple[tuple[str, str], ...]
    pieces: AsyncIterator[bytes]
    connect_ms: float
    #: The whole body where it came together with the head; the pieces say it too.
    at_hand: bytes | None = None


class BrokenOffError(Exception):
    """The body of a streamed answer ended before its end; the message says why."""


class StreamingClient(Client, Protocol):
    """The way out for bodies of any size, in bounded memory."""

    def open(
        self, request: Request, *, body: AsyncIterable[bytes] | None = None
    ) -> AbstractAsyncContextManager[Streamed | Failure]:
        """Send once, and give the answer as soon as its head is there; `request.timeout` ends with the head.

        Each piece of `body` that is sent begins the time anew. A piece of the answer that keeps one waiting for
        30 s raises BrokenOffError, as a broken connection does.
        """
        ...


class Resolver(Protocol):
    """Turns a name into addresses; OSError when it cannot."""

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """Every address of the host, the preferred one first."""
        ...
