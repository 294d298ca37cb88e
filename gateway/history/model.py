"""What became of an event."""

from dataclasses import dataclass

from gateway.delivery.model import State
from gateway.storage.database import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An event without its payload, and how many bytes that has."""

    id: str
    instance_id: int
    received_at: int
    size: int

    @classmethod
    def from_row(cls, row: Row) -> "Arrival":
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """A delivery as its row tells it."""

    id: str
    event_id: str
    instance_id: int
    destination_id: int
    state: State
    attempts: int
    due_at: int
    reason: str | None
    created_at: int
    settled_at: int | None

    @classmethod
    def from_row(cls, row: Row) -> "DeliveryRecord":
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """One request of a delivery as its row tells it."""

    delivery_id: str
    number: int
    at: int
    duration_ms: int
    status: int | None
    reason: str | None

    @classmethod
    def from_row(cls, row: Row) -> "AttemptRecord":
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})
