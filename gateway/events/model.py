"""The event: one change of one object."""

from typing import Literal, NewType

import msgspec

from gateway.accounts.model import AccountId
from gateway.storage.database import Row

EventId = NewType("EventId", str)
Source = Literal["webhook", "polling", "reconcile"]
Action = Literal["CREATED", "UPDATED", "DELETED", "UNKNOWN"]


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One change, as it was received; times in epoch milliseconds."""

    id: EventId
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
    #: What makes two arrivals the same change; None where nothing does.
    identity: str | None
    #: The null filter's setting when the event was accepted.
    filter_nulls: bool
    received_at: int
    #: Whether it tells what was there before the first poll.
    backfill: bool = False
    #: Half of the SHA-256 of the request's body; None where there was no request.
    body_hash: str | None = None
    #: When retention took the payload away.
    emptied_at: int | None = None
    #: The request's method, query, headers and sender as JSON, without secrets.
    request: str | None = None
    #: The vendor's JSON text, to the byte.
    payload: bytes

    @classmethod
    def from_row(cls, row: Row) -> "Event":
        values = {name: row[name] for name in cls.__struct_fields__}
        flags = {name: bool(values[name]) for name in ("filter_nulls", "backfill")}
        return cls(**values | flags | {"payload": bytes(values["payload"])})
