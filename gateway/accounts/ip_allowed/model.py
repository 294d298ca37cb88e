"""An address or network on one of a partner's lists."""

from dataclasses import dataclass
from typing import Literal, cast, get_args

from gateway.storage.database import Row

#: Through `calls` standard connectors are called, and an empty one lets nobody; an empty `api` lets everybody.
List = Literal["calls", "api"]
LISTS: tuple[List, ...] = get_args(List)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """One entry; the time in epoch milliseconds."""

    list: List
    network: str
    note: str
    created_at: int

    @classmethod
    def from_row(cls, row: Row) -> "Allowed":
        return cls(list=cast(List, row["list"]), network=row["network"], note=row["note"], created_at=row["created_at"])
