"""The numbers at a glance, from the figures of a stretch of time and from what the ledger says of now; pure."""

from dataclasses import dataclass
from urllib.parse import urlencode

from gateway.clock import iso_ms
from gateway.console.shown import Shown
from gateway.console.wording import text
from gateway.history.ledgers.model import Ledger
from gateway.traffic.model import Figures

#: Below these shares of successes the number is shown as one that somebody should look at.
GOOD, FAIR = 0.99, 0.9
_EVENTS = "/console/events"


@dataclass(frozen=True, slots=True)
class Tile:
    """A number: its name, what is said beside it, where it leads, and how it is to be seen (warn, bad)."""

    name: str
    value: str
    more: str = ""
    path: str = ""
    mood: str = ""


@dataclass(frozen=True, slots=True)
class Tiles:
    """The tiles of a stretch of time that began `since`."""

    figures: Figures
    ledger: Ledger
    since: int
    show: Shown

    def all(self) -> tuple[Tile, ...]:
        """Every tile, in order."""
        return (*self._of_the_time(), *self._of_now(), self._polls())

    def _of_the_time(self) -> tuple[Tile, ...]:
        figures, number, since = self.figures, self.show.number, iso_ms(self.since)
        dead = self._counted("failed_for_good", figures.dead)
        attempts = self._counted("attempts", figures.attempts)
        success, half = self.show.percent(figures.success), self.show.span(figures.latency(0.5))
        return (
            _tile("events", number(figures.accepted), self._beside(), _events(since=since)),
            _tile("delivered", number(figures.delivered), dead, _events(status="delivered", since=since)),
            _tile("success", success, attempts, "#failing", _mood(figures.success)),
            _tile("latency", half, self._late(), "#latency"),
        )

    def _of_now(self) -> tuple[Tile, ...]:
        pending, dead = self.ledger.deliveries["pending"], self.ledger.deliveries["dead"]
        now, number = text("overview.tiles.now"), self.show.number
        return (
            _tile("pending", number(pending), now, _events(status="pending")),
            _tile("dead", number(dead), now, "/console/dead-letters", "bad" if dead else ""),
        )

    def _polls(self) -> Tile:
        failed = self.figures.polls_failed
        more, mood = self._counted("failed", failed), "warn" if failed else ""
        return _tile("polls", self.show.number(self.figures.polls), more, "/console/instances", mood)

    def _beside(self) -> str:
        kinds = [(kind, getattr(self.figures, kind)) for kind in ("duplicate", "ignored", "refused")]
        return ", ".join(
            text(f"overview.tiles.{kind}", number=self.show.number(count)) for kind, count in kinds if count
        )

    def _late(self) -> str:
        if not any(self.figures.way):
            return ""
        p95, p99 = (self.show.span(self.figures.latency(share)) for share in (0.95, 0.99))
        return text("overview.tiles.late", p95=p95, p99=p99)

    def _counted(self, name: str, count: int) -> str:
        return text(f"overview.tiles.{name}", count=count, number=self.show.number(count)) if count else ""


def _tile(name: str, value: str, more: str, path: str, mood: str = "") -> Tile:
    return Tile(text(f"overview.tiles.{name}"), value, more, path, mood)


def _events(**wanted: str) -> str:
    return f"{_EVENTS}?{urlencode(wanted)}"


def _mood(success: float | None) -> str:
    if success is None or success >= GOOD:
        return ""
    return "warn" if success >= FAIR else "bad"
