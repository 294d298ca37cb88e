"""What an attempt did to its delivery is made durable, in groups; while the store is down, the results wait."""

import asyncio
import functools
import random
from collections.abc import Callable

import structlog

from gateway.clock import now_ms
from gateway.config import Delivery
from gateway.delivery import store
from gateway.delivery.lane import Lane
from gateway.delivery.model import Attempt, End, Job, Settlement
from gateway.delivery.retry import next_step
from gateway.delivery.steady import Steady
from gateway.errors import StorageDown
from gateway.storage.database import Database, Write

MOST_UNSETTLED = 2_000
STORE_AGAIN_S = 1.0

log = structlog.get_logger()

Settled = Callable[[Lane, Job, Settlement | None], None]


class Settling:
    """Settles for this node; `settled` is told of every delivery once its fate is durable, or cannot be."""

    def __init__(self, database: Database, settings: Delivery, clock: Steady, settled: Settled) -> None:
        self._database = database
        self._schedule = [step.ms for step in settings.retry_schedule]
        self._retry_after_cap_ms = settings.retry_after_cap.ms
        self._clock = clock
        self._told = settled
        self._dice = random.Random()  # noqa: S311 - jitter needs no secrecy
        self._unsettled = 0
        self._fewer = asyncio.Event()
        self._failing = False
        self._stopped = False

    def stop(self) -> None:
        """Try nothing again: what is not durable yet is pending after the next start."""
        self._stopped = True

    async def settle(self, lane: Lane, job: Job, made: Attempt, url: str) -> None:
        """Record an attempt and what follows from it; waits only where very many results wait for the store."""
        step = next_step(
            made, job.attempts + 1, self._schedule, self._retry_after_cap_ms, self._dice.random(), self._clock.now()
        )
        await self._begin(lane, job, step, store.settlement(job, made, step, url, now_ms()))

    async def end(self, lane: Lane, job: Job, end: End) -> None:
        """End a delivery that cannot be attempted."""
        step = Settlement(state=end.state, reason=end.reason, due_at=self._clock.now())
        await self._begin(lane, job, step, store.ending(job, step, now_ms()))

    async def _begin(self, lane: Lane, job: Job, step: Settlement, write: Write[bool]) -> None:
        self._unsettled += 1
        self._submit(lane, job, step, write)
        if self._unsettled > MOST_UNSETTLED:
            self._fewer.clear()
            await self._fewer.wait()

    def _submit(self, lane: Lane, job: Job, step: Settlement, write: Write[bool]) -> None:
        future = self._database.submit(write)
        future.add_done_callback(functools.partial(self._committed, lane, job, step, write))

    def _committed(
        self, lane: Lane, job: Job, step: Settlement, write: Write[bool], future: "asyncio.Future[bool]"
    ) -> None:
        problem = asyncio.CancelledError() if future.cancelled() else future.exception()
        if isinstance(problem, StorageDown) and not self._stopped:
            # The result is known and must not be lost: sending again would be the same request twice.
            self._complain(problem)
            asyncio.get_running_loop().call_later(STORE_AGAIN_S, self._submit, lane, job, step, write)
            return
        self._unsettled -= 1
        self._fewer.set()
        if problem is not None:
            log.error("delivery.not_recorded", delivery_id=job.id, problem=str(problem))
            self._told(lane, job, None)
            return
        self._failing = False
        # Another node may have taken the delivery meanwhile; then this one has nothing more to do with it, or to count.
        self._told(lane, job, step if future.result() else Settlement(state="cancelled", reason=None, due_at=0))

    def _complain(self, problem: StorageDown) -> None:
        if not self._failing:
            log.error("delivery.results_wait", problem=str(problem))
        self._failing = True
