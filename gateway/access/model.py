"""How an instance stands with its vendor."""

from dataclasses import dataclass
from typing import Literal

from gateway.storage.database import Row

State = Literal["good", "reauth", "unchecked"]
#: How long a vendor that could not be asked is left alone, try by try.
PAUSES_MS = tuple(60_000 * minutes for minutes in (1, 2, 5, 15, 60))
#: And how long one that said no: it may have been a mistake of its own.
REFUSED_PAUSES_MS = tuple(3_600_000 * hours for hours in (1, 6, 24))
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether the vendor takes the instance's credentials, and since when; times in epoch milliseconds."""

    state: State
    reason: str | None
    since: int
    #: When the token is renewed ahead of its end.
    renew_at: int | None = None
    #: When the credentials are tried again.
    check_at: int | None = None
    tries: int = 0

    @classmethod
    def from_row(cls, row: Row) -> "Standing":
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})

    @property
    def valid(self) -> bool:
        """Whether nothing is known against the credentials."""
        return self.state == "good"


def good(now: int, *, renew_at: int | None = None) -> Standing:
    """The vendor takes them, or there is no way to ask."""
    return Standing(state="good", reason=None, since=now, renew_at=renew_at)


def unchecked(reason: str, now: int, *, renew_at: int | None = None, tries: int = 0) -> Standing:
    """Nobody could tell; asked again later."""
    at = now + PAUSES_MS[min(tries, len(PAUSES_MS) - 1)]
    cut = reason[:LONGEST_REASON]
    return Standing(state="unchecked", reason=cut, since=now, renew_at=renew_at, check_at=at, tries=tries + 1)


def refused(reason: str, now: int, *, tries: int = 0) -> Standing:
    """The vendor says no."""
    at = now + REFUSED_PAUSES_MS[min(tries, len(REFUSED_PAUSES_MS) - 1)]
    return Standing(state="reauth", reason=reason[:LONGEST_REASON], since=now, check_at=at, tries=tries + 1)
