"""How retention looks on the gateway's own wire."""

from typing import Any

from gateway.accounts.model import Retention
from gateway.events.spans import Kept

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000))


def retention(account_id: str, own: Retention, kept: Kept) -> dict[str, Any]:
    """What an account says of its own, null where it says nothing, and what counts for it."""
    return {
        "account_id": account_id,
        "events": None if own.events_ms is None else duration(own.events_ms),
        "payloads": None if own.payloads_ms is None else duration(own.payloads_ms),
        "effective": {"events": duration(kept.events_ms), "payloads": duration(kept.payloads_ms)},
    }


def duration(length_ms: int) -> str:
    """A duration in its largest whole unit, as it is read again."""
    for unit, size in _UNITS:
        if length_ms and length_ms % size == 0:
            return f"{length_ms // size}{unit}"
    return f"{length_ms}ms"
