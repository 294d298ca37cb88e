"""The charts of the overview, from the figures of each step; pure."""

from collections.abc import Callable, Sequence

from gateway.console.charts.drawing import Chart, Frame, Line, Look
from gateway.console.shown import Shown
from gateway.console.wording import text
from gateway.traffic.model import Figures, Point, Window, total

_LATENCIES: tuple[tuple[str, Look, float], ...] = (
    ("p50", "first", 0.5),
    ("p95", "second", 0.95),
    ("p99", "third", 0.99),
)


class Charts:
    """Draws what happened in the steps of a window."""

    def __init__(self, points: Sequence[Point], window: Window, show: Shown) -> None:
        self._points = points
        self._frame = Frame(window, show)
        self._whole = total(points)

    def all(self) -> tuple[Chart, ...]:
        """Every chart, in order."""
        return self._through(), self._attempts(), self._arrivals(), self._latency()

    def _through(self) -> Chart:
        lines = [self._count("accepted", "in"), self._count("delivered", "out")]
        return self._frame.areas("through", text("overview.charts.through"), lines)

    def _attempts(self) -> Chart:
        lines = [self._count("attempts_ok", "good"), self._count("attempts_failed", "bad")]
        return self._frame.bars("attempts", text("overview.charts.attempts"), lines)

    def _arrivals(self) -> Chart:
        looks: tuple[tuple[str, Look], ...] = (
            ("accepted", "in"),
            ("duplicate", "quiet"),
            ("ignored", "warn"),
            ("refused", "bad"),
        )
        lines = [self._count(name, look) for name, look in looks]
        return self._frame.bars("arrivals", text("overview.charts.arrivals"), lines)

    def _latency(self) -> Chart:
        lines = [self._line(name, look, _latency(share)) for name, look, share in _LATENCIES]
        return self._frame.durations("latency", text("overview.charts.latency"), lines)

    def _count(self, name: str, look: Look) -> Line:
        found = self._line(name, look, lambda one: int(getattr(one, name)))
        return Line(found.name, look, found.values, self._frame.show.number(getattr(self._whole, name)))

    def _line(self, name: str, look: Look, value: Callable[[Figures], float | None]) -> Line:
        return Line(text(f"overview.lines.{name}"), look, [value(one.figures) for one in self._points])


def _latency(share: float) -> Callable[[Figures], float | None]:
    return lambda figures: figures.latency(share)
