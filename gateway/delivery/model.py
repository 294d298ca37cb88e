"""Deliveries: one event on its way to one destination."""

from typing import Literal

import msgspec

from gateway.events.model import Event

State = Literal["pending", "delivered", "dead", "cancelled"]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that this node holds a lease of; `event` is None where it was not kept in memory."""

    id: str
    event_id: str
    instance_id: int
    destination_id: int
    #: Attempts made so far.
    attempts: int
    epoch: int
    lease_until: int
    event: Event | None
    #: The replay that it belongs to.
    replay_id: str | None = None
    #: Whether it goes to a 3rd-party connector, whose calls are listed.
    third_party: bool = False

    @property
    def size(self) -> int:
        """What it takes in memory."""
        return 0 if self.event is None else len(self.event.payload)


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a delivery and what came of it; without a status there was no answer."""

    at: int
    duration_ms: int
    status: int | None
    #: Why it is no success; None where it is one.
    reason: str | None
    retry_after_ms: int | None
    #: How long until the connection stood, and until the head of the answer was there; None where that never was.
    connect_ms: int | None = None
    head_ms: int | None = None
    answer: bytes
    #: The answer's headers as JSON, without secrets.
    headers: str | None = None
    #: Whether every other attempt would come to the same.
    final: bool = False

    @property
    def delivered(self) -> bool:
        return self.reason is None


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt did to its delivery."""

    state: State
    reason: str | None
    due_at: int
    #: The destination says that it is gone for good.
    switch_off: bool = False


class End(msgspec.Struct, frozen=True):
    """What becomes of the pending deliveries of a destination that takes no more."""

    state: State
    reason: str
