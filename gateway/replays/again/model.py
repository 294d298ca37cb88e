"""What is sent again, where it goes, and whether it can."""

from collections.abc import Collection

import msgspec

from gateway.replays.model import Skip
from gateway.storage.database import Row


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """An event that may be sent again, without its payload."""

    id: str
    account_id: str
    instance_id: int
    type: str
    received_at: int
    emptied_at: int | None

    @classmethod
    def from_row(cls, row: Row) -> "Stored":
        return cls(**{name: row[name] for name in cls.__struct_fields__})


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A destination, whatever its state: an instance's callback, or a 3rd-party connector, which has no instance."""

    id: int
    account_id: str
    instance_id: int
    url: str
    state: str
    reason: str | None

    @classmethod
    def from_row(cls, row: Row) -> "Place":
        return cls(**{name: row[name] for name in cls.__struct_fields__})

    @property
    def trouble(self) -> str | None:
        """Why nothing can be sent there; None where it can."""
        if self.state == "active":
            return None
        return f"destination {self.id} is {self.state}" + (f" ({self.reason})" if self.reason else "")


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One that a walk comes to: an event, or a dead delivery of one."""

    event_id: str
    #: Where the walk stands when it is behind this one.
    key: str
    #: Where a dead delivery was to go.
    origin: int | None = None
    delivery_id: str | None = None


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery to be made; dead ones of the event to `origin` count as sent again by it."""

    id: str
    event_id: str
    instance_id: int
    destination_id: int
    origin: int
    replay_id: str


def obstacle(event: Stored | None, place: Place | None, under_way: Collection[tuple[str, int]]) -> Skip | None:
    """Why an event cannot be sent to a place now; None where it can."""
    if event is None or event.emptied_at is not None:
        return "payload gone"
    if place is None or place.state == "removed":
        return "no destination"
    if place.account_id != event.account_id:
        return "of another account"
    if place.state != "active":
        return "destination off"
    return "on its way" if (event.id, place.id) in under_way else None
