"""Healthy destinations beside hanging and failing ones."""

import tempfile
import uuid
from collections.abc import Callable
from contextlib import AsyncExitStack

import aiohttp

from bench.line import Line, ratio
from bench.load import paced, percentile
from bench.process import server
from bench.road import Sink
from bench.vendor import request

RATE_PER_DESTINATION = 3


async def lines(seconds: int, rounds: int, tell: Callable[[str], None]) -> list[Line]:
    """The p99 of 80 healthy destinations with 20 sick ones beside them, against 80 healthy ones alone."""
    ratios, figures = [], ""
    for _ in range(rounds):
        alone = await _p99(["hook"] * 80, seconds)
        beside = await _p99((["hook"] * 8 + ["hang", "fail"]) * 10, seconds)
        ratios.append(beside / alone)
        figures = f"{1e3 * beside:.1f} ms against {1e3 * alone:.1f} ms"
        tell(f"healthy destinations' p99: {figures}")
    return [
        ratio(
            "healthy destinations' p99, 100 of which 10 hang and 10 answer 500",
            "the same with 80 healthy ones",
            ratios,
            1.5,
            at_least=False,
            detail=figures,
        )
    ]


async def _p99(kinds: list[str], seconds: int) -> float:
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        session = await stack.enter_async_context(aiohttp.ClientSession())
        sink = Sink((await stack.enter_async_context(server("sink"))).port, session)
        callbacks = [f"http://127.0.0.1:{sink.port}/{kind}" for kind in kinds]
        ours = await stack.enter_async_context(server("gateway", folder=folder, callbacks=callbacks))
        rate = RATE_PER_DESTINATION * len(kinds)
        targets = [index % len(kinds) for index in range(rate * seconds)]
        run = uuid.uuid4().hex
        made = ours.said["instances"]
        sending = [request(made[to]["path"], made[to]["secret"], one, run) for one, to in enumerate(targets)]
        result = await paced(ours.port, sending, rate)
        healthy = [one for one, to in enumerate(targets) if kinds[to] == "hook"]
        await sink.wait(len(healthy))
        seen = await sink.ask("seen")
        return percentile([seen[str(one)] - result.began[one] for one in healthy], 0.99)
