"""The words of polling: what is asked, how far it was read, what came back, and what follows; times in milliseconds."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from gateway.calls.polled import Asked
from gateway.catalogue.call_model import Poll
from gateway.catalogue.change import Change
from gateway.catalogue.document import Document
from gateway.catalogue.selection import EVERYTHING, Selection
from gateway.storage.database import Row

PollSource = Literal["polling", "reconcile"]
State = Literal["ok", "failing", "reauth", "disabled", "paused"]
STATES: tuple[State, ...] = ("ok", "failing", "reauth", "disabled", "paused")
#: `waits`: the vendor was not even asked, since its limit leaves no room now.
FailureKind = Literal["waits", "rate_limited", "unavailable", "reauth", "configuration", "malformed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one poller of an instance asks; `interval` None: on demand only.

    A `fixed` interval was set by the user and is kept; another adapts. `start_at`: begin at this date of the source.
    """

    name: str
    poll: Poll
    interval: int | None
    fixed: bool = False
    source: PollSource = "polling"
    start_at: int | None = None
    #: A snapshot of which a larger part is missing at once is not believed.
    max_shrink: float = 0.5
    #: How an instance's own configuration asks, in place of the poll's request; None: as the connector's file says.
    ask: Asked | None = None
    #: Which of the changes are wanted; the others only count as seen.
    selection: Selection = EVERYTHING
    #: So long a change is left to the webhook, and is then looked for among what that brought (0: at once); None where
    #: both roads give one change the same identity.
    patience: int | None = None

    @property
    def backfills(self) -> bool:
        """Whether the first poll emits what was there before."""
        return self.start_at is not None or self.poll.start == "beginning"


class Seen(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One version of an object within the overlap: when it was updated, its content, and how many contents it had."""

    at: int
    content: str
    variants: int = 1


class Cursor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a poller has read, by the clock of the source; its own text in the row."""

    format: int = 1
    #: The first poll was committed.
    started: bool = False
    #: The newest `updated` that was seen, as it was received.
    watermark: str | None = None
    watermark_ms: int | None = None
    #: Nothing older is ever emitted: it was there before the first poll.
    floor_ms: int | None = None
    #: What was there before the first poll is being read still, up to this time of the source.
    backfill_until: int | None = None
    token: str | None = None
    etag: str | None = None
    #: Versions within the overlap, by `id:version`; the keys and their order are merge.py's own.
    seen: dict[str, Seen] = {}
    #: Where an unfinished read goes on (empty: from the watermark), and the newest of what it has read so far.
    resume: str | None = None
    pending: str | None = None
    pending_ms: int | None = None
    #: How often it was read; tells contents apart that come back.
    polls: int = 0
    empty_in_a_row: int = 0
    interval_ms: int | None = None
    last_ok: int | None = None
    #: When it was last read to the end, and when something was found.
    last_complete: int | None = None
    last_change: int | None = None
    #: How far it is behind the source; 0 once the end was reached.
    lag_ms: int | None = None
    #: The source's clock less the gateway's.
    clock_skew: int | None = None
    #: How many polls in a row succeeded, had something to read, and did not move the watermark.
    stuck: int = 0
    #: How many polls in a row did not reach the end.
    partials: int = 0


NEW = Cursor()


class Known(msgspec.Struct, frozen=True, gc=False):
    """One object of a snapshot: its content, and in how many complete listings in a row it was missing."""

    id: str
    content: str
    misses: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What becomes of a poller's row: its state, and when it is its turn again (None: when somebody asks)."""

    state: State
    reason: str | None
    failures: int
    planned_at: int | None
    next_due: int | None
    interval: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Poller:
    """A poller as its row tells it; `next_due` None: nobody waits for it. A leased one is due when the lease ends."""

    id: str
    instance_id: int
    name: str
    enabled: bool = True
    next_due: int | None
    #: The slot of its schedule, without jitter and waits.
    planned_at: int | None = None
    state: State = "ok"
    reason: str | None = None
    since: int
    failures: int = 0
    records_total: int = 0
    lease_owner: str | None = None
    lease_until: int = 0
    epoch: int = 0
    wishes: int = 0
    updated_at: int
    cursor: Cursor = NEW

    @classmethod
    def from_row(cls, row: Row) -> "Poller":
        values = {name: row[name] for name in cls.__dataclass_fields__}
        cursor = msgspec.json.decode(row["cursor"], type=Cursor)
        return cls(**values | {"enabled": bool(values["enabled"]), "cursor": cursor})

    def after(self, step: Step, cursor: Cursor) -> "Poller":
        """The row after a poll."""
        return replace(
            self,
            state=step.state,
            reason=step.reason,
            failures=step.failures,
            planned_at=step.planned_at,
            next_due=step.next_due,
            cursor=msgspec.structs.replace(cursor, interval_ms=step.interval),
        )


@dataclass(frozen=True, slots=True)
class Window:
    """What a poll asks for: `text` is the rendered {from}, None where everything is asked for.

    Records older than `at` are left out, whatever the source sends.
    """

    text: str | None
    at: int | None


class Page(msgspec.Struct, frozen=True, gc=False):
    """One answer: its records in order, and what else their locators may look at."""

    records: list[Document]
    headers: Mapping[str, str] = {}
    body: Document | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What came back of one poll.

    `complete`: the end of the list was reached, or in a newest-first one the beginning of the window.
    `unchanged`: a 304. `expired`: the source no longer knows the token. `resume`: where an unfinished read can go on.
    """

    pages: tuple[Page, ...] = ()
    complete: bool = True
    #: The gateway's clock when the poll began, and the source's by its Date header.
    asked_at: int
    source_now: int | None = None
    token: str | None = None
    etag: str | None = None
    unchanged: bool = False
    expired: bool = False
    resume: str | None = None
    #: The shortest interval that the source allows.
    min_interval: int | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A poll that failed; `wait` is what the source asks for at least."""

    kind: FailureKind
    message: str
    wait: int | None = None


class Found(msgspec.Struct, frozen=True, gc=False):
    """A change that a poll found; its `identity` is always there. `backfill`: it was there before the first poll.

    `at`: its record's own date; `further`: the poller has met another content under that date.
    """

    change: Change
    backfill: bool = False
    at: int | None = None
    further: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """Changes that may have been lost, between two times of the source, and why."""

    since: int
    until: int
    reason: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Changes that are committed together, the cursor after them, and what changes in the snapshot."""

    changes: tuple[Found, ...]
    cursor: Cursor
    kept: tuple[Known, ...] = ()
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What a read means: chunks in order, of which only the last moves the watermark; there is always one.

    `again`: there is more to be had at once. `problem`: the read cannot be believed, and nothing of it counts.
    """

    chunks: tuple[Chunk, ...]
    again: bool = False
    gap: Gap | None = None
    problem: Failure | None = None
    warnings: tuple[str, ...] = ()

    @property
    def cursor(self) -> Cursor:
        """The cursor after all of it."""
        return self.chunks[-1].cursor

    @property
    def number(self) -> int:
        """How many changes were found."""
        return sum(len(chunk.changes) for chunk in self.chunks)
