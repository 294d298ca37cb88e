"""One resource of `event.poller.configuration`, or one line of `event.poller.urls`: how it is asked and read."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from gateway.catalogue import contexts
from gateway.catalogue.dated import Dated, dated
from gateway.catalogue.dates import ReadDate, date_reader
from gateway.catalogue.locator import Locator, compile_locator
from gateway.catalogue.simple_dates import simple_date

TOLERANCE_MS = 10_000
_LONGEST_URL = 4_096
_LONGEST_PATH = 256
_MOST_SECONDS = 31 * 86_400
_MOST_PAGE = 10_000
_USUAL_ID = compile_locator("item:id ?? item:Id ?? item:ID", contexts.RECORD.sources)
_NAME = re.compile(r"[^\x00-\x1f\x7f\ud800-\uf8ff?@|][^\x00-\x1f\x7f\ud800-\uf8ff?|]{0,127}")
_KEYS = (
    "url", "idField", "filterByUpdatedDate", "filterByUpdateDate", "filterByCurrentDate", "datesConfiguration",
    "createdCheckTolerance", "pageSize", "pollDelay", "batchSize", "useLastPollDate", "objectName", "parameters",
    "postHooks", "useHydrationBeforePostHooks", "eventTypes",
)  # fmt: skip
_DATE_KEYS = (
    "updatedDateField", "updatedDateFormat", "updatedDateTimezone", "createdDateField", "createdDateFormat",
    "createdDateTimezone", "createdCheckTolerance",
)  # fmt: skip
_LINE = ("resource", "url", "filter", "updatedDateField", "updatedDateFormat", "updatedDateTimezone",
         "createdDateField", "createdDateFormat", "createdDateTimezone")  # fmt: skip


@dataclass(frozen=True, slots=True)
class DateField:
    """Where a record has a date, and how it is written there; `read` None: as the URL asks for it, else ISO 8601."""

    path: str
    locator: Locator
    read: ReadDate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PollerEntry:
    """What is polled under one name; times in milliseconds."""

    name: str
    object_type: str
    url: Dated
    id: Locator
    updated: DateField | None
    created: DateField | None
    tolerance: int
    delay: int
    page_size: int | None
    parameters: Mapping[str, str]


class _Reading:
    """One entry while it is read; problems begin with where they stand."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.problems: list[str] = []

    def problem(self, key: str, message: str) -> None:
        self.problems.append(f".{key}: {message}")

    def tried(self, key: str, make: Callable[[], Any]) -> Any:
        try:
            return make()
        except ValueError as problem:
            self.problem(key, str(problem))
            return None


def poller_entry(name: str, value: object) -> tuple[PollerEntry | None, list[str]]:
    """The entry of a resource, or what is wrong with it."""
    if not _NAME.fullmatch(name) or "??" in name:
        return None, [": is no name of a resource"]
    if not isinstance(value, dict):
        return None, [": expected an object with url and idField"]
    dates = value.get("datesConfiguration")
    reading = _Reading(value)
    if dates is not None and not isinstance(dates, dict):
        reading.problem("datesConfiguration", "expected an object")
    held = dates if isinstance(dates, dict) else {}
    _spelled(reading, "", value, _KEYS)
    _spelled(reading, "datesConfiguration.", held, _DATE_KEYS)
    if value.get("postHooks"):
        reading.problem("postHooks", "scripts are not run here")
    return _entry(reading, name, held), reading.problems


def legacy_entry(line: str) -> tuple[PollerEntry | None, list[str]]:
    """The entry of a line `resource|url|filter|updated field|format|zone|created field|format|zone`."""
    parts = [part.strip() for part in line.split("|")]
    if len(parts) > len(_LINE):
        return None, [f": has {len(parts)} fields, at most {len(_LINE)} are known"]
    found = dict(zip(_LINE, parts, strict=False))
    name = found.pop("resource")
    if not _NAME.fullmatch(name):
        return None, [": begins with no name of a resource"]
    # These lines name no field with the id; what every vendor calls it will do.
    reading = _Reading({"url": found.pop("url", ""), "idField": "id"})
    if found.pop("filter", ""):
        reading.problem("filter", "filter expressions are not evaluated here; leave the third field empty")
    entry = _entry(reading, name, found)
    return None if entry is None else replace(entry, id=_USUAL_ID), reading.problems


def _spelled(reading: _Reading, before: str, found: Mapping[str, object], known: tuple[str, ...]) -> None:
    for key in found:
        near = [] if key in known else get_close_matches(key[:60], known, n=1, cutoff=0.8)
        if near:
            reading.problem(f"{before}{key[:60]}", f"is not known; did you mean {near[0]}?")


def _entry(reading: _Reading, name: str, dates: Mapping[str, Any]) -> PollerEntry | None:
    data = reading.data
    url, id_ = _url(reading), _id(reading)
    updated = _date_field(reading, dates, "updated")
    created = _date_field(reading, dates, "created")
    by_updated = _flag(reading, "filterByUpdatedDate", data.get("filterByUpdatedDate", data.get("filterByUpdateDate")))
    _flag(reading, "filterByCurrentDate", data.get("filterByCurrentDate"))
    tolerance = _seconds(
        reading, "createdCheckTolerance", data.get("createdCheckTolerance", dates.get("createdCheckTolerance"))
    )
    delay = _seconds(reading, "pollDelay", data.get("pollDelay"))
    size = _size(reading)
    parameters = _parameters(reading)
    object_type = _object_name(reading, name)
    if reading.problems or url is None or id_ is None:
        return None
    if created is not None and (updated is None or by_updated is False):
        # Only creation can be seen: the date of creation is where polling goes on.
        updated = created
    return PollerEntry(
        name=name,
        object_type=object_type,
        url=url,
        id=id_,
        updated=updated,
        created=created,
        tolerance=TOLERANCE_MS if tolerance is None else tolerance,
        delay=delay or 0,
        page_size=size,
        parameters=parameters,
    )


def _url(reading: _Reading) -> Dated | None:
    text = reading.data.get("url")
    if not isinstance(text, str) or not text.strip():
        reading.problem("url", "is required: the path that is asked, such as /hubs/crm/contacts?where=…")
        return None
    if len(text) > _LONGEST_URL:
        reading.problem("url", f"is longer than {_LONGEST_URL} characters")
        return None
    found: Dated | None = reading.tried("url", lambda: dated(text.strip()))
    return found


def _id(reading: _Reading) -> Locator | None:
    path = reading.data.get("idField")
    if not isinstance(path, str) or not path.strip():
        reading.problem("idField", "is required: the path of each record's id, such as id")
        return None
    found: Locator | None = reading.tried("idField", lambda: locator_of(path.strip()))
    return found


def locator_of(path: str) -> Locator:
    """The locator of a dot path in a record; ValueError where it is none."""
    steps = path.split(".")
    if len(path) > _LONGEST_PATH or "" in steps or "??" in path or "'" in path:
        raise ValueError(f"{path[:80]!r} is no path; expected names joined by single dots")
    return compile_locator("item:" + ".".join(f"'{step}'" for step in steps), contexts.RECORD.sources)


def _date_field(reading: _Reading, dates: Mapping[str, Any], which: str) -> DateField | None:
    texts = {}
    for what in ("Field", "Format", "Timezone"):
        text = dates.get(f"{which}Date{what}")
        if text is not None and not isinstance(text, str):
            reading.problem(f"datesConfiguration.{which}Date{what}", "expected a text")
            return None
        texts[what] = (text or "").strip()
    if not texts["Field"]:
        return None
    key = f"datesConfiguration.{which}Date"
    locator = reading.tried(f"{key}Field", lambda: locator_of(texts["Field"]))
    read = reading.tried(f"{key}Format", lambda: reader(texts["Format"], texts["Timezone"]))
    return None if locator is None else DateField(texts["Field"], locator, read)


def reader(form: str, zone: str) -> ReadDate | None:
    """How dates of a format are read; None where none is given. ValueError says what was expected."""
    if not form and not zone:
        return None
    if form.lower() in ("milliseconds", "seconds"):
        return date_reader("epoch_ms" if form.lower() == "milliseconds" else "epoch_s", "UTC")
    return simple_date(form or "yyyy-MM-dd'T'HH:mm:ss", zone).read


def _flag(reading: _Reading, key: str, value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    reading.problem(key, "expected true or false")
    return None


def _seconds(reading: _Reading, key: str, value: object) -> int | None:
    number = _number(value)
    if value in (None, "") or number is None or not 0 <= number <= _MOST_SECONDS:
        if value not in (None, ""):
            reading.problem(key, f"expected seconds from 0 to {_MOST_SECONDS}")
        return None
    return round(number * 1000)


def _size(reading: _Reading) -> int | None:
    value = reading.data.get("pageSize", reading.data.get("batchSize"))
    if value in (None, ""):
        return None
    number = _number(value)
    if number is None or number != int(number) or not 1 <= number <= _MOST_PAGE:
        reading.problem("pageSize", f"expected a whole number from 1 to {_MOST_PAGE}")
        return None
    return int(number)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1e15 else None


def _parameters(reading: _Reading) -> Mapping[str, str]:
    value = reading.data.get("parameters")
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(
        isinstance(one, str | int) and not isinstance(one, bool) for one in value.values()
    ):
        reading.problem("parameters", "expected an object of texts, one for each {name} in the url")
        return {}
    return {name: str(one) for name, one in value.items()}


def _object_name(reading: _Reading, name: str) -> str:
    value = reading.data.get("objectName")
    if value in (None, ""):
        return name
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        reading.problem("objectName", "expected the name of an object")
        return name
    return value
