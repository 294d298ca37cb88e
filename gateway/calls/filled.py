"""From inputs with their values to the arguments of a method; values may be texts or JSON, as callers have them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import orjson

from gateway.calls.model import Access, Arguments, Rendered
from gateway.calls.render import rendered, sentence
from gateway.catalogue.call_model import Method
from gateway.catalogue.inputs import Input
from gateway.errors import Invalid, Problem

_LITERAL = ("integer", "number", "boolean", "object", "array", "json")
Given = Sequence[tuple[Input, object]]


@dataclass(slots=True)
class _Filling:
    params: dict[str, str] = field(default_factory=dict)
    query: list[tuple[str, str]] = field(default_factory=list)
    paging: list[tuple[str, str]] = field(default_factory=list)
    members: dict[str, object] = field(default_factory=dict)
    whole: bytes | None = None
    problems: list[Problem] = field(default_factory=list)


def request_with(access: Access, method: Method, given: Given) -> Rendered:
    """The vendor's request for these values; a null is a value that was not given. Invalid says what does not fit."""
    filling = _Filling()
    for one, value in given:
        if value is not None:
            _put(one, value, filling)
    if filling.problems:
        raise Invalid(sentence(method, filling.problems), tuple(filling.problems))
    call = rendered(access, method, _arguments(method, filling))
    return replace(call, query=(*call.query, *filling.paging)) if filling.paging else call


def _arguments(method: Method, filling: _Filling) -> Arguments:
    body = filling.whole
    if body is None:
        body = json.dumps(filling.members).encode() if filling.members else b""
    kind = _kind(body) if method.body == "any" else ""
    return Arguments(params=filling.params, query=tuple(filling.query), body=body, content_type=kind)


def _kind(body: bytes) -> str:
    """What a whole body is, where nobody says it."""
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return "application/xml" if body.lstrip()[:1] == b"<" else "text/plain"
    return "application/json"


def _put(one: Input, value: object, filling: _Filling) -> None:
    try:
        if one.place == "path":
            filling.params[one.name] = _text(value)
        elif one.place == "page":
            filling.paging.append((one.name, _text(value)))
        elif one.place == "query":
            filling.query += [(one.name, _text(each)) for each in _each(value)]
        elif one.place == "open":
            filling.query += [(name, _text(each)) for name, inner in _object(value) for each in _each(inner)]
        elif one.place == "body":
            filling.whole = value.encode() if isinstance(value, str) else json.dumps(value).encode()
        else:
            filling.members.update(_members(one, value))
    except ValueError as problem:  # half a surrogate pair is one too
        filling.problems.append(Problem(one.name, "is no UTF-8" if isinstance(problem, UnicodeError) else str(problem)))


def _members(one: Input, value: object) -> Mapping[str, object]:
    """The member of the body; a name with a star stands for several, which are given as an object."""
    if not one.name.endswith("*"):
        return {one.name: _typed(one, value)}
    prefix = one.name[:-1]
    return {name if name.startswith(prefix) else prefix + name: inner for name, inner in _object(value)}


def _typed(one: Input, value: object) -> object:
    """The value in the type that the vendor wants, where a text says just that."""
    kind = one.declared.type
    if kind in _LITERAL:
        return _literal(value) if isinstance(value, str) else value
    return value if isinstance(value, str | list | dict) else _text(value)


def _literal(text: str) -> object:
    try:
        # Numbers as Python has them: the fast parser would round those of more than 64 bits.
        orjson.loads(text)
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _each(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _object(value: object) -> Iterator[tuple[str, object]]:
    found = _literal(value) if isinstance(value, str) else value
    if not isinstance(found, dict):
        raise ValueError("expected an object of names and values")
    return ((str(name), inner) for name, inner in found.items() if inner is not None)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        value.encode()
        return value
    if isinstance(value, int | float):
        return str(value)
    raise ValueError("expected a text or a number")
