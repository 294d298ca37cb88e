"""A polled record: its id, its dates, its content, and the change that it tells of."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import orjson

from gateway.catalogue.change import Change, read_change, short
from gateway.catalogue.change_map import Action
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.document import Document
from gateway.catalogue.locator import Locator
from gateway.catalogue.sources import Sources
from gateway.polling.model import Page, Plan, Read

_CONTENT_BYTES = 9
_LONGEST_KEY = 120


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration that locators may look at: the instance's values, and the connector's defaults."""

    config: ConfigView
    defaults: Mapping[str, str]

    def get(self, key: str) -> str | None:
        """The value of an entry; an empty one counts as none."""
        return self.config.get(key) or self.defaults.get(key) or None


class Record(msgspec.Struct, gc=False, eq=False):
    """One record as the poll's locators see it; an `updated` that cannot be read has no `at`."""

    item: Document
    sources: Sources
    id: str | None
    updated: str | None
    at: int | None
    _content: str | None = None

    @property
    def content(self) -> str:
        """A short hash of what it says, however its members are ordered."""
        if self._content is None:
            self._content = content_of(self.item)
        return self._content

    def looked_at(self) -> Sources:
        """Its page's material with this record in it."""
        self.sources.item = self.item
        return self.sources


def records_in(plan: Plan, read: Read, settings: Settings) -> list[Record]:
    """The records of a read, in its order."""
    return [record for page in read.pages for record in _of_page(plan, page, settings)]


def of_its_list(plan: Plan, records: list[Record]) -> list[Record]:
    """The records without those of another list, which the vendor gives along."""
    skip = plan.poll.skip_if
    return records if skip is None else [one for one in records if skip.find(one.looked_at()) is None]


def content_of(item: Document) -> str:
    """A short hash of a record."""
    try:
        text = orjson.dumps(item.value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # nested deeper than the writer goes
        text = item.raw
    return urlsafe_b64encode(hashlib.blake2b(text, digest_size=_CONTENT_BYTES).digest()).decode()


def key_id(record_id: str) -> str:
    """The first half of a key: the id, without a colon in it, and never long."""
    text = record_id.replace("%", "%25").replace(":", "%3A") if ":" in record_id or "%" in record_id else record_id
    if len(text) <= _LONGEST_KEY and text.isascii():
        return text
    return "%" + hashlib.sha256(record_id.encode("utf-8", "surrogatepass")).hexdigest()


def change_of(plan: Plan, record: Record, action: Action | None) -> Change:
    """The change that a record tells of; without an action the record says itself what happened."""
    sources, changes = record.looked_at(), plan.poll.changes
    if action is not None:
        sources.words = {"action": action.lower()}
    change = read_change(changes, sources, *_payload(changes.payload, sources, record.item))
    if action is None:
        if "action" not in changes.type.words:
            return change
        sources.words = {"action": change.action.lower()}
        return msgspec.structs.replace(change, type=short(changes.type.text(sources).strip(".")) or "unknown")
    return msgspec.structs.replace(change, action=action)


def departed(plan: Plan, object_id: str, settings: Settings) -> Record:
    """A record in place of one that is no longer listed: it says its id."""
    value: object = object_id
    for name in reversed(plan.poll.id.alternatives[0].steps):
        value = {name: value}
    value = value if isinstance(value, dict) else {"id": object_id}
    item = Document(orjson.dumps(value), value, made=True)
    sources = Sources(config=settings.config, defaults=settings.defaults, item=item)
    return Record(item, sources, object_id, None, None)


def _of_page(plan: Plan, page: Page, settings: Settings) -> list[Record]:
    sources = Sources(config=settings.config, defaults=settings.defaults, headers=page.headers)
    if page.body is not None:
        sources.read_as(page.body)
    return [_record(plan, item, sources) for item in page.records]


def _record(plan: Plan, item: Document, sources: Sources) -> Record:
    sources.item = item
    poll = plan.poll
    updated = poll.updated.text(sources) if poll.updated is not None else None
    at = poll.read_updated(updated) if updated else None
    return Record(item, sources, poll.id.text(sources) or None, updated, at)


def _payload(where: Locator | None, sources: Sources, item: Document) -> tuple[bytes, bool]:
    place = where.chosen(sources) if where is not None else None
    document = {"item": item, "body": sources.document}.get(place.source) if place is not None else None
    if place is None or document is None:
        return item.raw, not item.made
    part = document.part(place.path_in(sources))
    return (item.raw if part is None else part), not item.made
