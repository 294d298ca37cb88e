"""What following and test deliveries look like on the wire."""

from base64 import b64encode
from typing import Any

from gateway.history.feed.shown import Notification
from gateway.provisioning.samples import Sample, Sent


def forwarded(sent: Notification) -> dict[str, Any]:
    """A notification with the headers that sign it; its body to the byte."""
    body: dict[str, Any]
    try:
        body = {"body": sent.body.decode()}
    except UnicodeDecodeError:
        body = {"body_base64": b64encode(sent.body).decode()}
    return {"headers": [list(pair) for pair in sent.headers], **body}


def sample(one: Sample) -> dict[str, Any]:
    """A recorded delivery that may be sent as a test."""
    return {
        "name": one.name,
        "origin": one.origin,
        "types": list(one.types),
        "sendable": one.problem is None,
        "problem": one.problem,
    }


def sent(found: Sent) -> dict[str, Any]:
    """What became of a test delivery."""
    return {
        "fixture": found.sample,
        "outcome": found.outcome,
        "status": found.status,
        "answer": found.answer,
        "event_ids": list(found.event_ids),
    }
