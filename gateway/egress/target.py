"""A URL taken apart once, into the one form that is judged, looked up, dialled and sent."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import quote

from gateway.egress.addresses import Address, ends_in_number, parsed, spelled
from gateway.egress.limits import MAX_TARGETS, MAX_URL

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_AUTHORITY = re.compile(r"(\[[^\[\]@]*\]|[^\[\]:@]*)(?::([0-9]*))?", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]|\s")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_AS_IT_IS = "/%?:@!$&'()*+,;=~-._[]"
_LONGEST_KNOWN = 300  # of an authority that is remembered
_PORTS: dict[str, int] = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a request goes; the host is ASCII and lower-case, a literal one in its usual spelling."""

    scheme: Literal["http", "https"]
    host: str
    port: int
    literal: Address | None
    path: str  # with the query
    authority: str  # the Host header
    origin: str


def parse(url: str) -> Target | str:
    """The target of a URL, or why there is none."""
    if len(url) > MAX_URL:
        return f"the URL is longer than {MAX_URL} characters"
    if _UNPRINTABLE.search(url):
        return "the URL contains white space or control characters"
    match = _URL.fullmatch(url)
    if match is None:
        return "the URL is not absolute; it begins with https:// and a host"
    scheme = match[1].lower()
    if scheme != "http" and scheme != "https":
        return f"the scheme {scheme[:20]} is not one of https, http"
    find = _known_place if len(match[2]) <= _LONGEST_KNOWN else _place
    place = find(match[2], _PORTS[scheme])
    if isinstance(place, str):
        return place
    host, literal, port = place
    path = quote((match[3] or "/") + (match[4] or ""), safe=_AS_IT_IS)
    return _target("https" if scheme == "https" else "http", host, literal, port, path)


def _target(scheme: Literal["http", "https"], host: str, literal: Address | None, port: int, path: str) -> Target:
    name = f"[{host}]" if ":" in host else host
    authority = name if port == _PORTS[scheme] else f"{name}:{port}"
    return Target(
        scheme=scheme,
        host=host,
        port=port,
        literal=literal,
        path=path,
        authority=authority,
        origin=f"{scheme}://{name}:{port}",
    )


@lru_cache(maxsize=MAX_TARGETS)
def _known_place(authority: str, default_port: int) -> tuple[str, Address | None, int] | str:
    return _place(authority, default_port)


def _place(authority: str, default_port: int) -> tuple[str, Address | None, int] | str:
    if "@" in authority:
        return "the URL carries a user name or password"
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        return "the host or the port of the URL is malformed"
    port = int(match[2]) if match[2] and len(match[2]) <= 5 else 0 if match[2] else default_port
    if not 0 < port <= 65535:
        return "the port of the URL is not between 1 and 65535"
    host = _host(match[1])
    return host if isinstance(host, str) else (*host, port)


def _host(text: str) -> tuple[str, Address | None] | str:
    if text.startswith("["):
        address = parsed(text[1:-1])
        if address is None or address.version == 4:
            return "the host of the URL is not an IPv6 address, or has a zone"
        return str(address), address
    name = _ascii(text).removesuffix(".")
    if not name:
        return "the URL has no host, or one that is no valid name"
    if ends_in_number(name):
        number = spelled(name)
        return "the host of the URL is a malformed IPv4 address" if number is None else (str(number), number)
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        return "the host of the URL is no valid name"
    return name, None


def _ascii(host: str) -> str:
    # Also turns full-width digits and ideographic dots into the ones that a resolver would read.
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
