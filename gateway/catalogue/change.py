"""Reads what happened to which object, in the words that webhook and polling share."""

import hashlib
import re

import msgspec

from gateway.catalogue.change_map import Action, ChangeMap, Split
from gateway.catalogue.locator import Locator
from gateway.catalogue.sources import Sources
from gateway.catalogue.template import Template

LONGEST = 512
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Change(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One change of one object; `identity` is the key under which it is the same change however it came.

    `payload` is its JSON text, to the byte as it came where `payload_exact`.
    """

    # A struct, since one is made for every event: a frozen dataclass of this size takes ten times as long.
    type: str
    action: Action
    object_type: str | None
    object_id: str | None
    occurred_at: int | None
    vendor_event_id: str | None
    version: str | None
    identity: str | None
    payload: bytes
    payload_exact: bool
    #: Whether an equal body shortly after is the same change, where nothing else tells.
    by_body: bool = True


def read_change(changes: ChangeMap, sources: Sources, payload: bytes, exact: bool, number: int | None = None) -> Change:
    """Reads one change; whatever is missing or odd is left out, and never refused.

    `number` is the place of the item where several came at once.
    """
    object_type = changes.object_type.text(sources) if changes.object_type is not None else None
    if object_type is not None:
        object_type = short(_split(object_type, changes.object_type_split))
    object_id = short(changes.object_id.text(sources)) if changes.object_id is not None else None
    version = short(changes.version.text(sources)) if changes.version is not None else None
    vendor_id = short(changes.dedupe.complete(sources)) if changes.dedupe is not None else None
    if number is not None and changes.dedupe is not None and _of_item(changes.dedupe, sources):
        number = None
    return Change(
        type=short(changes.type.text(sources).strip(".")) or "unknown",
        action=_action(changes, sources),
        object_type=object_type,
        object_id=object_id,
        occurred_at=_date(changes, sources),
        vendor_event_id=vendor_id,
        version=version,
        identity=identity(object_type, object_id, version, vendor_id, number),
        payload=payload,
        payload_exact=exact,
        by_body=not changes.never_equal,
    )


def identity(
    object_type: str | None,
    object_id: str | None,
    version: str | None,
    vendor_id: str | None,
    number: int | None = None,
) -> str | None:
    """The key of a change: object and version where all are known, else the vendor's delivery id, else none.

    `number` tells the items of one delivery apart, where they share its id.
    """
    if object_type and object_id and version:
        return short(f"v:{_part(object_type)}:{_part(object_id)}:{version}")
    if not vendor_id:
        return None
    return short(f"d:{vendor_id}" if number is None else f"i:{number}:{vendor_id}")


def short(text: str | None) -> str | None:
    """A text that every store can hold, at most 512 characters; a changed one ends in its hash and stays distinct."""
    if not text:
        return None
    if len(text) <= LONGEST and text.isascii() and "\x00" not in text:
        return text
    storable = _UNSTORABLE.sub("\ufffd", text[:LONGEST])
    if storable == text:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{storable[: LONGEST - 65]}~{digest}"


def _of_item(template: Template, sources: Sources) -> bool:
    """Whether anything that the template is filled with comes from the item itself."""
    chosen = [locator.chosen(sources) for locator in template.locators]
    return any(place is not None and place.source == "item" for place in chosen)


def _part(text: str) -> str:
    # Colons part the identity: without this "a:b" + "c" and "a" + "b:c" would be one change.
    return text.replace("%", "%25").replace(":", "%3A") if ":" in text or "%" in text else text


def _text(locator: Locator | None, sources: Sources) -> str | None:
    return locator.text(sources) if locator is not None else None


def _split(text: str | None, split: Split | None) -> str | None:
    return split.of(text) if text and split else text


def _action(changes: ChangeMap, sources: Sources) -> Action:
    word = _split(_text(changes.action, sources), changes.action_split)
    if not word:
        return "UNKNOWN"
    return changes.actions.get(word) or changes.actions.get("*", "UNKNOWN")


def _date(changes: ChangeMap, sources: Sources) -> int | None:
    text = _text(changes.date, sources)
    return changes.read_date(text) if text else None
