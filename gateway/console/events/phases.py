"""How long an attempt took, drawn as a bar of its phases; pure."""

from dataclasses import dataclass

from gateway.history.model import AttemptRecord

WIDTH = 160
_LEAST = 1.5


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the bar; `name` names its words and its colour."""

    name: str
    ms: int
    x: float
    width: float


def phases(attempt: AttemptRecord, slowest_ms: int) -> list[Phase]:
    """Connecting, waiting for the answer's head, reading the rest; beside the slowest attempt, which fills the bar."""
    connected = attempt.connect_ms or 0
    answered = attempt.duration_ms if attempt.head_ms is None else attempt.head_ms
    spans = (
        ("connect", connected),
        ("wait", max(0, answered - connected)),
        ("read", max(0, attempt.duration_ms - max(answered, connected))),
    )
    found: list[Phase] = []
    x = 0.0
    for name, ms in spans:
        width = max(_LEAST if ms else 0.0, WIDTH * ms / max(1, slowest_ms))
        found.append(Phase(name, ms, round(x, 1), round(width, 1)))
        x += width
    return [one for one in found if one.ms]
