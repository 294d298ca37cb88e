"""What the history costs the road, how fast it answers on a million events, and what their removal costs."""

import asyncio
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from statistics import median
from typing import Any

import aiohttp

from bench.line import Line, ratio
from bench.load import closed, paced, percentile
from bench.process import Server, server
from bench.road import Sink, requests
from bench.single import program

#: What a question may take while the road runs, in milliseconds.
QUICK_MS = 20.0
_QUESTIONS = 300
_PACE = 500


async def lines(number: int, rows: int, rounds: int, tell: Callable[[str], None]) -> list[Line]:
    """All lines of this part."""
    async with aiohttp.ClientSession() as session, server("sink") as consumer:
        sink = Sink(consumer.port, session)
        found = [await _snapshots(sink, number, rounds, tell)]
        with tempfile.TemporaryDirectory() as folder:
            secrets = await program("fill_history", folder=folder, number=rows, url=sink.url)
            tell(f"history: {rows} events stored")
            async with server("gateway", folder=folder, config=_patient(), **secrets) as gateway:
                found += await _questions(sink, gateway, number, tell)
            options = {"config": _patient(events="1d", payloads="1d"), "sweep_after_s": 10}
            async with server("gateway", folder=folder, **options, **secrets) as gateway:
                found.append(await _retention(gateway, tell))
        return found


def _patient(**retention: str) -> dict[str, Any]:
    return {"retention": retention} if retention else {}


async def _snapshots(sink: Sink, number: int, rounds: int, tell: Callable[[str], None]) -> Line:
    ratios, rates = [], []
    with tempfile.TemporaryDirectory() as folder:
        without = {"retention": {"answers": False}}
        async with (
            server("gateway", folder=f"{folder}/kept", callbacks=[sink.url]) as kept,
            server("gateway", folder=f"{folder}/not", callbacks=[sink.url], config=without) as not_kept,
        ):
            for turn in range(rounds + 1):
                fast, ours = await _road(sink, not_kept, number), await _road(sink, kept, number)
                if turn:  # the first round warms up
                    ratios.append(ours / fast)
                    rates.append((ours, fast))
                tell(f"the road: {ours:.0f}/s with answers kept, {fast:.0f}/s without")
    figures = f"{median(ours for ours, _ in rates):.0f}/s against {median(fast for _, fast in rates):.0f}/s"
    return ratio("the road with answers kept", "the road without", ratios, 0.9, at_least=True, detail=figures)


async def _road(sink: Sink, target: Server, number: int) -> float:
    await sink.ask("forget")
    sending = requests(target, number)
    began = time.monotonic()
    await closed(target.port, sending, 64)
    await sink.wait(number)
    return number / (time.monotonic() - began)


async def _questions(sink: Sink, gateway: Server, number: int, tell: Callable[[str], None]) -> list[Line]:
    """p99 of a page, of one event and of a fate while the road runs at half of what it can."""
    full = await _road(sink, gateway, number)
    headers = {"Authorization": gateway.said["authorization"]}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{gateway.port}", headers=headers) as session:
        ids = await _somewhere(session)
        wanted = {
            "a page of a list": lambda: f"/api/v1/events?limit=100&cursor={random.choice(ids.cursors)}",
            "one event": lambda: f"/api/v1/events/{random.choice(ids.events)}",
            "one fate": lambda: f"/api/v1/fate?vendor_event_id={random.choice(ids.vendor_ids)}",
        }
        found = []
        for name, url in wanted.items():
            await sink.ask("forget")
            seconds = _QUESTIONS / 50 + 2
            load = asyncio.create_task(paced(gateway.port, requests(gateway, round(full / 2 * seconds)), full / 2))
            took = await _asked(session, url)
            await load
            p99 = 1e3 * percentile(took, 0.99)
            tell(f"{name} on a million events: p99 {p99:.1f} ms at {full / 2:.0f}/s")
            found.append(
                Line(
                    name=f"{name} among 1,000,000 events, p99", against="the road at half load", value=p99,
                    reach=QUICK_MS, at_least=False, unit="ms", detail=f"median {1e3 * median(took):.1f} ms",
                )
            )  # fmt: skip
        return found


class _Places:
    def __init__(self, cursors: list[str], events: list[str], vendor_ids: list[str]) -> None:
        self.cursors = cursors
        self.events = events
        self.vendor_ids = vendor_ids


async def _somewhere(session: aiohttp.ClientSession) -> _Places:
    """Places all over the list, found as a caller finds them."""
    cursors, events, vendor_ids, cursor = [], [], [], ""
    for _ in range(200):
        async with session.get("/api/v1/events", params={"limit": "500", "cursor": cursor} if cursor else {}) as answer:
            page = await answer.json()
        events += [one["id"] for one in page["items"][::100]]
        vendor_ids += [one["vendor_event_id"] for one in page["items"][::100] if one["vendor_event_id"]]
        if page["next"] is None:
            break
        cursor = page["next"]
        cursors.append(cursor)
    return _Places(cursors, events, vendor_ids)


async def _asked(session: aiohttp.ClientSession, url: Callable[[], str]) -> list[float]:
    took = []
    for _ in range(_QUESTIONS):
        began = time.monotonic()
        async with session.get(url()) as answer:
            await answer.read()
            if answer.status != 200:
                raise RuntimeError(f"a question was answered {answer.status}")
        took.append(time.monotonic() - began)
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), max(0, 0.02 - took[-1]))
    return took


async def _retention(gateway: Server, tell: Callable[[str], None]) -> Line:
    """p99 of ingest at a fixed rate while old rows go, against before."""
    await paced(gateway.port, requests(gateway, _PACE), _PACE)
    quiet = await paced(gateway.port, requests(gateway, 6 * _PACE), _PACE)
    await asyncio.sleep(4)
    busy = await paced(gateway.port, requests(gateway, 10 * _PACE), _PACE)
    before, during = (1e3 * percentile(one.took, 0.99) for one in (quiet, busy))
    tell(f"retention: ingest p99 {during:.2f} ms while it runs, {before:.2f} ms before")
    name = f"p99 of ingest at {_PACE}/s while 1,000,000 events are removed"
    figures = f"{during:.2f} ms against {before:.2f} ms"
    return ratio(name, "the same before", [during / before], 1.5, at_least=False, detail=figures)
