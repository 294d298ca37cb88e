"""From a verified delivery to its changes: bytes in, one record for each changed object out."""

from collections.abc import Sequence

import msgspec
import orjson

from gateway.catalogue.change import Change, read_change
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.document import Document
from gateway.catalogue.locator import Alternative, Locator, plain_text
from gateway.catalogue.model import Connector
from gateway.catalogue.sources import Sources, octets
from gateway.catalogue.webhook_model import Webhook
from gateway.proofs.bodies import Malformed, read_body
from gateway.proofs.items import items_in
from gateway.proofs.received import Received, sources_of

__all__ = ["Change", "Malformed", "Parcel", "accounts_in", "changes_in", "normalise", "open_parcel"]

_MAX_ITEMS = 10_000
_NO_WEBHOOK = Malformed("not_configured", "this connector takes no deliveries")


class Parcel(msgspec.Struct, frozen=True, eq=False):
    """A delivery taken apart: its body, and the items that are changes."""

    connector: Connector
    webhook: Webhook
    received: Received
    body: Document
    items: list[Document]


def normalise(
    connector: Connector, config: ConfigView, received: Received, max_body: int
) -> tuple[Change, ...] | Malformed:
    """The changes in a delivery, in its order; an empty batch has none."""
    webhook, sources = connector.webhook, sources_of(connector, config, received)
    if webhook is not None and webhook.items is None:
        # The commonest delivery, spelled out: one change, which is the body.
        body = read_body(received, webhook.form_field, max_body)
        if isinstance(body, Malformed):
            return body
        sources.read_as(body)
        return (_change(webhook, sources, body, body, None),)
    parcel = _opened(connector, sources, received, max_body)
    return parcel if isinstance(parcel, Malformed) else _changes(parcel, sources, range(len(parcel.items)))


def open_parcel(connector: Connector, config: ConfigView, received: Received, max_body: int) -> Parcel | Malformed:
    """A delivery taken apart, before it is known whose its items are."""
    return _opened(connector, sources_of(connector, config, received), received, max_body)


def changes_in(parcel: Parcel, config: ConfigView, numbers: Sequence[int]) -> tuple[Change, ...]:
    """The changes that an instance reads out of these items of a parcel."""
    return _changes(parcel, _sources(parcel, config), numbers)


def accounts_in(parcel: Parcel, config: ConfigView) -> list[str | None]:
    """The account of every item; a delivery without items may have one that it names itself."""
    tenant = parcel.webhook.tenant
    if tenant is None:
        return [None] * len(parcel.items)
    sources = _sources(parcel, config)
    of_items = any(place.source == "item" for place in tenant.account.alternatives)
    if not (of_items and parcel.items):
        named = tenant.account.text(sources)
        return [] if of_items and named is None else [named] * max(1, len(parcel.items))
    accounts = []
    for item in parcel.items:
        sources.item = item
        accounts.append(tenant.account.text(sources))
    return accounts


def _sources(parcel: Parcel, config: ConfigView) -> Sources:
    sources = sources_of(parcel.connector, config, parcel.received)
    sources.read_as(parcel.body)
    return sources


def _opened(connector: Connector, sources: Sources, received: Received, max_body: int) -> Parcel | Malformed:
    webhook = connector.webhook
    if webhook is None:
        return _NO_WEBHOOK
    body = read_body(received, webhook.form_field, max_body)
    if isinstance(body, Malformed):
        return body
    if body.made and received.body and any(one.signs_words for one in webhook.handshakes):
        # A word may have been signed for anybody who asked; a delivery of this vendor is JSON.
        return Malformed("not_json", "the body is not JSON")
    sources.read_as(body)
    items = items_in(webhook, sources, body)
    if items is None:
        items = [body]  # a body without the declared list is one item, so that nothing is lost
    if len(items) > _MAX_ITEMS:
        return Malformed("too_large", f"more than {_MAX_ITEMS} items in one delivery")
    return Parcel(connector, webhook, received, body, items)


def _changes(parcel: Parcel, sources: Sources, numbers: Sequence[int]) -> tuple[Change, ...]:
    webhook, items, body = parcel.webhook, parcel.items, parcel.body
    if len(items) == 1:
        return tuple([_change(webhook, sources, items[number], body, None) for number in numbers])
    return tuple([_change(webhook, sources, items[number], body, number) for number in numbers])


def _change(webhook: Webhook, sources: Sources, item: Document, body: Document, number: int | None) -> Change:
    sources.item = item
    if webhook.changes.payload is None:
        return read_change(webhook.changes, sources, item.raw, not body.made, number)
    payload, exact = _payload(webhook.changes.payload, sources, item, body)
    return read_change(webhook.changes, sources, payload, exact, number)


def _payload(where: Locator, sources: Sources, item: Document, body: Document) -> tuple[bytes, bool]:
    place = where.chosen(sources)
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
