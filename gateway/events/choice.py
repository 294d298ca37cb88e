"""What an account may say about how long its events are kept; read from texts, purely."""

from collections.abc import Mapping

from gateway import config
from gateway.accounts.model import Retention
from gateway.clock import duration_ms
from gateway.errors import Invalid, Problem
from gateway.events.spans import Kept

FIELDS = ("events", "payloads")
_LONGEST_MS = 3650 * 86_400_000
_EXPECTED = 'expected a duration such as "90d", of more than 0s and at most 3650d'
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000))


def usual(kept: config.Retention) -> Kept:
    """The spans of an account that says nothing."""
    return Kept(events_ms=kept.events.ms, payloads_ms=kept.payloads.ms)


def wanted_of(given: Mapping[str, object], usual: Kept) -> Retention:
    """What an account asks for; Invalid names the field that is wrong."""
    if all(given.get(name) is None for name in FIELDS):
        raise _invalid(Problem("events", "is missing, and so is payloads; give one of them or both"))
    found = {name: _duration(given.get(name)) for name in FIELDS}
    problems = [Problem(name, _EXPECTED) for name, value in found.items() if value == 0]
    if problems:
        raise _invalid(*problems)
    events_ms = usual.events_ms if found["events"] is None else found["events"]
    if found["payloads"] is not None and found["payloads"] > events_ms:
        raise _invalid(Problem("payloads", "is longer than events; a payload goes with its event at the latest"))
    return Retention(events_ms=found["events"], payloads_ms=found["payloads"])


def written(length_ms: int) -> str:
    """A duration in its largest whole unit, as it is read again."""
    for unit, size in _UNITS:
        if length_ms and length_ms % size == 0:
            return f"{length_ms // size}{unit}"
    return f"{length_ms}ms"


def _duration(given: object) -> int | None:
    """Milliseconds; 0 for what is no duration that may stand here."""
    if given is None:
        return None
    try:
        found = duration_ms(given) if isinstance(given, str) else 0
    except ValueError:
        return 0
    return found if found <= _LONGEST_MS else 0


def _invalid(*problems: Problem) -> Invalid:
    return Invalid("; ".join(f"{one.field}: {one.message}" for one in problems) + ".", problems)
