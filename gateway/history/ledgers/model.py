"""The ledger: what arrived, and what became of it; sums that outlive what they count."""

from dataclasses import dataclass

from gateway.storage.database import Row

ARRIVED = ("received", "accepted", "duplicate", "refused", "ignored", "routed", "unrouted")
LEFT = ("created", "delivered", "pending", "dead", "cancelled")


@dataclass(frozen=True, slots=True)
class Ledger:
    """Events by what became of them on arrival, deliveries by their states; taken at one moment."""

    events: dict[str, int]
    deliveries: dict[str, int]

    @classmethod
    def from_row(cls, row: Row) -> "Ledger":
        return cls({name: int(row[name]) for name in ARRIVED}, {name: int(row[name]) for name in LEFT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A destination, and its half of the ledger."""

    id: int
    account_id: str
    instance_id: int
    kind: str
    url: str
    state: str
    reason: str | None
    since: int
    deliveries: dict[str, int]

    @classmethod
    def from_row(cls, row: Row) -> "Goal":
        values = {name: row[name] for name in cls.__dataclass_fields__ if name != "deliveries"}
        return cls(**values, deliveries={name: int(row[name]) for name in LEFT})
