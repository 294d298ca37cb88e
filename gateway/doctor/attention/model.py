"""One thing of an instance that needs somebody."""

from dataclasses import dataclass
from typing import Literal

from gateway.storage.database import Row

What = Literal["credentials", "registration", "ending", "poller", "destination"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What is wrong with which instance, why, and since when; for `ending` it is when the registration ends."""

    what: What
    instance_id: int
    name: str
    connector: str
    #: The poller's name, or what the registration is: failing, refused.
    part: str
    reason: str | None
    since: int

    @classmethod
    def from_row(cls, row: Row) -> "Need":
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})
