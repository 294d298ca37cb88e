"""Whether an instance is to be registered at its vendor, and what its owner is told about it; pure."""

from collections.abc import Mapping

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.model import Connector
from gateway.catalogue.webhook_model import Subscribe
from gateway.registrations.model import Registration, Status

#: Where the Open Connectors wire shows what the vendor calls the registration.
SUBSCRIPTION_ID = "event.notification.subscription.id"


def subscribe_of(connector: Connector) -> Subscribe | None:
    """How this connector's instances are registered, each with its own URL; None where people do that."""
    hook = connector.webhook
    return hook.subscribe if hook is not None and hook.scope == "instance" else None


def wants(connector: Connector, values: Mapping[str, str], *, enabled: bool) -> bool:
    """Whether the instance's URL belongs at the vendor, by the values in effect."""
    return (
        enabled
        and subscribe_of(connector) is not None
        and values.get("event.notification.enabled") == "true"
        and values.get("event.vendor.type", "webhook") == "webhook"
    )


def filled(connector: Connector, subscribe: Subscribe) -> tuple[str, ...]:
    """The entries that stand for a registration, and are empty without one."""
    return tuple(dict.fromkeys((*subscribe.saved, *handed_over(connector), SUBSCRIPTION_ID)))


def handed_over(connector: Connector) -> tuple[str, ...]:
    """The entries that the vendor fills by a handshake while it is asked for a registration."""
    handshakes = connector.webhook.handshakes if connector.webhook else ()
    return tuple(dict.fromkeys(key for one in handshakes for key, _ in one.save_once))


def by_hand(connector: Connector, subscribe: Subscribe, row: Registration, config: ConfigView) -> str | None:
    """The secret of a registration that somebody else made; to make another would put this one out of use."""
    if row.stands or row.asked_id is not None or row.kept.request:
        return None
    return next((key for key in filled(connector, subscribe) if _is_secret(connector, key) and config.get(key)), None)


def status_of(connector: Connector, found: Status | None, *, events: bool) -> Status | None:
    """What the owner is told; None where no vendor is to send anything."""
    if found is not None or not events or not connector.has_webhook:
        return found
    if subscribe_of(connector) is None:
        return Status(state="unsupported", reason=f"{connector.name} is told by hand: enter webhookUrl in its settings")
    return Status(state="wanted", reason="not tried yet")


def _is_secret(connector: Connector, key: str) -> bool:
    entry = connector.entries.get(key)
    return entry is not None and entry.secret
