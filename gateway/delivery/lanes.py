"""Lanes: each destination has its own queue and slots, so that one that fails or is silent delays no other.

Decisions only; nothing here awaits. A destination begins with few slots, earns more with every success, and falls
to a single one when it fails or stays silent. Those that fail get at most a quarter of the slots together, so do
those that are silent, and so do those that have not answered yet: the others can always start. Where slots are
short, lanes take turns, and a healthy one whose answer is overdue counts as late: it starts nothing more until it
answers, and what it has under way takes no room from the healthy.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import get_args

from gateway.delivery.lane import FRESH_SLOTS, IDLE_SLOTS, Lane, Standing

SILENCE_S = 1.0
LATENESS_S = 0.05
LATENCIES_TO_SILENCE = 3
MOST_JOBS = 20_000
MOST_BYTES = 32 << 20
_STANDINGS: tuple[Standing, ...] = get_args(Standing)


class Lanes:
    """All lanes of this node and the slots that they share."""

    def __init__(self, concurrency: int, per_destination: int) -> None:
        self._slots = concurrency
        self._reserved = max(1, concurrency // 4)
        self._per_destination = per_destination
        self._lanes: dict[int, Lane] = {}
        self._active: dict[Standing, int] = dict.fromkeys(_STANDINGS, 0)
        self._waiting: dict[Standing, OrderedDict[int, Lane]] = {standing: OrderedDict() for standing in _STANDINGS}
        self._paused: dict[int, Lane] = {}
        self._busy: set[Lane] = set()
        self.jobs = 0
        self.bytes = 0

    def lane(self, destination_id: int) -> Lane:
        """The lane of a destination, made at the first call."""
        lane = self._lanes.get(destination_id)
        if lane is None:
            lane = self._lanes[destination_id] = Lane(destination_id, min(FRESH_SLOTS, self._per_destination))
        return lane

    def all(self) -> list[Lane]:
        """Every lane there is."""
        return list(self._lanes.values())

    @property
    def active(self) -> int:
        """Runners of all lanes."""
        return sum(self._active.values())

    @property
    def short(self) -> bool:
        """Whether somebody waits for a slot that healthy lanes hold."""
        return self._wanted("healthy")

    @property
    def room(self) -> int:
        """How many more deliveries memory may hold."""
        return max(0, MOST_JOBS - self.jobs)

    def admits(self, destination_id: int, size: int) -> bool:
        """Whether memory may hold another delivery of this destination."""
        lane = self.lane(destination_id)
        if lane.closing or len(lane.queue) >= lane.most_queued:
            return False
        return self.jobs < MOST_JOBS and self.bytes + size <= MOST_BYTES

    def hold(self, lane: Lane, job_id: str, size: int) -> None:
        """Count a delivery as held in memory."""
        lane.held.add(job_id)
        self.jobs += 1
        self.bytes += size

    def drop(self, lane: Lane, job_id: str, size: int) -> None:
        """Count a delivery as no longer held."""
        if job_id in lane.held:
            lane.held.remove(job_id)
            self.jobs -= 1
            self.bytes -= size
            if lane.left is not None:
                lane.left.add(job_id)

    # Slots

    def enter(self, lane: Lane, now: int) -> bool:
        """Take a slot for a delivery of the lane; False where it has to wait for its turn, or has nothing to do."""
        if not lane.queue or lane.closing or lane.active >= self._most(lane):
            return False
        if now < lane.paused_until or not self._has_room(lane.standing):
            self._await_turn(lane, now)
            return False
        self._waiting[lane.standing].pop(lane.destination_id, None)
        if not lane.active:
            lane.allowed = min(lane.allowed, IDLE_SLOTS)
            self._busy.add(lane)
        lane.active += 1
        self._active[lane.standing] += 1
        return True

    def may_go_on(self, lane: Lane, now: int) -> bool:
        """Whether a runner of the lane may take another delivery without giving its slot back."""
        if not lane.queue or lane.closing or lane.active > self._most(lane) or now < lane.paused_until:
            return False
        return not self._wanted(lane.standing)

    def leave(self, lane: Lane, now: int) -> None:
        """Give a slot back; where the lane has more to do, it waits behind those that wait already."""
        lane.active -= 1
        self._active[lane.standing] -= 1
        if not lane.active:
            self._busy.discard(lane)
        if lane.queue and not lane.closing:
            self._await_turn(lane, now)

    def startable(self) -> Iterator[Lane]:
        """The lanes that a slot is free for, longest wait first; each is taken off the list, to enter at once.

        One that took a slot and could use another waits for it behind the others.
        """
        for standing, waiting in self._waiting.items():
            while waiting and self._has_room(standing):
                lane = waiting.popitem(last=False)[1]
                before = lane.active
                yield lane
                if before < lane.active < self._most(lane) and lane.queue:
                    waiting[lane.destination_id] = lane

    def rested(self, now: int) -> list[Lane]:
        """The lanes whose pause is over; they are taken off the list."""
        lanes = [lane for lane in self._paused.values() if lane.paused_until <= now]
        for lane in lanes:
            del self._paused[lane.destination_id]
        return lanes

    def _await_turn(self, lane: Lane, now: int) -> None:
        waiting = self._paused if now < lane.paused_until else self._waiting[lane.standing]
        waiting[lane.destination_id] = lane

    def _most(self, lane: Lane) -> int:
        if lane.standing == "late":
            return 1
        # Where many wait for their first answer, each gets a single slot to show itself with.
        return 1 if lane.standing == "fresh" and self._waiting["fresh"] else lane.allowed

    def _has_room(self, standing: Standing) -> bool:
        if standing != "healthy" and self._active[standing] >= self._reserved:
            return False
        if standing not in ("fresh", "healthy"):
            return True
        return self._active["fresh"] + self._active["healthy"] < self._slots

    def _wanted(self, standing: Standing) -> bool:
        """Whether somebody waits for a slot that a runner of this standing would give back."""
        if self._waiting[standing]:
            return True
        if standing == "healthy":
            return bool(self._waiting["fresh"]) and self._active["fresh"] < self._reserved
        return standing == "fresh" and bool(self._waiting["healthy"])

    # Standing

    def succeeded(self, lane: Lane, took_s: float) -> None:
        """An attempt was answered well: the destination earns slots."""
        lane.latency_s = took_s if not lane.latency_s else 0.8 * lane.latency_s + 0.2 * took_s
        earned = FRESH_SLOTS if lane.failing else 2 * lane.allowed
        lane.allowed = min(self._per_destination, earned)
        self._stand(lane, "healthy")

    def failed(self, lane: Lane, took_s: float, pause_until: int) -> None:
        """An attempt failed: one slot until a success."""
        lane.allowed = 1
        lane.paused_until = max(lane.paused_until, pause_until)
        self._stand(lane, "silent" if took_s >= SILENCE_S else "failing")

    def silence(self, now_s: float) -> None:
        """Look for destinations whose oldest attempt has gone unanswered for too long."""
        for lane in self._lanes.values():
            if not lane.started or lane.standing == "silent":
                continue
            patience = max(SILENCE_S, LATENCIES_TO_SILENCE * lane.latency_s)
            if now_s - next(iter(lane.started.values())) > patience:
                lane.allowed = 1
                self._stand(lane, "silent")

    def doubt(self, now_s: float) -> None:
        """Where slots are short: look for healthy destinations whose answer is overdue, as far as slots can be lent."""
        for lane in self._busy:
            if lane.standing != "healthy" or not lane.started:
                continue
            patience = max(LATENESS_S, LATENCIES_TO_SILENCE * lane.latency_s)
            overdue = now_s - next(iter(lane.started.values())) > patience
            if overdue and self._active["late"] + lane.active <= self._slots:
                self._stand(lane, "late")

    def afresh(self, lane: Lane) -> None:
        """What is known of the destination does not count any more: it was moved, or switched on again."""
        lane.allowed, lane.latency_s, lane.paused_until = min(FRESH_SLOTS, self._per_destination), 0.0, 0
        self._paused.pop(lane.destination_id, None)
        self._stand(lane, "fresh")

    def forget_idle(self, most: int) -> None:
        """Forget destinations that have nothing to do, once there are many."""
        if len(self._lanes) > most:
            for lane in [lane for lane in self._lanes.values() if lane.idle]:
                del self._lanes[lane.destination_id]

    def _stand(self, lane: Lane, standing: Standing) -> None:
        if standing == lane.standing:
            return
        self._active[lane.standing] -= lane.active
        self._active[standing] += lane.active
        if self._waiting[lane.standing].pop(lane.destination_id, None) is not None:
            self._waiting[standing][lane.destination_id] = lane
        lane.standing = standing
