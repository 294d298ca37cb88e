"""Lines about polling: nodes with many idle pollers, claims among many rows, a crowd that comes due, records."""

import asyncio
import tempfile
from collections.abc import Callable
from statistics import median

import psutil

from bench.line import Line, ratio
from bench.process import server
from bench.single import program, serving

IDLE_S = 20.0
FEW, MANY = 1_000, 50_000
CROWD = 10_000


async def lines(rounds: int, tell: Callable[[str], None]) -> list[Line]:
    """The four lines of polling."""
    return [await _idle(rounds, tell), await _claims(rounds, tell), await _crowd(rounds, tell), await _records(tell)]


async def _idle(rounds: int, tell: Callable[[str], None]) -> Line:
    ratios, figures = [], ""
    with tempfile.TemporaryDirectory() as folder:
        for number in (FEW, MANY):
            await program("fill_pollers", folder=f"{folder}/{number}", number=number)
        for _ in range(rounds):
            few, many = [await _cpu(f"{folder}/{number}") for number in (FEW, MANY)]
            ratios.append(many / few)
            figures = f"{many:.2f} % against {few:.2f} % of a core"
            tell(f"idle pollers: {figures}")
    return ratio(
        f"CPU of a node that holds {MANY:,} idle pollers", f"{FEW:,} idle pollers", ratios, 1.5, at_least=False,
        detail=figures,
    )  # fmt: skip


async def _cpu(folder: str) -> float:
    async with serving(folder) as (pid, _):
        await asyncio.sleep(3)
        process = psutil.Process(pid)
        before = process.cpu_times()
        await asyncio.sleep(IDLE_S)
        after = process.cpu_times()
    return 100 * (after.user + after.system - before.user - before.system) / IDLE_S


async def _claims(rounds: int, tell: Callable[[str], None]) -> Line:
    ratios, figures = [], ""
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            few = await program("claim_pollers", folder=folder, rows=1_000, wanted=5_000)
            many = await program("claim_pollers", folder=folder, rows=100_000, wanted=5_000)
        ratios.append(many / few)
        figures = f"{many:.0f}/s against {few:.0f}/s"
        tell(f"claims of pollers: {figures}")
    name = "claims and finishes a second with 100,000 poller rows"
    return ratio(name, "with 1,000 rows", ratios, 0.6, at_least=True, detail=figures)


async def _crowd(rounds: int, tell: Callable[[str], None]) -> Line:
    found = []
    async with server("quiet") as quiet:
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                url = f"http://127.0.0.1:{quiet.port}"
                await program("crowd_of_pollers", folder=folder, url=url, number=CROWD)
                found.append(await program("stall_of_pollers", folder=folder))
            tell(f"a crowd of pollers: {found[-1]}")
    worst = [one["worst_ms"] for one in found]
    took, worked = median(one["took_s"] for one in found), median(one["worked_ms"] for one in found)
    return Line(
        name=f"worst stall of the event loop while {CROWD:,} pollers come due at once", against="–",
        value=median(worst), reach=50.0, at_least=False, unit="ms",
        detail=f"at most {worked:.0f} ms of work in one turn; all polled within {took:.0f} s",
        rounds=tuple(round(one, 1) for one in worst),
    )  # fmt: skip


async def _records(tell: Callable[[str], None]) -> Line:
    with tempfile.TemporaryDirectory() as folder:
        rates = await program("records", folder=folder, number=10_000, rounds=5)
    tell(f"records: {rates}")
    figures = f"{rates['polling']:.0f}/s against {rates['webhook']:.0f}/s"
    return ratio(
        "polled records a second through `publish`", "webhook events a second through `publish`",
        [rates["polling"] / rates["webhook"]], 1.0, at_least=True, detail=figures,
    )  # fmt: skip
