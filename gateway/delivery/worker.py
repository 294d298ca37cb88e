"""The delivery worker: takes what publish hands over in memory, claims what is due later, settles in groups."""

import asyncio
import functools
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from gateway.clock import now_ms
from gateway.delivery import store
from gateway.delivery.agenda import Agenda
from gateway.delivery.attempt import attempt, host_of
from gateway.delivery.lanes import Lane, Lanes
from gateway.delivery.model import Attempt, Job, Settlement, State
from gateway.delivery.retry import next_step
from gateway.errors import GatewayError
from gateway.ids import time_ordered
from gateway.instances.index import InstanceIndex
from gateway.instances.view import Callback, InstanceView
from gateway.runtime import Runtime

LEASE_S = 30.0
RESCAN_S = {"sqlite": 30.0, "postgresql": 5.0}
STORE_AGAIN_MS = 1_000
MOST_UNSETTLED = 2_000
MOST_LANES = 20_000
_TICK_S = 0.25
_PAUSING = (429, 502, 503, 504)
_LONGEST_PAUSE_MS = 60_000

log = structlog.get_logger()


class Worker:
    """Delivers on this node; opened by `running`."""

    def __init__(self, runtime: Runtime, index: InstanceIndex) -> None:
        settings = runtime.config.delivery
        self._runtime = runtime
        self._index = index
        self._schedule = [step.ms for step in settings.retry_schedule]
        self._lanes = Lanes(settings.concurrency, settings.concurrency_per_destination)
        self._agenda = Agenda()
        self._tasks: set[asyncio.Task[None]] = set()
        #: Cut off by the end of the drain; the next process may take them at once.
        self._unfinished: list[Job] = []
        self._settled = asyncio.Event()
        self._unsettled = 0
        self._draining = False
        self._dice = random.Random()  # noqa: S311 - jitter needs no secrecy
        self.owner = time_ordered()
        self._timeout_s = settings.timeout.seconds
        self._retry_after_cap_ms = settings.retry_after_cap.ms
        self.lease_ms = round(1000 * max(LEASE_S, 2 * settings.timeout.seconds))

    def admits(self, destination_id: int, size: int) -> bool:
        """Whether a new delivery goes from memory; else its row is written without a lease and claimed later."""
        return not self._draining and self._lanes.admits(destination_id, size)

    def hold(self, job: Job) -> None:
        """Count a delivery as this node's before its row is written."""
        self._lanes.hold(self._lanes.lane(job.destination_id), job.id, _size(job))

    def hand_over(self, jobs: Sequence[Job]) -> None:
        """Take deliveries that are durable now and were held before."""
        for job in jobs:
            self._lanes.lane(job.destination_id).queue.append(job)
            self._pump(self._lanes.lane(job.destination_id))

    def give_up(self, job: Job) -> None:
        """Forget a delivery that was held and whose row was not written."""
        self._lanes.drop(self._lanes.lane(job.destination_id), job.id, _size(job))

    def left_behind(self, destination_id: int, due_at: int) -> None:
        """A delivery stands in the database only; claim it when it is due."""
        self._agenda.note(self._lanes.lane(destination_id), due_at)

    def destination_changed(self, destination_id: int) -> None:
        """A destination was switched on or off or moved: look at its deliveries now, under the new rule."""
        lane = self._lanes.lane(destination_id)
        lane.paused_until = 0
        self._agenda.note(lane, now_ms())

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Worker"]:
        """Run until left; then begin nothing new, wait for what is under way, give back the rest."""
        loops = [asyncio.create_task(self._claim_forever()), asyncio.create_task(self._tick_forever())]
        try:
            yield self
        finally:
            self._draining = True
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            await self._drain()

    async def _drain(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._runtime.config.server.shutdown_grace.seconds * 0.75)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            queued = [job for lane in self._lanes.all() for job in lane.queue]
            await store.release(self._runtime.database, [*self._unfinished, *queued])
        except GatewayError as problem:
            log.warning("delivery.not_released", problem=str(problem))

    # Running

    def _pump(self, lane: Lane) -> None:
        while not self._draining and self._lanes.enter(lane, now_ms()):
            task = asyncio.create_task(self._run(lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _pump_waiting(self) -> None:
        for lane in self._lanes.waiting():
            self._pump(lane)

    async def _run(self, lane: Lane) -> None:
        try:
            while lane.queue:
                await self._deliver(lane, lane.queue.popleft())
                if self._draining or not self._lanes.may_go_on(lane, now_ms()):
                    break
        finally:
            self._lanes.leave(lane)
            if lane.more and lane.wanted:
                lane.more = False
                self._agenda.note(lane, now_ms())
            self._pump(lane)
            self._pump_waiting()

    async def _deliver(self, lane: Lane, job: Job) -> None:
        try:
            if job.lease_until - now_ms() < 1000 * self._timeout_s:
                self._put_back(lane, job, now_ms())
            else:
                await self._try(lane, job)
        except asyncio.CancelledError:
            self._put_back(lane, job, now_ms())
            self._unfinished.append(job)
            raise
        except GatewayError as problem:
            log.warning("delivery.postponed", delivery_id=job.id, problem=str(problem))
            self._put_back(lane, job, now_ms() + STORE_AGAIN_MS)
        except Exception:
            # A delivery that trips the program up must neither stop the lane nor come round for ever.
            log.exception("delivery.broke", delivery_id=job.id)
            await self._settle(lane, job, _broken(now_ms()), "")

    async def _try(self, lane: Lane, job: Job) -> None:
        view = await self._index.by_id(job.instance_id)
        event = job.event or await store.event_any_account(self._runtime.database, job.event_id)
        if view is None or view.callback is None or event is None:
            await self._close(lane, job, "cancelled", "destination removed")
        elif view.callback.destination.state == "off":
            await self._close(lane, job, "dead", view.callback.destination.reason or "off")
        else:
            lane.started[job.id] = time.monotonic()
            try:
                made = await attempt(self._runtime.client, view, view.callback, event, self._timeout_s)
            finally:
                began = lane.started.pop(job.id)
            self._judge(lane, made, time.monotonic() - began)
            self._tell(job, view, view.callback, made)
            await self._settle(lane, job, made, view.callback.destination.url)

    def _judge(self, lane: Lane, made: Attempt, took_s: float) -> None:
        metrics = self._runtime.metrics
        metrics.delivered.observe(took_s)
        metrics.attempts["delivered" if made.delivered else "failed"].inc()
        if made.delivered:
            self._lanes.succeeded(lane, took_s)
            self._pump(lane)
            return
        pause = min(made.retry_after_ms or 0, _LONGEST_PAUSE_MS) if made.status in _PAUSING else 0
        self._lanes.failed(lane, now_ms() + pause)

    def _tell(self, job: Job, view: InstanceView, callback: Callback, made: Attempt) -> None:
        log.info(
            "delivery.attempted",
            event_id=job.event_id,
            delivery_id=job.id,
            instance_id=job.instance_id,
            connector=view.connector.key,
            account_id=view.instance.account_id,
            destination=host_of(callback.destination.url),
            attempt=job.attempts + 1,
            status=made.status,
            outcome="delivered" if made.delivered else "failed",
            reason=made.reason,
            duration_ms=made.duration_ms,
        )

    # Settling

    async def _settle(self, lane: Lane, job: Job, made: Attempt, url: str) -> None:
        now = now_ms()
        step = next_step(made, job.attempts + 1, self._schedule, self._retry_after_cap_ms, self._dice.random(), now)
        future = self._runtime.database.submit(store.settlement(job, made, step, url, now))
        self._unsettled += 1
        future.add_done_callback(functools.partial(self._committed, lane, job, step))
        if self._unsettled > MOST_UNSETTLED:
            self._settled.clear()
            await self._settled.wait()

    def _committed(self, lane: Lane, job: Job, step: Settlement, future: asyncio.Future[bool]) -> None:
        self._unsettled -= 1
        self._settled.set()
        if future.cancelled() or (problem := future.exception()) is not None:
            log.error("delivery.not_recorded", delivery_id=job.id, problem="" if future.cancelled() else str(problem))
            self._put_back(lane, job, now_ms() + STORE_AGAIN_MS)
            return
        self._lanes.drop(lane, job.id, _size(job))
        if step.state == "pending":
            self._agenda.note(lane, step.due_at)
        elif step.state == "dead":
            log.warning("delivery.dead", delivery_id=job.id, event_id=job.event_id, reason=step.reason)
        if step.switch_off and future.result():
            log.warning("destination.switched_off", instance_id=job.instance_id, reason=step.reason)
            self._index.forget(job.instance_id)
            self._agenda.note(lane, now_ms())

    def _put_back(self, lane: Lane, job: Job, due_at: int) -> None:
        self._lanes.drop(lane, job.id, _size(job))
        self._agenda.note(lane, due_at)

    async def _close(self, lane: Lane, job: Job, state: State, reason: str) -> None:
        """Close all that is pending for a destination that is off or gone, in small batches."""
        self._put_back(lane, job, now_ms() + STORE_AGAIN_MS)
        if lane.closing:
            return
        lane.closing = True
        try:
            while await self._runtime.database.write(store.closing(lane.destination_id, state, reason, now_ms())):
                pass
            for queued in lane.queue:
                self._lanes.drop(lane, queued.id, _size(queued))
            lane.queue.clear()
        finally:
            lane.closing = False

    # Claiming

    async def _claim_forever(self) -> None:
        scanned = -RESCAN_S["sqlite"]
        while True:
            try:
                if time.monotonic() - scanned >= RESCAN_S[self._runtime.database.engine]:
                    scanned = time.monotonic()
                    await self._scan()
                for destination_id in self._agenda.due(now_ms()):
                    await self._claim(self._lanes.lane(destination_id))
            except GatewayError as problem:
                log.warning("delivery.claim_failed", problem=str(problem))
                scanned = -RESCAN_S["sqlite"]
                await asyncio.sleep(STORE_AGAIN_MS / 1000)
            except Exception:
                log.exception("delivery.claim_broke")
                scanned = -RESCAN_S["sqlite"]
                await asyncio.sleep(STORE_AGAIN_MS / 1000)
            await self._agenda.wait(now_ms(), RESCAN_S[self._runtime.database.engine])

    async def _scan(self) -> None:
        for destination_id, due_at in await store.heads_any_account(self._runtime.database):
            self._agenda.note(self._lanes.lane(destination_id), due_at)

    async def _claim(self, lane: Lane) -> None:
        lane.next_due = None
        most, now = lane.wanted, now_ms()
        if not most:
            lane.more = True
            return
        # What was held when the question was asked may be settled by the time of the answer, and still stand in it.
        held = frozenset(lane.held)
        jobs = await store.claim_due_any_account(
            self._runtime.database,
            lane.destination_id,
            now=now,
            most=most,
            held=len(held),
            owner=self.owner,
            lease_until=now + self.lease_ms,
        )
        taken = [job for job in jobs if job.id not in held and job.id not in lane.held][:most]
        for job in taken:
            self._lanes.hold(lane, job.id, 0)
        if len(taken) == most:
            lane.more = True
        elif (due_at := await store.next_due_any_account(self._runtime.database, lane.destination_id, now)) is not None:
            self._agenda.note(lane, due_at)
        self.hand_over(taken)

    async def _tick_forever(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            self._lanes.silence(time.monotonic())
            self._lanes.forget_idle(MOST_LANES)
            self._runtime.metrics.in_flight.set(self._lanes.active)
            self._runtime.metrics.in_memory.set(self._lanes.jobs)
            self._pump_waiting()


def _size(job: Job) -> int:
    return 0 if job.event is None else len(job.event.payload)


def _broken(now: int) -> Attempt:
    return Attempt(at=now, duration_ms=0, status=None, reason="internal error", retry_after_ms=None, answer=b"")
