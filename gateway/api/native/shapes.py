"""Between the domain and the gateway's own wire."""

from typing import Any

from gateway.api.surface import Failure
from gateway.clock import iso_ms
from gateway.instances.model import Destination
from gateway.polling.poll import Polled
from gateway.polling.status import Status as PollerStatus
from gateway.provisioning.details import Details
from gateway.registrations.model import Status


def instance(details: Details, element_id: int) -> dict[str, Any]:
    """An instance without its secrets."""
    record = details.instance
    return {
        "id": record.id,
        "name": record.name,
        "connector": details.connector.key,
        "connector_id": element_id,
        "account_id": record.account_id,
        "tags": list(record.tags),
        "enabled": record.enabled,
        "events_enabled": details.values.get("event.notification.enabled") == "true",
        "filter_nulls": details.values.get("filter.response.nulls") != "false",
        "created_at": iso_ms(record.created_at),
        "updated_at": iso_ms(record.updated_at),
        "destination": destination(details.callback),
        "credentials": credentials(details),
        "registration": registration(details.registered),
        "pollers": [poller(one) for one in details.pollers],
        "recommendations": list(details.recommendations),
    }


def credentials(details: Details) -> dict[str, Any]:
    """Whether the vendor takes the credentials: good, unchecked (it could not be asked) or reauth (it says no)."""
    standing = details.standing
    if standing is None:
        return {"state": "good", "reason": None, "since": iso_ms(details.instance.created_at)}
    return {"state": standing.state, "reason": standing.reason, "since": iso_ms(standing.since)}


def registration(found: Status | None) -> dict[str, Any] | None:
    """How the webhook's registration at the vendor stands."""
    if found is None:
        return None
    return {
        "state": found.state,
        "reason": found.reason,
        "vendor_id": found.vendor_id,
        "since": _time(found.since),
        "expires_at": _time(found.expires_at),
        "checked_at": _time(found.checked_at or None),
    }


def poller(found: PollerStatus) -> dict[str, Any]:
    """How far a poller has read, how it stands, and when it is its turn again."""
    return {
        "name": found.name,
        "state": found.state,
        "reason": found.reason,
        "since": iso_ms(found.since),
        "watermark": found.watermark,
        "last_success_at": _time(found.last_success_at),
        "lag_ms": found.lag_ms,
        "clock_skew_ms": found.clock_skew_ms,
        "records": found.records,
        "failures": found.failures,
        "next_run_at": _time(found.next_at),
        "running": found.running,
        "stuck_polls": found.stuck,
    }


def polled(found: Polled) -> dict[str, Any]:
    """What one poll came to."""
    return {
        "name": found.name,
        "outcome": found.outcome,
        "reason": found.reason,
        "records": found.records,
        "events": found.events,
        "duplicates": found.duplicates,
    }


def _time(at: int | None) -> str | None:
    return None if at is None else iso_ms(at)


def destination(callback: Destination | None) -> dict[str, Any] | None:
    """Where the events go, and whether they do."""
    if callback is None or callback.state == "removed":
        return None
    return {
        "id": callback.id,
        "url": callback.url,
        "state": callback.state,
        "reason": callback.reason,
        "since": iso_ms(callback.since),
    }


def problem(failure: Failure, title: str, instance_path: str, request_id: str) -> dict[str, Any]:
    """Problem details (RFC 9457)."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": failure.status,
        "detail": failure.message,
        "instance": instance_path,
        "request_id": request_id,
    }
    if failure.provider is not None:
        body["providerMessage"] = failure.provider
    if failure.problems:
        body["errors"] = [{"field": one.field, "message": one.message} for one in failure.problems]
    return body
