"""Entries of the audit log, and which of them are meant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Literal

import msgspec

from gateway.errors import Problem
from gateway.ids import time_ordered
from gateway.storage.database import Row

#: Through which door somebody came.
Via = Literal["console", "api"]
#: An act of programs, whose route says what was done; people's acts are told by their own words.
CALLED = "api.called"
SIGN_IN_FAILED = "session.failed"

LONGEST_TEXT = 200
LONGEST_DETAILS = 4_000
MOST_LISTED = 50
_CONTROLS = {*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change: by whom, when, through which door, of what; `account_id` is empty where it is the whole partner's."""

    id: str
    partner_id: str
    account_id: str
    user_id: int
    username: str
    at: int
    via: str
    act: str
    subject: str
    subject_id: str
    subject_name: str
    details: Mapping[str, Any] = field(default_factory=dict)
    remote: str = ""

    @classmethod
    def from_row(cls, row: Row) -> "Entry":
        plain = {name: row[name] for name in cls.__dataclass_fields__ if name != "details"}
        return cls(**plain, details=msgspec.json.decode(row["details"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries are meant: every condition that is given must hold; `until` is meant without its moment."""

    username: str = ""
    act: str = ""
    subject: str = ""
    subject_id: str = ""
    account_id: str = ""
    since: int | None = None
    until: int | None = None


def entry(
    *,
    partner_id: str,
    account_id: str,
    user_id: int,
    username: str,
    at: int,
    via: Via,
    act: str,
    subject: str,
    subject_id: object,
    subject_name: str,
    details: Mapping[str, Any],
    remote: str,
) -> Entry:
    """A fresh entry; texts that are too long are cut, so that nobody can fill the log with one change."""
    return Entry(
        id=time_ordered(at),
        partner_id=partner_id,
        account_id=account_id,
        user_id=user_id,
        username=_text(username),
        at=at,
        via=via,
        act=act,
        subject=subject,
        subject_id=_text(str(subject_id)),
        subject_name=_text(subject_name),
        details=_bounded(details),
        remote=_text(remote),
    )


@dataclass(frozen=True, slots=True)
class Period:
    """Some days in milliseconds, `until` without its moment; or what is wrong with them."""

    since: int | None = None
    until: int | None = None
    problems: tuple[Problem, ...] = ()


def period(since: str, until: str, zone: tzinfo) -> Period:
    """Two dates of a zone, each meant with all of its day."""
    first, last = _day(since), _day(until)
    problems = [
        Problem(name, "expected a date such as 2026-01-31")
        for name, given, found in (("since", since, first), ("until", until, last))
        if given and found is None
    ]
    if first is not None and last is not None and last < first:
        problems.append(Problem("until", "is before the first day"))
    if problems:
        return Period(problems=tuple(problems))
    end = None if last is None else _midnight(last + timedelta(days=1), zone)
    return Period(None if first is None else _midnight(first, zone), end)


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 <= found.year < 3000 else None


def _midnight(day: date, zone: tzinfo) -> int:
    return max(0, round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000))


def _bounded(details: Mapping[str, Any]) -> dict[str, Any]:
    found = {str(name)[:80]: _value(value) for name, value in details.items()}
    # What is left out first is what was said last.
    while len(msgspec.json.encode(found)) > LONGEST_DETAILS:
        found.popitem()
    return found


def _value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_text(str(one)) for one in list(value)[:MOST_LISTED]]
    return _text(str(value))


def _text(value: str) -> str:
    plain = "".join(" " if ord(letter) in _CONTROLS else letter for letter in value[: LONGEST_TEXT + 1])
    return plain if len(plain) <= LONGEST_TEXT else plain[: LONGEST_TEXT - 1] + "…"
