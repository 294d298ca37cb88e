"""Templates filled in from one event: texts of bounded length, and values as JSON texts, numbers to the byte."""

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from urllib.parse import quote

import orjson

from gateway.catalogue.contexts import THIRD_PARTY
from gateway.catalogue.locator import Locator
from gateway.catalogue.sources import octets
from gateway.catalogue.template import Template, compile_template
from gateway.thirdparty.facts import FACTS, Material
from gateway.thirdparty.model import DataRow
from gateway.thirdparty.naming import DEEPEST

MOST_BODY = 32 << 20
_HALF = re.compile("[\ud800-\udfff]")


class Number(str):
    """A number of a JSON text, as it was written."""

    __slots__ = ()


Tree = Template | Mapping[str, "Tree"] | tuple["Tree", ...] | Number | bool | None


class Refused(Exception):
    """This event makes no value here; the message says why."""


class Room:
    """How much a body may still grow."""

    def __init__(self, most: int) -> None:
        self._most = self._left = most

    def take(self, size: int) -> None:
        """Take so many bytes of it; Refused where there are not so many left."""
        self._left -= size
        if self._left < 0:
            raise Refused(f"makes a body of more than {self._most} bytes")


@lru_cache(maxsize=4096)
def template_of(text: str) -> Template:
    """The compiled template; ValueError says what was expected."""
    template = compile_template(text, THIRD_PARTY)
    for alternative in (one for locator in template.locators for one in locator.alternatives):
        if alternative.source == "event" and alternative.path not in FACTS:
            raise ValueError(f"event:{alternative.path[:40]} is not known; known are {', '.join(FACTS)}")
        if alternative.path.startswith("@"):
            raise ValueError("a path cannot come from a configuration here")
    return template


@lru_cache(maxsize=1024)
def tree_of(text: str) -> Tree:
    """The compiled JSON value whose texts are templates; ValueError says what was expected."""
    try:
        value = json.loads(text, parse_int=Number, parse_float=Number, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not valid JSON ({error.msg} at line {error.lineno}, column {error.colno})") from error
    except RecursionError as error:
        raise ValueError(f"is nested deeper than {DEEPEST} levels") from error
    return _tree(value, DEEPEST)


def text(template: Template, material: Material, most: int) -> str:
    """The text; what is missing is empty. Refused where it becomes longer than it may."""
    return clean(_joined(template, material, most, lambda _, found: found))


def address(template: Template, material: Material, most: int) -> str:
    """The text with every placeholder percent-encoded."""

    def encoded(place: Locator, found: str) -> str:
        return quote(octets(clean(found[: most + 1])), safe="/" if place.wide else "")

    return _joined(template, material, most, encoded)


def json_of(row: DataRow, material: Material, room: Room) -> bytes | None:
    """The value of a row as JSON text; None where it is a placeholder that finds nothing."""
    tree = tree_of(row.value) if row.kind == "json" else template_of(row.value)
    return _written(tree, material, room)


def clean(given: str) -> str:
    """The text without halves of surrogate pairs."""
    return _HALF.sub("\ufffd", given)


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} is not JSON")


def _tree(value: object, levels: int) -> Tree:
    if not levels:
        raise ValueError(f"is nested deeper than {DEEPEST} levels")
    if isinstance(value, Number) or value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return template_of(value)
    if isinstance(value, dict):
        return {clean(key): _tree(inner, levels - 1) for key, inner in value.items()}
    assert isinstance(value, list)
    return tuple(_tree(inner, levels - 1) for inner in value)


def _joined(template: Template, material: Material, most: int, write: Callable[[Locator, str], str]) -> str:
    pieces: list[str] = []
    for part in template.parts:
        piece = part if isinstance(part, str) else ""
        if isinstance(part, Locator):
            piece = write(part, part.text(material.sources) or "")
        most -= len(piece)
        if most < 0:
            raise Refused("becomes too long")
        pieces.append(piece)
    return "".join(pieces)


def _written(tree: Tree, material: Material, room: Room) -> bytes | None:
    """The JSON text of a value; members and elements that are missing are left out."""
    if isinstance(tree, Template):
        found = _leaf(tree, material)
    elif isinstance(tree, Mapping):
        members = [(key, _written(inner, material, room)) for key, inner in tree.items()]
        found = b"{%b}" % b",".join([orjson.dumps(key) + b":" + one for key, one in members if one is not None])
    elif isinstance(tree, tuple):
        elements = [_written(inner, material, room) for inner in tree]
        found = b"[%b]" % b",".join([one for one in elements if one is not None])
    else:
        found = tree.encode() if isinstance(tree, Number) else orjson.dumps(tree)
    room.take(0 if found is None else len(found))
    return found


def _leaf(template: Template, material: Material) -> bytes | None:
    parts = template.parts
    if len(parts) != 1 or not isinstance(parts[0], Locator):
        return orjson.dumps(text(template, material, MOST_BODY))
    found = parts[0].find(material.sources)
    if found is None:
        return None
    if not material.odd and isinstance(found, str | bool | int):
        return orjson.dumps(clean(found) if isinstance(found, str) else found)
    place = parts[0].chosen(material.sources)
    part = material.document.part(place.steps) if place is not None and place.source == "body" else None
    return orjson.dumps(clean(str(found))) if part is None else part
