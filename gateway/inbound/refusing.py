"""What is kept of requests that were not accepted: a number for each, and a row with its reason for some of them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import structlog

from gateway.clock import now_ms
from gateway.errors import GatewayError
from gateway.events import store as events
from gateway.events.refusal import MOST_ROWS, Refusal, Sampler
from gateway.ids import body_hash, time_ordered
from gateway.inbound.handshake import Reply
from gateway.inbound.normalise import Change, Malformed, normalise
from gateway.inbound.others import others_of
from gateway.instances.view import InstanceView
from gateway.proofs.diagnosis import DIAGNOSED, MOST_BODY, compare, diagnose
from gateway.proofs.proof import Rejected
from gateway.proofs.received import Received
from gateway.runtime import Runtime
from gateway.storage.database import Effect, Statement, Tally, Write

T = TypeVar("T")

#: Refusals that are looked into at the same time; of more than that nothing further is found out.
MOST_AT_ONCE = 8
#: Longer bodies are looked into on a thread.
SHORT_BODY = 16 << 10

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Refused:
    view: InstanceView
    received: Received
    status: int
    at: int


class Refusals:
    """Keeps and counts for this node; nobody waits for it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._sampler = Sampler()
        self._under_way: set[asyncio.Task[None]] = set()

    def keep(self, view: InstanceView, received: Received, reply: Reply, check: str, detail: str) -> Reply:
        """Count a refused request, and keep a row of it unless there are too many; answers the reply.

        What else there is to find out about it is found out later: the sender can learn nothing from it.
        """
        instance_id, rejected = view.instance.id, Rejected(check, detail)
        refusal = _Refused(view, received, reply.status, now_ms())
        self.count([events.refused(instance_id)])
        self._runtime.metrics.inbound["refused"].inc()
        self._runtime.traffic.turned_away(view.instance, refused=1)
        if not self._sampler.keeps(instance_id, refusal.at):
            self._count_check(check)
        elif len(self._under_way) < MOST_AT_ONCE:
            of_use = _is_of_use(received, reply, check)
            looking = self._look_into(refusal, rejected, time.time()) if of_use else self._read(refusal, rejected)
            task = asyncio.get_running_loop().create_task(looking)
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        else:
            self._tell(refusal, rejected)
        return reply

    def count(self, tallies: Sequence[Tally], statements: Sequence[Statement] = ()) -> None:
        """Move the ledger without waiting for the commit."""

        def failed(future: object) -> None:
            problem = getattr(future, "exception", lambda: None)()
            if problem is not None:
                log.warning("refusal.not_counted", problem=str(problem))

        write = Write((), lambda _: Effect(None, statements, tallies))
        self._runtime.database.submit(write).add_done_callback(failed)

    async def _look_into(self, refused: _Refused, rejected: Rejected, now_s: float) -> None:
        found: Rejected | None = None
        view, received = refused.view, refused.received
        known = (view.connector, view.config, received, now_s, rejected)
        try:
            found = await _aside(received, partial(diagnose, *known))
            if found is None:
                others = await others_of(self._runtime, view)
                found = await _aside(received, partial(compare, *known, others))
        except GatewayError as problem:
            log.warning("refusal.not_diagnosed", problem=str(problem))
        except Exception:
            log.exception("refusal.diagnosis_broke")
        finally:
            await self._read(refused, found or rejected)

    async def _read(self, refused: _Refused, found: Rejected) -> None:
        """Tell it under what its sender calls the changes in it, though nobody has proved that it is true."""
        changes: Sequence[Change] = ()
        try:
            changes = await _changes_in(refused)
        except Exception:
            log.exception("refusal.not_read")
        finally:
            self._tell(refused, found, changes)

    def _tell(self, refused: _Refused, found: Rejected, changes: Sequence[Change] = ()) -> None:
        row = _row(refused, found)
        log.warning(
            "event.refused",
            instance_id=row.instance_id,
            connector=refused.view.connector.key,
            check=row.check,
            detail=row.detail,
            remote=row.remote,
            status=refused.status,
        )
        self.count([], [events.refuse(one) for one in _rows(row, changes)])
        self._count_check(row.check)

    def _count_check(self, check: str) -> None:
        counters = self._runtime.metrics.refusals
        counters.get(check, counters["other"]).inc()


def _is_of_use(received: Received, reply: Reply, check: str) -> bool:
    return reply.status == 401 and check in DIAGNOSED and len(received.body) <= MOST_BODY


async def _aside(received: Received, look: Callable[[], T]) -> T:
    return await asyncio.to_thread(look) if len(received.body) > SHORT_BODY else look()


async def _changes_in(refused: _Refused) -> Sequence[Change]:
    view, received = refused.view, refused.received
    if not received.body or len(received.body) > MOST_BODY:
        return ()
    changes = await _aside(received, partial(normalise, view.connector, view.config, received, MOST_BODY))
    return () if isinstance(changes, Malformed) else changes[:MOST_ROWS]


def _row(refused: _Refused, found: Rejected) -> Refusal:
    return Refusal(
        id=time_ordered(refused.at),
        instance_id=refused.view.instance.id,
        at=refused.at,
        check=found.check,
        detail=found.detail[:500].replace("\x00", ""),
        remote=refused.received.remote,
        body_hash=body_hash(refused.received.body),
    )


def _rows(row: Refusal, changes: Sequence[Change]) -> list[Refusal]:
    """One for each change that the request told of, or the one that knows of none."""
    told = dict.fromkeys((change.vendor_event_id, change.object_id) for change in changes) or [(None, None)]
    return [
        replace(row, id=time_ordered(row.at), vendor_event_id=vendor_event_id, object_id=object_id)
        for vendor_event_id, object_id in told
    ]
