"""The delivery worker: takes what publish hands over in memory, claims what is due later, settles in groups."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager

import structlog

from gateway.clock import now_ms
from gateway.delivery import store
from gateway.delivery.attempt import attempt, failed, host_of
from gateway.delivery.claims import AGAIN_MS, Claims
from gateway.delivery.closing import Closing
from gateway.delivery.lane import Lane
from gateway.delivery.lanes import Lanes
from gateway.delivery.model import Attempt, End, Job, Settlement
from gateway.delivery.retry import longest_ms
from gateway.delivery.settling import Settling
from gateway.delivery.steady import Steady
from gateway.delivery.ways import Way, Ways
from gateway.errors import GatewayError
from gateway.events.model import Event
from gateway.ids import time_ordered
from gateway.instances.index import InstanceIndex
from gateway.runtime import Runtime
from gateway.thirdparty.index import ThirdParties

LEASE_S = 30.0
MOST_LANES = 20_000
NOWHERE_MS = 5_000
_TICK_S = 0.25
_DOUBT_S = 0.02
_SPARE_LEASE_MS = 2_000
_PAUSING = (429, 502, 503, 504)
_LONGEST_PAUSE_MS = 60_000

log = structlog.get_logger()


class Worker:
    """Delivers on this node; opened by `running`."""

    def __init__(self, runtime: Runtime, index: InstanceIndex, third_parties: ThirdParties) -> None:
        settings = runtime.config.delivery
        self._runtime = runtime
        self.third_parties = third_parties
        self._ways = Ways(runtime, index, third_parties)
        self._timeout_s = settings.timeout.seconds
        self._clock = Steady()
        self._lanes = Lanes(settings.concurrency, settings.concurrency_per_destination)
        self.owner = time_ordered()
        self.lease_ms = round(1000 * max(LEASE_S, 2 * self._timeout_s))
        self._claims = Claims(
            runtime.database,
            self._lanes,
            self._clock,
            owner=self.owner,
            lease_ms=self.lease_ms,
            longest_ms=longest_ms([step.ms for step in settings.retry_schedule], settings.retry_after_cap.ms),
            hand_over=self.hand_over,
        )
        self._closing = Closing(runtime.database, self._claims, runtime.traffic)
        self._settling = Settling(runtime.database, settings, self._clock, self._settled)
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False
        self._doubting = False

    # What publish and provisioning call

    def admits(self, destination_id: int, size: int) -> bool:
        """Whether a new delivery goes from memory; else its row is written without a lease and claimed later."""
        return not self._draining and self._lanes.admits(destination_id, size)

    def hold(self, job: Job) -> None:
        """Count a delivery as this node's before its row is written."""
        self._lanes.hold(self._lanes.lane(job.destination_id), job.id, job.size)

    def hand_over(self, jobs: Sequence[Job]) -> None:
        """Take deliveries that are durable now and were held before."""
        for job in jobs:
            lane = self._lanes.lane(job.destination_id)
            lane.queue.append(job)
            self._pump(lane)

    def give_up(self, job: Job) -> None:
        """Forget a delivery that was held and whose row was not written."""
        self._lanes.drop(self._lanes.lane(job.destination_id), job.id, job.size)

    def leave_behind(self, job: Job, in_ms: int) -> None:
        """Forget a delivery that was held and whose row may or may not be written; look for it in a moment."""
        self._claims.give_back(self._lanes.lane(job.destination_id), [job], in_ms)

    def left_behind(self, destination_id: int) -> None:
        """A delivery stands in the database only; look for it."""
        self._claims.note(self._lanes.lane(destination_id))

    def destination_changed(self, destination_id: int) -> None:
        """A destination was switched on or off or moved: look at its deliveries now, under the new rule."""
        lane = self._lanes.lane(destination_id)
        self._lanes.afresh(lane)
        self._close(lane)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Worker"]:
        """Run until left; then begin nothing new, wait for what is under way, give back the rest."""
        claiming, ticking = asyncio.create_task(self._claims.forever()), asyncio.create_task(self._tick_forever())
        try:
            yield self
        finally:
            self._draining = True
            self._claims.stop()
            self._closing.stop()
            ticking.cancel()
            await self._drain(claiming)
            await asyncio.gather(ticking, claiming, return_exceptions=True)

    async def _drain(self, claiming: asyncio.Task[None]) -> None:
        under_way = {claiming, *self._tasks}
        await asyncio.wait(under_way, timeout=self._runtime.config.server.shutdown_grace.seconds * 0.5)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        self._settling.stop()
        for lane in self._lanes.all():
            self._claims.give_back(lane, list(lane.queue))
            lane.queue.clear()

    async def _tick_forever(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            self._lanes.silence(time.monotonic())
            self._lanes.forget_idle(MOST_LANES)
            self._runtime.metrics.in_flight.set(self._lanes.active)
            self._runtime.metrics.in_memory.set(self._lanes.jobs)
            for lane in self._lanes.rested(self._clock.now()):
                self._pump(lane)
            self._pump_waiting()

    # Running

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _pump(self, lane: Lane) -> None:
        while not self._draining and self._lanes.enter(lane, self._clock.now()):
            self._start(self._run(lane, lane.queue.popleft()))
        self._doubt_if_short()

    def _pump_waiting(self) -> None:
        for lane in self._lanes.startable():
            if not self._draining and self._lanes.enter(lane, self._clock.now()):
                self._start(self._run(lane, lane.queue.popleft()))
        self._doubt_if_short()

    def _doubt_if_short(self) -> None:
        if self._lanes.short and not self._doubting and not self._draining:
            self._doubting = True
            asyncio.get_running_loop().call_later(_DOUBT_S, self._doubt)

    def _doubt(self) -> None:
        self._doubting = False
        self._lanes.doubt(time.monotonic())
        self._pump_waiting()

    async def _run(self, lane: Lane, job: Job) -> None:
        try:
            await self._deliver(lane, job)
            while not self._draining and self._lanes.may_go_on(lane, self._clock.now()):
                self._claims.refill(lane)
                await self._deliver(lane, lane.queue.popleft())
        finally:
            self._lanes.leave(lane, self._clock.now())
            self._claims.refill(lane)
            self._pump_waiting()

    async def _deliver(self, lane: Lane, job: Job) -> None:
        try:
            if job.lease_until - now_ms() < 1000 * self._timeout_s + _SPARE_LEASE_MS:
                self._claims.give_back(lane, [job])
            else:
                await self._try(lane, job)
        except asyncio.CancelledError:
            self._claims.give_back(lane, [job])
            raise
        except GatewayError as problem:
            log.warning("delivery.postponed", delivery_id=job.id, problem=str(problem))
            self._claims.give_back(lane, [job], AGAIN_MS)
        except Exception:
            # A delivery that trips the program up must neither stop the lane nor come round for ever.
            log.exception("delivery.broke", delivery_id=job.id)
            await self._settling.settle(lane, job, failed(now_ms(), "internal error"), "")

    async def _try(self, lane: Lane, job: Job) -> None:
        way = await self._ways.of(job)
        event = job.event or await store.event_any_account(self._runtime.database, job.event_id)
        if way is None:
            self._refuse(lane, job)
        elif event is None:
            await self._settling.end(lane, job, End("cancelled", "event removed"))
        else:
            made = await self._attempt(lane, job, way, event)
            await self._settling.settle(lane, job, made, way.url)

    async def _attempt(self, lane: Lane, job: Job, way: Way, event: Event) -> Attempt:
        began = lane.started[job.id] = time.monotonic()
        try:
            made = await attempt(self._runtime.client, way.sending(event))
        finally:
            del lane.started[job.id]
        self._judge(lane, made, time.monotonic() - began)
        way_ms = made.at + made.duration_ms - event.received_at if job.replay_id is None else None
        self._runtime.traffic.attempted(job.destination_id, made.duration_ms, made.reason, way_ms)
        _tell(job, way, event, made)
        return made

    def _judge(self, lane: Lane, made: Attempt, took_s: float) -> None:
        metrics = self._runtime.metrics
        metrics.delivered.observe(took_s)
        metrics.attempts["delivered" if made.delivered else "failed"].inc()
        if made.final:
            return  # nobody was asked, so nothing is known of the destination
        if made.delivered:
            self._lanes.succeeded(lane, took_s)
            self._pump(lane)
            return
        pause = min(made.retry_after_ms or 0, _LONGEST_PAUSE_MS) if made.status in _PAUSING else 0
        self._lanes.failed(lane, took_s, self._clock.now() + pause)

    # What becomes of a delivery

    def _settled(self, lane: Lane, job: Job, step: Settlement | None) -> None:
        """The commit of a settlement is over; without a step the delivery was not settled."""
        if step is None:
            self._claims.give_back(lane, [job], NOWHERE_MS)
            return
        self._lanes.drop(lane, job.id, job.size)
        self._runtime.traffic.settled(job.destination_id, step.state)
        if step.state == "pending":
            self._claims.note_at(lane, step.due_at)
        elif step.state == "dead":
            log.warning("delivery.dead", delivery_id=job.id, event_id=job.event_id, reason=step.reason)
        if step.switch_off:
            self._ways.forget(job)
            self._close(lane)

    def _refuse(self, lane: Lane, job: Job) -> None:
        """There is nowhere to send to: the destination is off or gone, or what memory says of it is not true."""
        self._ways.forget(job)
        self._claims.give_back(lane, [job], NOWHERE_MS)
        lane.paused_until = self._clock.now() + NOWHERE_MS
        self._close(lane)

    def _close(self, lane: Lane) -> None:
        if not lane.closing and not self._draining:
            lane.closing = True
            self._start(self._close_and_go_on(lane))

    async def _close_and_go_on(self, lane: Lane) -> None:
        try:
            await self._closing.close(lane)
        finally:
            self._claims.note(lane)
            self._pump(lane)


def _tell(job: Job, way: Way, event: Event, made: Attempt) -> None:
    log.info(
        "delivery.attempted",
        event_id=job.event_id,
        delivery_id=job.id,
        instance_id=job.instance_id,
        connector=event.connector,
        account_id=way.account_id,
        destination=host_of(way.url),
        attempt=job.attempts + 1,
        status=made.status,
        outcome="delivered" if made.delivered else "failed",
        reason=made.reason,
        duration_ms=made.duration_ms,
    )
