"""A load generator on bare sockets: prebuilt requests over kept connections, one at a time on each."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Result:
    """What a run of requests came to; times in seconds, `began` by request number on the monotonic clock."""

    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)
    began: dict[int, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return len(self.took) / self.seconds


class _Client(asyncio.Protocol):
    """One connection; reads answers that carry a Content-Length."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[int] | None = None
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def send(self, request: bytes) -> "asyncio.Future[int]":
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        lower = self._buffer[:head_end].lower()
        place = lower.find(b"content-length:")
        length = int(lower[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
        if len(self._buffer) < head_end + 4 + length:
            return
        status = int(self._buffer[9:12])
        self._buffer = b""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the server closed the connection"))


async def closed(port: int, requests: Sequence[bytes], connections: int) -> Result:
    """Every request once, as fast as so many connections get answers."""
    result = Result()
    work = iter(enumerate(requests))
    clients = [await _connect(port) for _ in range(connections)]
    start = time.monotonic()
    await asyncio.gather(*(_drive(client, work, result) for client in clients))
    result.seconds = time.monotonic() - start
    for client in clients:
        client.transport.close()
    return result


async def paced(port: int, requests: Sequence[bytes], rate: float, connections: int = 32) -> Result:
    """Every request once, begun at even times; latency counts from the planned time, so that a stall is seen."""
    result = Result()
    free: asyncio.Queue[_Client] = asyncio.Queue()
    clients = [await _connect(port) for _ in range(connections)]
    for client in clients:
        free.put_nowait(client)
    start = time.monotonic() + 0.05
    tasks = []
    for number, request in enumerate(requests):
        planned = start + number / rate
        delay = planned - time.monotonic()
        if delay > 0:
            await asyncio.sleep(delay)
        tasks.append(asyncio.create_task(_once(free, request, number, planned, result)))
    await asyncio.gather(*tasks)
    result.seconds = time.monotonic() - start
    for client in clients:
        client.transport.close()
    return result


async def _once(free: "asyncio.Queue[_Client]", request: bytes, number: int, planned: float, result: Result) -> None:
    client = await free.get()
    result.began[number] = planned
    status = await client.send(request)
    result.took.append(time.monotonic() - planned)
    result.statuses[status] = result.statuses.get(status, 0) + 1
    free.put_nowait(client)


async def _drive(client: _Client, work: Iterator[tuple[int, bytes]], result: Result) -> None:
    for number, request in work:
        began = time.monotonic()
        result.began[number] = began
        status = await client.send(request)
        result.took.append(time.monotonic() - began)
        result.statuses[status] = result.statuses.get(status, 0) + 1


async def _connect(port: int) -> _Client:
    _, client = await asyncio.get_running_loop().create_connection(_Client, "127.0.0.1", port)
    return client


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
