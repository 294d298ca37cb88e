"""Where a connector's calls may go: its declared hosts, and the address that an instance was pointed at."""

import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import urlsplit

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.model import Connector
from gateway.catalogue.sources import Sources
from gateway.egress import target

BASE_URL = "base.url"
#: What may follow a base in a URL without changing its host.
_AFTER_A_HOST = ("/", "?", "")
_AUTHORITY = re.compile(r"[^/?#]*//(?:[^/?#@]*@)*([^/?#@]{0,300})")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


def base_url(connector: Connector, config: ConfigView) -> str:
    """The address that paths are appended to; empty where neither file nor instance gives one."""
    return (_own_base(connector, config) or declared_base(connector, config)).rstrip("/")


def declared_base(connector: Connector, config: ConfigView) -> str:
    """The file's address with this instance's values in it; empty where the file has none."""
    template = connector.http.base_url
    if template is None:
        return ""
    if len(template.parts) == 1 and isinstance(template.parts[0], str):
        return template.parts[0]
    return template.url(Sources(config=config, defaults=connector.value_defaults))


def leaves(connector: Connector, config: ConfigView, url: str) -> str | None:
    """What is wrong with a URL that lies outside what this instance may call: its host, or that it is none."""
    base = base_url(connector, config)
    if base and url.startswith(base) and url[len(base) : len(base) + 1] in _AFTER_A_HOST and _origin_of(base):
        return None
    aim = target.parse(url)
    if isinstance(aim, str):
        return aim
    if aim.origin in _origins(connector, config):
        return None
    return aim.authority if aim.scheme == "https" else f"{aim.scheme}://{aim.authority}"


def declares(connector: Connector, host: str) -> bool:
    """Whether the file itself names this host, or leaves the choice to the instance."""
    template = connector.http.base_url
    if template is None or not template.parts or not isinstance(template.parts[0], str):
        return True
    names = {*map(str.lower, connector.http.hosts)}
    # Values of the instance stand for one label each.
    stands_for = "placeholder-"
    pattern = re.escape(host_of(_PLACEHOLDER.sub(stands_for, template.source_text)))
    pattern = pattern.replace(re.escape(stands_for), "[a-z0-9-]+")
    return host in names or re.fullmatch(pattern, host) is not None


def host_of(url: str) -> str:
    """The host of a URL in lower case; empty where there is none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def origin_of(url: str) -> str:
    """The host of a URL, with its port where one is written."""
    match = _AUTHORITY.match(url)
    return match[1].lower() if match else ""


def _origins(connector: Connector, config: ConfigView) -> Iterator[str]:
    """Scheme, host and port of everything that may be called; the hosts of bases always by https too."""
    for base in (_own_base(connector, config), declared_base(connector, config)):
        if origin := _origin_of(base):
            yield origin
            yield f"https://{origin.partition('://')[2].rpartition(':')[0]}:443"
    for host in connector.http.hosts:
        yield f"https://{host.lower()}:443"


@lru_cache(maxsize=4096)
def _origin_of(base: str) -> str:
    """Scheme, host and port of a base address; empty where it is none."""
    aim = target.parse(base)
    return "" if isinstance(aim, str) else aim.origin


def _own_base(connector: Connector, config: ConfigView) -> str:
    template, value = connector.http.base_url, config.get(BASE_URL) or ""
    return "" if template is not None and value == template.source_text else value
