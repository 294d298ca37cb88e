"""A peer on the loopback that behaves as badly as a script tells it to, and what is asked of it."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol, cast

from gateway.egress.model import Request


class Talk:
    """One connection, seen from the peer's side."""

    def __init__(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.number = number
        self.reader = reader
        self.writer = writer

    async def request(self) -> bytes:
        """The next request, head and body."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line[15:])
        return head + await self.reader.readexactly(length)

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def stop_reading(self) -> None:
        """Let what the client sends pile up."""
        cast(asyncio.Transport, self.writer.transport).pause_reading()  # a stream's transport goes both ways

    async def wait_for_the_end(self) -> None:
        """Until the client has let go."""
        while await self.reader.read(65536):
            pass


Script = Callable[[Talk], Awaitable[None]]


class Peer:
    """A raw server; counts connections and keeps the requests that its script has read."""

    def __init__(self) -> None:
        self.connections = 0
        self.ended = 0
        self.requests: list[bytes] = []
        self.port = 0
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self, script: Script | bytes, tls: ssl.SSLContext | None = None) -> "Peer":
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            task = asyncio.current_task()
            assert task is not None
            self._talks.add(task)
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._run(script, Talk(self.connections, reader, writer))
            self.ended += 1
            self._talks.discard(task)
            writer.transport.abort()

        self._tls = tls is not None
        self._server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _run(self, script: Script | bytes, talk: Talk) -> None:
        if not isinstance(script, bytes):
            await script(talk)
            return
        while True:
            self.requests.append(await talk.request())
            await talk.say(script)

    async def stop(self) -> None:
        self._server.close()
        for task in tuple(self._talks):
            task.cancel()
        await asyncio.gather(*self._talks)
        await asyncio.sleep(0.05 if self._tls else 0.005)  # a handshake cut short is noticed late

    def url(self, path: str = "/hook", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


class Names:
    """A resolver that answers from a table; a list of lists is answered in turn."""

    def __init__(self, **table: Sequence[Sequence[str]]) -> None:
        self.table = {name.replace("_", "."): list(answers) for name, answers in table.items()}
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        assert port > 0
        self.asked.append(host)
        if host not in self.table:
            raise OSError("no such name")
        answers = self.table[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]


class StartPeer(Protocol):
    """Starts a peer that is stopped at the end of the test."""

    async def __call__(self, script: Script | bytes, tls: ssl.SSLContext | None = None) -> Peer: ...


def post(
    url: str,
    *,
    method: str = "POST",
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b'{"a":1}',
    timeout: float = 5.0,
    max_answer: int = 65536,
) -> Request:
    """A request with what a test does not care about filled in."""
    return Request(method=method, url=url, headers=headers, body=body, timeout=timeout, max_answer=max_answer)
