"""The configuration entries that every connector has, beside those of its own file."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from gateway.catalogue.model import Connector, Entry

CORE_KEYS = frozenset(
    {
        "authentication.type", "base.url", "event.metadata", "event.notification.basic.password",
        "event.notification.basic.username", "event.notification.callback.headers",
        "event.notification.callback.url", "event.notification.enabled", "event.notification.instance.finder",
        "event.notification.signature.key", "event.notification.subscription.id", "event.notification.type",
        "event.objects",
        "event.poller.configuration", "event.poller.refresh_interval", "event.poller.urls",
        "event.reconcile.enabled", "event.vendor.type", "filter.response.nulls", "oauth.api.key",
        "oauth.api.secret", "oauth.callback.url", "oauth.scope", "oauth.user.refresh_interval",
        "oauth.user.refresh_time", "oauth.user.refresh_token", "oauth.user.token",
    }
)  # fmt: skip

_NOTIFICATION = (
    Entry(
        key="event.notification.callback.url",
        name="Callback URL",
        type="url",
        description="Where events are posted. Without one they are only stored.",
    ),
    Entry(
        key="event.notification.callback.headers",
        name="Callback headers",
        description="Further headers for the callback: a JSON object, or one 'Name: value' a line.",
        secret=True,
        sealed=True,
    ),
    Entry(
        key="event.notification.signature.key",
        name="Callback signature key",
        description="Key under which every notification is signed.",
        secret=True,
        sealed=True,
    ),
    Entry(
        key="event.notification.basic.username",
        name="Callback user name",
        description="User name for basic authentication at the callback URL.",
    ),
    Entry(
        key="event.notification.basic.password",
        name="Callback password",
        description="Password for basic authentication at the callback URL.",
        secret=True,
        sealed=True,
    ),
)
_POLLING = (
    Entry(
        key="event.poller.refresh_interval",
        name="Poll interval in minutes",
        type="number",
        description="Minutes between two polls, 1 or more; 525600 or more means only on demand.",
    ),
    Entry(
        key="event.poller.configuration",
        name="Poller configuration",
        type="json",
        description="What is polled, by resource: url, idField, datesConfiguration. Empty: as the connector declares.",
    ),
    Entry(
        key="event.poller.urls",
        name="Poller URLs",
        description="The older form: one resource a line, fields separated by |.",
        hidden=True,
    ),
    Entry(
        key="event.reconcile.enabled",
        name="Poll beside the webhook",
        type="boolean",
        default="false",
        description="Also polls slowly, to find what the vendor never sent. Uses up the customer's quota.",
    ),
)
_OAUTH = (
    Entry(
        key="oauth.api.key",
        name="OAuth client id",
        required=True,
        description="Client id of the application that is registered at the vendor.",
    ),
    Entry(
        key="oauth.api.secret",
        name="OAuth client secret",
        required=True,
        secret=True,
        sealed=True,
        description="Client secret of that application.",
    ),
    Entry(
        key="oauth.callback.url",
        name="OAuth callback URL",
        description="Where the vendor sends people back to after they agreed.",
    ),
    Entry(key="oauth.scope", name="OAuth scope", description="Scopes to ask for instead of the usual ones."),
    Entry(key="oauth.user.token", name="Access token", secret=True, sealed=True, internal=True, hidden=True),
    Entry(key="oauth.user.refresh_token", name="Refresh token", secret=True, sealed=True, internal=True, hidden=True),
    Entry(key="oauth.user.refresh_interval", name="Token lifetime in seconds", internal=True, hidden=True),
    Entry(key="oauth.user.refresh_time", name="Time of the next refresh", internal=True, hidden=True),
)

CORE_SECRETS = frozenset(entry.key for entry in (*_NOTIFICATION, *_OAUTH) if entry.secret)


@lru_cache(maxsize=2048)
def entries_of(connector: Connector) -> Mapping[str, Entry]:
    """All entries of a connector in the order of display: how to reach it, its own, then events."""
    found = [*_access(connector), *connector.entries.values(), *_events(connector)]
    return {entry.key: _with_default(connector, entry) for entry in found}


def completed(connector: Connector, values: Mapping[str, str]) -> dict[str, str]:
    """The values of an instance, with the default of every entry that has one and was left out."""
    return {**_usual(connector), **values}


@lru_cache(maxsize=2048)
def _usual(connector: Connector) -> Mapping[str, str]:
    entries = entries_of(connector).values()
    return {entry.key: entry.default for entry in entries if entry.default is not None}


def _access(connector: Connector) -> Iterator[Entry]:
    if len(connector.auth) > 1:
        yield Entry(
            key="authentication.type",
            name="Authentication",
            choices=tuple(connector.auth),
            default=next(iter(connector.auth)),
            description="Which of the connector's ways to authenticate this instance uses.",
        )
    base = connector.http.base_url
    yield Entry(
        key="base.url",
        name="Base URL",
        type="url",
        default=base.source_text if base else None,
        description="Address that all calls begin with." + ("" if base else " Needed for calls and for polling."),
    )
    by_login = frozenset(id_ for id_, way in connector.auth.items() if way.type == "oauth2")
    if by_login:
        yield from (replace(entry, auth=by_login) for entry in _OAUTH)


def _events(connector: Connector) -> Iterator[Entry]:
    yield Entry(
        key="event.notification.enabled",
        name="Events",
        type="boolean",
        default="false",
        description="Whether changes at the vendor become events.",
    )
    yield _vendor_type(connector)
    yield Entry(
        key="event.notification.type",
        name="Notification type",
        choices=("webhook",),
        description="How the application is told: by a POST to the callback URL.",
    )
    yield from _NOTIFICATION
    yield Entry(
        key="event.notification.instance.finder",
        name="Instance finder",
        hidden=True,
        description="Which value of a delivery belongs to this instance, as <entry>|<path>.",
    )
    # Clients send these to every connector: where nothing is polled they are taken, and not shown.
    yield from _POLLING if connector.has_polling else (replace(entry, hidden=True) for entry in _POLLING)
    yield Entry(
        key="event.notification.subscription.id",
        name="Subscription",
        internal=True,
        hidden=True,
        description="What the vendor calls the webhook that the gateway registered.",
    )
    yield Entry(key="event.objects", name="Objects", description="Only these objects, separated by commas. Empty: all.")
    yield Entry(
        key="event.metadata",
        name="Event metadata",
        type="json",
        hidden=True,
        description="What can be observed, as JSON.",
    )
    yield Entry(
        key="filter.response.nulls",
        name="Leave out nulls",
        type="boolean",
        default="true",
        description="Removes members whose value is null from answers and notifications.",
    )


def _vendor_type(connector: Connector) -> Entry:
    methods = connector.event_methods
    # What can be called can be polled, where an instance says itself what and how.
    by_hand = ("polling",) if connector.methods and not connector.has_polling else ()
    return Entry(
        key="event.vendor.type",
        name="How events come",
        choices=(*methods, *by_hand),
        default=methods[0] if methods else None,
        hidden=len(methods) < 2,
        description="By the vendor's webhook, or by polling the vendor.",
    )


def _with_default(connector: Connector, entry: Entry) -> Entry:
    default = connector.defaults.get(entry.key)
    return entry if default is None else replace(entry, default=default)
