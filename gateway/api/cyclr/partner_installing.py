"""Where an API key, or a user name and a password, goes in a connector's configuration; pure."""

from gateway.api.cyclr.wire import Given
from gateway.catalogue.call_model import Auth
from gateway.catalogue.credential_entries import key_entry, user_entries
from gateway.catalogue.model import Connector
from gateway.errors import Invalid

_LONGEST = 65_536
_TYPE = "authentication.type"
_BY_KEY = ("api_key", "bearer")
_BY_OAUTH = "oauth2"


def configuration(connector: Connector, body: Given) -> dict[str, str]:
    """The entries that the credentials of a body fill; Invalid where the connector signs in otherwise."""
    key, username, password = (_credential(body, name) for name in ("ApiKey", "Username", "Password"))
    if key and (username or password):
        raise Invalid("Give either an ApiKey, or a Username and a Password.")
    if key:
        return _with_key(connector, key)
    if username or password:
        return _with_user(connector, username, password)
    if all(way.type != "none" for way in connector.auth.values()) and connector.auth:
        raise _refused(connector, "needs")
    return {}


def _with_key(connector: Connector, key: str) -> dict[str, str]:
    ways = sorted(_plain(connector), key=lambda way: way.type not in _BY_KEY)
    for way in ways:
        entry = key_entry(connector, way)
        if entry is not None:
            return {entry: key, **_chosen(connector, way)}
    raise _refused(connector, "takes")


def _with_user(connector: Connector, username: str, password: str) -> dict[str, str]:
    for way in _plain(connector):
        for_name, for_password = user_entries(connector, way)
        if for_name is None and for_password is None:
            continue
        # Where a vendor gives one of the two a fixed value, or none, there is no place for it.
        pairs = {for_name: username, for_password: password}
        return {entry: text for entry, text in pairs.items() if entry and text} | _chosen(connector, way)
    raise _refused(connector, "takes")


def _plain(connector: Connector) -> list[Auth]:
    return [way for way in connector.auth.values() if way.type not in (_BY_OAUTH, "none")]


def _chosen(connector: Connector, way: Auth) -> dict[str, str]:
    return {_TYPE: way.id} if len(connector.auth) > 1 else {}


def _refused(connector: Connector, verb: str) -> Invalid:
    """What the connector wants instead."""
    ways = _plain(connector)
    wanted = []
    if any(key_entry(connector, way) for way in ways):
        wanted.append("an ApiKey")
    if any(all(user_entries(connector, way)) for way in ways):
        wanted.append("a Username and a Password")
    if wanted:
        return Invalid(f"Connector {connector.name} {verb} {' or '.join(wanted)}.")
    if any(way.type == _BY_OAUTH for way in connector.auth.values()):
        return Invalid(
            f"Connector {connector.name} signs in with OAuth, which this request does not support; "
            f"install it with POST /v1.0/connectors/{connector.key}/install."
        )
    return Invalid(f"Connector {connector.name} takes no credentials by this request.")


def _credential(body: Given, name: str) -> str:
    return body.text(name, longest=_LONGEST, lines=True) or ""
