"""What a try shows."""

from dataclasses import dataclass, field

from gateway.errors import Problem

#: So much of a body is shown.
MOST_SHOWN = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The event that a request is made of; a sample is one that nobody received."""

    event_id: str | None
    instance_id: int
    connector: str
    type: str
    action: str
    object_type: str | None
    object_id: str | None
    received_at: int
    is_sample: bool
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRequest:
    """A request without its secrets, and the first of its body."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would be sent, and everything that is wrong; without a request nothing could be made."""

    event: Basis
    request: ShownRequest | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What was sent, and what came back; without a status there was no answer, and the reason says why."""

    event: Basis
    request: ShownRequest
    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: bool
    duration_ms: int
    #: None where it is a success.
    reason: str | None
