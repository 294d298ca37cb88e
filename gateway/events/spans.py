"""Whose events are kept for how long, and how far a sweep has come with each; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.accounts.model import AccountId, Retention
from gateway.storage.database import Row

What = Literal["events", "payloads"]
#: From the beginning again this often: what was on its way when its turn came is settled by now.
ANEW_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """For how long events are kept, and their contents."""

    events_ms: int
    payloads_ms: int

    def of(self, own: Retention) -> "Kept":
        """The same for an account that says otherwise; contents never stay longer than their event."""
        events_ms = self.events_ms if own.events_ms is None else own.events_ms
        payloads_ms = self.payloads_ms if own.payloads_ms is None else own.payloads_ms
        return Kept(events_ms=events_ms, payloads_ms=min(payloads_ms, events_ms))


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What goes when it is so old: of one account, or of all but those that have a say of their own."""

    what: What
    account_id: AccountId | None
    kept_ms: int
    excepted: frozenset[str] = frozenset()

    def place(self, places: "Places", now: int) -> "Place":
        """Where to go on; from the beginning where the settings have changed meanwhile, and once a day."""
        place = places.get((self.what, self.account_id))
        if place is None or place.span != self or not 0 <= now - place.begun_at < ANEW_MS:
            return Place("", self, now)
        return place


@dataclass(frozen=True, slots=True)
class Place:
    """The last event that was looked at for a span, in a round that began then."""

    after: str
    span: Span
    begun_at: int


Places = dict[tuple[What, AccountId | None], Place]


def spans(kept: Kept, own: Mapping[AccountId, Retention]) -> list[Span]:
    """All that is to be swept, given what accounts say of their own."""
    found = _of(kept.of(Retention()), None, frozenset(own))
    for account_id, theirs in own.items():
        found += _of(kept.of(theirs), account_id, frozenset())
    return found


def _of(kept: Kept, account_id: AccountId | None, excepted: frozenset[str]) -> list[Span]:
    events = Span(what="events", account_id=account_id, kept_ms=kept.events_ms, excepted=excepted)
    if kept.payloads_ms >= kept.events_ms:
        return [events]
    return [events, Span(what="payloads", account_id=account_id, kept_ms=kept.payloads_ms, excepted=excepted)]


def worth(span: Span, row: Row) -> bool:
    """Whether a row that is old enough goes: nothing that is on its way, and nothing twice."""
    if row["pending"] or row["account_id"] in span.excepted:
        return False
    return span.what == "events" or row["emptied_at"] is None
