"""Jobs and dead letters: between the domain and the gateway's own wire."""

from typing import Any

import msgspec

from gateway.api.native.shapes_history import delivery as _delivery
from gateway.api.native.shapes_history import destination as _destination
from gateway.api.native.shapes_history import text, time
from gateway.clock import iso_ms
from gateway.history.model import DeliveryRecord, Where
from gateway.replays.again.model import Place
from gateway.replays.desk import Matched
from gateway.replays.letters.model import Attempted, Count, Letter
from gateway.replays.model import Job, percent


def job(found: Job) -> dict[str, Any]:
    """A job: what was wanted, how it stands, how far it is."""
    return {
        "id": found.id,
        "kind": found.kind,
        "state": found.state,
        "reason": found.reason,
        "wanted": msgspec.to_builtins(found.wanted),
        "seen": found.seen,
        "done": found.done,
        "skipped": {"total": found.skipped, "reasons": found.position.skipped},
        "expected": found.expected,
        "percent": percent(found),
        "position": found.position.after or None,
        "created_at": iso_ms(found.created_at),
        "updated_at": iso_ms(found.updated_at),
        "finished_at": time(found.finished_at),
    }


def matched(found: Matched) -> dict[str, Any]:
    """What a dry run found."""
    sample = [
        {
            "event_id": event_id,
            "instance_id": None if event is None else event.instance_id,
            "type": None if event is None else event.type,
            "received_at": None if event is None else iso_ms(event.received_at),
        }
        for event_id, event in found.sample
    ]
    return {"dry_run": True, "matched": found.number, "more": found.more, "sample": sample}


def replayed(found: DeliveryRecord, place: Place | None) -> dict[str, Any]:
    """A delivery that was made again."""
    return _delivery(found, None if place is None else _where(place))


def letter(found: Letter) -> dict[str, Any]:
    """A dead letter."""
    return {
        "id": found.id,
        "event_id": found.event_id,
        "instance_id": found.instance_id,
        "destination": place(found.place),
        "reason": found.reason,
        "attempts_made": found.attempts,
        "created_at": iso_ms(found.created_at),
        "dead_at": time(found.settled_at),
        "replay_id": found.replay_id,
        "connector": found.connector,
        "type": found.type,
        "action": found.action,
        "object_type": found.object_type,
        "object_id": found.object_id,
        "vendor_event_id": found.vendor_event_id,
        "received_at": time(found.received_at),
        "has_payload": found.has_payload,
        "last_attempt": None if found.last is None else attempt(found.last),
    }


def whole(found: Letter, payload: bytes | None) -> dict[str, Any]:
    """A dead letter with what could not be delivered."""
    shown = text(payload)
    return letter(found) | {"payload": shown["text"], "payload_base64": shown["base64"]}


def attempt(found: Attempted) -> dict[str, Any]:
    """The last request that was made."""
    answer = bytes(found.answer or b"")
    return {
        "number": found.number,
        "at": iso_ms(found.at),
        "status": found.status,
        "reason": found.reason,
        "total_ms": found.duration_ms,
        "answer": answer.decode("utf-8", "replace"),
    }


def place(found: Place) -> dict[str, Any] | None:
    """Where it was to go, and how that stands."""
    shown = _destination(_where(found))
    return None if shown is None else {**shown, "state": found.state, "reason": found.reason}


def count(found: Count) -> dict[str, Any]:
    """How many dead letters a destination has: `waiting` were neither sent again nor laid down."""
    return {"destination": place(found.place), "dead": found.dead, "waiting": found.waiting, "more": found.more}


def _where(found: Place) -> Where:
    return Where(id=found.id, instance_id=found.instance_id, url=found.url, state=found.state, reason=found.reason)
