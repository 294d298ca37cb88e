"""The figures of a stretch of time, of an account or of a whole partner."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from gateway.traffic.histogram import BUCKETS, percentile

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
#: So long rows by the minute are kept, and rows by the hour.
MINUTES_KEPT_MS = 2 * DAY_MS
HOURS_KEPT_MS = 35 * DAY_MS

_NONE = (0,) * BUCKETS


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How often it happened; `way`: from an event's arrival to its delivery, `took`: one attempt, as histograms."""

    accepted: int = 0
    duplicate: int = 0
    refused: int = 0
    ignored: int = 0
    attempts_ok: int = 0
    attempts_failed: int = 0
    delivered: int = 0
    dead: int = 0
    polls_ok: int = 0
    polls_failed: int = 0
    way: tuple[int, ...] = _NONE
    took: tuple[int, ...] = _NONE

    @classmethod
    def of(cls, numbers: Sequence[int]) -> "Figures":
        """From numbers in the order of the columns."""
        ways = len(COUNTS) + BUCKETS
        counts = dict(zip(COUNTS, numbers, strict=False))
        return cls(**counts, way=tuple(numbers[len(COUNTS) : ways]), took=tuple(numbers[ways:]))

    @property
    def numbers(self) -> tuple[int, ...]:
        """All numbers in the order of the columns."""
        return (*(getattr(self, name) for name in COUNTS), *self.way, *self.took)

    @property
    def received(self) -> int:
        """Everything that arrived, whatever became of it."""
        return self.accepted + self.duplicate + self.refused + self.ignored

    @property
    def attempts(self) -> int:
        return self.attempts_ok + self.attempts_failed

    @property
    def success(self) -> float | None:
        """The share of attempts that succeeded; None where none was made."""
        return self.attempts_ok / self.attempts if self.attempts else None

    @property
    def polls(self) -> int:
        return self.polls_ok + self.polls_failed

    @property
    def nothing(self) -> bool:
        """Whether nothing happened."""
        return not any(self.numbers)

    def latency(self, share: float) -> float | None:
        """Milliseconds from arrival to delivery of this share of what was delivered, without replays."""
        return percentile(self.way, share)

    def duration(self, share: float) -> float | None:
        """Milliseconds that this share of the attempts took."""
        return percentile(self.took, share)


#: The counts in the order of their columns; the two histograms follow.
COUNTS: tuple[str, ...] = tuple(one.name for one in fields(Figures) if one.name not in ("way", "took"))
PLACES = {name: place for place, name in enumerate(COUNTS)}
WAY_AT = len(COUNTS)
TOOK_AT = WAY_AT + BUCKETS
WIDTH = TOOK_AT + BUCKETS
NOTHING = Figures()


@dataclass(frozen=True, slots=True)
class Point:
    """The figures of one step of time that begins `at`."""

    at: int
    figures: Figures


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time in equal steps; both ends are multiples of the step, in UTC."""

    since: int
    until: int
    step: int

    @classmethod
    def ending(cls, now: int, length: int, step: int) -> "Window":
        """The one of this length that ends with the step that `now` is in."""
        until = now - now % step + step
        return cls(until - length, until, step)

    @property
    def span(self) -> int:
        """The finest rows that it is read from."""
        return HOUR_MS if self.step % HOUR_MS == 0 else MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """A destination that attempts failed at; `reason` is the last one in a word, such as `timeout` or `status 503`."""

    destination_id: int
    account_id: str
    kind: str
    instance_id: int
    #: The name of its instance, or of the 3rd-party connector; empty where it is gone.
    name: str
    url: str
    state: str
    ok: int
    failed: int
    reason: str | None
    failed_at: int | None

    @property
    def share(self) -> float:
        """Which part of its attempts failed."""
        return self.failed / max(1, self.ok + self.failed)


def total(points: Sequence[Point]) -> Figures:
    """All points together."""
    return Figures.of([sum(column) for column in zip(*(one.figures.numbers for one in points), strict=True)] or _ZEROS)


def dense(window: Window, found: Sequence[Point]) -> list[Point]:
    """A point for every step; nothing where none was found."""
    known = {one.at: one for one in found}
    return [known.get(at) or Point(at, NOTHING) for at in range(window.since, window.until, window.step)]


_ZEROS = (0,) * WIDTH
