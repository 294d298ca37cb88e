"""Whether values fit the fields that a method declares; a name that ends in * stands for all that begin like it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from gateway.catalogue.call_model import Field
from gateway.catalogue.locator import plain_text
from gateway.errors import Problem

_INTEGER = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,18})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "object": dict,
    "array": list,
}


def problem_of(declared: Field, value: str) -> str | None:
    """What is wrong with a value that came as text."""
    if declared.choices and value not in declared.choices:
        return f"expected one of {', '.join(declared.choices)}"
    if declared.type == "integer" and not _INTEGER.fullmatch(value):
        return "expected a whole number"
    if declared.type == "number" and not _NUMBER.fullmatch(value):
        return "expected a number"
    if declared.type == "boolean" and value not in ("true", "false"):
        return "expected true or false"
    return None


def problem_of_json(declared: Field, value: object) -> str | None:
    """What is wrong with a value that came as JSON; null clears a field, and is let through."""
    if value is None:
        return None
    if isinstance(value, str):
        return problem_of(declared, value) if declared.choices else _wrong_kind(declared, value)
    if declared.choices and not {plain_text(one) for one in _each(value)} <= {*declared.choices}:
        return f"expected one of {', '.join(declared.choices)}"
    return _wrong_kind(declared, value)


def field_of(fields: Mapping[str, Field], name: str) -> Field | None:
    """The field of this name, or the family that it belongs to."""
    found = fields.get(name)
    if found is not None:
        return found
    return next((one for key, one in fields.items() if key.endswith("*") and name.startswith(key[:-1])), None)


def lacking(fields: Mapping[str, Field], given: Mapping[str, object]) -> Iterator[Problem]:
    """The fields that are needed and are neither given nor filled by the connector."""
    for name, declared in fields.items():
        if declared.required and declared.default is None and declared.fixed is None and given.get(name) in (None, ""):
            yield Problem(name, "is required")


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """That a name is not known, and the one that looks most like it."""
    listed = list(known)
    near = get_close_matches(name[:100], listed, n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(listed[:20])}" if listed else ""
    return f"is no {what} of this method{hint}"


def _each(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _wrong_kind(declared: Field, value: object) -> str | None:
    kind = _KINDS.get(declared.type)
    if kind is None or (isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool)):
        return None
    # A number beyond 64 bits is read as a float.
    if declared.type == "integer" and isinstance(value, float) and value.is_integer():
        return None
    if isinstance(value, str) and declared.type in ("integer", "number", "boolean"):
        return problem_of(declared, value)
    words = {"object": "an object", "array": "a list", "integer": "a whole number", "number": "a number"}
    return f"expected {words.get(declared.type, 'true or false')}"
