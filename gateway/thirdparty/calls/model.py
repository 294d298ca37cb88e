"""A call: a delivery of a 3rd-party connector with its event and its attempts."""

import msgspec

from gateway.storage.database import Row


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt; without a status there was no answer."""

    number: int
    at: int
    duration_ms: int
    connect_ms: int | None
    head_ms: int | None
    status: int | None
    reason: str | None
    answer: bytes | None
    #: The answer's headers as JSON, without secrets.
    headers: str | None

    @classmethod
    def from_row(cls, row: Row) -> "Tried":
        return cls(**{name: row[name] for name in cls.__struct_fields__})


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery; of its event nothing is known any more once retention has taken it."""

    id: str
    event_id: str
    instance_id: int
    state: str
    reason: str | None
    attempts: int
    due_at: int
    created_at: int
    settled_at: int | None
    replay_id: str | None
    replayed_as: str | None
    connector: str | None
    type: str | None
    action: str | None
    object_type: str | None
    object_id: str | None
    tried: tuple[Tried, ...]

    @classmethod
    def from_row(cls, row: Row, tried: tuple[Tried, ...]) -> "Call":
        return cls(**{name: row[name] for name in cls.__struct_fields__ if name != "tried"}, tried=tried)
