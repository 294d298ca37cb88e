"""Between pollers and the Open Connectors wire."""

from typing import Any

from gateway.clock import iso
from gateway.polling.lists.store import Listed
from gateway.polling.status import Status


def record(found: Listed) -> dict[str, Any]:
    """One thing that is polled: how far it was read, how that went, and when it is read again."""
    status = found.status
    return {
        "id": found.id,
        "elementInstanceId": found.instance_id,
        "elementKey": found.connector,
        "objectName": status.name,
        "status": status.state,
        "reason": status.reason,
        "failures": status.failures,
        "records": status.records,
        "lastPollDate": _date(status.last_success_at),
        "watermark": status.watermark,
        "nextPollDate": _date(status.next_at),
    }


def job(found: Listed) -> dict[str, Any]:
    """A poller that has stopped, as a record that says since when."""
    return record(found) | {"disabledDate": iso(found.status.since)}


def stopped(status: Status) -> dict[str, Any]:
    """Something that is not polled any more: since when, and why."""
    return {
        "objectName": status.name,
        "status": status.state,
        "reason": status.reason,
        "failures": status.failures,
        "disabledDate": iso(status.since),
    }


def _date(at: int | None) -> str | None:
    return None if at is None else iso(at)
