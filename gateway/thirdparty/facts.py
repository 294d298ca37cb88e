"""What a template of a 3rd-party connector may name of an event."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from gateway.catalogue.document import Document, Parted, read
from gateway.catalogue.sources import Sources
from gateway.clock import iso_ms
from gateway.events.model import Event
from gateway.nulls import filter_nulls

FACTS = (
    "id", "type", "action", "object_type", "object_id", "occurred_at", "received_at", "instance_id", "instance_name",
    "connector", "vendor_event_id",
)  # fmt: skip
_NOTHING = Document(b"null", None)


@dataclass(frozen=True, slots=True)
class Material:
    """One event, ready for templates."""

    sources: Sources
    document: Document
    #: Whether the numbers of its values are texts: the fast parser would not read it.
    odd: bool


def facts_of(event: Event, instance_name: str) -> Mapping[str, str]:
    """The facts of an event by name; what is not known is left out."""
    found = {
        "id": event.id,
        "type": event.type,
        "action": event.action,
        "object_type": event.object_type,
        "object_id": event.object_id,
        "occurred_at": None if event.occurred_at is None else iso_ms(event.occurred_at),
        "received_at": iso_ms(event.received_at),
        "instance_id": str(event.instance_id),
        "instance_name": instance_name,
        "connector": event.connector,
        "vendor_event_id": event.vendor_event_id,
    }
    return {name: value for name, value in found.items() if value}


def material_of(event: Event, instance_name: str) -> Material:
    """What templates read from: the payload as a callback would get it, and the facts."""
    payload = filter_nulls(event.payload) if event.filter_nulls else event.payload
    document, odd = _read(payload)
    sources = Sources(raw=payload, words=facts_of(event, instance_name))
    sources.read_as(document)
    return Material(sources, document, odd)


def _read(payload: bytes) -> tuple[Document, bool]:
    try:
        # How deep it is was judged when it was accepted.
        return Parted(payload, orjson.loads(payload)), False
    except orjson.JSONDecodeError:
        found = read(payload)
        return (Parted(found.raw, found.value) if isinstance(found, Document) else _NOTHING), True
