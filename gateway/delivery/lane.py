"""One lane: what this node knows of one destination, and what it holds for it."""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from gateway.delivery.model import Job

Standing = Literal["fresh", "healthy", "late", "failing", "silent"]

FRESH_SLOTS = 2
#: A destination that has been idle begins with so many at most: it may have begun to hang meanwhile.
IDLE_SLOTS = 4
MOST_QUEUED = 1_000
MOST_QUEUED_FAILING = 64
REFILL_BELOW = 50
CLAIM_AT_ONCE = 200


@dataclass(slots=True, eq=False)
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
    #: While the database is being asked: ids that were held at some time since, and may still stand in the answer.
    left: set[str] | None = None
    #: When the first delivery that is only in the database becomes due.
    next_due: int | None = None
    #: The database holds more that is due, to be claimed once the queue runs low.
    more: bool = False
    #: The backlog is being closed, so nothing is started.
    closing: bool = False

    @property
    def failing(self) -> bool:
        return self.standing in ("failing", "silent")

    @property
    def most_queued(self) -> int:
        return MOST_QUEUED_FAILING if self.failing else MOST_QUEUED

    @property
    def wanted(self) -> int:
        """How many deliveries a claim may bring; few where it is not known how they will fare."""
        if self.closing:
            return 0
        if self.standing == "healthy":
            return CLAIM_AT_ONCE if len(self.queue) < REFILL_BELOW else 0
        return max(0, 2 * self.allowed - len(self.queue))

    @property
    def idle(self) -> bool:
        busy = self.queue or self.active or self.held or self.closing or self.more or self.left is not None
        return not busy and self.next_due is None
