"""A call as it is remembered."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.storage.database import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One call through an instance: who asked for what, and how it was answered; `at` in epoch milliseconds.

    `method` is None where the request met none, `vendor_status` where the vendor was not reached; `path` has no query.
    """

    id: str
    request_id: str
    partner_id: str
    account_id: str
    user_id: int
    instance_id: int
    connector: str
    method: str | None
    verb: str
    path: str
    status: int
    vendor_status: int | None
    bytes: int
    duration_ms: int
    at: int

    @classmethod
    def from_row(cls, row: Row) -> "Use":
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which calls a list shows; what is None or empty does not narrow it, an empty list of ids or keys shows none."""

    instance_ids: Sequence[int] | None = None
    connectors: tuple[str, ...] | None = None
    statuses: tuple[int, int] | None = None
    since: int = 0
    until: int | None = None
    search: str = ""
