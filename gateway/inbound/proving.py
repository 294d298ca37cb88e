"""Proof of a delivery for an instance, where a key of the vendor's may have to be fetched first."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from gateway.inbound.asking import Asking
from gateway.instances.view import InstanceView
from gateway.proofs.keys import KeyStore, Outage
from gateway.proofs.proof import Keys, KeySource, Rejected, Verified, Wanted
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


@dataclass(frozen=True, slots=True)
class Means:
    """What proofs are made with on this node."""

    keys: KeyStore
    asking: Asking | None = None

    def proofs(self, received: Received) -> "Proofs":
        """The proofs of a request."""
        return Proofs(self, received)


@dataclass(slots=True)
class _Known(Keys):
    """The keys that count for one instance: what its own calls brought is nobody else's."""

    keys: KeyStore
    instance_id: int
    objects: dict[str, bytes] = field(default_factory=dict)

    def known(self, source: KeySource) -> bytes | None:
        """The text that the source answered."""
        if source.kind == "object":
            return self.objects.get(source.where)
        return self.keys.known(self.scoped(source))

    def scoped(self, source: KeySource) -> KeySource:
        """Where an answer is kept."""
        return replace(source, where=f"{self.instance_id}/{source.where}") if source.kind == "method" else source


class Proofs:
    """The proofs of one request, for one instance or for several; they share its time and its fetches."""

    def __init__(self, means: Means, received: Received) -> None:
        self._means = means
        self._keys = means.keys
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
        known = _Known(self._keys, view.instance.id)
        verdict: Verified | Rejected | Wanted = wanted
        if wanted.source.kind == "method":
            verdict = verify(view.connector, view.config, self._received, time.time(), known)
        while isinstance(verdict, Wanted):
            problem = await self._fetched(view, verdict, known)
            if problem is not None:
                return problem
            verdict = verify(view.connector, view.config, self._received, time.time(), known)
        return verdict

    async def _fetched(self, view: InstanceView, wanted: Wanted, known: _Known) -> Rejected | Undecided | None:
        if self._fetches >= MOST_FETCHES:
            return Undecided("a delivery needs more keys than are fetched for one")
        self._fetches += 1
        deadline_s = min(DEADLINE_S, (view.connector.ack_deadline or DEADLINE_S * 1000) / 1000)
        try:
            async with asyncio.timeout(max(0.0, self._began + deadline_s - time.monotonic())):
                problem = await self._had(view, wanted.source, known)
        except TimeoutError:
            return Undecided("the vendor's key did not come in time")
        return Undecided(problem.detail) if isinstance(problem, Outage) else problem

    async def _had(self, view: InstanceView, source: KeySource, known: _Known) -> Rejected | Outage | None:
        asking = self._means.asking
        if source.kind not in ("method", "object") or asking is None:
            return await self._keys.fetch(source)
        if source.kind == "method":
            return await self._keys.fetch(known.scoped(source), lambda: asking.ask(view, source))
        answer = await asking.ask(view, source)
        if not isinstance(answer, bytes):
            return answer
        known.objects[source.where] = answer
        return None


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
