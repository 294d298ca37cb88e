"""From values to places: round ticks, a logarithm for durations, and the hours of a time zone; pure."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gateway.console.shown import Shown, span
from gateway.traffic.model import DAY_MS, HOUR_MS, MINUTE_MS

MOST_TICKS = 4
_SHARES = (1, 2, 2.5, 5, 10)
#: Where a scale of durations may begin, end and have its lines.
DURATIONS = (1, 10, 100, 1_000, 10_000, 60_000, 600_000, HOUR_MS, 6 * HOUR_MS, DAY_MS)
_QUARTER_MS = 15 * MINUTE_MS
_NARROW = 4


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of a scale: its share of the way, and its label; a `minor` one is left out where it is narrow."""

    share: float
    label: str
    minor: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """Where a value stands, as a share of the height, and the lines."""

    share: Callable[[float], float]
    ticks: tuple[Tick, ...]


def counts(most: float) -> Scale:
    """From nothing to a round number that is not below the most."""
    raw = max(most, 1) / MOST_TICKS
    power = 10 ** math.floor(math.log10(raw))
    # Nothing happens half.
    step = next(share * power for share in _SHARES if share * power >= raw and (share * power) % 1 == 0)
    top = step * math.ceil(max(most, 1) / step)
    ticks = [step * number for number in range(round(top / step) + 1)]
    return Scale(lambda value: value / top, tuple(Tick(one / top, short(one)) for one in ticks))


def durations(values: Sequence[float]) -> Scale:
    """By the logarithm, so that milliseconds and hours fit on one."""
    least, most = max(1.0, min(values, default=1)), max(values, default=100)
    low = max(one for one in DURATIONS[:-1] if one <= least)
    high = min((one for one in DURATIONS if one >= most and one > low), default=DURATIONS[-1])
    whole = math.log(high / low)

    def share(value: float) -> float:
        return min(1.0, max(0.0, math.log(max(value, low) / low) / whole))

    lines = [one for one in DURATIONS if low <= one <= high]
    return Scale(share, tuple(Tick(share(one), span(one).replace(".0", "")) for one in lines))


def short(value: float) -> str:
    """`1.5k`, `20M`: a number where there is little room."""
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= size:
            return f"{value / size:.1f}".removesuffix(".0") + letter
    return f"{value:g}"


def times(since: int, until: int, show: Shown) -> tuple[Tick, ...]:
    """Round times of the zone between two moments: minutes, hours or midnights, as the stretch is long."""
    ticks = list(_round_times(since, until, show))
    return tuple(
        Tick((at - since) / (until - since), label, len(ticks) > _NARROW and number % 2 == 1)
        for number, (at, label) in enumerate(ticks)
    )


def _round_times(since: int, until: int, show: Shown) -> Iterator[tuple[int, str]]:
    length = until - since
    form = "%a %d" if length > 2 * DAY_MS else "%H:%M"
    for at in range(since - since % _QUARTER_MS, until, _QUARTER_MS if length > HOUR_MS else MINUTE_MS):
        hour, minute = (int(part) for part in show.local(at, "%H %M").split())
        is_round = (hour, minute) == (0, 0) if length > 2 * DAY_MS else hour % 4 == 0 and minute == 0
        # The edges have no room for a label.
        inside = since + length * 0.02 < at < until - length * 0.02
        if inside and (minute % 10 == 0 if length <= HOUR_MS else is_round):
            yield at, show.local(at, form)
