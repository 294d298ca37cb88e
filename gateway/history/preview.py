"""A changed null filter over payloads that are stored: what would have been sent, and what was; pure."""

from dataclasses import dataclass

from gateway.nulls import filter_nulls, removed_paths

MOST_POINTERS = 100


@dataclass(frozen=True, slots=True)
class Sent:
    """What one setting of the filter makes of a payload: what it takes out, and how many bytes are left."""

    pointers: tuple[str, ...]
    count: int
    size: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One event under the setting that it was accepted with, and under another."""

    event_id: str
    now: Sent
    then: Sent

    @property
    def changes(self) -> bool:
        """Whether its consumer would have got other bytes."""
        return self.now != self.then


def difference(event_id: str, payload: bytes, *, filtered_now: bool, filtered_then: bool) -> Difference:
    """The payload of an event under two settings."""
    whole = Sent((), 0, len(payload))
    if not (filtered_now or filtered_then):
        return Difference(event_id, whole, whole)
    pointers, count = removed_paths(payload, MOST_POINTERS)
    filtered = Sent(tuple(pointers), count, len(filter_nulls(payload)))
    return Difference(event_id, filtered if filtered_now else whole, filtered if filtered_then else whole)
