"""How fast the console's pages come on a million events, against the same pages on a thousand; and what they weigh."""

import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from statistics import median

import aiohttp

from bench.line import Line
from bench.load import percentile
from bench.process import Server, server
from bench.single import program

FEW = 1_000
_LOADS = 40
_PASSWORD = "a password of the bench"
_HEAVIEST_KB = 200.0
#: The address of each page; `{instance}` and `{event}` are filled in.
_PAGES = (
    "/console?range=week",
    "/console/events",
    "/console/events?status=delivered&instance_id={instance}",
    "/console/events?status=dead",
    "/console/events?since={since}",
    "/console/events/{event}",
    "/console/instances",
    "/console/instances/{instance}",
    "/console/dead-letters",
    "/console/where?q={vendor}",
)


async def lines(rows: int, tell: Callable[[str], None]) -> list[Line]:
    """All lines of this part."""
    small, large = await _timed(FEW, tell), await _timed(rows, tell)
    slowest = max(large.took, key=lambda page: median(large.took[page]) / median(small.took[page]))
    many, few = (1e3 * median(one.took[slowest]) for one in (large, small))
    worst = max(1e3 * percentile(took, 0.99) for took in large.took.values())
    heaviest = max(large.weight, key=lambda page: large.weight[page])
    return [
        Line(
            name=f"the console's slowest page on {rows:,} events", against=f"the same on {FEW:,}", value=many / few,
            reach=2, at_least=False, detail=f"{many:.1f} ms against {few:.1f} ms, {slowest}; worst p99 {worst:.0f} ms",
        ),
        Line(
            name="the console's heaviest page, without its files", against="what a page may weigh",
            value=large.weight[heaviest] / 1000,
            reach=_HEAVIEST_KB, at_least=False, unit="kB", detail=heaviest,
        ),
    ]  # fmt: skip


class _Seen:
    def __init__(self) -> None:
        self.took: dict[str, list[float]] = {}
        self.weight: dict[str, int] = {}


async def _timed(rows: int, tell: Callable[[str], None]) -> _Seen:
    seen = _Seen()
    async with _filled(rows) as gateway, _person(gateway) as session:
        headers = {"Authorization": gateway.said["authorization"]}
        async with session.get("/api/v1/events", params={"limit": "500"}, headers=headers) as answer:
            event = (await answer.json())["items"][-1]
        values = {
            "instance": event["instance_id"],
            "event": event["id"],
            "vendor": event["vendor_event_id"],
            "since": (datetime.now(UTC) - timedelta(days=7)).strftime("%Y-%m-%dT%H:%M"),
        }
        for page in _PAGES:
            await _look(session, page, page.format(**values), seen)
            tell(f"{page} on {rows} events: {1e3 * median(seen.took[page]):.1f} ms, {seen.weight[page]} bytes")
    return seen


async def _look(session: aiohttp.ClientSession, page: str, address: str, seen: _Seen) -> None:
    seen.took[page] = []
    for turn in range(_LOADS + 3):
        began = time.perf_counter()
        async with session.get(address) as answer:
            content = await answer.read()
            if answer.status != 200 or answer.url.path == "/console/sign-in":
                raise RuntimeError(f"{address} was answered {answer.status}")
        if turn >= 3:  # the first ones read templates
            seen.took[page].append(time.perf_counter() - began)
        seen.weight[page] = len(content)


@asynccontextmanager
async def _filled(rows: int) -> AsyncIterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        secrets = await program("fill_history", folder=folder, number=rows, url="http://127.0.0.1:9/")
        async with server("gateway", folder=folder, **secrets) as gateway:
            yield gateway


@asynccontextmanager
async def _person(gateway: Server) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody who is signed in."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{gateway.port}", cookie_jar=jar) as session:
        user = {"username": "bench", "password": _PASSWORD, "role": "power_user"}
        headers = {"Authorization": gateway.said["authorization"]}
        async with session.post("/api/v1/users", json=user, headers=headers) as answer:
            answer.raise_for_status()
        async with session.post("/console/sign-in", data=user) as answer:
            await answer.read()
        yield session
