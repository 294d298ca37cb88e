"""How moments, spans, sizes and numbers are shown to people; pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from markupsafe import Markup

from gateway.clock import iso_ms, now_ms

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000))
#: So much of a text stays one line.
ONE_LINE = 80
#: In the last days of the year 9999 it is 10000 elsewhere, which no calendar here has.
_LATEST = 253_402_128_000_000
_BYTES = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True, slots=True)
class Shown:
    """For people of one time zone; moments are epoch milliseconds."""

    zone: tzinfo

    def moment(self, at: int | None) -> Markup:
        """`22 Nov 2026, 06:58:30` in the zone, with the exact UTC on hover."""
        return self._time(at, "%d %b %Y, %H:%M:%S")

    def clock(self, at: int | None) -> Markup:
        """The time of the day with milliseconds, with the exact UTC on hover."""
        local = "" if at is None else f".{at % 1000:03d}"
        return self._time(at, "%H:%M:%S", local)

    def day(self, at: int | None) -> Markup:
        """The date alone."""
        return self._time(at, "%d %b %Y")

    def ago(self, at: int | None) -> Markup:
        """`3 min ago` or `in 2 h`, with the exact UTC on hover."""
        if at is None:
            return Markup("–")
        away = now_ms() - at
        text = f"{span(away)} ago" if away >= 0 else f"in {span(-away)}"
        return self._tag(at, text)

    def local(self, at: int, form: str) -> str:
        """A moment in the zone as `strftime` writes it; for the axes of charts."""
        return datetime.fromtimestamp(min(at, _LATEST) / 1000, self.zone).strftime(form)

    def field(self, at: int | None) -> str:
        """A moment as a field for dates wants it, in the zone."""
        return "" if at is None else self.local(at, "%Y-%m-%dT%H:%M")

    def _time(self, at: int | None, form: str, more: str = "") -> Markup:
        if at is None:
            return Markup("–")
        return self._tag(at, self.local(at, form) + more)

    def _tag(self, at: int, text: str) -> Markup:
        exact = iso_ms(at)
        return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(exact, exact.replace("T", " ")[:-1], text)

    # What does not depend on where somebody is

    def span(self, ms: float | None) -> str:
        """A span of time in one or two units."""
        return "–" if ms is None else span(ms)

    def size(self, octets: float | None) -> str:
        """`1.5 kB`."""
        return "–" if octets is None else size(octets)

    def number(self, value: float | None) -> str:
        """`1 234 567`, parted by thin spaces."""
        return "–" if value is None else number(value)

    def percent(self, share: float | None) -> str:
        """`99.95 %` of a share from 0 to 1; never 100 where anything is missing."""
        return "–" if share is None else percent(share)


UNKNOWN = Shown(UTC)


def cut(text: str, most: int = ONE_LINE) -> str:
    """So much of a text, with a mark where there is more of it."""
    return text if len(text) <= most else text[: most - 1] + "\u2026"


def span(ms: float) -> str:
    """`340 ms`, `12 s`, `3 min`, `5 h`, `2 d`."""
    if ms < 1000:
        return f"{ms:.0f} ms"
    for name, unit in _UNITS:
        if ms >= unit:
            value = ms / unit
            return f"{value:.1f} {name}" if name == "s" and value < 10 else f"{value:.0f} {name}"
    return "0 ms"


def size(octets: float) -> str:
    """A number of bytes in the unit that fits."""
    unit = 0
    while octets >= 1000 and unit < len(_BYTES) - 1:
        octets, unit = octets / 1000, unit + 1
    return f"{octets:.0f} {_BYTES[unit]}" if unit == 0 or octets >= 100 else f"{octets:.1f} {_BYTES[unit]}"


def number(value: float) -> str:
    """A number with its thousands parted."""
    text = f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:,.2f}"
    return text.replace(",", "\u2009")


def percent(share: float) -> str:
    """A share as per cent, with as many digits as it takes not to round a loss away."""
    for digits in (0, 1, 2, 3):
        text = f"{100 * share:.{digits}f}"
        if share >= 1 or float(text) < 100:
            return text + "\u2009%"
    return "99.999\u2009%"
