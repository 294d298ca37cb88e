"""Lanes: each destination has its own queue and slots, so that one that fails or is silent delays no other.

Decisions only; nothing here awaits. A destination begins with few slots, earns more with every success, and falls
to a single one when it fails or stays silent. All failing destinations together get at most a quarter of the slots,
and so do those that have not answered yet: the others can always start.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from gateway.delivery.model import Job

Standing = Literal["fresh", "healthy", "failing"]

FRESH_SLOTS = 2
SILENCE_S = 1.0
LATENCIES_TO_SILENCE = 3
MOST_QUEUED = 1_000
MOST_QUEUED_FAILING = 64
MOST_JOBS = 20_000
MOST_BYTES = 32 << 20
REFILL_BELOW = 50
CLAIM_AT_ONCE = 200


@dataclass(slots=True)
class Lane:
    """What this node knows of one destination."""

    destination_id: int
    allowed: int = FRESH_SLOTS
    standing: Standing = "fresh"
    latency_s: float = 0.0
    paused_until: int = 0
    queue: deque[Job] = field(default_factory=deque)
    #: When each attempt under way began; the first is the oldest.
    started: dict[str, float] = field(default_factory=dict)
    #: Runners of this lane.
    active: int = 0
    #: Ids in memory in whatever state, up to the commit of their settlement.
    held: set[str] = field(default_factory=set)
    #: When the first delivery that is only in the database becomes due.
    next_due: int | None = None
    #: The database holds more that is due, to be claimed once the queue runs low.
    more: bool = False
    #: The backlog is being closed, so nothing is started.
    closing: bool = False

    @property
    def most_queued(self) -> int:
        return MOST_QUEUED_FAILING if self.standing == "failing" else MOST_QUEUED

    @property
    def wanted(self) -> int:
        """How many deliveries a claim may bring."""
        if self.closing or len(self.queue) >= REFILL_BELOW:
            return 0
        return 2 * self.allowed if self.standing == "failing" else CLAIM_AT_ONCE

    @property
    def idle(self) -> bool:
        return not (self.queue or self.active or self.held or self.closing or self.more) and self.next_due is None


class Lanes:
    """All lanes of this node and the slots that they share."""

    def __init__(self, concurrency: int, per_destination: int) -> None:
        self._slots = concurrency
        self._reserved = max(1, concurrency // 4)
        self._per_destination = per_destination
        self._lanes: dict[int, Lane] = {}
        self._active: dict[Standing, int] = {"fresh": 0, "healthy": 0, "failing": 0}
        self._waiting: dict[int, None] = {}
        self.jobs = 0
        self.bytes = 0

    def lane(self, destination_id: int) -> Lane:
        """The lane of a destination, made at the first call."""
        lane = self._lanes.get(destination_id)
        if lane is None:
            lane = self._lanes[destination_id] = Lane(destination_id)
        return lane

    def all(self) -> list[Lane]:
        """Every lane there is."""
        return list(self._lanes.values())

    @property
    def active(self) -> int:
        """Runners of all lanes."""
        return sum(self._active.values())

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

    def enter(self, lane: Lane, now: int) -> bool:
        """Take a slot for the lane where it has work and may start; False leaves it waiting for its turn."""
        if not lane.queue or lane.closing:
            return False
        if lane.active >= lane.allowed or now < lane.paused_until or not self._has_room(lane.standing):
            self._waiting[lane.destination_id] = None
            return False
        lane.active += 1
        self._active[lane.standing] += 1
        return True

    def may_go_on(self, lane: Lane, now: int) -> bool:
        """Whether a runner of the lane may take another delivery without giving its slot back."""
        if not lane.queue or lane.closing or lane.active > lane.allowed or now < lane.paused_until:
            return False
        return lane.standing == "healthy" or not self._waiting

    def leave(self, lane: Lane) -> None:
        """Give a slot back."""
        lane.active -= 1
        self._active[lane.standing] -= 1
        if lane.queue and not lane.closing:
            self._waiting[lane.destination_id] = None

    def waiting(self) -> list[Lane]:
        """The lanes that wait for a slot, longest wait first; they are taken off the list."""
        lanes = [self._lanes[destination_id] for destination_id in self._waiting]
        self._waiting.clear()
        return lanes

    def succeeded(self, lane: Lane, took_s: float) -> None:
        """An attempt was answered well: the destination earns slots."""
        lane.latency_s = took_s if not lane.latency_s else 0.8 * lane.latency_s + 0.2 * took_s
        lane.allowed = min(self._per_destination, FRESH_SLOTS if lane.standing == "failing" else 2 * lane.allowed)
        self._stand(lane, "healthy")

    def failed(self, lane: Lane, pause_until: int) -> None:
        """An attempt failed: one slot until a success."""
        lane.allowed = 1
        lane.paused_until = max(lane.paused_until, pause_until)
        self._stand(lane, "failing")

    def silence(self, now_s: float) -> None:
        """Look for destinations whose oldest attempt has gone unanswered for too long."""
        for lane in self._lanes.values():
            if not lane.started or lane.standing == "failing":
                continue
            patience = max(SILENCE_S, LATENCIES_TO_SILENCE * lane.latency_s)
            if now_s - next(iter(lane.started.values())) > patience:
                lane.allowed = 1
                self._stand(lane, "failing")

    def forget_idle(self, most: int) -> None:
        """Forget destinations that have nothing to do, once there are many."""
        if len(self._lanes) > most:
            for lane in [lane for lane in self._lanes.values() if lane.idle]:
                del self._lanes[lane.destination_id]

    def _stand(self, lane: Lane, standing: Standing) -> None:
        self._active[lane.standing] -= lane.active
        self._active[standing] += lane.active
        lane.standing = standing

    def _has_room(self, standing: Standing) -> bool:
        if standing == "failing":
            return self._active["failing"] < self._reserved
        if standing == "fresh" and self._active["fresh"] >= self._reserved:
            return False
        return self._active["fresh"] + self._active["healthy"] < self._slots
