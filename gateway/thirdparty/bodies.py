"""Bodies made of rows: JSON, a form with brackets, XML; each value comes as a JSON text and keeps its numbers."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from gateway.calls.bodies import form
from gateway.thirdparty.naming import APPENDED, TEXT, Path, xml_name
from gateway.thirdparty.values import MOST_BODY, Refused, Room, clean

#: How deep a value of the payload may be in a form, and in XML.
DEEPEST_FORM = 16
DEEPEST_XML = 64
#: Elements or fields of one body: each takes far more memory than the character or two that it may come from.
MOST_FIELDS = 500_000
_BRACKETS = 5
_DECLARATION = "<?xml version='1.0' encoding='utf-8'?>\n"
_IN_ATTRIBUTES = {ord('"'): "&quot;", ord("\n"): "&#10;", ord("\t"): "&#09;"}
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

#: A value as JSON text; objects by their members' names, lists by their elements.
Node = bytes | dict[str, "Node"] | list["Node"]
Placed = Sequence[tuple[Path, bytes]]


def json_body(placed: Placed) -> bytes:
    """The values as one JSON object."""
    return _json(nested(placed))


def form_body(placed: Placed) -> bytes:
    """The values as the fields of a form; those of objects and lists are named with brackets."""
    room = _Fields()
    fields = _plain(nested(placed), room, 0)
    assert isinstance(fields, dict)
    return room.fitting(form(fields))


def xml_body(placed: Placed, root: str) -> bytes:
    """The values as XML elements within the root; a list repeats its element."""
    room, written = _Fields(), [_DECLARATION]
    _element(written, root, nested(placed), room)
    return room.fitting("".join(written).encode())


class _Fields(Room):
    """How much a form or XML may still grow: a name is written once for every value that stands under it."""

    def __init__(self) -> None:
        super().__init__(MOST_BODY)
        self._fields = MOST_FIELDS

    def take(self, size: int) -> None:
        """Take one field or element of so many characters."""
        self.take_more(size)
        self._fields -= 1
        if self._fields < 0:
            raise Refused(f"makes a body of more than {MOST_FIELDS} fields or elements")

    def take_more(self, size: int) -> None:
        """Take so many characters within one."""
        super().take(size)

    def fitting(self, body: bytes) -> bytes:
        """The body; Refused where it grew beyond the limit as it was encoded."""
        if len(body) > MOST_BODY:
            self.take_more(len(body))
        return body


def nested(placed: Placed) -> Node:
    """The values where their paths say; of a list, what is missing leaves no gap."""
    tree: dict[Any, Any] = {}
    for path, value in placed:
        node = tree
        for step in path[:-1]:
            node = node.setdefault(step, {})
        if path[-1] == APPENDED:
            node.setdefault(APPENDED, []).append(value)
        else:
            node[path[-1]] = value
    return _finished(tree)


def _finished(node: Any) -> Node:
    if not isinstance(node, dict):
        found: Node = node
        return found
    if APPENDED in node:
        return list(node[APPENDED])
    if any(isinstance(step, int) for step in node):
        return [_finished(node[place]) for place in sorted(node)]
    return {name: _finished(inner) for name, inner in node.items()}


def _json(node: Node) -> bytes:
    if isinstance(node, bytes):
        return node
    if isinstance(node, list):
        return b"[%b]" % b",".join([_json(one) for one in node])
    return b"{%b}" % b",".join([orjson.dumps(name) + b":" + _json(one) for name, one in node.items()])


def _plain(node: Node, room: Room, longer: int) -> object:
    """The value of a node whose name has so many characters."""
    if isinstance(node, bytes):
        return _bounded(_read(node, "a form"), DEEPEST_FORM, room, longer)
    if isinstance(node, list):
        return [_plain(one, room, longer + _BRACKETS) for one in node]
    return {name: _plain(one, room, longer + len(name) + _BRACKETS) for name, one in node.items()}


def _read(value: bytes, where: str) -> object:
    try:
        # Numbers as they were written: as numbers they would be rounded.
        found: object = json.loads(value, parse_int=str, parse_float=str)
    except RecursionError:
        raise Refused(f"is nested deeper than {where} can be") from None
    return found


def _bounded(value: object, levels: int, room: Room, longer: int) -> object:
    room.take(longer + (len(value) if isinstance(value, str) else 0))
    if isinstance(value, str):
        return clean(value)
    if not isinstance(value, dict | list):
        return value
    if not levels:
        raise Refused("is nested deeper than a form can be")
    if isinstance(value, list):
        return [_bounded(inner, levels - 1, room, longer + _BRACKETS) for inner in value]
    return {
        clean(key): _bounded(inner, levels - 1, room, longer + len(key) + _BRACKETS) for key, inner in value.items()
    }


def _element(written: list[str], name: str, node: Node, room: _Fields) -> None:
    if isinstance(node, bytes):
        _valued(written, name, _read(node, "XML"), DEEPEST_XML, room)
    elif isinstance(node, list):
        for one in node:
            _element(written, name, one, room)
    else:
        begun = _begin(written, name, _attributes(node), room)
        if TEXT in node:
            _say(written, _scalar(node[TEXT]))
        for inner_name, inner in node.items():
            if inner_name != TEXT and not inner_name.startswith("@"):
                _element(written, inner_name, inner, room)
        _end(written, name, begun)


def _valued(written: list[str], name: str, value: object, levels: int, room: _Fields) -> None:
    if not levels:
        raise Refused("is nested deeper than XML can be")
    if isinstance(value, list):
        for inner in value:
            _valued(written, name, inner, levels - 1, room)
        return
    begun = _begin(written, name, "", room)
    if isinstance(value, dict):
        for key, inner in value.items():
            _valued(written, xml_name(key), inner, levels - 1, room)
    else:
        text = _text(value)
        room.take_more(len(text))
        _say(written, text)
    _end(written, name, begun)


def _begin(written: list[str], name: str, attributes: str, room: _Fields) -> int:
    """The start of an element; where it stands."""
    room.take(2 * len(name) + _BRACKETS + len(attributes))
    written.append(f"<{name}{attributes}>")
    return len(written)


def _end(written: list[str], name: str, begun: int) -> None:
    if len(written) == begun:
        written[-1] = written[-1][:-1] + " />"
    else:
        written.append(f"</{name}>")


def _say(written: list[str], text: str) -> None:
    if text:
        written.append(_escaped(text))


def _attributes(node: Mapping[str, Node]) -> str:
    found = {name[1:]: _escaped(_scalar(inner)) for name, inner in node.items() if name.startswith("@")}
    return "".join([f' {name}="{value.translate(_IN_ATTRIBUTES)}"' for name, value in found.items()])


def _escaped(text: str) -> str:
    # Readers take a carriage return that stands by itself for a line break.
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace("\r", "&#13;")


def _scalar(node: Node) -> str:
    """An attribute, or the text beside attributes; of an object or a list, its JSON text."""
    if not isinstance(node, bytes):
        return _NO_XML.sub("\ufffd", _json(node).decode("utf-8", "replace"))
    value = _read(node, "XML")
    return _NO_XML.sub("\ufffd", node.decode("utf-8", "replace")) if isinstance(value, dict | list) else _text(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else _NO_XML.sub("\ufffd", str(value))
