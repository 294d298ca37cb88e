"""Dates by the patterns of Java's SimpleDateFormat, written and read.

Unlike Java's, digits behind the seconds are a fraction: vendors that are asked with SSSSSS answer microseconds.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from gateway.catalogue.zones import ABBREVIATIONS, abbreviated, is_fixed, zone_of

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = -62_135_510_400_000, 253_402_127_999_999  # a day within the years 1 to 9999, for every zone
_LONGEST = 64
_LONGEST_PATTERN = 100
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: What each number may be at most digits long.
_WIDTHS: Mapping[str, int] = {
    "y": 4, "M": 2, "L": 2, "d": 2, "D": 3, "H": 2, "k": 2, "K": 2, "h": 2, "m": 2, "s": 2, "S": 9, "u": 1,
}  # fmt: skip
_LETTERS = frozenset(_WIDTHS) | frozenset("aEzZX")
_ZONE = r"Z|(?:GMT|UTC)?[+-]\d{1,2}(?::?\d{2})?|[A-Z]{2,5}"
_UNITS = (("S", ""), ("s", "seconds"), ("m", "minutes"), ("H", "hours"))


@dataclass(frozen=True, slots=True)
class Field:
    """A run of one letter."""

    letter: str
    count: int

    @property
    def is_number(self) -> bool:
        """Whether it is written in digits."""
        return self.letter in _WIDTHS and not (self.letter in "ML" and self.count > 2)


@dataclass(frozen=True, slots=True)
class SimpleDate:
    """A pattern in a zone; `resolution` is the shortest time that it tells apart, in milliseconds."""

    pattern: str
    zone: tzinfo
    parts: tuple[str | Field, ...]
    resolution: int
    _form: re.Pattern[str]

    @property
    def slack(self) -> int:
        """By how much a written date may be taken for another: local times come twice when the clocks go back."""
        written = any(isinstance(part, Field) and part.letter in "zZX" for part in self.parts)
        return 0 if written or is_fixed(self.zone) else HOUR_MS

    def write(self, at: int) -> str:
        """The text of an instant, in milliseconds since 1970; what it cannot tell is cut off, never rounded up."""
        moment = (_EPOCH + timedelta(milliseconds=min(max(at, _FIRST), _LAST))).astimezone(self.zone)
        return "".join([part if isinstance(part, str) else _WRITERS[part.letter](moment, part) for part in self.parts])

    def read(self, text: str) -> int | None:
        """The instant of a text; ISO 8601 is understood beside the pattern, anything else is None."""
        if len(text) > _LONGEST:
            return None
        written = text.strip()
        match = self._form.fullmatch(written)
        try:
            moment = datetime.fromisoformat(written) if match is None else _moment(match)
            aware = moment.replace(tzinfo=self.zone) if moment.tzinfo is None else moment
            return (aware - _EPOCH) // timedelta(milliseconds=1)
        except (ValueError, OverflowError):
            return None


@lru_cache(maxsize=1024)
def simple_date(pattern: str, zone: str = "") -> SimpleDate:
    """Compiles a pattern; ValueError says what is wrong with it or with its zone."""
    if len(pattern) > _LONGEST_PATTERN:
        raise ValueError(f"is longer than {_LONGEST_PATTERN} characters")
    parts = tuple(_parts(pattern))
    letters = {part.letter for part in parts if isinstance(part, Field)}
    _check(pattern, letters)
    return SimpleDate(pattern, zone_of(zone), parts, _resolution(parts, letters), _compiled(parts, letters))


def _parts(pattern: str) -> list[str | Field]:
    parts: list[str | Field] = []
    at = 0
    while at < len(pattern):
        letter = pattern[at]
        end = at + 1
        if letter == "'":
            text, end = _quoted(pattern, at)
            parts.append(text)
        elif letter.isascii() and letter.isalpha():
            while end < len(pattern) and pattern[end] == letter:
                end += 1
            parts.append(_field(pattern, letter, end - at))
        else:
            parts.append(letter)
        at = end
    return parts


def _quoted(pattern: str, at: int) -> tuple[str, int]:
    if pattern.startswith("''", at):
        return "'", at + 2
    end = pattern.find("'", at + 1)
    while end >= 0 and pattern.startswith("''", end):
        end = pattern.find("'", end + 2)
    if end < 0:
        raise ValueError(f"{pattern!r} is no date pattern: the quote at character {at + 1} is not closed")
    return pattern[at + 1 : end].replace("''", "'"), end + 1


def _field(pattern: str, letter: str, count: int) -> Field:
    if letter not in _LETTERS or (letter == "X" and count > 3):
        known = "y M d H h a m s S E z Z X"
        raise ValueError(
            f"{pattern!r} is no date pattern: {letter * count!r} cannot be read; known are {known}, texts stand in ''"
        )
    return Field(letter, count)


def _check(pattern: str, letters: set[str]) -> None:
    if "y" not in letters or not ({"D"} & letters or (letters & {"M", "L"} and "d" in letters)):
        raise ValueError(f"{pattern!r} is no date pattern: it needs year (yyyy), month (MM) and day (dd)")
    if letters & {"h", "K"} and not letters & {"a", "H", "k"}:
        raise ValueError(f"{pattern!r} is ambiguous: hh counts to 12, so write HH, or add a for AM and PM")
    held = {"H" if letter in "HkKh" else letter for letter in letters}
    for n, (letter, _) in enumerate(_UNITS[:-1]):
        larger, name = _UNITS[n + 1]
        if letter in held and larger not in held:
            raise ValueError(f"{pattern!r} is no date pattern: {letter} stands there without {name}")


def _resolution(parts: tuple[str | Field, ...], letters: set[str]) -> int:
    digits = max((part.count for part in parts if isinstance(part, Field) and part.letter == "S"), default=0)
    if digits:
        return int(10 ** (3 - min(digits, 3)))
    if "s" in letters:
        return 1_000
    if "m" in letters:
        return 60_000
    return HOUR_MS if letters & set("HkKh") else DAY_MS


def _compiled(parts: tuple[str | Field, ...], letters: set[str]) -> re.Pattern[str]:
    named: set[str] = set()
    made = []
    for n, part in enumerate(parts):
        if isinstance(part, str):
            made.append(re.escape(part))
            continue
        follows = parts[n + 1] if n + 1 < len(parts) else ""
        expression = _expression(part, adjacent=isinstance(follows, Field) and follows.is_number)
        name = "zone" if part.letter in "zZX" else part.letter
        made.append(f"(?:{expression})" if name in named else f"(?P<{name}>{expression})")
        named.add(name)
    # Java leaves what follows unread; a fraction and an offset are too precious for that.
    fraction = "" if "S" in letters else r"(?:[.,](?P<S>\d{1,12}))?"
    offset = "" if "zone" in named else rf"\s*(?P<zone>{_ZONE})?"
    tail = fraction + offset if letters & set("HkKh") else ""
    return re.compile("".join(made) + tail, re.IGNORECASE | re.ASCII)


def _expression(field: Field, *, adjacent: bool) -> str:
    if field.is_number:
        if adjacent:
            return rf"\d{{{field.count}}}"
        return rf"\d{{1,{max(_WIDTHS[field.letter], field.count)}}}"
    if field.letter in "ML":
        return "|".join([*_MONTHS, *(name[:3] for name in _MONTHS)])
    if field.letter == "E":
        return "|".join([*_DAYS, *(name[:3] for name in _DAYS)])
    return "AM|PM" if field.letter == "a" else _ZONE


def _moment(match: re.Match[str]) -> datetime:
    """ValueError where the parts make no date."""
    found = {name: text for name, text in match.groupdict().items() if text is not None}
    fraction = timedelta(microseconds=int(found.get("S", "0").ljust(6, "0")[:6]))
    moment = datetime(_year(found["y"]), *_day(found), _hour(found), int(found.get("m", 0)), int(found.get("s", 0)))
    if "D" in found and "d" not in found:
        moment += timedelta(days=int(found["D"]) - 1)
    moment += fraction
    if "zone" not in found:
        return moment
    zone = abbreviated(found["zone"])
    if zone is None:
        raise ValueError(found["zone"])
    return moment.replace(tzinfo=zone)


def _year(text: str) -> int:
    year = int(text)
    return year + (2000 if year < 70 else 1900) if len(text) == 2 else year


def _day(found: Mapping[str, str]) -> tuple[int, int]:
    month = found.get("M") or found.get("L")
    if month is None or "d" not in found:
        return 1, 1
    names = [name[:3].lower() for name in _MONTHS]
    return int(month) if month.isdigit() else names.index(month[:3].lower()) + 1, int(found["d"])


def _hour(found: Mapping[str, str]) -> int:
    if "H" in found:
        return int(found["H"])
    if "k" in found:
        return int(found["k"]) % 24
    half = int(found.get("h") or found.get("K") or 0) % 12
    return half + 12 if found.get("a", "").upper() == "PM" else half


def _digits(value: Callable[[datetime], int]) -> Callable[[datetime, Field], str]:
    return lambda moment, field: str(value(moment)).zfill(field.count)


def _write_year(moment: datetime, field: Field) -> str:
    return f"{moment.year % 100:02}" if field.count == 2 else str(moment.year).zfill(field.count)


def _write_month(moment: datetime, field: Field) -> str:
    if field.count < 3:
        return str(moment.month).zfill(field.count)
    return _MONTHS[moment.month - 1][: 3 if field.count == 3 else None]


def _write_weekday(moment: datetime, field: Field) -> str:
    return _DAYS[moment.weekday()][: None if field.count > 3 else 3]


def _write_fraction(moment: datetime, field: Field) -> str:
    return f"{moment.microsecond:06}"[: field.count].ljust(field.count, "0")


def _offset(moment: datetime, separator: str) -> str:
    minutes = (moment.utcoffset() or timedelta()) // timedelta(minutes=1)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{separator}{abs(minutes) % 60:02}"


def _write_zone_name(moment: datetime, _field: Field) -> str:
    offset = moment.utcoffset() or timedelta()
    if not offset:
        return "GMT"
    name = moment.tzname() or ""
    return name if ABBREVIATIONS.get(name) == offset // timedelta(minutes=1) else "GMT" + _offset(moment, ":")


def _write_iso_offset(moment: datetime, field: Field) -> str:
    if not moment.utcoffset():
        return "Z"
    text = _offset(moment, ":" if field.count == 3 else "")
    return text[:3] if field.count == 1 and text.endswith("00") else text


_WRITERS: Mapping[str, Callable[[datetime, Field], str]] = {
    "y": _write_year,
    "M": _write_month,
    "L": _write_month,
    "d": _digits(lambda moment: moment.day),
    "D": _digits(lambda moment: moment.timetuple().tm_yday),
    "H": _digits(lambda moment: moment.hour),
    "k": _digits(lambda moment: moment.hour or 24),
    "K": _digits(lambda moment: moment.hour % 12),
    "h": _digits(lambda moment: moment.hour % 12 or 12),
    "m": _digits(lambda moment: moment.minute),
    "s": _digits(lambda moment: moment.second),
    "u": _digits(lambda moment: moment.isoweekday()),
    "S": _write_fraction,
    "a": lambda moment, _field: "AM" if moment.hour < 12 else "PM",
    "E": _write_weekday,
    "z": _write_zone_name,
    "Z": lambda moment, _field: _offset(moment, ""),
    "X": _write_iso_offset,
}
