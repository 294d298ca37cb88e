"""Events, their fates, the ledger: between the domain and the gateway's own wire."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson

from gateway.clock import iso_ms
from gateway.history.fates.model import Fate
from gateway.history.ledgers.model import Goal, Ledger
from gateway.history.model import AttemptRecord, DeliveryRecord, Listed, Where
from gateway.history.preview import Difference
from gateway.redact import REDACTED


def event(found: Listed) -> dict[str, Any]:
    """An event in a list."""
    return {
        "id": found.id,
        "type": found.type,
        "action": found.action,
        "object_type": found.object_type,
        "object_id": found.object_id,
        "vendor_event_id": found.vendor_event_id,
        "instance_id": found.instance_id,
        "connector": found.connector,
        "account_id": found.account_id,
        "source": found.source,
        "backfill": found.backfill,
        "status": found.status,
        "occurred_at": time(found.occurred_at),
        "received_at": iso_ms(found.received_at),
        "bytes": found.size,
    }


def text(content: bytes | None) -> dict[str, str | None]:
    """Bytes as a text, and in base64 where they are none."""
    try:
        return {"text": None if content is None else content.decode(), "base64": None}
    except UnicodeDecodeError:
        return {"text": None, "base64": b64encode(content or b"").decode()}


def notification(body: bytes | None, headers: Sequence[tuple[str, str]], hidden: Sequence[str]) -> dict[str, Any]:
    """What a consumer is sent; values that open something, or are made anew for each attempt, are left out."""
    told = [[name, value] for name, value in headers] + [[name, REDACTED] for name in hidden]
    return {"body": None if body is None else body.decode("utf-8", "replace"), "headers": told}


def delivery(
    found: DeliveryRecord, where: Where | None, attempts: Sequence[AttemptRecord] | None = None
) -> dict[str, Any]:
    """A delivery, with its attempts where they were asked for."""
    told: dict[str, Any] = {
        "id": found.id,
        "event_id": found.event_id,
        "destination": destination(where),
        "state": found.state,
        "reason": found.reason,
        "attempts_made": found.attempts,
        "next_attempt_at": iso_ms(found.due_at) if found.state == "pending" else None,
        "replay_id": found.replay_id,
        "replayed_as": found.replayed_as,
        "created_at": iso_ms(found.created_at),
        "settled_at": time(found.settled_at),
    }
    return told if attempts is None else told | {"attempts": [attempt(one) for one in attempts]}


def attempt(found: AttemptRecord) -> dict[str, Any]:
    """One request, by its phases, and the first of what was answered."""
    waited = None if found.head_ms is None else max(0, found.head_ms - (found.connect_ms or 0))
    return {
        "number": found.number,
        "at": iso_ms(found.at),
        "status": found.status,
        "reason": found.reason,
        "phases": {"connect_ms": found.connect_ms, "wait_ms": waited, "total_ms": found.duration_ms},
        "answer": None if found.answer is None else bytes(found.answer).decode("utf-8", "replace"),
        "answer_headers": [] if found.headers is None else orjson.loads(found.headers),
    }


def destination(found: Where | None) -> dict[str, Any] | None:
    """Where a delivery goes, without the query, which may open something."""
    return None if found is None else {"id": found.id, "instance_id": found.instance_id, "url": _bare(found.url)}


def fate(found: Fate) -> dict[str, Any]:
    """Where something that arrived stands now."""
    return {
        "status": found.status,
        "reason": found.reason,
        "detail": found.detail,
        "event_id": found.event_id,
        "instance_id": found.instance_id,
        "vendor_event_id": found.vendor_event_id,
        "object_id": found.object_id,
        "at": iso_ms(found.at),
        "received_at": iso_ms(found.received_at),
        "next_attempt_at": time(found.next_attempt_at),
        "attempts_made": found.attempts,
        "delivery_id": found.delivery_id,
        "destination": destination(found.destination),
    }


def ledger(found: Ledger) -> dict[str, Any]:
    """Both halves of the ledger."""
    return {**found.events, "deliveries": found.deliveries}


def goal(found: Goal) -> dict[str, Any]:
    """A destination, and its half of the ledger."""
    return {
        "id": found.id,
        "account_id": found.account_id,
        "instance_id": found.instance_id,
        "kind": found.kind,
        "url": _bare(found.url),
        "state": found.state,
        "reason": found.reason,
        "since": iso_ms(found.since),
        "deliveries": found.deliveries,
    }


def difference(found: Difference) -> dict[str, Any]:
    """What a changed setting would have made of one event."""
    return {
        "event_id": found.event_id,
        "changes": found.changes,
        "removed_now": removed(found.now.pointers, found.now.count),
        "removed_then": removed(found.then.pointers, found.then.count),
        "bytes_now": found.now.size,
        "bytes_then": found.then.size,
    }


def removed(pointers: Sequence[str], count: int) -> dict[str, Any]:
    """What the null filter takes out: the first JSON pointers, and how many there are."""
    return {"count": count, "pointers": list(pointers)}


def request(kept: str | None) -> Mapping[str, Any] | None:
    """What was kept of the vendor's request beside its body."""
    found: Mapping[str, Any] | None = None if kept is None else orjson.loads(kept)
    return found


def _bare(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rsplit('@', 1)[-1]}{parts.path}"


def time(at: int | None) -> str | None:
    """A moment, where there is one."""
    return None if at is None else iso_ms(at)
