"""A fate: where something that arrived stands now, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.events.refusal import NotStored
from gateway.history.filter import Status
from gateway.history.model import DeliveryRecord, Listed, Where
from gateway.storage.database import Row

Asked = Literal["vendor_event_id", "body_hash", "object_id", "event_id"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for, and by which of its names."""

    by: Asked
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalRecord:
    """A request, or a change that it told of, that became no event, as its row tells it."""

    id: str
    instance_id: int
    at: int
    outcome: NotStored
    failed_check: str
    detail: str
    remote: str
    body_hash: str
    vendor_event_id: str | None
    object_id: str | None
    event_id: str | None

    @classmethod
    def from_row(cls, row: Row) -> "RefusalRecord":
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of one event, or of one arrival that became none; `id` is the place among the others."""

    id: str
    status: Status | NotStored
    #: The check that failed, the last failure, or why it went nowhere; None where all is well.
    reason: str | None
    detail: str | None
    event_id: str | None
    instance_id: int
    received_at: int
    #: When it came to stand as it does.
    at: int
    next_attempt_at: int | None = None
    attempts: int = 0
    delivery_id: str | None = None
    destination: Where | None = None
    vendor_event_id: str | None = None
    object_id: str | None = None


def of_event(event: Listed, delivery: DeliveryRecord | None, destination: Where | None) -> Fate:
    """The fate of what was stored."""
    settled_at = None if delivery is None else delivery.settled_at
    return Fate(
        id=event.id,
        status="unrouted" if delivery is None else delivery.state,
        reason="no destination" if delivery is None else delivery.reason,
        detail=None,
        event_id=event.id,
        instance_id=event.instance_id,
        received_at=event.received_at,
        at=settled_at or event.received_at,
        next_attempt_at=delivery.due_at if delivery is not None and delivery.state == "pending" else None,
        attempts=0 if delivery is None else delivery.attempts,
        delivery_id=None if delivery is None else delivery.id,
        destination=destination,
        vendor_event_id=event.vendor_event_id,
        object_id=event.object_id,
    )


def of_refusal(refusal: RefusalRecord) -> Fate:
    """The fate of what was not stored; a duplicate names the event that it is one of."""
    return Fate(
        id=refusal.id,
        status=refusal.outcome,
        reason=refusal.failed_check,
        detail=refusal.detail or None,
        event_id=refusal.event_id,
        instance_id=refusal.instance_id,
        received_at=refusal.at,
        at=refusal.at,
        vendor_event_id=refusal.vendor_event_id,
        object_id=refusal.object_id,
    )


def merged(
    stored: Sequence[Fate], stored_end: str | None, others: Sequence[Fate], others_end: str | None, size: int
) -> tuple[list[Fate], str | None]:
    """One page of two lists, newest first, and where the next begins; nothing below where a list stopped looking."""
    end = max(filter(None, (stored_end, others_end)), default=None)
    found = sorted((*stored, *others), key=lambda one: one.id, reverse=True)
    seen = [one for one in found if end is None or one.id >= end]
    return (seen[:size], seen[size - 1].id) if len(seen) > size else (seen, end)
