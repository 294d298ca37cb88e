"""The body that a consumer gets, as the Open Connectors wire has it; the same bytes at every attempt."""

import orjson

from gateway.clock import iso
from gateway.events.model import Event
from gateway.nulls import filter_nulls


def render(event: Event, hub: str) -> bytes:
    """One notification for one event; `raw` is the vendor's text, spliced in and never re-encoded."""
    change = {
        "objectType": event.object_type,
        "objectId": event.object_id,
        "date": iso(event.received_at if event.occurred_at is None else event.occurred_at),
        "eventType": event.action,
        "elementKey": event.connector,
        "hubKey": hub,
    }
    head = orjson.dumps(
        {
            "instance_id": event.instance_id,
            "eventId": event.id,
            "elementKey": event.connector,
            "events": [change],
        }
    )
    raw = filter_nulls(event.payload) if event.filter_nulls else event.payload
    return b'{"message":%b,"raw":%b}}' % (head[:-1], raw)
