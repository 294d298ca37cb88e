"""Jobs: long work on what is stored, as rows; what was wanted, how far it is, and whose it is to do."""

import hashlib
from typing import Any, Literal

import msgspec

from gateway.accounts.model import AccountId, PartnerId
from gateway.errors import Conflict
from gateway.storage.database import Row

Kind = Literal["replay", "discard", "erasure"]
State = Literal["running", "done", "cancelled", "failed"]
Subject = Literal["events", "dead_letters"]
#: Why something that a job came by was left as it is.
Skip = Literal["on its way", "payload gone", "no destination", "destination off", "of another account", "changed"]

DEFAULT_RATE = 50
LARGEST_RATE = 10_000


class Fenced(Conflict):
    """The job was stopped, or another node has it; nothing of the step was stored."""


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """Send again what a filter finds: to where it was to go, or to one other destination."""

    subject: Subject
    filter: dict[str, Any]
    destination_id: int | None
    rate: int


class Discarding(msgspec.Struct, frozen=True, kw_only=True):
    """Lay down the dead letters that a filter finds."""

    filter: dict[str, Any]
    reason: str


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """Remove what is stored of an account, or of one object in it."""

    account_id: AccountId
    object_type: str | None = None
    object_id: str | None = None


Wanted = Again | Discarding | Erasure
_KINDS: dict[Kind, type[Any]] = {"replay": Again, "discard": Discarding, "erasure": Erasure}


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """How far a job is: behind this one, in an order that does not change."""

    after: str = ""
    #: The first that it found when it was made, to tell how far there is to go.
    first: str = ""
    phase: Literal["events", "refusals"] = "events"
    #: How many were left as they are, by the reason.
    skipped: dict[str, int] = {}


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job; its id is younger than all that it may touch. Times in epoch milliseconds."""

    id: str
    partner_id: PartnerId
    account_id: AccountId | None
    user_id: int
    kind: Kind
    state: State
    reason: str | None
    wanted: Wanted
    position: Position
    seen: int
    done: int
    skipped: int
    expected: int | None
    created_at: int
    updated_at: int
    finished_at: int | None
    epoch: int

    @classmethod
    def from_row(cls, row: Row) -> "Job":
        plain = {name: row[name] for name in cls.__struct_fields__ if name not in ("wanted", "position")}
        return cls(
            **plain,
            wanted=msgspec.json.decode(row["wanted"], type=_KINDS[row["kind"]]),
            position=msgspec.json.decode(row["position"], type=Position),
        )

    @property
    def hash(self) -> str:
        """The same for two jobs that would do the same, at whatever rate and for whatever reason."""
        plain = msgspec.to_builtins(self.wanted)
        same = {name: value for name, value in plain.items() if name not in ("rate", "reason")}
        return hashlib.sha256(msgspec.json.encode([self.account_id, same], order="sorted")).hexdigest()


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What one step adds to its job."""

    position: Position
    seen: int = 0
    done: int = 0
    skipped: int = 0
    state: State = "running"
    reason: str | None = None


def kind_of(wanted: Wanted) -> Kind:
    """What a job is called that does this."""
    return next(kind for kind, struct in _KINDS.items() if type(wanted) is struct)


def percent(job: Job) -> float | None:
    """How much of a job is done: by number where that is known, else by the age of what it has come to."""
    if job.state == "done":
        return 100.0
    if job.expected is not None:
        return round(min(100.0, 100 * job.seen / job.expected), 1) if job.expected else 0.0
    first, now, last = _time(job.position.first), _time(job.position.after), _time(job.id)
    if first is None or now is None or last is None or last <= first:
        return None
    return round(100 * min(1.0, max(0.0, (now - first) / (last - first))), 1)


def _time(time_ordered: str) -> int | None:
    try:
        return int(time_ordered[:12], 16) if len(time_ordered) == 32 else None
    except ValueError:
        return None
