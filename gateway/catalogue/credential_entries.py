"""Which configuration entries hold what a person signs in with: a key, or a user name and a password."""

from collections.abc import Iterable

from gateway.catalogue.call_model import Auth
from gateway.catalogue.model import Connector
from gateway.catalogue.template import Template, templates_in

TOKEN, REFRESH, ENDS = "oauth.user.token", "oauth.user.refresh_token", "oauth.user.refresh_time"


def key_entry(connector: Connector, way: Auth) -> str | None:
    """The entry of the one key that a way needs; the user name's where it has only that. None where there is none."""
    if way.type in ("api_key", "bearer"):
        return _first(connector, (way.value or way.token,))
    if way.type == "basic":
        username, password = user_entries(connector, way)
        return username or password
    return None


def user_entries(connector: Connector, way: Auth) -> tuple[str | None, str | None]:
    """The entries of the user name and of the password; None for what a way has no entry for."""
    if way.type == "basic":
        username = _first(connector, (way.username,))
        password = _first(connector, (way.password,)) or _named(connector, way, "password")
        return username, None if password == username else password
    if way.session is not None:
        keys = [key for one in templates_in(way.session.body) for key in _keys(connector, one)]
        shown = [key for key in keys if not connector.entries[key].secret]
        hidden = [key for key in keys if connector.entries[key].secret]
        return next(iter(shown), None), next(iter(hidden), None)
    return None, None


def entries_of_way(connector: Connector, way: Auth) -> frozenset[str]:
    """The entries that prove who calls in this way; what signing out clears."""
    said = (way.name, way.value, way.username, way.password, way.token, way.key)
    templates = [one for one in said if one is not None] + templates_in(way.claims)
    if way.session is not None:
        templates += templates_in(way.session.body)
    named = {key for one in templates for key in _keys(connector, one)}
    own = {key for key, one in connector.entries.items() if one.auth and way.id in one.auth}
    return frozenset(named | {key for key in own if connector.entries[key].secret or connector.entries[key].sealed})


def _first(connector: Connector, templates: Iterable[Template | None]) -> str | None:
    keys = [key for one in templates if one is not None for key in _keys(connector, one)]
    return next(iter(keys), None)


def _keys(connector: Connector, template: Template) -> list[str]:
    return [key for locator in template.locators for key in locator.config_keys if key in connector.entries]


def _named(connector: Connector, way: Auth, name: str) -> str | None:
    """An entry that a file keeps for those who send one, though the vendor does not read it."""
    entry = connector.entries.get(name)
    return name if entry is not None and entry.auth and way.id in entry.auth else None
