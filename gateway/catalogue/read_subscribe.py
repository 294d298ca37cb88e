"""Reads `[webhook.subscribe]`: how the registration at the vendor is made, looked after and removed."""

from gateway.catalogue import contexts
from gateway.catalogue.call_model import Follow
from gateway.catalogue.locator import Locator
from gateway.catalogue.read_request import optional_request, request
from gateway.catalogue.table import Table
from gateway.catalogue.template import templates_in
from gateway.catalogue.webhook_model import Subscribe
from gateway.catalogue.words import EXPIRY_FORMATS

#: A key that means nothing without another one.
_NEEDS = {
    "renew_body": "renew",
    "check_url": "check",
    "delete_body": "delete",
    "list": "list_id",
    "list_id": "list_url",
    "list_url": "list",
    "list_items": "list",
}


def subscribe(table: Table) -> Subscribe | None:
    """The registration; None where the vendor has no API for it."""
    inner = table.table("subscribe", "webhook.subscribe")
    if inner is None:
        return None
    inner.need("request")
    for key, other in _NEEDS.items():
        if inner.has(key) and not inner.has(other):
            inner.problem(key, f"means nothing without {other}")
    found = Subscribe(
        request=request(inner, "request", contexts.CALL),
        body=inner.json("body", contexts.REGISTRATION),
        body_type=inner.choice("body_type", ("json", "form"), "json"),
        save=inner.places("save", contexts.ANSWER, "body"),
        after=_after(inner),
        lifetime=inner.duration("lifetime"),
        expires=_expiry(inner),
        expires_format=inner.choice("expires_format", EXPIRY_FORMATS, "iso8601"),
        renew=optional_request(inner, "renew", contexts.CALL),
        renew_body=inner.json("renew_body", contexts.REGISTRATION),
        renew_before=inner.duration("renew_before"),
        check=optional_request(inner, "check", contexts.CALL),
        check_url=inner.locator("check_url", contexts.ANSWER, "body"),
        list=optional_request(inner, "list", contexts.CALL),
        list_items=inner.locator("list_items", contexts.ANSWER, "body"),
        list_id=inner.locator("list_id", contexts.LISTED, "item"),
        list_url=inner.locator("list_url", contexts.LISTED, "item"),
        delete=optional_request(inner, "delete", contexts.CALL),
        delete_body=inner.json("delete_body", contexts.REGISTRATION),
    )
    _check(inner, found)
    return found


def _check(table: Table, found: Subscribe) -> None:
    if found.renew_before is not None and found.expires is None and found.lifetime is None:
        table.problem("renew_before", "means nothing without expires or lifetime")
    if found.lifetime is None and "expires_at" in _words(found):
        table.problem("lifetime", "is missing: {expires_at} is so much later than now")


def _words(found: Subscribe) -> frozenset[str]:
    bodies = (found.body, found.renew_body, found.delete_body)
    return frozenset(word for body in bodies for template in templates_in(body) for word in template.words)


def _after(table: Table) -> Follow | None:
    inner = table.table("after", "after")
    if inner is None:
        return None
    inner.need("request", "save")
    return Follow(request(inner, "request", contexts.CALL), inner.places("save", contexts.ANSWER, "body"))


def _expiry(table: Table) -> Locator | int | None:
    text = table.text("expires")
    if text is None or ":" in text:
        return table.locator("expires", contexts.ANSWER)
    return table.duration("expires")
