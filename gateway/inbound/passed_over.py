"""Rows of what was proved and became no event: changes that were known already, and those that nobody takes."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from gateway.clock import now_ms
from gateway.errors import GatewayError
from gateway.events import store as events
from gateway.events.model import Event
from gateway.events.refusal import MOST_ROWS, NotStored, Refusal, Sampler
from gateway.ids import body_hash, time_ordered
from gateway.instances.view import InstanceView
from gateway.proofs.received import Received
from gateway.runtime import Runtime
from gateway.storage.database import Effect, Write

#: Rows that wait to be written; of more than that no further ones are kept.
MOST_WAITING = 1_000
AT_ONCE = 64

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Waiting:
    row: Refusal
    #: Under which identities the event stands that it is a duplicate of.
    identities: tuple[str, ...] = ()


class PassedOver:
    """Keeps some for this node, after the answer; nobody waits for it, and the ledger has counted them all."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        self._duplicates = Sampler()
        self._ignored = Sampler()
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    def duplicates(self, view: InstanceView, received: Received, known: Sequence[Event]) -> None:
        """Changes that are stored already, under what the vendor calls them this time."""
        if not known or not self._duplicates.keeps(view.instance.id, now_ms(), min(len(known), MOST_ROWS)):
            return
        hashed = known[0].body_hash or body_hash(received.body)
        plain = _row(view, received, hashed, "duplicate")
        for one in known[:MOST_ROWS]:
            row = _told(plain, one.vendor_event_id, one.object_id)
            self._add(_Waiting(row, events.identities(one)))

    def ignored(self, view: InstanceView, received: Received, told: Sequence[tuple[str | None, str | None]]) -> None:
        """Proved changes of an instance that takes none, each with its vendor's id and its object."""
        if not told or not self._ignored.keeps(view.instance.id, now_ms(), min(len(told), MOST_ROWS)):
            return
        plain = _row(view, received, body_hash(received.body), "ignored")
        for vendor_event_id, object_id in told[:MOST_ROWS]:
            self._add(_Waiting(_told(plain, vendor_event_id, object_id)))

    def _add(self, waiting: _Waiting) -> None:
        if len(self._waiting) >= MOST_WAITING:
            return
        self._waiting.append(waiting)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._write_some([self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))])
        finally:
            self._task = None

    async def _write_some(self, some: Sequence[_Waiting]) -> None:
        try:
            wanted = {(one.row.instance_id, identity) for one in some for identity in one.identities}
            found = await events.ids_by_identity(self._database, sorted(wanted))
            rows = [events.refuse(_of(one, found)) for one in some]
            await self._database.write(Write((), lambda _: Effect(None, rows)), urgent=False)
        except GatewayError as problem:
            log.warning("event.not_kept", rows=len(some), problem=str(problem))


def _of(one: _Waiting, found: dict[tuple[int, str], str]) -> Refusal:
    ids = (found.get((one.row.instance_id, identity)) for identity in one.identities)
    return replace(one.row, event_id=next((event_id for event_id in ids if event_id is not None), None))


def _row(view: InstanceView, received: Received, hashed: str, outcome: NotStored) -> Refusal:
    check, detail = _why(view, outcome)
    return Refusal(
        id="",
        instance_id=view.instance.id,
        at=now_ms(),
        check=check,
        detail=detail,
        remote=received.remote,
        body_hash=hashed,
        outcome=outcome,
    )


def _why(view: InstanceView, outcome: NotStored) -> tuple[str, str]:
    if outcome == "duplicate":
        return "duplicate", "the same change is stored already"
    if view.instance.enabled:
        return "events_off", "event.notification.enabled is not true"
    return "instance_disabled", "the instance is switched off"


def _told(plain: Refusal, vendor_event_id: str | None, object_id: str | None) -> Refusal:
    return replace(plain, id=time_ordered(plain.at), vendor_event_id=vendor_event_id, object_id=object_id)
