"""What the hot path needs to know of an instance, in one frozen record."""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.core import completed, entries_of
from gateway.catalogue.model import Connector
from gateway.instances.callback_headers import parse_headers
from gateway.instances.model import Destination, Instance, Secret
from gateway.redact import SHORTEST_SECRET

EARLIER = "earlier:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """How an instance's events reach its consumer; the secrets that sign them, newest first."""

    destination: Destination
    headers: tuple[tuple[str, str], ...]
    #: The key of `Elements-Webhook-Signature`, where the consumer set one.
    elements_key: bytes | None
    #: The keys of the Standard Webhooks signature.
    signing_keys: tuple[bytes, ...]
    #: What of its headers may open something at the consumer's, and must not be kept where that says it back.
    secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceView:
    """An instance as the vendor's road and the delivery worker see it."""

    instance: Instance
    connector: Connector
    config: ConfigView
    accepts_events: bool
    filter_nulls: bool
    max_body: int
    callback: Callback | None
    #: What must never be shown of it, wherever it turns up.
    secrets: tuple[str, ...]
    #: When a secret in here ends, so that the view must be made anew; epoch milliseconds.
    stale_at: int | None


def build(
    instance: Instance,
    connector: Connector,
    stored: Mapping[str, str],
    secrets: Sequence[Secret],
    destination: Destination | None,
    max_body: int,
) -> InstanceView:
    """Put the view together from rows that are already opened."""
    values = completed(connector, stored)
    ends = [secret.expires_at for secret in secrets if secret.expires_at is not None]
    config = ConfigView(values, _earlier(secrets))
    return InstanceView(
        instance=instance,
        connector=connector,
        config=config,
        accepts_events=instance.enabled and values.get("event.notification.enabled") == "true",
        filter_nulls=values.get("filter.response.nulls") != "false",
        max_body=max_body,
        callback=_callback(destination, values, secrets),
        secrets=_secret_values(connector, config),
        stale_at=min(ends, default=None),
    )


def _secret_values(connector: Connector, config: ConfigView) -> tuple[str, ...]:
    keys = [key for key, entry in entries_of(connector).items() if entry.secret]
    values = [value for key in keys for value in config.secrets(key)]
    return tuple(value for value in dict.fromkeys(values) if len(value) >= SHORTEST_SECRET)


def _earlier(secrets: Sequence[Secret]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for secret in secrets:
        if secret.kind.startswith(EARLIER):
            key = secret.kind.removeprefix(EARLIER)
            found[key] = (*found.get(key, ()), secret.value)
    return found


def _callback(destination: Destination | None, values: Mapping[str, str], secrets: Sequence[Secret]) -> Callback | None:
    if destination is None or destination.state == "removed":
        return None
    key, headers = values.get("event.notification.signature.key"), _headers(values)
    parts = dict.fromkeys(part for _, value in headers for part in (value, value.rpartition(" ")[2]))
    return Callback(
        destination=destination,
        headers=headers,
        elements_key=key.encode() if key else None,
        signing_keys=tuple(
            b64decode(secret.value.removeprefix("whsec_")) for secret in secrets if secret.kind == "signing"
        ),
        secrets=tuple(part for part in parts if len(part) >= SHORTEST_SECRET),
    )


def _headers(values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    headers = parse_headers(values.get("event.notification.callback.headers", "")).headers
    username = values.get("event.notification.basic.username")
    if username is None:
        return headers
    pair = f"{username}:{values.get('event.notification.basic.password', '')}"
    others = tuple((name, value) for name, value in headers if name.lower() != "authorization")
    return (*others, ("Authorization", "Basic " + b64encode(pair.encode()).decode()))
