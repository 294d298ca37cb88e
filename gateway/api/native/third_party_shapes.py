"""How 3rd-party connectors look on the gateway's own wire; nothing secret is shown."""

from collections.abc import Iterable
from typing import Any

import orjson

from gateway.clock import iso_ms
from gateway.provisioning.trying.model import Basis, Preview, ShownRequest, Tested
from gateway.thirdparty.calls.model import Call, Tried
from gateway.thirdparty.masking import shown
from gateway.thirdparty.model import Fires, Made, ThirdParty


def connector(found: ThirdParty) -> dict[str, Any]:
    """A connector, its secrets masked."""
    wanted = shown(found.definition)
    basic = None if wanted.username is None else {"username": wanted.username, "password": wanted.password}
    return {
        "id": found.id,
        "account_id": found.account_id,
        "name": wanted.name,
        "method": wanted.method,
        "type": wanted.type,
        "url": wanted.url,
        "headers": _pairs((one.name, one.value) for one in wanted.headers),
        "basic": basic,
        "data": [{"name": one.name, "value": one.value, "kind": one.kind} for one in wanted.data],
        "root": wanted.root,
        "fires": fires(wanted.fires),
        "enabled": found.enabled,
        "reason": found.reason,
        "version": found.version,
        "created_at": iso_ms(found.created_at),
        "updated_at": iso_ms(found.updated_at),
    }


def fires(found: Fires) -> dict[str, Any]:
    """Which events fire a connector."""
    return {
        "instance_ids": list(found.instance_ids),
        "connectors": list(found.connectors),
        "event_types": list(found.event_types),
        "object_types": list(found.object_types),
    }


def made(found: Made) -> dict[str, Any]:
    """A new connector, with what is told this once."""
    return {**connector(found.connector), "signing_secret": found.signing_secret}


def preview(found: Preview) -> dict[str, Any]:
    """What would be sent."""
    return {
        "event": _basis(found.event),
        "request": None if found.request is None else _request(found.request),
        "problems": [{"field": one.field, "message": one.message} for one in found.problems],
    }


def tested(found: Tested) -> dict[str, Any]:
    """What was sent, and what came back."""
    answer = None
    if found.status is not None:
        answer = {
            "status": found.status,
            "headers": _pairs(found.headers),
            "body": found.body.decode("utf-8", "replace"),
            "truncated": found.truncated,
        }
    return {
        "event": _basis(found.event),
        "request": _request(found.request),
        "answer": answer,
        "reason": found.reason,
        "duration_ms": found.duration_ms,
    }


def call(found: Call) -> dict[str, Any]:
    """A delivery of a connector, with its attempts."""
    return {
        "delivery_id": found.id,
        "event_id": found.event_id,
        "instance_id": found.instance_id,
        "connector": found.connector,
        "type": found.type,
        "action": found.action,
        "object_type": found.object_type,
        "object_id": found.object_id,
        "state": found.state,
        "reason": found.reason,
        "attempts_made": found.attempts,
        "next_attempt_at": iso_ms(found.due_at) if found.state == "pending" else None,
        "created_at": iso_ms(found.created_at),
        "settled_at": None if found.settled_at is None else iso_ms(found.settled_at),
        "replay_id": found.replay_id,
        "attempts": [_tried(one) for one in found.tried],
    }


def _tried(found: Tried) -> dict[str, Any]:
    return {
        "number": found.number,
        "at": iso_ms(found.at),
        "status": found.status,
        "reason": found.reason,
        "total_ms": found.duration_ms,
        "answer": None if found.answer is None else bytes(found.answer).decode("utf-8", "replace"),
        "answer_headers": _pairs([] if found.headers is None else orjson.loads(found.headers)),
    }


def _basis(found: Basis) -> dict[str, Any]:
    return {
        "event_id": found.event_id,
        "instance_id": None if found.is_sample else found.instance_id,
        "connector": found.connector,
        "type": found.type,
        "action": found.action,
        "object_type": found.object_type,
        "object_id": found.object_id,
        "received_at": iso_ms(found.received_at),
        "sample": found.is_sample,
    }


def _request(found: ShownRequest) -> dict[str, Any]:
    return {
        "method": found.method,
        "url": found.url,
        "headers": _pairs(found.headers),
        "body": found.body.decode("utf-8", "replace"),
        "truncated": found.truncated,
    }


def _pairs(found: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in found]
