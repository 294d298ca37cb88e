"""The road of an event, step by step with its times; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from gateway.events.model import Event
from gateway.history.fates.model import RefusalRecord
from gateway.history.model import AttemptRecord, DeliveryRecord
from gateway.history.targets.model import Target

#: Of more steps, the middle ones are left to the deliveries below.
MOST_STEPS = 40
Mood = Literal["", "good", "bad", "warn"]


@dataclass(frozen=True, slots=True)
class Step:
    """What happened at a moment: `name` names its words, `values` fill them in; `at` may lie ahead."""

    at: int
    name: str
    mood: Mood = ""
    values: Mapping[str, object] = field(default_factory=dict)
    #: What was said about it by the other side.
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery with its attempts, and where it went; None where that is not known any more."""

    delivery: DeliveryRecord
    target: Target | None
    attempts: Sequence[AttemptRecord]

    @property
    def name(self) -> str:
        """What people call where it goes."""
        return "" if self.target is None else self.target.name or self.target.place

    @property
    def slowest_ms(self) -> int:
        """The longest attempt, beside which the others are drawn."""
        return max((one.duration_ms for one in self.attempts), default=0)


@dataclass(frozen=True, slots=True)
class Road:
    """The steps in the order of time, and how many of the middle are left out behind the first of them."""

    first: Sequence[Step]
    left_out: int
    last: Sequence[Step]


def road(event: Event, sent: Sequence[Sent], again: Sequence[RefusalRecord]) -> Road:
    """What happened to an event, with its later arrivals."""
    steps = [*_arrival(event, again), *(step for one in sent for step in _delivery(one))]
    if not sent:
        steps.append(Step(event.received_at, "unrouted", "warn"))
    if event.emptied_at is not None:
        steps.append(Step(event.emptied_at, "emptied"))
    steps.sort(key=lambda step: step.at)
    if len(steps) <= MOST_STEPS:
        return Road(steps, 0, ())
    half = MOST_STEPS // 2
    return Road(steps[:half], len(steps) - 2 * half, steps[-half:])


def _arrival(event: Event, again: Sequence[RefusalRecord]) -> Iterator[Step]:
    if event.occurred_at is not None and event.occurred_at <= event.received_at:
        yield Step(event.occurred_at, "occurred", values={"connector": event.connector})
    yield Step(event.received_at, event.source, "good")
    for one in again:
        yield Step(one.at, "again")


def _delivery(one: Sent) -> Iterator[Step]:
    delivery, name = one.delivery, one.name
    yield Step(delivery.created_at, "queued" if delivery.replay_id is None else "replayed", values={"name": name})
    for attempt in one.attempts:
        yield _attempt(attempt, name)
    reason = delivery.reason or ""
    if delivery.state == "pending":
        step = "next" if delivery.attempts else "first"
        yield Step(delivery.due_at, step, "warn", {"name": name, "number": delivery.attempts + 1})
    elif delivery.state == "dead":
        yield Step(delivery.settled_at or delivery.created_at, "dead", "bad", {"name": name}, reason)
    elif delivery.state == "cancelled":
        yield Step(delivery.settled_at or delivery.created_at, "cancelled", "", {"name": name}, reason)


def _attempt(one: AttemptRecord, name: str) -> Step:
    """An attempt, at the moment at which it ended."""
    values: dict[str, object] = {"name": name, "number": one.number, "status": one.status or ""}
    at = one.at + one.duration_ms
    if one.reason is None:
        return Step(at, "delivered", "good", values)
    if one.status is not None:
        return Step(at, "answered", "bad", values)
    return Step(at, "failed", "bad", values, one.reason)
