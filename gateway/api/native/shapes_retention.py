"""How retention looks on the gateway's own wire."""

from typing import Any

from gateway.accounts.model import Retention
from gateway.events.choice import written
from gateway.events.spans import Kept


def retention(account_id: str, own: Retention, kept: Kept) -> dict[str, Any]:
    """What an account says of its own, null where it says nothing, and what counts for it."""
    return {
        "account_id": account_id,
        "events": None if own.events_ms is None else written(own.events_ms),
        "payloads": None if own.payloads_ms is None else written(own.payloads_ms),
        "effective": {"events": written(kept.events_ms), "payloads": written(kept.payloads_ms)},
    }
