"""`AuthValue`: what an account connector signs in with, as one text that is read by the connector's way."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime

import orjson

from gateway.access import logins
from gateway.api.cyclr.wire import wrong
from gateway.calls.authenticate import way_of
from gateway.calls.model import Access
from gateway.catalogue.call_model import Auth
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.credential_entries import ENDS, REFRESH, TOKEN, key_entry, user_entries
from gateway.catalogue.model import Connector
from gateway.provisioning.credentials import lacks
from gateway.provisioning.details import Details

MASK = "********"
_OAUTH = {"accesstoken": TOKEN, "refreshtoken": REFRESH, "expires": ENDS}


def entries(connector: Connector, way: Auth | None, text: str) -> dict[str, str | None]:
    """The configuration entries that a value fills; Invalid where it does not suit the way."""
    if way is None or way.type == "none":
        return {}
    if way.type == "oauth2":
        return _tokens(text)
    username, password = user_entries(connector, way)
    if username is not None and password is not None:
        pair = _pair(text)
        if pair is not None:
            return {username: pair[0], password: pair[1] or None}
    key = key_entry(connector, way)
    if key is not None and (password is None or not connector.entries[password].required):
        pair = _pair(text) if way.type == "basic" else None
        return {key: text if pair is None else pair[0] or pair[1]}
    if username is None and password is None:
        raise wrong("AuthValue", "does not suit this connector; give its credentials as Properties")
    raise wrong("AuthValue", "must be the base64 of a user name, a colon and a password")


def shown(details: Details, *, in_clear: bool) -> str | None:
    """The value as it is answered: None where nobody has signed in, masked unless the operator wants it in clear."""
    if not is_authenticated(details):
        return None
    found = _written(details.connector, details.values)
    return found if in_clear or found is None else MASK


def is_authenticated(details: Details) -> bool:
    """Whether calls can be made as somebody: there are credentials, and nothing is known against them."""
    if details.standing is not None and details.standing.state == "reauth":
        return False
    return not lacks(details.connector, details.stored)


def _written(connector: Connector, values: Mapping[str, str]) -> str | None:
    way = way_of(Access(connector=connector, config=ConfigView(values)))
    if way is None or way.type == "none":
        return None
    if way.type == "oauth2":
        return _written_tokens(values)
    username, password = user_entries(connector, way)
    if username is not None or password is not None:
        pair = f"{values.get(username or '', '')}:{values.get(password or '', '')}"
        return b64encode(pair.encode()).decode()
    return values.get(key_entry(connector, way) or "")


def _written_tokens(values: Mapping[str, str]) -> str:
    told = {
        "AccessToken": values.get(TOKEN),
        "RefreshToken": values.get(REFRESH),
        "Expires": _date(values.get(logins.OAUTH_ENDS, "")),
        "RefreshExpires": None,
    }
    return json.dumps(told)


def _date(ends: str) -> str | None:
    """The end of a token as a date; None where there is none, or none that a calendar has."""
    try:
        return datetime.fromtimestamp(int(ends) / 1000, UTC).isoformat() if ends.isascii() and ends.isdigit() else None
    except (ValueError, OverflowError, OSError):
        return None


def _pair(text: str) -> tuple[str, str] | None:
    """The user name and the password of a base64 text; None where it is none."""
    try:
        username, colon, password = b64decode(text, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (username, password) if colon and (username + password).isprintable() else None


def _tokens(text: str) -> dict[str, str | None]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise wrong("AuthValue", "must be a JSON object with AccessToken and RefreshToken, as a text")
    found: dict[str, str | None] = {}
    for name, inner in value.items():
        key = _OAUTH.get(str(name).lower())
        if key is not None and inner:
            found[key] = _ends(inner) if key == ENDS else str(inner)
    return found


def _ends(given: object) -> str:
    """The end of a token in epoch milliseconds; dates without zone are UTC."""
    try:
        at = datetime.fromisoformat(str(given))
        # In UTC it may be in no year that there is.
        return str(round((at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000))
    except (ValueError, OverflowError) as problem:
        raise wrong("AuthValue", "must say Expires as a date such as 2026-01-31T12:00:00Z") from problem
