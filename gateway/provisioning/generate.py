"""Secrets that the gateway makes for a connector's webhook, in the form that its verification expects."""

from collections.abc import Mapping

from gateway import ids
from gateway.catalogue.model import Connector
from gateway.catalogue.webhook_model import Verify


def secret_entry(connector: Connector, values: Mapping[str, str]) -> str | None:
    """The entry that the gateway may make and that this configuration's verification uses."""
    return next((key for key in _candidates(connector) if _rules(connector, values, key)), None)


def make(connector: Connector, values: Mapping[str, str], key: str) -> str:
    """A fresh value for the entry."""
    rule = _rules(connector, values, key)[0]
    encoding, prefix = rule.secret_encoding, rule.secret_prefix
    if (encoding, prefix) == ("base64", "whsec_"):
        return ids.signing_secret()
    return ids.base64_token() if encoding == "base64" else ids.hex_token() + ids.hex_token()


def _candidates(connector: Connector) -> list[str]:
    return [key for key, entry in connector.entries.items() if entry.generate]


def _rules(connector: Connector, values: Mapping[str, str], key: str) -> list[Verify]:
    verify = connector.webhook.verify if connector.webhook else ()
    return [
        rule
        for rule in verify
        if key in rule.secret and all(values.get(condition.key) in condition.values for condition in rule.conditions)
    ]
