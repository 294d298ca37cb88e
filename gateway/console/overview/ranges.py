"""The stretches of time that the overview is of; pure."""

from dataclasses import dataclass

from gateway.traffic.model import DAY_MS, HOUR_MS, MINUTE_MS, Window


@dataclass(frozen=True, slots=True)
class Range:
    """A stretch that ends now, and how it is cut."""

    name: str
    length: int
    step: int

    def window(self, now: int) -> Window:
        """Its steps, the last of which is running."""
        return Window.ending(now, self.length, self.step)


RANGES = (
    Range("hour", HOUR_MS, MINUTE_MS),
    Range("day", DAY_MS, 15 * MINUTE_MS),
    Range("week", 7 * DAY_MS, 2 * HOUR_MS),
)
USUAL = RANGES[1]


def named(name: str) -> Range:
    """The range of this name; the usual one where there is none."""
    return next((one for one in RANGES if one.name == name), USUAL)
