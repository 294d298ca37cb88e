"""The steps of a replay: what comes next is sent again, as fast as was asked for and the destination keeps up."""

import time
from collections import Counter
from collections.abc import Sequence

import msgspec

from gateway.clock import now_ms
from gateway.errors import NotFound
from gateway.ids import time_ordered
from gateway.replays import store as jobs
from gateway.replays.again import store
from gateway.replays.again.model import Item, Place, Stored, Wish, obstacle
from gateway.replays.again.sending import Sending, wish_of
from gateway.replays.again.walk import Walk
from gateway.replays.model import Again, Job, Position, Progress, State
from gateway.replays.stepping import KEEP_UP_MS, LEASE_MS, Stepped, passed_over, progress_of

AT_ONCE = 200
#: So many deliveries may wait for a destination; a replay adds none then, so that fresh ones are not far behind.
MOST_WAITING = 500
STEPS_PER_S = 4
_BLOCKED_S = 0.1
_PASSING_S = 0.01


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What one step does with the items ahead: how many it takes, what of them it sends, what it leaves."""

    taken: int
    wishes: list[Wish]
    skipped: dict[str, int]


class Resend:
    """The work of one replay on this node."""

    def __init__(self, sending: Sending, walk: Walk, wanted: Again, *, stops_when_off: bool) -> None:
        self._sending = sending
        self._walk = walk
        self._wanted = wanted
        self._stops_when_off = stops_when_off
        self._told_at = now_ms()

    async def step(self, job: Job) -> Stepped:
        """Send again what comes next."""
        began = time.monotonic()
        async with self._sending.lock:
            look = await self._walk.ahead(step_size(self._wanted.rate))
            places, trouble = await self._places(look.items)
            if trouble is not None:
                return await self._move(job, Progress(position=job.position, state="failed", reason=trouble))
            plan = await self._plan(job, look.items, places)
            if look.items and not plan.taken:
                return await self._wait(job)
            self._walk.passed(look, plan.taken)
            position, made = await self._send(job, plan)
        wait_s = made / self._wanted.rate - (time.monotonic() - began)
        return Stepped(state=self._state, position=position, pause_s=max(_PASSING_S, wait_s))

    @property
    def _state(self) -> State:
        return "done" if self._walk.over else "running"

    async def _places(self, ahead: Sequence[Item]) -> tuple[list[Place | None], str | None]:
        database, fixed = self._sending.database, self._wanted.destination_id
        if fixed is not None:
            place = (await store.places(database, [fixed])).get(fixed)
            if place is None:
                raise NotFound(f"No destination found with ID {fixed}")
            return [place] * len(ahead), place.trouble
        if self._wanted.subject == "dead_letters":
            by_id = await store.places(database, {one.origin for one in ahead if one.origin is not None})
            found = [by_id.get(one.origin or 0) for one in ahead]
        else:
            events = await store.events(database, {one.event_id for one in ahead})
            callbacks = await store.callbacks(database, {one.instance_id for one in events.values()})
            found = [callbacks.get(events[one.event_id].instance_id) if one.event_id in events else None
                     for one in ahead]  # fmt: skip
        off = next((one.trouble for one in found if one is not None and one.state == "off"), None)
        return found, off if self._stops_when_off else None

    async def _plan(self, job: Job, ahead: Sequence[Item], places: Sequence[Place | None]) -> Plan:
        database = self._sending.database
        ids = {one.event_id for one in ahead}
        events, under_way = await store.events(database, ids), await store.under_way(database, ids)
        active = {one.id for one in places if one is not None and one.state == "active"}
        room = {one: MOST_WAITING - await store.backlog(database, one, MOST_WAITING) for one in active}
        return plan_of(job.id, list(zip(ahead, places, strict=True)), events, under_way, room)

    async def _send(self, job: Job, plan: Plan) -> tuple[Position, int]:
        """Store the step; where it leaves the job, and how many deliveries it made."""
        now, wanted = now_ms(), len(plan.wishes)
        position = msgspec.structs.replace(passed_over(job.position, plan.skipped), after=self._walk.after)
        base = Progress(position=position, seen=plan.taken, skipped=sum(plan.skipped.values()), state=self._state)
        work = store.resending(plan.wishes, now)
        progress = progress_of(base, wanted)
        made = await self._sending.database.write(jobs.step(job, work, progress, now, now + LEASE_MS), urgent=False)
        self._told_at = now
        self._sending.set_out(made, plan.wishes)
        return progress(made).position, len(made)

    async def _wait(self, job: Job) -> Stepped:
        """The destination has enough to do."""
        if now_ms() - self._told_at < KEEP_UP_MS:
            return Stepped(position=job.position, pause_s=_BLOCKED_S)
        return await self._move(job, Progress(position=job.position))

    async def _move(self, job: Job, progress: Progress) -> Stepped:
        self._told_at = now = now_ms()
        await self._sending.database.write(jobs.step(job, jobs.nothing(), progress, now, now + LEASE_MS), urgent=False)
        return Stepped(state=progress.state, position=progress.position, pause_s=_BLOCKED_S)


def step_size(rate: int) -> int:
    """How many are sent by one step, so that a step is short and one of few still sends something."""
    return max(1, min(AT_ONCE, rate // STEPS_PER_S))


def plan_of(
    job_id: str,
    ahead: Sequence[tuple[Item, Place | None]],
    events: dict[str, Stored],
    under_way: set[tuple[str, int]],
    room: dict[int, int],
) -> Plan:
    """What to do with the items ahead, in their order, up to the first whose destination has enough to do."""
    wishes: list[Wish] = []
    skipped: Counter[str] = Counter()
    busy, left, taken = set(under_way), dict(room), 0
    for item, place in ahead:
        event = events.get(item.event_id)
        why_not = obstacle(event, place, busy)
        if why_not is not None:
            skipped[why_not] += 1
        else:
            assert event is not None
            assert place is not None
            if left.get(place.id, 0) <= 0:
                break
            left[place.id] -= 1
            busy.add((event.id, place.id))
            wishes.append(wish_of(time_ordered(), event, place, item.origin, replay_id=job_id))
        taken += 1
    return Plan(taken=taken, wishes=wishes, skipped=dict(skipped))
