"""The catalogue as people look through it: what is chosen of it, and how a connector is told in a line; pure."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.catalogue.call_model import Auth, Method
from gateway.catalogue.model import Connector
from gateway.catalogue.template import Template
from gateway.console.wording import has, text

CAPABILITIES = ("webhook", "polling", "calls")
PAGE = 96
_LONGEST_SEARCH = 100


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody looks for; empty where they do not say."""

    search: str = ""
    hub: str = ""
    can: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Chosen":
        """What a query asks for."""
        search = query.get("q", "").strip()[:_LONGEST_SEARCH]
        return cls(search, query.get("hub", "")[:_LONGEST_SEARCH], query.get("can", "")[:_LONGEST_SEARCH])

    @property
    def query(self) -> dict[str, str]:
        """The same as a query."""
        every = {"q": self.search, "hub": self.hub, "can": self.can}
        return {name: value for name, value in every.items() if value}


def capabilities(connector: Connector) -> tuple[str, ...]:
    """What it can do."""
    return (*connector.event_methods, *(("calls",) if connector.methods else ()))


def chosen(connectors: Sequence[Connector], wanted: Chosen) -> list[Connector]:
    """Those that are looked for, by name; those whose name begins so come first."""
    words = wanted.search.casefold().split()
    found = [one for one in connectors if _fits(one, wanted) and all(word in _words(one) for word in words)]
    begins = wanted.search.casefold()
    return sorted(found, key=lambda one: (not one.name.casefold().startswith(begins), one.name.casefold(), one.key))


def _fits(connector: Connector, wanted: Chosen) -> bool:
    if wanted.hub and connector.hub != wanted.hub:
        return False
    return not wanted.can or wanted.can in capabilities(connector)


def _words(connector: Connector) -> str:
    own = (connector.name, connector.key, connector.description, hub(connector.hub))
    return "\n".join((*own, *connector.tags, *connector.categories)).casefold()


def hubs(connectors: Sequence[Connector]) -> list[tuple[str, str]]:
    """The hubs of these connectors with their names, by name."""
    return sorted(((key, hub(key)) for key in {one.hub for one in connectors}), key=lambda one: one[1].casefold())


def hub(key: str) -> str:
    """The name of a hub."""
    name = f"connectors.hubs.{key}"
    return text(name) if has(name) else key


def ways(connector: Connector) -> list[tuple[Auth, str]]:
    """The ways to authenticate with their names; the id stands beside it where two have the same."""
    named = [(way, _way(way)) for way in connector.auth.values()]
    every = [name for _, name in named]
    return [(way, f"{name} ({_spaced(way.id)})" if every.count(name) > 1 else name) for way, name in named]


def _way(way: Auth) -> str:
    kind = f"{way.type}.{way.oauth.grant}" if way.oauth is not None else way.type
    if way.type == "basic" and not all(map(_is_asked, (way.username, way.password))):
        kind = "api_key"
    name = f"connectors.ways.{kind}"
    return text(name) if has(name) else _spaced(way.id)


def _is_asked(part: Template | None) -> bool:
    """Whether a part of a log-in is somebody's own; what the file fills itself is nobody's."""
    return part is not None and any(locator.config_keys for locator in part.locators)


def _spaced(key: str) -> str:
    return key.replace("_", " ")


def methods(connector: Connector) -> list[tuple[str, list[Method]]]:
    """The methods by their category, in the order of the file."""
    found: dict[str, list[Method]] = {}
    for method in connector.methods.values():
        found.setdefault(method.category, []).append(method)
    return list(found.items())


def letters(name: str) -> str:
    """The initials of a name, for its tile."""
    words = [word for word in name.split() if word[:1].isalnum()] or [name]
    return (words[0][:1] + words[1][:1] if len(words) > 1 else words[0][:2]).title()


def hue(key: str) -> int:
    """The colour of a tile, in degrees; always the same for a key."""
    return zlib.crc32(key.encode("utf-8", "replace")) % 360


def web_address(url: str) -> str:
    """An address that people may be led to; empty where a file says something else."""
    return url if url.startswith(("https://", "http://")) else ""
