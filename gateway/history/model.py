"""What became of an event."""

from dataclasses import dataclass

from gateway.accounts.model import AccountId
from gateway.delivery.model import State
from gateway.events.model import Action, Source
from gateway.history.filter import Status
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
class Listed:
    """An event as lists tell it: all but its payload, and what became of it."""

    id: str
    account_id: AccountId
    instance_id: int
    connector: str
    source: Source
    type: str
    action: Action
    object_type: str | None
    object_id: str | None
    occurred_at: int | None
    vendor_event_id: str | None
    received_at: int
    backfill: bool
    #: How many bytes its payload has; 0 where retention has taken it away.
    size: int
    #: Pending where any delivery is; else the state of the newest one; unrouted where there is none.
    status: Status

    @classmethod
    def from_row(cls, row: Row) -> "Listed":
        values = {name: row[name] for name in cls.__dataclass_fields__}
        return cls(**values | {"backfill": bool(values["backfill"])})


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the events that were looked at; `position` is where to go on, None where nothing is left."""

    items: tuple[Listed, ...]
    position: str | None


@dataclass(frozen=True, slots=True)
class LookedAt:
    """The ids that fit, in their order, the last id that was looked at, and whether there is more behind it."""

    ids: tuple[str, ...]
    position: str
    more: bool


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
    #: The replay that made it, and the delivery that it was sent again as.
    replay_id: str | None
    replayed_as: str | None

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
    connect_ms: int | None
    head_ms: int | None
    #: The answer's first bytes, and its headers as JSON; None where they were not kept.
    answer: bytes | None
    headers: str | None

    @classmethod
    def from_row(cls, row: Row) -> "AttemptRecord":
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A destination as a delivery names it."""

    id: int
    instance_id: int
    url: str
    state: str
    reason: str | None

    @classmethod
    def from_row(cls, row: Row) -> "Where":
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})
