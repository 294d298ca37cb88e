"""Dates as vendors write them, read as milliseconds since the epoch."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

ReadDate = Callable[[str], int | None]

NAMED = ("iso8601", "epoch_s", "epoch_ms", "date")
_NUMBER = re.compile(r"-?[0-9]{1,17}(?:\.[0-9]{1,12})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)
_FIRST = -62_135_596_800_000  # the beginning of the year 1
_LIMIT = 253_402_300_800_000  # the end of the year 9999
_LONGEST = 64


def date_reader(form: str, zone: str) -> ReadDate:
    """A reader for one declared form; ValueError says what was expected. What cannot be read is None."""
    timezone = _timezone(zone)
    if form in ("epoch_s", "epoch_ms"):
        factor = 1000 if form == "epoch_s" else 1
        return lambda text: _epoch(text, factor)
    if form in ("iso8601", "date"):
        return lambda text: _iso(text, timezone)
    if "%" not in form:
        raise ValueError(f"{form!r} is no date format; expected {', '.join(NAMED)} or a strptime pattern")
    return lambda text: _pattern(text, form, timezone)


def _timezone(name: str) -> tzinfo:
    if name.upper() in ("UTC", "GMT", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError(f"{name!r} is no time zone; expected UTC or a name such as Europe/Berlin") from None


def _epoch(text: str, factor: int) -> int | None:
    if len(text) < 14 and text.isascii() and text.isdigit():
        at = int(text) * factor
        return at if at < _LIMIT else None
    if not _NUMBER.fullmatch(text):
        return None
    return _in_calendar(round(float(text) * factor))


def _iso(text: str, timezone: tzinfo) -> int | None:
    if len(text) > _LONGEST:
        return None
    written = text.strip()
    if written.endswith(" UTC"):
        written, timezone = written[:-4], UTC
    try:
        return _instant(datetime.fromisoformat(written), timezone)
    except (ValueError, OverflowError):
        return None


def _pattern(text: str, form: str, timezone: tzinfo) -> int | None:
    if len(text) > _LONGEST:
        return None
    try:
        return _instant(datetime.strptime(text, form), timezone)
    except (ValueError, OverflowError):
        return None


def _instant(moment: datetime, timezone: tzinfo) -> int | None:
    if moment.tzinfo is None and timezone is UTC:
        return _whole_ms(moment - _NAIVE_EPOCH)
    aware = moment.replace(tzinfo=timezone) if moment.tzinfo is None else moment
    return _in_calendar(_whole_ms(aware - _EPOCH))


def _in_calendar(at: int) -> int | None:
    """The instant if it is in the years 1 to 9999 of UTC: an offset can lead out of them."""
    return at if _FIRST <= at < _LIMIT else None


def _whole_ms(since: timedelta) -> int:
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000
