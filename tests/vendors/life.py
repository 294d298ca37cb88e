"""The life of a vendor's objects, in its own time: what is written when, and from when on its lists show it."""

import time
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Literal

Action = Literal["created", "updated", "deleted"]


@dataclass
class Clock:
    """The vendor's clock: the real time until it is stopped, then what it is set to."""

    stopped_at: float | None = None
    #: What its lists' dates are ahead of what its answers' headers say.
    skew: float = 0.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() if self.stopped_at is None else self.stopped_at

    def stop(self, at: float | None = None) -> None:
        """Stand still, at a time or at this one."""
        self.stopped_at = float(round(time.time())) if at is None else at

    def advance(self, seconds: float) -> None:
        """Let time go by."""
        self.stopped_at = self.now() + seconds


@dataclass(frozen=True, order=True)
class Write:
    """One state of one thing: `at` is its date as the vendor's lists write it."""

    at: float
    number: int
    thing: str = field(compare=False)
    action: Action = field(compare=False)
    created: float = field(compare=False)

    @property
    def state(self) -> int:
        """What a reader of the list sees change."""
        return self.number


@dataclass
class Life:
    """Things that are made, changed and removed; the index of the vendor learns of it late.

    `lag` is how long a write waits for the index, `resolution` the steps of its dates in seconds.
    """

    clock: Clock = field(default_factory=Clock)
    random: Random = field(default_factory=lambda: Random(7))
    resolution: float = 1.0
    lag: Callable[[Random], float] = field(default=lambda _random: 0.0)
    #: Every write there ever was, by thing.
    history: dict[str, list[Write]] = field(default_factory=dict)
    #: What was not deleted.
    alive: list[str] = field(default_factory=list)
    #: What the list shows: the newest state of each thing that the index knows.
    shown: dict[str, Write] = field(default_factory=dict)
    #: Who is told of a write when the index learns of it.
    told: list[Callable[[Write], None]] = field(default_factory=list)
    _waiting: list[tuple[float, Write]] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def create(self, thing: str | None = None) -> Write:
        """A new thing."""
        number = next(self._numbers)
        name = thing or f"thing_{number:06d}"
        self.alive.append(name)
        return self._written(name, "created", number, self._date())

    def change(self, thing: str) -> Write:
        """Another state of a thing."""
        return self._written(thing, "updated", next(self._numbers), self.history[thing][0].created)

    def delete(self, thing: str) -> Write:
        """The end of a thing."""
        self.alive.remove(thing)
        return self._written(thing, "deleted", next(self._numbers), self.history[thing][0].created)

    def bulk(self, number: int) -> None:
        """So many things change in one moment."""
        for thing in self.random.sample(self.alive, min(number, len(self.alive))):
            self.change(thing)

    def final(self) -> dict[str, Write]:
        """The last state of everything."""
        return {thing: writes[-1] for thing, writes in self.history.items()}

    def go_on(self, seconds: float, *, rate: float = 0.0, creates: float = 0.1, deletes: float = 0.0) -> None:
        """Let time go by, with so many writes a second on the average; some of them create, some delete."""
        until = self.clock.now() + seconds
        while rate > 0:
            step = self.random.expovariate(rate)
            if self.clock.now() + step > until:
                break
            self.clock.advance(step)
            self._one(creates, deletes)
        self.clock.advance(max(0.0, until - self.clock.now()))
        self.index()

    def index(self) -> None:
        """The index takes in what it is due to know."""
        while self._waiting and self._waiting[0][0] <= self.clock.now():
            write = heappop(self._waiting)[1]
            former = self.shown.get(write.thing)
            if former is None or former < write:
                self.shown[write.thing] = write
            for tell in self.told:
                tell(write)

    def settle(self) -> None:
        """The index has caught up with everything."""
        if self._waiting:
            self.clock.advance(max(0.0, max(at for at, _ in self._waiting) - self.clock.now()))
        self.index()

    def listed(self, since: float | None = None, *, deleted: bool = False) -> list[Write]:
        """What a list shows, oldest change first: inclusive of `since`."""
        self.index()
        found = [write for write in self.shown.values() if deleted or write.action != "deleted"]
        return sorted(write for write in found if since is None or write.at >= since)

    def _one(self, creates: float, deletes: float) -> None:
        dice = self.random.random()
        if not self.alive or dice < creates:
            self.create()
        elif dice < creates + deletes:
            self.delete(self.random.choice(self.alive))
        else:
            self.change(self.random.choice(self.alive))

    def _written(self, thing: str, action: Action, number: int, created: float) -> Write:
        write = Write(self._date(), number, thing, action, created)
        self.history.setdefault(thing, []).append(write)
        heappush(self._waiting, (self.clock.now() + self.lag(self.random), write))
        return write

    def _date(self) -> float:
        now = self.clock.now() + self.clock.skew
        return now - now % self.resolution


def usual_lag(random: Random) -> float:
    """Two seconds on the average, and never more than 25."""
    return min(25.0, random.expovariate(1 / 2))


@dataclass
class Sorted:
    """Entries by their dates, of which one may move."""

    entries: list[tuple[float, str]] = field(default_factory=list)

    def put(self, at: float, key: str) -> None:
        """Take an entry in at its place."""
        insort(self.entries, (at, key))

    def move(self, former: float, at: float, key: str) -> None:
        """An entry has another date."""
        self.entries.remove((former, key))
        self.put(at, key)
