"""Lines about calls through an instance: how many a second, what they add, and memory while a large answer streams."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from statistics import median

import aiohttp
import psutil

from bench.line import Line, ratio
from bench.load import Result, closed, paced, percentile
from bench.process import Server, server

MIB = 1 << 20
BIG = 500 * MIB
CONNECTIONS = 32
RATE = 100


@dataclass
class Field:
    """Everything that the comparison needs, running."""

    vendor: Server
    forwarder: Server
    gateway: Server


@asynccontextmanager
async def field() -> AsyncIterator[Field]:
    """Start all servers."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        vendor = await stack.enter_async_context(server("vendor"))
        url = f"http://127.0.0.1:{vendor.port}"
        yield Field(
            vendor=vendor,
            forwarder=await stack.enter_async_context(server("forwarder", url=url)),
            gateway=await stack.enter_async_context(server("caller", folder=folder, url=url)),
        )


async def lines(number: int, rounds: int, tell: Callable[[str], None]) -> list[Line]:
    """All lines of this part."""
    async with field() as servers:
        return [
            await _rate(servers, number, rounds, tell),
            await _added(servers, rounds, tell),
            await _streamed(servers, tell),
        ]


async def _rate(servers: Field, number: int, rounds: int, tell: Callable[[str], None]) -> Line:
    ratios, figures = [], []
    for _ in range(rounds):
        theirs = _good(await closed(servers.forwarder.port, _requests(servers.forwarder, number), CONNECTIONS)).rate
        ours = _good(await closed(servers.gateway.port, _requests(servers.gateway, number), CONNECTIONS)).rate
        ratios.append(ours / theirs)
        figures.append((ours, theirs))
        tell(f"calls: {ours:.0f}/s against {theirs:.0f}/s")
    detail = f"{median(one for one, _ in figures):.0f}/s against {median(two for _, two in figures):.0f}/s"
    name = "calls a second, 1 KiB answer, authorised, recorded, nulls filtered"
    against = "an aiohttp handler that gets and passes on"
    return ratio(name, against, ratios, 0.7, at_least=True, detail=detail)


async def _added(servers: Field, rounds: int, tell: Callable[[str], None]) -> Line:
    """The median time of a call at a fixed rate, less the vendor's own."""
    added = []
    for _ in range(rounds):
        own = _good(await paced(servers.vendor.port, _requests(servers.vendor, 5 * RATE), RATE))
        whole = _good(await paced(servers.gateway.port, _requests(servers.gateway, 5 * RATE), RATE))
        added.append(1000 * (percentile(whole.took, 0.5) - percentile(own.took, 0.5)))
        tell(f"a call adds {added[-1]:.2f} ms")
    return Line(
        name=f"what a call adds at {RATE}/s, p50",
        against="the vendor's own answer",
        value=median(added),
        reach=2.0,
        at_least=False,
        unit="ms",
        rounds=tuple(round(one, 3) for one in added),
    )


async def _streamed(servers: Field, tell: Callable[[str], None]) -> Line:
    process = psutil.Process(servers.gateway.pid)
    before = process.memory_info().rss
    most, began = before, time.monotonic()
    headers = {"Authorization": servers.gateway.said["authorization"]}
    url = f"http://127.0.0.1:{servers.gateway.port}{_path(servers.gateway)}/files/{BIG}"
    size = 0
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        async for piece in response.content.iter_chunked(1 << 20):
            size += len(piece)
            most = max(most, process.memory_info().rss)
            await asyncio.sleep(0)
    if size != BIG:
        raise RuntimeError(f"{size} bytes of {BIG} came: {response.status}")
    tell(f"500 MiB in {time.monotonic() - began:.1f} s, {(most - before) / MIB:.1f} MiB more memory")
    return Line(
        name="memory while a 500 MiB answer streams through",
        against="before",
        value=(most - before) / MIB,
        reach=16,
        at_least=False,
        unit="MiB",
    )


def _path(target: Server) -> str:
    return "/elements/api-v2/hubs/general" if "authorization" in target.said else ""


def _requests(target: Server, number: int) -> list[bytes]:
    extra = f"Authorization: {target.said['authorization']}\r\n" if "authorization" in target.said else ""
    return [
        f"GET {_path(target)}/things/{one} HTTP/1.1\r\nHost: 127.0.0.1\r\n{extra}\r\n".encode() for one in range(number)
    ]


def _good(result: Result) -> Result:
    if set(result.statuses) != {200}:
        raise RuntimeError(f"not every call was answered 200: {result.statuses}")
    return result
