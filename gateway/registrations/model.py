"""The registration of one instance at its vendor, as a row tells it."""

from dataclasses import dataclass
from typing import Literal

import msgspec

from gateway.storage.database import Row

State = Literal["wanted", "active", "failing", "removing", "unsupported", "refused"]
STATES: tuple[State, ...] = ("wanted", "active", "failing", "removing", "unsupported", "refused")


class Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is sealed beside a registration."""

    #: A hash of what was asked for, so that a change of it is noticed.
    request: str = ""
    #: Values that the removal of a former registration, or of a deleted instance's, needs; and until when it is tried.
    left: dict[str, str] | None = None
    left_until: int = 0
    #: Why the last one has to be replaced, until it is.
    lost: str = ""
    #: Of a deleted instance.
    connector: str = ""
    callback: str = ""


NOTHING_KEPT = Kept()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Times in epoch milliseconds; `next_at` is when it is looked at again, None: when somebody changes something."""

    instance_id: int
    state: State
    reason: str | None = None
    since: int
    vendor_id: str | None = None
    callback_hash: str | None = None
    public_url: str | None = None
    expires_at: int | None = None
    renew_at: int | None = None
    checked_at: int | None = None
    next_at: int | None = None
    attempts: int = 0
    asked_id: str | None = None
    kept: Kept = NOTHING_KEPT
    wishes: int = 0
    epoch: int = 0

    @property
    def stands(self) -> bool:
        """Whether the vendor has one that we know of."""
        return self.callback_hash is not None

    @classmethod
    def from_row(cls, row: Row, kept: Kept) -> "Registration":
        values = {name: row[name] for name in cls.__dataclass_fields__ if name != "kept"}
        return cls(**values, kept=kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A registration as its owner sees it."""

    state: State
    reason: str | None = None
    since: int | None = None
    vendor_id: str | None = None
    expires_at: int | None = None
    checked_at: int | None = None

    @classmethod
    def from_row(cls, row: Row) -> "Status":
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})
