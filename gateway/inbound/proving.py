"""Proof of a delivery for an instance, where a key of the vendor's may have to be fetched first."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.instances.view import InstanceView
from gateway.proofs.keys import KeyStore, Outage
from gateway.proofs.proof import Rejected, Verified, Wanted
from gateway.proofs.received import Received
from gateway.proofs.verify import verify

MOST_FETCHES = 2
#: Vendors wait this long for an answer, unless their connector says less.
DEADLINE_S = 5.0


@dataclass(frozen=True, slots=True)
class Undecided:
    """Neither proved nor refused: the vendor's key cannot be had now."""

    problem: str


@dataclass(slots=True)
class Proved:
    """The instances that prove a delivery, and why some of the others do not."""

    found: list[tuple[InstanceView, Verified]] = field(default_factory=list)
    rejected: Rejected | None = None
    undecided: Undecided | None = None

    def add(self, view: InstanceView, verdict: Verified | Rejected | Undecided) -> None:
        """Note what was found for an instance."""
        if isinstance(verdict, Verified):
            self.found.append((view, verdict))
        elif isinstance(verdict, Rejected):
            self.rejected = self.rejected or verdict
        else:
            self.undecided = verdict


class Proofs:
    """The proofs of one request, for one instance or for several; they share its time and its fetches."""

    def __init__(self, keys: KeyStore, received: Received) -> None:
        self._keys = keys
        self._received = received
        self._began = time.monotonic()
        self._fetches = 0
        self._tried = 0

    async def among(self, views: Iterable[InstanceView]) -> Proved:
        """Which instances prove the delivery, each by its own secrets."""
        proved = Proved()
        for view in views:
            proved.add(view, await self.of(view))
        return proved

    async def of(self, view: InstanceView) -> Verified | Rejected | Undecided:
        """Whether the instance's own secrets prove the delivery."""
        if self._tried:
            await asyncio.sleep(0)  # others are not kept waiting for a whole row of instances
        self._tried += 1
        verdict = verify(view.connector, view.config, self._received, time.time(), self._keys)
        return await self.finished(view, verdict) if isinstance(verdict, Wanted) else verdict

    async def finished(self, view: InstanceView, wanted: Wanted) -> Verified | Rejected | Undecided:
        """The verdict once the wanted key is there."""
        verdict: Verified | Rejected | Wanted = wanted
        while isinstance(verdict, Wanted):
            problem = await self._fetched(view, verdict)
            if problem is not None:
                return problem
            verdict = verify(view.connector, view.config, self._received, time.time(), self._keys)
        return verdict

    async def _fetched(self, view: InstanceView, wanted: Wanted) -> Rejected | Undecided | None:
        if self._fetches >= MOST_FETCHES:
            return Undecided("a delivery needs more keys than are fetched for one")
        self._fetches += 1
        deadline_s = min(DEADLINE_S, (view.connector.ack_deadline or DEADLINE_S * 1000) / 1000)
        try:
            async with asyncio.timeout(max(0.0, self._began + deadline_s - time.monotonic())):
                problem = await self._keys.fetch(wanted.source)
        except TimeoutError:
            return Undecided("the vendor's key did not come in time")
        return Undecided(problem.detail) if isinstance(problem, Outage) else problem


def proves_sender(view: InstanceView) -> bool:
    """Whether the instance's webhook is verified by something that only the vendor has."""
    webhook = view.connector.webhook
    if webhook is None:
        return False
    rules = [
        rule
        for rule in webhook.verify
        if all(view.config.get(condition.key) in condition.values for condition in rule.conditions)
    ]
    return bool(rules) and all(rule.scheme != "none" for rule in rules)
