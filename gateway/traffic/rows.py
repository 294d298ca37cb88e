"""From what a node counted to the rows that it adds to; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.traffic.count import Aim, Owner
from gateway.traffic.model import HOUR_MS, MINUTE_MS, PLACES

#: Partner, account (empty: all of the partner's), span and time.
Key = tuple[str, str, int, int]
_OK, _FAILED = PLACES["attempts_ok"], PLACES["attempts_failed"]


@dataclass(slots=True)
class AimRow:
    """Attempts at a destination in an hour."""

    destination_id: int
    hour: int
    owner: Owner
    ok: int = 0
    failed: int = 0
    reason: str | None = None
    failed_at: int | None = None

    @property
    def key(self) -> tuple[int, int]:
        return self.destination_id, self.hour

    @property
    def values(self) -> tuple[int | str | None, ...]:
        """In the order of the columns."""
        return (*self.key, *self.owner, self.ok, self.failed, self.reason, self.failed_at)

    def add(self, aim: Aim) -> None:
        """Count what happened in one of its minutes."""
        self.ok += aim.numbers[_OK]
        self.failed += aim.numbers[_FAILED]
        if aim.failed_at is not None:
            self.reason, self.failed_at = aim.reason, aim.failed_at


class Owed:
    """What is counted and not written yet."""

    def __init__(self) -> None:
        self.rows: dict[Key, list[int]] = {}
        self.aims: dict[tuple[int, int], AimRow] = {}

    def __len__(self) -> int:
        return len(self.rows) + len(self.aims)

    def add(self, owners: Mapping[tuple[Owner, int], list[int]]) -> None:
        """Numbers by account and minute."""
        for (owner, minute), numbers in owners.items():
            for key in _keys(owner, minute):
                _into(self.rows, key, numbers)

    def add_aims(self, aims: Iterable[tuple[int, int, Aim]], owners: Mapping[int, Owner]) -> None:
        """What happened at destinations by the minute; one that is nobody's any more is left out."""
        for destination_id, minute, aim in aims:
            owner, hour = owners.get(destination_id), minute - minute % HOUR_MS
            if owner is not None:
                self.add({(owner, minute): aim.numbers})
                if aim.numbers[_OK] or aim.numbers[_FAILED]:
                    new = AimRow(destination_id, hour, owner)
                    self.aims.setdefault((destination_id, hour), new).add(aim)


def _keys(owner: Owner, minute: int) -> Iterable[Key]:
    for account_id in (owner.account_id, ""):
        yield owner.partner_id, account_id, MINUTE_MS, minute
        yield owner.partner_id, account_id, HOUR_MS, minute - minute % HOUR_MS


def _into(rows: dict[Key, list[int]], key: Key, numbers: list[int]) -> None:
    found = rows.setdefault(key, [0] * len(numbers))
    for place, number in enumerate(numbers):
        found[place] += number
