"""Time zones as the Open Connectors wire names them: GMT, EST, Europe/Berlin, +6:00, GMT-3."""

import re
from collections.abc import Mapping
from datetime import UTC, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_OFFSET = re.compile(r"(?:GMT|UTC)?([+-])(\d{1,2})(?::?(\d{2}))?", re.IGNORECASE)
_ZERO = frozenset({"", "GMT", "UTC", "Z"})
#: Short names that Java knows and the zone database does not.
_JAVA = {"CST": "America/Chicago", "PST": "America/Los_Angeles", "JST": "Asia/Tokyo"}
#: Minutes east of Greenwich of the names that stand behind dates; of some others nobody knows which zone they mean.
ABBREVIATIONS: Mapping[str, int] = {
    "GMT": 0, "UTC": 0, "Z": 0, "EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360,
    "PST": -480, "PDT": -420, "CET": 60, "CEST": 120, "EET": 120, "EEST": 180, "JST": 540,
}  # fmt: skip
_MOST_HOURS = 18


def zone_of(name: str) -> tzinfo:
    """The zone of a name; ValueError where there is none."""
    written = name.strip()
    if written.upper() in _ZERO:
        return UTC
    fixed = fixed_offset(written)
    if fixed is not None:
        return fixed
    try:
        return ZoneInfo(_JAVA.get(written.upper(), written))
    except (ValueError, OSError, KeyError):
        raise ValueError(
            f"{name[:60]!r} is no time zone; expected GMT, an offset such as +6:00, or a name such as Europe/Berlin"
        ) from None


def fixed_offset(text: str) -> tzinfo | None:
    """The zone of an offset such as +02:00, -0530 or GMT+1; None where it is none."""
    match = _OFFSET.fullmatch(text)
    if match is None:
        return None
    hours, minutes = int(match[2]), int(match[3] or 0)
    if hours > _MOST_HOURS or minutes > 59:
        return None
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if match[1] == "-" else offset)


def abbreviated(text: str) -> tzinfo | None:
    """The zone of what stands behind a date: an offset, or a short name that has one meaning."""
    minutes = ABBREVIATIONS.get(text.upper())
    return fixed_offset(text) if minutes is None else timezone(timedelta(minutes=minutes))


def is_fixed(zone: tzinfo) -> bool:
    """Whether every local time of the zone is one instant."""
    return not isinstance(zone, ZoneInfo)
