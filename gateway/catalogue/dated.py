"""Texts with `${…}` in them, by which the Open Connectors wire puts the time of the last poll into a URL."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.catalogue.dates import ReadDate, date_reader
from gateway.catalogue.simple_dates import simple_date

_TEMPLATE = re.compile(r"\$\{([^{}]*)\}")
_ZONED = re.compile(r"([+-]\d{1,2}:\d{2}|[^:]+):(.+)", re.DOTALL)
#: What stands for a template until its date is known; no text of a caller holds these characters.
_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"{_OPEN}([0-9]{{1,2}}){_CLOSE}")
_MOST = 4
#: From milliseconds to what is written.
_EPOCHS: Mapping[str, Callable[[int], int]] = {
    "": lambda at: at,
    "ms": lambda at: at,
    "s": lambda at: at // 1000,
    "us": lambda at: at * 1000,
}
NAMES = "${gmtDate:…}, ${date:…}, ${dateTimeZone:zone:…}, ${date} and ${epoch}, ${epoch:s}, ${epoch:ms}, ${epoch:us}"


@dataclass(frozen=True, slots=True)
class Moment:
    """One template: how an instant is written and read; `resolution` and `slack` say how far the text may be off it."""

    source_text: str
    write: Callable[[int], str]
    read: ReadDate
    resolution: int = 1
    slack: int = 0


@dataclass(frozen=True, slots=True)
class Dated:
    """A text with a mark in place of each template."""

    marked: str
    moments: tuple[Moment, ...]

    def at(self, text: str, since: int) -> str:
        """A part of the marked text with the dates of an instant in it."""
        return _MARK.sub(lambda match: self.moments[int(match[1])].write(since), text) if _OPEN in text else text

    def moment_in(self, text: str) -> Moment | None:
        """The first template in a part of the marked text."""
        match = _MARK.search(text)
        return self.moments[int(match[1])] if match else None


def dated(text: str) -> Dated:
    """Finds the templates of a text; ValueError says what is wrong with one."""
    if _OPEN in text or _CLOSE in text:
        raise ValueError("holds a character of the private use area")
    moments: list[Moment] = []

    def mark(match: re.Match[str]) -> str:
        moments.append(_moment(match[0], match[1]))
        return f"{_OPEN}{len(moments) - 1}{_CLOSE}"

    marked = _TEMPLATE.sub(mark, text)
    if "${" in marked:
        raise ValueError("holds a ${ that is not closed by a }")
    if len(moments) > _MOST:
        raise ValueError(f"holds more than {_MOST} dates")
    return Dated(marked, tuple(moments))


def _moment(source: str, inner: str) -> Moment:
    name, _, form = inner.partition(":")
    match name.strip().lower():
        case "epoch" if form in _EPOCHS:
            return _epoch(source, form)
        case "date" | "gmtdate":
            return _patterned(source, form, "GMT") if form else _epoch(source, "ms")
        case "datetimezone":
            zoned = _ZONED.fullmatch(form)
            if zoned is None:
                raise ValueError(f"{source}: expected ${{dateTimeZone:zone:pattern}}")
            return _patterned(source, zoned[2], zoned[1])
        case _:
            raise ValueError(f"{source[:60]} is no date template; known are {NAMES}")


def _epoch(source: str, unit: str) -> Moment:
    value = _EPOCHS[unit]
    read = _epoch_us if unit == "us" else date_reader("epoch_s" if unit == "s" else "epoch_ms", "UTC")
    return Moment(source, lambda at: str(value(at)), read, 1_000 if unit == "s" else 1)


def _epoch_us(text: str) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= 3:
        return 0
    found = date_reader("epoch_ms", "UTC")(text[:-3])
    return found if text[-3:].isdigit() else None


def _patterned(source: str, pattern: str, zone: str) -> Moment:
    try:
        form = simple_date(pattern, zone)
    except ValueError as problem:
        raise ValueError(f"{source[:120]}: {problem}") from None
    return Moment(source, form.write, form.read, form.resolution, form.slack)
