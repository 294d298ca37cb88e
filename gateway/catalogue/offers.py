"""What a connector offers on the Open Connectors wire: its resources, and every method under the vendor's own path."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote, unquote_to_bytes

from gateway.catalogue.call_model import Field, Method, Resource
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.locator import Locator
from gateway.catalogue.model import Connector
from gateway.catalogue.read_methods import takes
from gateway.catalogue.sources import Sources
from gateway.catalogue.table import nearest
from gateway.catalogue.template import Part, Template, Word

#: Who has a verb at a path.
Taken = dict[tuple[str, str], str]
Act = Literal["list", "get", "create", "update", "delete", "call"]
VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_VERBS_OF: Mapping[str, tuple[str, ...]] = {
    "list": ("GET",), "get": ("GET",), "create": ("POST",), "update": ("PUT", "PATCH"), "delete": ("DELETE",),
}  # fmt: skip
_BY_ID = ("get", "update", "delete")
_NAME_PART = re.compile(r"\{(\w+)\}")
_GIVEN_BY_GATEWAY = frozenset({"verb", "callback_url", "from", "now", "access_token"})
_LONGEST_PATH = 4_096
_MOST_NAMED = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One thing that can be asked: verbs and a path of ours, and the method that it becomes.

    `needs` are the names that the method's templates need; `words` those of them that the query gives, not the path.
    """

    verbs: tuple[str, ...]
    path: tuple[Part, ...]
    act: Act
    method: Method
    resource: Resource | None
    needs: frozenset[str]
    words: frozenset[str]

    @property
    def is_list(self) -> bool:
        """Whether the answer is a list that may have pages."""
        return self.act == "list" or self.method.paginate is not None

    def written(self, sources: Sources) -> str:
        """The path for people, with an instance's own values in it and its parameters in braces."""
        return "".join([_written(part, sources) for part in self.path])


@dataclass(frozen=True, slots=True)
class Found:
    """The offer that a request met, and the values in its path as they were meant."""

    offer: Offer
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NoVerb:
    """The path is known, for other verbs."""

    allowed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no such path, and what looks most like it or is there instead."""

    hint: str


@dataclass(frozen=True, slots=True)
class _Matcher:
    offer: Offer
    pattern: re.Pattern[str]
    places: tuple[Word | Locator, ...]
    order: tuple[int, ...]


class Offers:
    """All offers of one connector, found by verb and path."""

    def __init__(self, connector: Connector) -> None:
        self._defaults = connector.value_defaults
        self.all = tuple(_all(connector))
        ordered = sorted(map(_matcher, self.all), key=lambda one: one.order)
        self._by_start: dict[str, list[_Matcher]] = {}
        for one in ordered:
            self._by_start.setdefault(_start(one.offer), []).append(one)

    def find(self, verb: str, path: str, config: ConfigView) -> Found | NoVerb | Unknown:
        """What a percent-encoded path, without a slash before it, asks for."""
        if len(path) > _LONGEST_PATH:
            return Unknown("; the path is too long")
        asked = _canonical(path)
        start = asked.partition("/")[0]
        allowed: set[str] = set()
        for one in [*self._by_start.get(start, ()), *self._by_start.get("", ())]:
            values = self._values(one, asked, config)
            if values is None:
                continue
            if verb in one.offer.verbs:
                return Found(one.offer, values)
            allowed.update(one.offer.verbs)
        if allowed:
            return NoVerb(tuple(name for name in VERBS if name in allowed))
        return Unknown(self._hint(unquote(start)))

    @property
    def names(self) -> tuple[str, ...]:
        """The first words of what is offered, resources first."""
        named = (offer.resource.name for offer in self.all if offer.resource is not None)
        starts = (start for offer in self.all if (start := unquote(_start(offer))))
        return tuple(dict.fromkeys([*(name.partition("/")[0] for name in named), *starts]))

    def _values(self, one: _Matcher, asked: str, config: ConfigView) -> Mapping[str, str] | None:
        match = one.pattern.fullmatch(asked)
        if match is None:
            return None
        values: dict[str, str] = {}
        for place, text in zip(one.places, match.groups(), strict=True):
            given = unquote(text, errors="surrogateescape")
            if isinstance(place, Word):
                values[place.name] = given
            elif given != (place.text(Sources(config=config, defaults=self._defaults)) or ""):
                return None
        return values

    def _hint(self, start: str) -> str:
        near = nearest(start[:100], self.names)
        return near or f"; known are {', '.join(self.names[:_MOST_NAMED])}" if self.names else "; it has none"


def _id_place(method: Method, given: Sequence[str]) -> str | None:
    """The parameter that a resource's id feeds: the last one of the path, else the only one that is needed."""
    open_words = [part.name for part in _words(method.request.path) if part.name not in (*given, "verb")]
    if open_words:
        return open_words[-1]
    needed = [name for name, one in {**method.query, **method.fields}.items() if _is_needed(one) and name not in given]
    if len(needed) == 1 and takes(method, needed[0]):
        return needed[0]
    return "id" if "id" in method.query or "id" in method.fields else None


def _all(connector: Connector) -> Iterator[Offer]:
    taken: Taken = {}
    for resource in connector.resources.values():
        for act, method_id in resource.methods.items():
            yield from _free(_of_resource(resource, act, connector.methods[method_id]), taken)
    for method in connector.methods.values():
        for offer in _of_method(method):
            free = [*_free(offer, taken)]
            yield from free
            if free or all(taken[place] == method.id for place in _places(offer)):
                break


def _places(offer: Offer) -> list[tuple[str, str]]:
    shape = _NAME_PART.sub("{}", offer.written(_SHAPE))
    return [(verb, shape) for verb in offer.verbs]


def _free(offer: Offer, taken: Taken) -> Iterator[Offer]:
    """The offer for those of its verbs that nobody else has at this path."""
    free = [place for place in _places(offer) if place not in taken]
    taken.update(dict.fromkeys(free, offer.method.id))
    verbs = tuple(verb for verb, _ in free)
    if verbs:
        yield Offer(
            verbs=verbs,
            path=offer.path,
            act=offer.act,
            method=offer.method,
            resource=offer.resource,
            needs=offer.needs,
            words=offer.words,
        )


def _of_resource(resource: Resource, act: str, method: Method) -> Offer:
    path: list[Part] = []
    for n, text in enumerate(_NAME_PART.split(resource.name)):
        path += ([Word(text)] if n % 2 else [text]) if text else []
    given = [part.name for part in path if isinstance(part, Word)]
    place = _id_place(method, given) if act in _BY_ID else None
    if place is not None:
        path += ["/", Word(place)]
    needs = _needs(method)
    return Offer(
        verbs=_VERBS_OF[act],
        path=tuple(path),
        act=_ACTS[act],
        method=method,
        resource=resource,
        needs=needs,
        words=needs - {*given, place or ""},
    )


def _of_method(method: Method) -> Iterator[Offer]:
    """The method under the vendor's path; and under its own id, where others have that path."""
    verbs = VERBS if method.request.verb == "{verb}" else (method.request.verb,)
    needs, own = _needs(method), list[Part]([method.id])
    for word in _words(method.request.path):
        own += ["/", word]
    for path in (_vendor_path(method.request.path), tuple(own)):
        given = {part.name for part in path if isinstance(part, Word)}
        yield Offer(verbs=verbs, path=path, act="call", method=method, resource=None, needs=needs, words=needs - given)


def _vendor_path(template: Template) -> tuple[Part, ...]:
    """The path of a template without the host before it, the query behind it, and slashes around it."""
    parts = list(template.parts)
    if parts and isinstance(parts[0], str):
        parts[0] = re.sub(r"^https://[^/]*", "", parts[0])
    elif len(parts) > 1 and isinstance(parts[0], Locator) and isinstance(parts[1], str) and parts[1].startswith("/"):
        del parts[0]
    for n, part in enumerate(parts):
        if isinstance(part, str) and "?" in part:
            parts[n:] = [part.partition("?")[0]]
            break
    if parts and isinstance(parts[0], str):
        parts[0] = parts[0].lstrip("/")
    if parts and isinstance(parts[-1], str):
        parts[-1] = parts[-1].rstrip("/")
    return tuple(part for part in parts if part != "")


def _needs(method: Method) -> frozenset[str]:
    fixed = [one.fixed for one in (*method.query.values(), *method.fields.values()) if one.fixed is not None]
    templates = [method.request.path, *fixed, *method.headers.values()]
    return frozenset(word for template in templates for word in template.words) - _GIVEN_BY_GATEWAY


def _words(template: Template) -> list[Word]:
    return [part for part in template.parts if isinstance(part, Word)]


def _is_needed(field: Field) -> bool:
    return field.required and field.default is None and field.fixed is None


def _matcher(offer: Offer) -> _Matcher:
    pattern = [re.escape(quote(part, safe="/")) if isinstance(part, str) else _group(part) for part in offer.path]
    places = tuple(part for part in offer.path if not isinstance(part, str))
    return _Matcher(offer, re.compile("".join(pattern) + "/?"), places, _order(offer))


def _group(part: Word | Locator) -> str:
    if isinstance(part, Locator):
        return "(.*?)" if part.wide else "([^/]*)"
    return "(.+)" if part.wide else "([^/]+)"


def _order(offer: Offer) -> tuple[int, ...]:
    """What is fixed goes before what is open, step by step; a resource before a method."""
    steps: list[int] = [0]
    for part in offer.path:
        if isinstance(part, str):
            steps += [0] * part.count("/")
        else:
            steps[-1] = max(steps[-1], 2 if part.wide else 1)
    return (*steps, -1 if offer.resource is not None else 0)


def _start(offer: Offer) -> str:
    """The first step of the path where it is fixed, percent-encoded; else empty."""
    first = offer.path[0] if offer.path else ""
    if not isinstance(first, str) or (len(offer.path) > 1 and "/" not in first):
        return ""
    return quote(first.partition("/")[0], safe="")


def _canonical(path: str) -> str:
    return "/".join([quote(unquote_to_bytes(step), safe="") for step in path.split("/")])


def _written(part: Part, sources: Sources) -> str:
    if isinstance(part, str):
        return part
    return f"{{{part.name}}}" if isinstance(part, Word) else quote(part.text(sources) or "", safe="/")


_ACTS: Mapping[str, Act] = {"list": "list", "get": "get", "create": "create", "update": "update", "delete": "delete"}
_SHAPE = Sources()
