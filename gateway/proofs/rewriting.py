"""A request with one part of it put otherwise; for those who make deliveries, never for those who judge them."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from msgspec.structs import replace

from gateway.catalogue.locator import Locator
from gateway.catalogue.sources import Sources, octets
from gateway.proofs.received import Received

# Fractions are kept as they were written: they travel as marked texts, and the marks fall off at the end.
_MARK, _END = "\ue000", "\ue001"
_MARKED = re.compile(f'"{_MARK}([^"]*){_END}"')


@dataclass(frozen=True, slots=True)
class Place:
    """One part of a request: `header`, `query`, `form` or `body`, and its name or path there."""

    source: str
    path: str


def places(locator: Locator, sources: Sources, items: str | None = None, number: int = 0) -> list[Place]:
    """Where in a request a locator finds its text; `items` is the path of the list that `item:` belongs to."""
    chosen = locator.chosen(sources)
    if chosen is None:
        return []
    path = ".".join(chosen.path_in(sources)) if chosen.path.startswith("@") else chosen.path
    if chosen.source == "header" and path.endswith("*"):
        return [Place("header", name) for name in sorted(sources.headers) if name.startswith(path[:-1].lower())]
    if chosen.source == "item" and items is not None:
        return [Place("body", ".".join(part for part in (items, str(number), path) if part))]
    return [Place(chosen.source, path)] if chosen.source in _REWRITE else []


def put(received: Received, place: Place, value: object) -> Received:
    """The request with another value at a place; None leaves the part out. What has no such place stays as it is."""
    return _REWRITE[place.source](received, place.path, value)


def with_url(received: Received, url: str) -> Received:
    """The request as if it had come to another address."""
    return replace(received, url=url, query=url.partition("?")[2])


def _header(received: Received, path: str, value: object) -> Received:
    name, _, field = path.lower().partition("#")
    headers = dict(received.headers)
    if field and value is not None:
        pattern = re.compile(rf'((?:^|[,;])\s*{re.escape(field)}\s*=\s*"?)[^,;"]*', re.IGNORECASE)
        written, found = pattern.subn(lambda match: match[1] + str(value), headers.get(name, ""), count=1)
        headers[name] = written if found else ", ".join(part for part in (written, f"{field}={value}") if part)
    elif value is None:
        headers.pop(name, None)
    else:
        headers[name] = str(value)
    return replace(received, headers=headers)


def _query(received: Received, path: str, value: object) -> Received:
    query = _pairs(received.query, path, value)
    base = received.url.partition("?")[0]
    return replace(received, query=query, url=f"{base}?{query}" if query else base)


def _form(received: Received, path: str, value: object) -> Received:
    body = received.body.decode("utf-8", "surrogateescape")
    return replace(received, body=octets(_pairs(body, path, value)))


def _pairs(text: str, name: str, value: object) -> str:
    """The first pair of this name gets the value, or goes; one that is missing is added."""
    parts = text.split("&") if text else []
    written = f"{quote_plus(name)}={quote_plus(octets(str(value)))}"
    for number, part in enumerate(parts):
        if unquote_plus(part.partition("=")[0]) == name:
            parts[number : number + 1] = [] if value is None else [written]
            return "&".join(parts)
    return "&".join(parts if value is None else [*parts, written])


def _body(received: Received, path: str, value: object) -> Received:
    try:
        tree = json.loads(received.body, parse_float=lambda text: f"{_MARK}{text}{_END}")
    except (ValueError, RecursionError):
        return received
    tree = _set(tree, path.split(".") if path else [], value)
    text = json.dumps(tree, ensure_ascii=False, separators=(",", ":"))
    return replace(received, body=octets(_MARKED.sub(r"\1", text)))


def _set(tree: Any, steps: list[str], value: object) -> Any:
    if not steps:
        return value
    first, rest = steps[0], steps[1:]
    if isinstance(tree, dict):
        if value is None and not rest:
            return {name: inner for name, inner in tree.items() if name != first}
        return {**tree, first: _set(tree.get(first, {}), rest, value)} if first in tree or value is not None else tree
    if isinstance(tree, list) and first.isdigit() and int(first) < len(tree):
        at = int(first)
        return tree[:at] + ([] if value is None and not rest else [_set(tree[at], rest, value)]) + tree[at + 1 :]
    return tree


_REWRITE: dict[str, Callable[[Received, str, object], Received]] = {
    "header": _header,
    "query": _query,
    "form": _form,
    "body": _body,
}
