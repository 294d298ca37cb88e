"""The one place that asks what time it is, and the texts that times and durations are written in."""

import re
import time
from datetime import UTC, datetime
from functools import lru_cache

_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|h|d)")


def now_ms() -> int:
    """Milliseconds since the epoch, UTC."""
    return time.time_ns() // 1_000_000


def iso(at_ms: int) -> str:
    """`2026-01-02T03:04:05Z`, the form the Open Connectors wire uses."""
    return _second(at_ms // 1000)


@lru_cache(maxsize=64)
def _second(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_ms(at_ms: int) -> str:
    """`2026-01-02T03:04:05.678Z`, the form of the gateway's own API."""
    return f"{iso(at_ms)[:-1]}.{at_ms % 1000:03d}Z"


def duration_ms(text: str) -> int:
    """Milliseconds in a text such as `15s`, `5m`, `1.5h` or `30d`; ValueError says what was expected."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no duration; write a number and a unit, such as 15s, 5m, 2h or 30d")
    return round(float(match[1]) * _UNITS[match[2]])
