"""Locators: `source:path`, alternatives joined by `??`; compiled once, evaluated without any parsing."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from gateway.catalogue.document import walk
from gateway.catalogue.sources import Sources

Find = Callable[[Sources], object]

_FIELD = re.compile(r"\s*[,;]\s*")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_STEP = re.compile(r"('[^']+')|([^.']+)")
_QUOTED = re.compile(r"(?:'[^']+'|[^.']+)(?:\.(?:'[^']+'|[^.']+))*")
_SOURCE = re.compile(r"([a-z]+):(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Alternative:
    """One `source:path`; `find` returns None where there is nothing."""

    source: str
    path: str
    find: Find
    steps: tuple[str, ...] = ()

    @property
    def config_key(self) -> str | None:
        """The configuration entry that this depends on."""
        if self.path.startswith("@"):
            return self.path[1:]
        return self.path if self.source == "config" else None

    def path_in(self, sources: Sources) -> tuple[str, ...]:
        """The path as member names and list positions."""
        return _steps(sources.setting(self.path[1:]) or "") if self.path.startswith("@") else self.steps


@dataclass(frozen=True, slots=True)
class Locator:
    """A place in a request, a record or a configuration; `wide`: in a URL its slashes stay."""

    source_text: str
    alternatives: tuple[Alternative, ...]
    find: Find
    """The first value that is there and not null."""
    config_keys: tuple[str, ...] = ()
    """The configuration entries that it depends on."""
    wide: bool = False

    def chosen(self, sources: Sources) -> Alternative | None:
        """The alternative that `find` takes its value from."""
        return next((a for a in self.alternatives if a.find(sources) is not None), None)

    def text(self, sources: Sources) -> str | None:
        """The value as text; None where there is none, or where it is an object or a list."""
        value = self.find(sources)
        if value is None or type(value) is str:
            return value
        return self._as_written(sources) if type(value) is float else plain_text(value)

    def _as_written(self, sources: Sources) -> str | None:
        """The number's own characters: the fast parser rounds, and 2^64 and 2^64 + 1 would become one object."""
        place = self.chosen(sources)
        document = sources.documents.get(place.source) if place is not None else None
        if place is None or document is None or not isinstance(walk(document.value, place.path_in(sources)), float):
            return plain_text(self.find(sources.exact()))
        part = document.part(place.path_in(sources))
        return None if part is None else part.decode()

    def texts(self, sources: Sources) -> list[str]:
        """Every text that is there: a header pattern may meet several."""
        value = self.find(sources)
        if type(value) is str:
            return [value]
        if isinstance(value, list):
            return [text for text in map(plain_text, value) if text is not None]
        text = plain_text(value)
        return [] if text is None else [text]


@lru_cache(maxsize=4096)
def compile_locator(text: str, allowed: frozenset[str], default: str | None = None) -> Locator:
    """Compiles a locator; ValueError says what was expected. A bare path belongs to the default source."""
    parts = text.split("??") if "??" in text else (text,)
    alternatives = tuple([_alternative(part.strip(), allowed, default) for part in parts])
    depends = tuple([one.config_key for one in alternatives if one.config_key is not None])
    return Locator(text, alternatives, _first(alternatives), depends)


def plain_text(value: object) -> str | None:
    """A single JSON value as text; objects, lists and null have none."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else None


def _first(alternatives: tuple[Alternative, ...]) -> Find:
    if len(alternatives) == 1:
        return alternatives[0].find

    finds = tuple([alternative.find for alternative in alternatives])

    def find(sources: Sources) -> object:
        for one in finds:
            value = one(sources)
            if value is not None:
                return value
        return None

    return find


def _alternative(text: str, allowed: frozenset[str], default: str | None) -> Alternative:
    match = _SOURCE.fullmatch(text)
    source, path = (match[1], match[2]) if match else (default, text)
    if source is None or source not in allowed:
        raise ValueError(f"{text!r} is no locator here; expected source:path with a source of {_listed(allowed)}")
    _check_path(source, path)
    find = _indirect(source, path[1:]) if path.startswith("@") else _MAKERS[source](path)
    return Alternative(source, path, find, _steps(path))


def _listed(words: frozenset[str]) -> str:
    return ", ".join(sorted(words))


def _check_path(source: str, path: str) -> None:
    if path.startswith("@") and not _NAME.fullmatch(path[1:]):
        raise ValueError(f"{path!r} names no configuration entry")
    if source in {"header", "query", "form", "sig", "config", "event"} and not path:
        raise ValueError(f"{source}: needs a name")
    if "'" in path and not _QUOTED.fullmatch(path):
        raise ValueError(
            f"{path!r} is no path; expected names joined by dots, one with a dot in it written 'in.quotes'"
        )
    if source in {"body", "item", "last", "token"} and path and "" in _steps(path):
        raise ValueError(f"{path!r} is no path; expected names joined by single dots")


def _steps(path: str) -> tuple[str, ...]:
    if "'" in path:
        return tuple([quoted[1:-1] if quoted else plain for quoted, plain in _STEP.findall(path)])
    return tuple(path.split(".")) if path else ()


def _indirect(source: str, key: str) -> Find:
    make = _MAKERS[source]

    def find(sources: Sources) -> object:
        path = sources.setting(key)
        # An empty path would be the whole body: as an id that is never meant.
        return make(path)(sources) if path else None

    return find


def _header(path: str) -> Find:
    name, _, field = path.lower().partition("#")
    if field:
        return lambda sources: _field_of(sources.headers.get(name), field)
    if name.endswith("*"):
        return lambda sources: _matching(sources.headers, name[:-1])
    return lambda sources: sources.headers.get(name)


def _field_of(value: str | None, field: str) -> str | None:
    for part in _FIELD.split(value or ""):
        name, separator, found = part.partition("=")
        if separator and name.strip().lower() == field:
            return found.strip().strip('"')
    return None


def _matching(headers: Mapping[str, str], prefix: str) -> object:
    return [headers[name] for name in sorted(headers) if name.startswith(prefix)] or None


def _body(path: str) -> Find:
    steps = _steps(path)
    if len(steps) == 1:
        return _member(steps[0])
    if len(steps) == 2:
        return _body_member(*steps)
    return lambda sources: walk(sources.body, steps)


def _member(name: str) -> Find:
    def find(sources: Sources) -> object:
        value = sources.body
        return value.get(name) if type(value) is dict else walk(value, (name,))

    return find


def _body_member(outer: str, inner: str) -> Find:
    """The commonest path of all, spelled out: it is looked up several times for every event."""

    def find(sources: Sources) -> object:
        value = sources.body
        if type(value) is dict:
            value = value.get(outer)
            if type(value) is dict:
                return value.get(inner)
        return walk(sources.body, (outer, inner))

    return find


def _item(path: str) -> Find:
    steps = _steps(path)
    return lambda sources: walk(sources.item.value, steps) if sources.item is not None else None


def _last(path: str) -> Find:
    steps = _steps(path)
    return lambda sources: walk(sources.last, steps)


def _token(path: str) -> Find:
    steps = _steps(path)
    return lambda sources: walk(sources.token, steps)


def _const(path: str) -> Find:
    def find(_sources: Sources) -> object:
        return path

    return find


_MAKERS: Mapping[str, Callable[[str], Find]] = {
    "header": _header,
    "query": lambda path: lambda sources: sources.query.get(path),
    "form": lambda path: lambda sources: sources.form.get(path),
    "body": _body,
    "item": _item,
    "last": _last,
    "sig": lambda path: lambda sources: sources.sig.get(path),
    "config": lambda path: lambda sources: sources.setting(path),
    "token": _token,
    "const": _const,
    # Facts that the gateway itself knows, filled in as words are.
    "event": lambda path: lambda sources: sources.words.get(path),
}
SOURCES = frozenset(_MAKERS)
