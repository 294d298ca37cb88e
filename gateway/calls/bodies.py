"""The body of a call: checked against the declared fields, passed on to the byte where nothing has to be added."""

import json
from collections.abc import Mapping
from itertools import chain
from urllib.parse import quote, urlencode

import orjson

from gateway.calls.fields import field_of, lacking, problem_of_json, unknown
from gateway.calls.model import Arguments
from gateway.calls.nesting import has_depth, nested
from gateway.catalogue.call_model import Field, Method
from gateway.errors import Problem

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_DEEPEST_FORM = 16
Made = tuple[bytes, str, list[Problem]]


def body_of(method: Method, arguments: Arguments) -> Made:
    """The bytes and their type, and what is wrong with them."""
    if method.body is None:
        problems = [Problem("body", "is not taken by this method")] if arguments.body.strip() else []
        return b"", "", problems
    if method.body == "raw":
        return arguments.body, arguments.content_type or "application/octet-stream", []
    if method.body == "any" and not (arguments.body and _says_json(arguments)):
        return arguments.body, arguments.content_type if arguments.body else "", []
    return _structured(method, arguments)


def _structured(method: Method, arguments: Arguments) -> Made:
    try:
        value = orjson.loads(arguments.body or b"{}")
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        return b"", "", [Problem("body", f"is not valid JSON ({error.msg} at {where})")]
    if method.body == "any" or (not isinstance(value, dict) and not method.fields):
        return arguments.body, _JSON, []
    if not isinstance(value, dict):
        return b"", "", [Problem("body", "expected a JSON object")]
    problems = _problems(method, value)
    if problems:
        return b"", "", problems
    added = _defaults(method, value)
    if has_depth(method.fields):
        return _nested(method, arguments.body or b"{}", added)
    if method.body == "form":
        return _formed(arguments.body or b"{}", value, added)
    return _with_members(arguments.body or b"{}", added, empty=not value), _JSON, []


def _nested(method: Method, body: bytes, added: Mapping[str, object]) -> Made:
    try:
        # Not by the fast parser, which rounds numbers of more than 64 bits.
        value = nested(method.fields, {**added, **json.loads(body)})
        text = json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        return b"", "", [Problem("body", "is nested too deeply")]
    return _formed(text, value, {}) if method.body == "form" else (text, _JSON, [])


def _formed(body: bytes, value: Mapping[str, object], added: Mapping[str, object]) -> Made:
    try:
        # Numbers as they were written: as numbers they would be rounded.
        exact = json.loads(body, parse_int=str, parse_float=str)
    except RecursionError:
        exact = None
    if exact is None or _is_deeper(value, _DEEPEST_FORM):
        return b"", "", [Problem("body", f"is nested deeper than the {_DEEPEST_FORM} levels that a form can have")]
    return form({**added, **exact}), _FORM, []


def _with_members(body: bytes, added: Mapping[str, object], *, empty: bool) -> bytes:
    """An object with further members; what was there stays to the byte."""
    if not added:
        return body
    rest = body.lstrip()[1:]
    return orjson.dumps(added)[:-1] + (b"" if empty else b",") + rest


def _is_deeper(value: object, levels: int) -> bool:
    row = [value]
    for _ in range(levels):
        row = list(chain.from_iterable(_members(one) for one in row))
    return any(isinstance(one, dict | list) for one in row)


def _members(value: object) -> list[object]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def form(value: Mapping[str, object]) -> bytes:
    """A form of an object; objects and lists in it are written with brackets, as most vendors read them."""
    pairs = [pair for name, inner in value.items() for pair in _pairs(name, inner)]
    return urlencode(pairs, quote_via=quote, safe="", errors="surrogatepass").encode()


def _pairs(name: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for key, inner in value.items() for pair in _pairs(f"{name}[{key}]", inner)]
    if isinstance(value, list):
        return [pair for inner in value for pair in _pairs(name if name.endswith("[]") else f"{name}[]", inner)]
    if isinstance(value, bool):
        return [(name, "true" if value else "false")]
    return [(name, "" if value is None else str(value))]


def _problems(method: Method, value: Mapping[str, object]) -> list[Problem]:
    problems = []
    for name, inner in value.items() if method.fields else ():
        declared = field_of(method.fields, name)
        if declared is None:
            problems.append(Problem(name, unknown("field", name, method.fields)))
        elif text := problem_of_json(declared, inner):
            problems.append(Problem(name, text))
    return problems + list(lacking(method.fields, value))


def _defaults(method: Method, value: Mapping[str, object]) -> dict[str, object]:
    return {
        name: _typed(declared)
        for name, declared in method.fields.items()
        if declared.default is not None and name not in value
    }


def _typed(declared: Field) -> object:
    text = declared.default or ""
    if declared.type in ("integer", "number", "boolean", "object", "array"):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    return text


def _says_json(arguments: Arguments) -> bool:
    kind = arguments.content_type.partition(";")[0].strip().lower()
    return kind in ("", _JSON) or kind.endswith("+json")
