"""The consumer's side: every request with its times, and answers that are good, bad or slow by the dice."""

import asyncio
import hashlib
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import orjson
from aiohttp import web

from tests.kit.consumer import Arrived

#: How many of a path's requests are answered 500, and how many seconds an answer takes at most.
MANNERS = {"/good": (0.0, 0.0), "/flaky": (0.1, 0.0), "/slow": (0.0, 0.2)}


@dataclass
class Seen:
    """One request at the consumer."""

    vendor_id: str
    event_id: str
    digest: str
    began: float
    answered: float | None = None
    good: bool = False


@dataclass
class Witness:
    """Everything that reached the consumer, by the vendor's own id."""

    dice: random.Random
    seen: dict[str, list[Seen]] = field(default_factory=dict)
    behave: bool = False

    async def answer(self, arrived: Arrived) -> web.StreamResponse:
        vendor_id = orjson.loads(arrived.body)["message"]["raw"]["delivery"]
        one = Seen(vendor_id, arrived.id, hashlib.sha256(arrived.body).hexdigest(), time.monotonic())
        self.seen.setdefault(vendor_id, []).append(one)
        failing, longest = MANNERS[arrived.path]
        if longest:
            await asyncio.sleep(longest * self.dice.random())
        bad = not self.behave and self.dice.random() < failing
        # A good answer counts from here: the gateway may have read it even if it is killed at once.
        one.answered, one.good = time.monotonic(), not bad
        return web.Response(status=500 if bad else 200)

    def delivered(self, vendor_ids: Iterable[str]) -> set[str]:
        """Those of the ids that were answered well at least once."""
        return {vendor_id for vendor_id in vendor_ids if any(one.good for one in self.seen.get(vendor_id, ()))}

    def duplicates(self) -> list[tuple[Seen, Seen]]:
        """Each request for what had been answered well before, with that answer's request."""
        return [
            (before, after)
            for requests in self.seen.values()
            for before, after in pairwise(requests)
            if before.good and before.answered is not None and before.answered <= after.began
        ]

    def answered_by(self, at: float) -> set[str]:
        """Those of which a request had been answered at a moment, well or not."""
        return {
            vendor_id
            for vendor_id, requests in self.seen.items()
            if any(one.answered is not None and one.answered <= at for one in requests)
        }

    def under_way(self, at: float, window_s: float, late_s: float) -> int:
        """How many requests had no answer at a moment, or got it only just before; some are read a little late."""
        return sum(
            one.began <= at + late_s and (one.answered is None or one.answered >= at - window_s)
            for requests in self.seen.values()
            for one in requests
        )
