"""The configuration entries of a connector as fields of a form, and a form's fields as a configuration; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.catalogue.call_model import Auth
from gateway.catalogue.core import CORE_KEYS, entries_of
from gateway.catalogue.model import Connector, Entry
from gateway.console.forms import Form

WAY = "authentication.type"
BASE_URL = "base.url"
EVENTS, VENDOR_TYPE = "event.notification.enabled", "event.vendor.type"

#: access: what proves who calls. events: what comes, and where it goes. The others are rare, and folded: proof, which
#: deliveries there are and how they are proved; callback, what is sent along to the application; more, the rest.
Group = Literal["access", "events", "proof", "callback", "more"]
Kind = Literal["text", "url", "number", "secret", "long", "sealed-long", "choice", "box"]
GROUPS: tuple[Group, ...] = ("access", "events", "proof", "callback", "more")
_EVENTS = (EVENTS, VENDOR_TYPE, "event.notification.callback.url", "filter.response.nulls")
_CALLBACK = (
    "event.notification.signature.key",
    "event.notification.callback.headers",
    "event.notification.basic.username",
    "event.notification.basic.password",
)
#: Said elsewhere in the form, filled by the console itself, or with one value only.
_LEFT_OUT = frozenset({WAY, "oauth.callback.url", "event.notification.type"})
_LONG = frozenset({"event.notification.callback.headers", "event.poller.urls"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """An entry as a field; `value` is what stands in it at first, `kept` whether a secret is stored already."""

    entry: Entry
    group: Group
    kind: Kind
    value: str = ""
    required: bool = False
    kept: bool = False

    @property
    def key(self) -> str:
        """The key of the entry, and the name of the field."""
        return self.entry.key

    @property
    def needed_for(self) -> str:
        """The road that cannot do without it, where it is not needed always."""
        return "" if self.required else self.entry.required_for or ""

    @property
    def choices(self) -> tuple[str, ...]:
        """What can be chosen; with nothing first where nothing need be."""
        return self.entry.choices if self.entry.default or self.required else ("", *self.entry.choices)


def fields(connector: Connector, way: Auth | None, stored: Mapping[str, str] | None = None) -> tuple[Field, ...]:
    """What a form asks for a way to authenticate; `stored` are the values of an instance that is there already."""
    every = entries_of(connector).values()
    return tuple(_field(connector, way, one, stored) for one in every if _is_asked(connector, way, one, stored))


def grouped(found: Sequence[Field]) -> dict[Group, tuple[Field, ...]]:
    """The fields by the part of the form that they stand in; what is needed first."""
    by_group = {group: [one for one in found if one.group == group] for group in GROUPS}
    by_group["access"].sort(key=lambda one: (one.key == BASE_URL, not one.required))
    by_group["events"].sort(key=lambda one: _EVENTS.index(one.key) if one.key in _EVENTS else len(_EVENTS))
    return {group: tuple(those) for group, those in by_group.items()}


def configuration(form: Form, found: Sequence[Field], stored: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """What a form changes of the stored values: a text, or None for an entry that was emptied."""
    return dict(_changes(form, found, stored or {}))


def _changes(form: Form, found: Sequence[Field], stored: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    for one in found:
        sent, usual = _sent(form, one), one.entry.default or ""
        if one.kept and not sent:
            continue
        if sent != stored.get(one.key, usual):
            yield one.key, sent or None


def _sent(form: Form, one: Field) -> str:
    if one.kind == "box":
        return "true" if form.ticked(one.key) else "false"
    text = form.typed(one.key)
    if one.kind in ("long", "sealed-long"):
        # Browsers send lines as CR LF; what is stored has none of them.
        return text.replace("\r\n", "\n").strip()
    return text if one.kind == "secret" else text.strip()


def _is_asked(connector: Connector, way: Auth | None, entry: Entry, stored: Mapping[str, str] | None) -> bool:
    if entry.internal or entry.key in _LEFT_OUT:
        return False
    if entry.auth is not None and (way is None or way.id not in entry.auth):
        return False
    if entry.hidden:
        # What is polled only by hand has no usual road, so that it must be chosen.
        return entry.key == VENDOR_TYPE and entry.default is None and bool(entry.choices)
    return not (entry.key in (EVENTS, *_CALLBACK) and not _has_events(connector)) and not (
        stored is None and way is not None and entry.filled_by == f"auth.{way.id}"
    )


def _has_events(connector: Connector) -> bool:
    return bool(connector.event_methods or connector.methods)


def _field(connector: Connector, way: Auth | None, entry: Entry, stored: Mapping[str, str] | None) -> Field:
    kind, held = _kind(way, entry), stored or {}
    is_secret = kind in ("secret", "sealed-long")
    usual = entry.default or ""
    if entry.key == EVENTS and stored is None and connector.event_methods:
        # The declared default is for callers who say what they want; people come here for events.
        usual = "true"
    return Field(
        entry=entry,
        group=_group(entry),
        kind=kind,
        value="" if is_secret else held.get(entry.key, "" if entry.key == BASE_URL else usual),
        required=entry.required and entry.required_for is None and entry.default is None,
        kept=is_secret and entry.key in held,
    )


def _group(entry: Entry) -> Group:
    if entry.key in _EVENTS:
        return "events"
    if entry.key in _CALLBACK:
        return "callback"
    if entry.key == BASE_URL:
        return "access" if entry.default is None else "more"
    if entry.key in CORE_KEYS:
        return "access" if entry.required else "more"
    if entry.required_for:
        return "events"
    if entry.key.startswith("webhook."):
        return "proof"
    is_usual = entry.auth is not None or entry.secret or (entry.choices and not entry.key.startswith("poll."))
    return "access" if entry.required or (is_usual and not entry.filled_by) else "more"


def _kind(way: Auth | None, entry: Entry) -> Kind:
    if entry.secret:
        return "sealed-long" if entry.key in _LONG or _is_document(way, entry) else "secret"
    if entry.type == "boolean":
        return "box"
    if entry.choices:
        return "choice"
    if entry.type == "json" or entry.key in _LONG:
        return "long"
    return "url" if entry.type == "url" else "number" if entry.type in ("integer", "number") else "text"


def _is_document(way: Auth | None, entry: Entry) -> bool:
    """Whether it holds a private key, which has several lines."""
    locators = way.key.locators if way is not None and way.key is not None else ()
    return any(entry.key in one.config_keys for one in locators)
