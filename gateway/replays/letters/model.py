"""Dead letters, and which of them are meant."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from gateway.clock import iso_ms
from gateway.errors import Problem
from gateway.history import filter as events
from gateway.history.filter import END
from gateway.ids import first_at
from gateway.replays.again.model import Place
from gateway.storage.database import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFilter:
    """Every condition that is given must hold; the times are those at which the delivery began."""

    destination_id: int | None = None
    instance_id: int | None = None
    since: int | None = None
    until: int | None = None

    @property
    def first_id(self) -> str:
        """The smallest id that a delivery of the time range may have."""
        return "" if self.since is None else first_at(self.since)

    @property
    def end_id(self) -> str:
        """The ids of the time range are below it."""
        return END if self.until is None else first_at(self.until)


FIELDS = tuple(field.name for field in fields(LetterFilter))
_NUMBERS = ("destination_id", "instance_id")


def parse(given: Mapping[str, object]) -> LetterFilter | tuple[Problem, ...]:
    """The filter that the fields make, texts of a query or values of JSON; or everything that is wrong with them."""
    problems = [
        Problem(str(name)[:80], "is no field of a filter of dead letters") for name in given if name not in FIELDS
    ]
    found: dict[str, Any] = {}
    for name in FIELDS:
        value = given.get(name)
        if value is not None:
            found[name] = number_of(value) if name in _NUMBERS else events.moment_of(value)
            if found[name] is None:
                expected = "a number" if name in _NUMBERS else "a date such as 2026-01-31T12:00:00Z"
                problems.append(Problem(name, f"expected {expected}"))
    if not problems and found.get("since", 0) > found.get("until", found.get("since", 0)):
        problems.append(Problem("since", "is later than until"))
    return tuple(problems) if problems else LetterFilter(**found)


def number_of(value: object) -> int | None:
    """A number as JSON or a query gives it; None where it is none that could be an id."""
    text = str(value) if type(value) in (int, str) else ""
    good = text.isascii() and text.isdigit() and len(text) <= events.LONGEST_NUMBER
    return int(text) if good else None


def as_json(chosen: LetterFilter) -> dict[str, Any]:
    """The conditions that are given, in the form that `parse` reads again."""
    found = {name: getattr(chosen, name) for name in FIELDS}
    for name in ("since", "until"):
        if found[name] is not None:
            found[name] = iso_ms(found[name])
    return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """A place among dead letters, which are ordered by destination, then by id."""

    destination_id: int
    delivery_id: str

    @property
    def text(self) -> str:
        return f"{self.destination_id}x{self.delivery_id}"


def spot_of(text: str) -> Spot | None:
    """The place that a text names; None where it names none."""
    number, separator, delivery_id = text.partition("x")
    good = separator and number.isascii() and number.isdigit() and len(number) <= events.LONGEST_NUMBER
    return Spot(int(number), delivery_id) if good else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """The last request of a dead letter."""

    number: int
    at: int
    duration_ms: int
    status: int | None
    reason: str | None
    answer: bytes | None

    @classmethod
    def from_row(cls, row: Row) -> "Attempted":
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A dead delivery that nobody has sent again or laid down, with what is known of its event."""

    id: str
    event_id: str
    instance_id: int
    place: Place
    reason: str | None
    attempts: int
    created_at: int
    settled_at: int | None
    replay_id: str | None
    connector: str | None
    type: str | None
    action: str | None
    object_type: str | None
    object_id: str | None
    vendor_event_id: str | None
    received_at: int | None
    #: Whether there is still something to send.
    has_payload: bool
    last: Attempted | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many dead letters a destination has: all rows that are dead, and of those that wait, counted to a bound."""

    place: Place
    dead: int
    waiting: int
    more: bool
