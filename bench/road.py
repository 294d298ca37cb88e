"""Ingest, the whole road, and latency at fixed rates; each against a plain program in the same run."""

import asyncio
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import aiohttp

from bench.line import Line, ratio
from bench.load import Result, closed, paced, percentile
from bench.process import Server, server
from bench.vendor import request

SETTLE_S = 60


@dataclass
class Sink:
    """The consumer's process, and what it saw."""

    port: int
    session: aiohttp.ClientSession

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def ask(self, path: str) -> Any:
        async with self.session.get(f"http://127.0.0.1:{self.port}/{path}") as response:
            return await response.json(content_type=None)

    async def wait(self, number: int) -> None:
        """Wait until so many different deliveries have arrived."""
        async with asyncio.timeout(SETTLE_S):
            while await self.ask("count") < number:  # noqa: ASYNC110 - the sink is another process
                await asyncio.sleep(0.005)


@dataclass
class Field:
    """Everything that one comparison needs, running."""

    bare: Server
    naive: Server
    gateway: Server
    sink: Sink
    storing: Server


@asynccontextmanager
async def field() -> AsyncIterator[Field]:
    """Start all servers; `storing` is a gateway whose instance has no callback."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        session = await stack.enter_async_context(aiohttp.ClientSession())
        sink = Sink((await stack.enter_async_context(server("sink"))).port, session)
        yield Field(
            bare=await stack.enter_async_context(server("bare")),
            naive=await stack.enter_async_context(server("naive", url=sink.url)),
            gateway=await stack.enter_async_context(server("gateway", folder=f"{folder}/road", callbacks=[sink.url])),
            storing=await stack.enter_async_context(server("gateway", folder=f"{folder}/store", callbacks=[None])),
            sink=sink,
        )


def requests(target: Server, number: int) -> list[bytes]:
    """Requests that are new to the server; a plain server takes any path."""
    made = target.said.get("instances", [{"path": "/hook", "secret": "-"}])[0]
    run = uuid.uuid4().hex
    return [request(made["path"], made["secret"], one, run) for one in range(number)]


async def lines(number: int, rounds: int, tell: Callable[[str], None]) -> list[Line]:
    """All lines of this part."""
    async with field() as servers:
        found = [await _ingest(servers, connections, number, rounds, tell) for connections in (64, 256)]
        found.append(await _road(servers, number, rounds, tell))
        for rate, seconds in ((50, 8), (500, 6)):
            found += await _latency(servers, rate, rate * seconds, max(3, rounds // 2 + 1), tell)
        return found


async def _ingest(servers: Field, connections: int, number: int, rounds: int, tell: Callable[[str], None]) -> Line:
    ratios, rates = [], []
    for turn in range(rounds + 1):
        bare = await closed(servers.bare.port, requests(servers.bare, number), connections)
        ours = _good(await closed(servers.storing.port, requests(servers.storing, number), connections))
        if turn:  # the first round warms up
            ratios.append(ours.rate / bare.rate)
            rates.append((ours.rate, bare.rate))
        tell(f"ingest, {connections} connections: {ours.rate:.0f}/s against {bare.rate:.0f}/s")
    reach = 0.60 if connections == 64 else 0.65
    figures = f"{median(ours for ours, _ in rates):.0f}/s against {median(bare for _, bare in rates):.0f}/s"
    name = f"durable ingest, 1 KiB, {connections} connections"
    return ratio(name, "an aiohttp handler that reads and answers", ratios, reach, at_least=True, detail=figures)


async def _road(servers: Field, number: int, rounds: int, tell: Callable[[str], None]) -> Line:
    ratios, rates = [], []
    for turn in range(rounds + 1):
        naive = await _delivered(servers, servers.naive, number)
        ours = await _delivered(servers, servers.gateway, number)
        if turn:
            ratios.append(ours / naive)
            rates.append((ours, naive))
        tell(f"the whole road: {ours:.0f}/s against {naive:.0f}/s")
    figures = f"{median(ours for ours, _ in rates):.0f}/s against {median(naive for _, naive in rates):.0f}/s"
    return ratio("the whole road, one process", "the naive forwarder", ratios, 1.0, at_least=True, detail=figures)


async def _delivered(servers: Field, target: Server, number: int) -> float:
    await servers.sink.ask("forget")
    sending = requests(target, number)
    began = asyncio.get_running_loop().time()
    _good(await closed(target.port, sending, 64))
    await servers.sink.wait(number)
    return number / (asyncio.get_running_loop().time() - began)


async def _latency(servers: Field, rate: int, number: int, rounds: int, tell: Callable[[str], None]) -> list[Line]:
    through: list[tuple[list[float], list[float]]] = []
    acknowledged: list[tuple[list[float], list[float]]] = []
    for _ in range(rounds):
        bare = await paced(servers.bare.port, requests(servers.bare, number), rate)
        _, naive_through = await _paced(servers, servers.naive, rate, number)
        ours, ours_through = await _paced(servers, servers.gateway, rate, number)
        through.append((ours_through, naive_through))
        acknowledged.append((ours.took, bare.took))
        seen, told = (1e3 * percentile(one, 0.99) for one in (ours_through, ours.took))
        tell(f"{rate}/s: p99 {seen:.1f} ms to the consumer, {told:.1f} ms to the acknowledgement")
    return [
        *_compared(f"vendor to consumer at {rate}/s", "the naive forwarder", through, (2, 3)),
        *_compared(f"acknowledgement at {rate}/s", "the bare handler", acknowledged, (3, 3)),
    ]


async def _paced(servers: Field, target: Server, rate: int, number: int) -> tuple[Result, list[float]]:
    await servers.sink.ask("forget")
    result = _good(await paced(target.port, requests(target, number), rate))
    await servers.sink.wait(number)
    seen = await servers.sink.ask("seen")
    return result, [seen[str(one)] - began for one, began in result.began.items()]


def _compared(
    name: str, against: str, rounds: list[tuple[list[float], list[float]]], reach: tuple[float, float]
) -> list[Line]:
    found = []
    for share, bound in zip((0.5, 0.99), reach, strict=True):
        ours = [percentile(one, share) for one, _ in rounds]
        theirs = [percentile(other, share) for _, other in rounds]
        figures = f"{1e3 * median(ours):.2f} ms against {1e3 * median(theirs):.2f} ms"
        ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
        found.append(ratio(f"{name}, p{share * 100:g}", against, ratios, bound, at_least=False, detail=figures))
    return found


def _good(result: Result) -> Result:
    if set(result.statuses) != {200}:
        raise RuntimeError(f"not every request was answered 200: {result.statuses}")
    return result
