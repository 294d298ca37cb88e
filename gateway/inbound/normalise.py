"""From a verified delivery to its changes: bytes in, one record for each changed object out."""

import orjson

from gateway.catalogue.change import Change, read_change
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.document import Document
from gateway.catalogue.locator import Alternative, plain_text
from gateway.catalogue.model import Connector
from gateway.catalogue.sources import Sources, octets
from gateway.catalogue.webhook_model import Webhook
from gateway.inbound.bodies import Malformed, read_body
from gateway.inbound.received import Received, sources_of

__all__ = ["Change", "Malformed", "normalise"]

_MAX_ITEMS = 10_000
_NO_WEBHOOK = Malformed("not_configured", "this connector takes no deliveries")


def normalise(
    connector: Connector, config: ConfigView, received: Received, max_body: int
) -> tuple[Change, ...] | Malformed:
    """The changes in a delivery, in its order; an empty batch has none."""
    webhook = connector.webhook
    if webhook is None:
        return _NO_WEBHOOK
    body = read_body(received, webhook.form_field, max_body)
    if isinstance(body, Malformed):
        return body
    sources = sources_of(connector, config, received)
    sources.read_as(body)
    items = _items(webhook, sources, body)
    if len(items) > _MAX_ITEMS:
        return Malformed("too_large", f"more than {_MAX_ITEMS} items in one delivery")
    if len(items) == 1:
        return (_change(webhook, sources, items[0], body, None),)
    return tuple([_change(webhook, sources, item, body, number) for number, item in enumerate(items)])


def _items(webhook: Webhook, sources: Sources, body: Document) -> list[Document]:
    """The parts of a batch; a body without the declared list is one item, so that nothing is lost."""
    if webhook.items is None:
        return [body]
    place = webhook.items.chosen(sources)
    if place is None or not isinstance(place.find(sources), list):
        return [body]
    return body.elements(place.path_in(sources))


def _change(webhook: Webhook, sources: Sources, item: Document, body: Document, number: int | None) -> Change:
    sources.item = item
    payload, exact = _payload(webhook, sources, item, body)
    return read_change(webhook.changes, sources, payload, exact, number)


def _payload(webhook: Webhook, sources: Sources, item: Document, body: Document) -> tuple[bytes, bool]:
    place = webhook.changes.payload.chosen(sources) if webhook.changes.payload else None
    if place is None:
        return item.raw, not body.made
    part = _part(place, sources, item, body)
    if part is not None:
        return part, not body.made
    text = plain_text(place.find(sources)) or ""
    return orjson.dumps(octets(text).decode("utf-8", "replace")), False


def _part(place: Alternative, sources: Sources, item: Document, body: Document) -> bytes | None:
    if place.source == "item":
        return item.part(place.path_in(sources))
    return body.part(place.path_in(sources)) if place.source == "body" else None
