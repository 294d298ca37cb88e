"""Lines that one program at a time measures: delivery, claims, the null filter, memory, the start."""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from statistics import median
from typing import Any

import psutil

from bench.line import Line, ratio
from bench.process import server

MIB = 1 << 20
PROGRAM_S = 240


async def program(name: str, **options: Any) -> Any:
    """Run one program of `bench.programs` and take its answer."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.programs", name, json.dumps(options),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(PROGRAM_S):
            _, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        raise
    for line in errors.decode().splitlines():
        if line.startswith("answer:"):
            return json.loads(line.removeprefix("answer:"))
    raise RuntimeError(f"{name} gave no answer:\n{errors.decode()}")


async def delivery(number: int, rounds: int, tell: Callable[[str], None]) -> list[Line]:
    """Signed, sent and recorded, against a bare POST loop."""
    ratios, rates = [], []
    async with server("sink") as sink:
        url = f"http://127.0.0.1:{sink.port}/hook"
        for _ in range(rounds):
            best = max([await program("post_loop", url=url, number=number, connections=many) for many in (16, 32, 64)])
            with tempfile.TemporaryDirectory() as folder:
                ours = await program("deliver", url=url, number=number, folder=folder)
            ratios.append(ours / best)
            rates.append((ours, best))
            tell(f"delivery: {ours:.0f}/s against {best:.0f}/s")
    figures = f"{median(ours for ours, _ in rates):.0f}/s against {median(best for _, best in rates):.0f}/s"
    against = "a bare `ClientSession` POST loop at its best of 16, 32, 64"
    return [ratio("delivery: signed, sent, recorded", against, ratios, 2.0, at_least=True, detail=figures)]


async def claims(pending: int, rounds: int, tell: Callable[[str], None]) -> list[Line]:
    """Claim and settle with very many pending, against few."""
    found = []
    for order, name, reach in (("schedule", "as the retry schedule makes them", 0.6), ("random", "at random", 0.3)):
        ratios, figures = [], ""
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                few = await program("claims", folder=folder, pending=10_000, order=order, settle=1_000)
                many = await program("claims", folder=folder, pending=pending, order=order, settle=1_000)
            ratios.append(many / few)
            figures = f"{many:.0f}/s against {few:.0f}/s"
            tell(f"claim and settle, {order}: {figures}")
        title = f"claim and settle with {pending:,} pending, due times {name}"
        found.append(ratio(title, "with 10,000 pending", ratios, reach, at_least=True, detail=figures))
    return found


async def nulls(tell: Callable[[str], None]) -> list[Line]:
    """The null filter against orjson there and back."""
    took = await program("nulls")
    tell(f"null filter: {took}")
    rows = (("with nulls", 3.0), ("without nulls", 0.2), ("inexact", 20.0))
    names = {"inexact": "with a float and an integer beyond 64 bits"}
    return [
        ratio(
            f"null filter, 1 KiB, {names.get(row, row)}",
            "`orjson.loads` + `dumps`",
            [took[row] / took["orjson"]],
            bound,
            at_least=False,
            detail=f"{took[row]:.1f} µs against {took['orjson']:.1f} µs",
        )
        for row, bound in rows
    ]


async def memory_and_start(number: int, rounds: int, tell: Callable[[str], None]) -> list[Line]:
    """Resident memory, idle and with a dead destination's backlog, and the time from start to ready."""
    with tempfile.TemporaryDirectory() as folder:
        async with server("sink") as sink:
            url = f"http://127.0.0.1:{sink.port}/hook"
            async with serving(f"{folder}/idle") as (pid, _):
                await asyncio.sleep(3)
                idle = _resident(pid)
        tell(f"memory, idle: {idle / MIB:.0f} MiB")
        await program("fill_events", folder=f"{folder}/full", number=number, url=url)
        starts = [await _start(f"{folder}/full", tell) for _ in range(rounds)]
        async with serving(f"{folder}/full") as (pid, _):
            peak = await _peak(pid, 20)
        tell(f"memory, {number:,} pending and a dead destination: {peak / MIB:.0f} MiB")
    ready, imported = median(ready for ready, _ in starts), median(imported for _, imported in starts)
    figures = f"{ready:.2f} s against {imported:.2f} s"
    return [
        _size("memory, idle", idle, 80),
        _size(f"memory with {number:,} pending and a dead destination", peak, 160),
        ratio(
            f"start to ready, on a database of {number:,} events",
            '`python -c "import aiohttp"`',
            [ours / theirs for ours, theirs in starts],
            4.0,
            at_least=False,
            detail=figures,
        ),
    ]


def _size(name: str, size: int, reach: float) -> Line:
    return Line(name=name, against="–", value=size / MIB, reach=reach, at_least=False, unit="MiB")


@asynccontextmanager
async def serving(folder: str) -> AsyncIterator[tuple[int, float]]:
    """`gateway serve` on a data directory, as people run it: its process and the seconds until it was ready."""
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "serve",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, cwd=folder.rsplit("/", 1)[0],
        env={"GATEWAY_SERVER__PORT": "0", "GATEWAY_STORAGE__DATA_DIR": folder, "GATEWAY_LOG__FORMAT": "json",
             "GATEWAY_EGRESS__ALLOW_HTTP": "true", "GATEWAY_EGRESS__ALLOW_NETWORKS": '["127.0.0.0/8"]'},
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while b"gateway.ready" not in await process.stdout.readline():
            if process.returncode is not None:
                raise RuntimeError("the gateway did not start")
    ready = time.monotonic() - began
    rest = asyncio.create_task(_discard(process.stdout))
    try:
        yield process.pid, ready
    finally:
        process.terminate()
        await process.wait()
        await rest


async def _discard(stream: asyncio.StreamReader) -> None:
    while await stream.read(65536):
        pass


async def _start(folder: str, tell: Callable[[str], None]) -> tuple[float, float]:
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "import aiohttp")
    await process.wait()
    imported = time.monotonic() - began
    async with serving(folder) as (_, ready):
        tell(f"start to ready: {ready:.2f} s against {imported:.2f} s")
    return ready, imported


async def _peak(pid: int, seconds: int) -> int:
    peak = 0
    for _ in range(seconds * 5):
        peak = max(peak, _resident(pid))
        await asyncio.sleep(0.2)
    return peak


def _resident(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)
