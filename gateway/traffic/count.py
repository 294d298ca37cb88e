"""What happens on this node, counted in memory by the minute: an addition each, and no statement."""

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from gateway.clock import now_ms
from gateway.traffic.histogram import bucket_of
from gateway.traffic.model import MINUTE_MS, PLACES, TOOK_AT, WAY_AT, WIDTH

_ACCEPTED, _DUPLICATE, _REFUSED, _IGNORED = (PLACES[one] for one in ("accepted", "duplicate", "refused", "ignored"))
_ATTEMPTS_OK, _ATTEMPTS_FAILED = PLACES["attempts_ok"], PLACES["attempts_failed"]
_POLLS_OK, _POLLS_FAILED = PLACES["polls_ok"], PLACES["polls_failed"]
_ENDS = {"delivered": PLACES["delivered"], "dead": PLACES["dead"]}
_LONGEST_REASON = 40


class Owned(Protocol):
    """Whatever belongs to an account."""

    @property
    def partner_id(self) -> str: ...

    @property
    def account_id(self) -> str: ...


class Owner(NamedTuple):
    """An account and its partner."""

    partner_id: str
    account_id: str


@dataclass(slots=True)
class Aim:
    """What happened at one destination within a minute; the last failure by its reason and time."""

    numbers: list[int] = field(default_factory=lambda: [0] * WIDTH)
    reason: str | None = None
    failed_at: int | None = None


class Traffic:
    """Counts for this node; what is not flushed when a node crashes is lost, since the ledger has the exact numbers."""

    def __init__(self) -> None:
        self.owners: dict[tuple[Owner, int], list[int]] = {}
        self.aims: dict[tuple[int, int], Aim] = {}

    def arrived(self, whose: Owned, *, accepted: int = 0, duplicate: int = 0) -> None:
        """Events of a vendor, from its webhook or a poll."""
        numbers = self._of(whose)
        numbers[_ACCEPTED] += accepted
        numbers[_DUPLICATE] += duplicate

    def turned_away(self, whose: Owned, *, refused: int = 0, ignored: int = 0) -> None:
        """Requests that were refused, and changes that nobody takes."""
        numbers = self._of(whose)
        numbers[_REFUSED] += refused
        numbers[_IGNORED] += ignored

    def polled(self, whose: Owned, *, ok: bool) -> None:
        """A poll came to its end."""
        self._of(whose)[_POLLS_OK if ok else _POLLS_FAILED] += 1

    def attempted(self, destination_id: int, took_ms: int, reason: str | None, way_ms: int | None = None) -> None:
        """An attempt that succeeded, or failed for a reason; `way_ms`: since the event had arrived."""
        aim = self._at(destination_id)
        aim.numbers[TOOK_AT + bucket_of(took_ms)] += 1
        if reason is None:
            aim.numbers[_ATTEMPTS_OK] += 1
            if way_ms is not None:
                aim.numbers[WAY_AT + bucket_of(way_ms)] += 1
        else:
            aim.numbers[_ATTEMPTS_FAILED] += 1
            # What stands behind the colon is the peer's own words.
            aim.reason, aim.failed_at = reason.partition(":")[0][:_LONGEST_REASON], now_ms()

    def settled(self, destination_id: int, state: str, number: int = 1) -> None:
        """So many deliveries are delivered or dead; another state is no end."""
        place = _ENDS.get(state)
        if place is not None:
            self._at(destination_id).numbers[place] += number

    def _of(self, whose: Owned) -> list[int]:
        key = Owner(whose.partner_id, whose.account_id), now_ms() // MINUTE_MS * MINUTE_MS
        found = self.owners.get(key)
        if found is None:
            found = self.owners[key] = [0] * WIDTH
        return found

    def _at(self, destination_id: int) -> Aim:
        key = destination_id, now_ms() // MINUTE_MS * MINUTE_MS
        found = self.aims.get(key)
        if found is None:
            found = self.aims[key] = Aim()
        return found
