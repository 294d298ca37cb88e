"""From series to what the template of a chart writes down: paths, lines, labels, and the same as a table; pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from gateway.console.charts.scales import Scale, counts, durations, times
from gateway.console.shown import Shown
from gateway.traffic.model import DAY_MS, HOUR_MS, Window

WIDTH = 1000
HEIGHT = 160
#: Above the plot there is room for half a label.
ABOVE = 8
_BAR = 0.74

Look = Literal["in", "out", "good", "warn", "bad", "quiet", "first", "second", "third"]
Value = float | None
Told = Callable[[Value], str]


@dataclass(frozen=True, slots=True)
class Line:
    """One series: its name, how it looks, a value for each step (None: there is none), and what the legend adds."""

    name: str
    look: Look
    values: Sequence[Value]
    sum: str = ""


@dataclass(frozen=True, slots=True)
class Path:
    """A shape in the plot."""

    look: Look
    shape: Literal["bar", "area", "line", "dot"]
    d: str


@dataclass(frozen=True, slots=True)
class Slot:
    """One step that something is known of: where it is, in per cent of the width, and what is said of it."""

    x: str
    width: str
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A tick at its place: in pixels from above, or in per cent of the width."""

    place: str
    label: str
    minor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart; `rows` are its values as texts, of the steps in which anything was."""

    id: str
    title: str
    lines: tuple[Line, ...]
    paths: tuple[Path, ...]
    across: tuple[Mark, ...]
    upward: tuple[Mark, ...]
    slots: tuple[Slot, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to be seen."""
        return not self.slots


@dataclass(frozen=True)
class Frame:
    """What charts of one page have in common: the stretch of time, and how moments and values are told."""

    window: Window
    show: Shown

    def bars(self, id_: str, title: str, lines: Sequence[Line]) -> Chart:
        """Counts that make a whole, one upon the other."""
        rows = list(zip(*(line.values for line in lines), strict=True))
        scale = counts(max((sum(one or 0 for one in row) for row in rows), default=0))
        paths, under = [], [0.0] * len(rows)
        for line in lines:
            over = [low + (value or 0) for low, value in zip(under, line.values, strict=True)]
            paths.append(Path(line.look, "bar", _bars(under, over, scale)))
            under = over
        return self._chart(id_, title, lines, paths, scale, self.show.number)

    def areas(self, id_: str, title: str, lines: Sequence[Line]) -> Chart:
        """Counts beside each other: the first one filled, the others as lines."""
        scale = counts(max((one or 0 for line in lines for one in line.values), default=0))
        first, *others = lines
        paths = [
            Path(first.look, "area", _area(first.values, scale)),
            Path(first.look, "line", _line(first.values, scale)),
        ]
        paths += [Path(line.look, "line", _line(line.values, scale)) for line in others]
        return self._chart(id_, title, lines, paths, scale, self.show.number)

    def durations(self, id_: str, title: str, lines: Sequence[Line]) -> Chart:
        """How long things took, by the logarithm."""
        scale = durations([one for line in lines for one in line.values if one is not None])
        paths = [Path(line.look, "line", _line(line.values, scale)) for line in lines]
        paths += [Path(line.look, "dot", _dots(line.values, scale)) for line in lines]
        return self._chart(id_, title, lines, paths, scale, self.show.span)

    def _chart(
        self, id_: str, title: str, lines: Sequence[Line], paths: Sequence[Path], scale: Scale, told: Told
    ) -> Chart:
        rows = []
        slots = []
        for place, values in enumerate(zip(*(line.values for line in lines), strict=True)):
            if not any(values):
                continue
            label, texts = self._labels[place], tuple(told(value) for value in values)
            title_ = " · ".join([label, *(f"{line.name} {text}" for line, text in zip(lines, texts, strict=True))])
            slots.append(Slot(_percent(place / self._steps), _percent(1 / self._steps), title_))
            rows.append((label, texts))
        return Chart(
            id=id_,
            title=title,
            lines=tuple(lines),
            paths=tuple(path for path in paths if path.d),
            across=self._across,
            upward=tuple(Mark(f"{ABOVE + _y(tick.share):g}", tick.label) for tick in scale.ticks),
            slots=tuple(slots),
            rows=tuple(rows),
        )

    @property
    def _steps(self) -> int:
        return (self.window.until - self.window.since) // self.window.step

    @cached_property
    def _across(self) -> tuple[Mark, ...]:
        ticks = times(self.window.since, self.window.until, self.show)
        return tuple(Mark(_percent(tick.share), tick.label, tick.minor) for tick in ticks)

    @cached_property
    def _labels(self) -> tuple[str, ...]:
        return tuple(self._label(begin) for begin in range(self.window.since, self.window.until, self.window.step))

    def _label(self, begin: int) -> str:
        window = self.window
        day = "%a %d, " if window.until - window.since > DAY_MS else ""
        text = self.show.local(begin, day + "%H:%M")
        return text if window.step < HOUR_MS // 4 else f"{text} – {self.show.local(begin + window.step, '%H:%M')}"


def _bars(under: Sequence[float], over: Sequence[float], scale: Scale) -> str:
    slot = WIDTH / max(1, len(over))
    bars = []
    for place, (low, high) in enumerate(zip(under, over, strict=True)):
        if high > low:
            top, bottom = _y(scale.share(high)), _y(scale.share(low))
            # What is there at all is to be seen.
            top = min(top, bottom - 1)
            left = (place + (1 - _BAR) / 2) * slot
            bars.append(f"M{left:.1f} {bottom:.1f}h{slot * _BAR:.1f}V{top:.1f}h-{slot * _BAR:.1f}z")
    return "".join(bars)


def _line(values: Sequence[Value], scale: Scale) -> str:
    """A line through the middles of the steps; it breaks off where there is no value."""
    return "".join("M" + "L".join(piece) for piece in _pieces(values, scale) if len(piece) > 1)


def _dots(values: Sequence[Value], scale: Scale) -> str:
    """The steps that stand alone, through which no line goes."""
    return "".join(f"M{piece[0]}h0" for piece in _pieces(values, scale) if len(piece) == 1)


def _pieces(values: Sequence[Value], scale: Scale) -> list[list[str]]:
    pieces: list[list[str]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append(f"{_x(place, len(values)):.1f} {_y(scale.share(value)):.1f}")
    return pieces


def _area(values: Sequence[Value], scale: Scale) -> str:
    """The ground under a line without gaps."""
    if not any(values):
        return ""
    over = [f"{_x(place, len(values)):.1f} {_y(scale.share(one or 0)):.1f}" for place, one in enumerate(values)]
    return f"M{_x(0, len(values)):.1f} {HEIGHT}L{'L'.join(over)}V{HEIGHT}z"


def _x(place: int, number: int) -> float:
    return (place + 0.5) * WIDTH / number


def _y(share: float) -> float:
    return round(HEIGHT * (1 - share), 1)


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"
