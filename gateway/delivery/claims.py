"""What stands in the database only: it is looked for when it is due, and brought into its lane."""

import asyncio
import functools
import time
from collections.abc import Callable, Sequence

import structlog

from gateway.clock import now_ms
from gateway.delivery import store
from gateway.delivery.agenda import Agenda
from gateway.delivery.lane import Lane
from gateway.delivery.lanes import Lanes
from gateway.delivery.model import Job
from gateway.delivery.steady import Steady
from gateway.errors import GatewayError
from gateway.storage.database import Database

RESCAN_S = {"sqlite": 30.0, "postgresql": 5.0}
AGAIN_MS = 1_000
_SOON_MS = 250

log = structlog.get_logger()


class Claims:
    """Claims for this node, one destination after the other."""

    def __init__(
        self,
        database: Database,
        lanes: Lanes,
        clock: Steady,
        *,
        owner: str,
        lease_ms: int,
        longest_ms: int,
        hand_over: Callable[[Sequence[Job]], None],
    ) -> None:
        self._database = database
        self._lanes = lanes
        self._clock = clock
        self._owner = owner
        self._lease_ms = lease_ms
        self._longest_ms = longest_ms
        self._hand_over = hand_over
        self._agenda = Agenda()
        self._rescan_s = RESCAN_S[database.engine]
        self._scanned: float | None = None
        self._stopped = False

    def note(self, lane: Lane, in_ms: int = 0) -> None:
        """The lane has something in the database that is due now, or in so many milliseconds."""
        self._agenda.note(lane, self._clock.now() + in_ms)

    def note_at(self, lane: Lane, due_at: int) -> None:
        """The lane has something in the database that is due at a time of the steady clock."""
        self._agenda.note(lane, due_at)

    def give_back(self, lane: Lane, jobs: Sequence[Job], in_ms: int = 0) -> None:
        """Let go of deliveries that were not made, and look for them again in so many milliseconds."""
        for job in jobs:
            self._lanes.drop(lane, job.id, job.size)
        if self._database.engine == "sqlite":
            self.note(lane, in_ms)
        elif jobs:
            # What is noted before the lease is given back would be found taken.
            future = self._database.submit(store.released(jobs))
            future.add_done_callback(functools.partial(self._given_back, lane, in_ms))

    def _given_back(self, lane: Lane, in_ms: int, future: "asyncio.Future[None]") -> None:
        # Where it was not given back, it ends by itself.
        future.cancelled() or future.exception()
        self.note(lane, in_ms)

    def refill(self, lane: Lane) -> None:
        """Look for more where there is more and the queue has run low."""
        if lane.more and lane.wanted:
            lane.more = False
            self.note(lane)

    def stop(self) -> None:
        """Begin no further claim; `forever` ends after the one under way."""
        self._stopped = True
        self._agenda.wake()

    async def forever(self) -> None:
        """Claim until stopped; whatever goes wrong, go on a moment later."""
        while not self._stopped:
            try:
                await self._scan()
                await self._claim_due()
            except GatewayError as problem:
                log.warning("delivery.claim_failed", problem=str(problem))
                await asyncio.sleep(AGAIN_MS / 1000)
            except Exception:
                log.exception("delivery.claim_broke")
                await asyncio.sleep(AGAIN_MS / 1000)
            if not self._stopped:
                await self._agenda.wait(self._clock.now(), self._rescan_s)

    async def _scan(self) -> None:
        """Look at all destinations now and then, so that nothing that nobody noted is left for good."""
        if self._scanned is not None and time.monotonic() - self._scanned < self._rescan_s:
            return
        if self._scanned is None and self._database.engine == "sqlite":
            # What was written while the clock was ahead would be due when nobody expects it any more.
            await store.cap_any_account(self._database, self._clock.now() + self._longest_ms)
        for destination_id, due_at in await store.heads_any_account(self._database):
            self._agenda.note(self._lanes.lane(destination_id), due_at)
        self._scanned = time.monotonic()

    async def _claim_due(self) -> None:
        now = self._clock.now()
        while not self._stopped and (lane := self._agenda.take(now)) is not None:
            try:
                await self._claim(lane)
            except BaseException:
                self.note(lane, AGAIN_MS)
                raise

    async def _claim(self, lane: Lane) -> None:
        if not lane.wanted:
            lane.more = True
            return
        most = min(lane.wanted, self._lanes.room)
        if not most:
            self.note(lane, _SOON_MS)
            return
        lane.left = set()
        try:
            await self._take(lane, most, self._clock.now(), now_ms())
        finally:
            lane.left = None

    async def _take(self, lane: Lane, most: int, now: int, wall: int) -> None:
        held = len(lane.held)
        jobs = await store.claim_due_any_account(
            self._database,
            lane.destination_id,
            now=now,
            wall=wall,
            most=most,
            held=held,
            owner=self._owner,
            lease_until=wall + self._lease_ms,
        )
        # What was held when the question was asked may be settled by the time of the answer, and still stand in it.
        found = [job for job in jobs if job.id not in lane.held and job.id not in (lane.left or ())]
        for job in found[:most]:
            self._lanes.hold(lane, job.id, 0)
        asked = most + held if self._database.engine == "sqlite" else most
        full = len(found) >= most or len(jobs) >= asked
        lane.more = full and bool(found)
        self._hand_over(found[:most])
        if full and not found:
            self.note(lane, _SOON_MS)
        elif not full:
            await self._note_next(lane, now, wall)

    async def _note_next(self, lane: Lane, now: int, wall: int) -> None:
        due_at = await store.next_due_any_account(self._database, lane.destination_id, now, wall)
        if due_at is not None:
            self._agenda.note(lane, due_at)
