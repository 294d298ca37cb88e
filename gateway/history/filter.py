"""Which events are meant: one record for lists, replays, streams and previews; read from texts or from JSON, purely."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import orjson

from gateway.clock import iso_ms
from gateway.errors import Problem
from gateway.events.model import Source
from gateway.ids import first_at

Status = Literal["pending", "delivered", "dead", "cancelled", "unrouted"]
LONGEST_TEXT = 1_000
LONGEST_NUMBER = 15
#: Above every id.
END = "g"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Every condition that is given must hold; `since` is meant with its moment, `until` without, in milliseconds."""

    instance_id: int | None = None
    connector: str | None = None
    account_id: str | None = None
    type: str | None = None
    object_type: str | None = None
    object_id: str | None = None
    status: Status | None = None
    source: Source | None = None
    vendor_event_id: str | None = None
    backfill: bool | None = None
    since: int | None = None
    until: int | None = None

    @property
    def first_id(self) -> str:
        """The smallest id that an event of the time range may have."""
        return "" if self.since is None else first_at(self.since)

    @property
    def end_id(self) -> str:
        """The ids of the time range are below it."""
        return END if self.until is None else first_at(self.until)


FIELDS = tuple(field.name for field in fields(EventFilter))
#: The last moment that a date can be written for.
_LATEST = 253_402_300_799_999


class _Expected(Exception):
    """What a field's value should have been."""


def parse(given: Mapping[str, object]) -> EventFilter | tuple[Problem, ...]:
    """The filter that the fields make, texts of a query or values of JSON; or everything that is wrong with them."""
    problems = [Problem(name[:80], "is no field of a filter") for name in given if name not in FIELDS]
    found: dict[str, Any] = {}
    for name in FIELDS:
        value = given.get(name)
        if value is None:
            continue
        try:
            found[name] = _READERS[name](value)
        except _Expected as expected:
            problems.append(Problem(name, f"expected {expected}"))
    if not problems and found.get("since", 0) > found.get("until", found.get("since", 0)):
        problems.append(Problem("since", "is later than until"))
    return tuple(problems) if problems else EventFilter(**found)


def as_json(chosen: EventFilter) -> dict[str, Any]:
    """The conditions that are given, in the form that `parse` reads again."""
    found = {name: getattr(chosen, name) for name in FIELDS}
    for name in ("since", "until"):
        if found[name] is not None:
            found[name] = iso_ms(found[name])
    return {name: value for name, value in found.items() if value is not None}


def fingerprint(chosen: EventFilter) -> str:
    """The same for equal filters, and for no others."""
    return hashlib.sha256(orjson.dumps(as_json(chosen), option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def moment_of(value: object) -> int | None:
    """Epoch milliseconds of an ISO 8601 date, of UTC without a zone; None where it is none, or outside 1970 to 9999."""
    if not isinstance(value, str):
        return None
    try:
        # The plus of a zone that nobody escaped arrives as a space.
        at = datetime.fromisoformat(value.replace(" ", "+") if "T" in value else value)
        found = round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None
    return found if 0 <= found <= _LATEST else None


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT or not _storable(value):
        raise _Expected(f"a text of 1 to {LONGEST_TEXT} characters")
    return value


def _storable(value: str) -> bool:
    return not any(character == "\x00" or "\ud800" <= character <= "\udfff" for character in value)


def _number(value: object) -> int:
    text = str(value) if type(value) in (int, str) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        raise _Expected("the number of an instance")
    return int(text)


def _flag(value: object) -> bool:
    known: dict[object, bool] = {"true": True, "false": False}
    found = value if isinstance(value, bool) else known.get(value if isinstance(value, str) else "")
    if found is None:
        raise _Expected("true or false")
    return found


def _moment(value: object) -> int:
    found = moment_of(value)
    if found is None:
        raise _Expected("a date such as 2026-01-31T12:00:00Z")
    return found


def _one_of(words: tuple[str, ...]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in words:
            raise _Expected("one of " + ", ".join(words))
        return str(value)

    return read


_READERS: dict[str, Callable[[object], object]] = {
    **dict.fromkeys(FIELDS, _text),
    "instance_id": _number,
    "backfill": _flag,
    "since": _moment,
    "until": _moment,
    "status": _one_of(get_args(Status)),
    "source": _one_of(get_args(Source)),
}
