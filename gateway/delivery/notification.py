"""The body that a consumer gets, as the Open Connectors wire has it; the same bytes at every attempt."""

import orjson

from gateway.clock import iso
from gateway.events.model import Event
from gateway.nulls import filter_nulls

#: What polled records stand under where nobody knows what they are.
_NAMELESS = "objects"


def render(event: Event, hub: str) -> bytes:
    """One notification for one event; the vendor's text is spliced in and never re-encoded.

    A delivery of the vendor's is `raw` itself; a polled record stands in it as a list of one, under its object's name.
    """
    change: dict[str, str | bool | None] = {
        "objectType": event.object_type,
        "objectId": event.object_id,
        "date": iso(event.received_at if event.occurred_at is None else event.occurred_at),
        "eventType": event.action,
        "elementKey": event.connector,
        "hubKey": hub,
    }
    if event.source != "webhook":
        change["pollDate"] = iso(event.received_at)
    if event.backfill:
        change["backfill"] = True
    head = orjson.dumps(
        {
            "instance_id": event.instance_id,
            "eventId": event.id,
            "elementKey": event.connector,
            "events": [change],
        }
    )
    raw = filter_nulls(event.payload) if event.filter_nulls else event.payload
    if event.source != "webhook":
        raw = _polled(event, change, raw)
    return b'{"message":%b,"raw":%b}}' % (head[:-1], raw)


def _polled(event: Event, change: dict[str, str | bool | None], record: bytes) -> bytes:
    name = event.object_type or _NAMELESS
    about: dict[str, object] = {
        "instance_id": event.instance_id,
        "objectType": event.object_type,
        "eventId": event.id,
        "events": [change],
    }
    # An object may be called like one of these: a calendar has events.
    about.pop(name, None)
    return b"%b,%b:[%b]}" % (orjson.dumps(about)[:-1], orjson.dumps(name), record)
