"""JSON texts as vendors write them: their values, their numbers as written, and byte-exact parts of them."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from json import JSONDecodeError
from typing import Literal, NoReturn, TypeVar

import msgspec
import orjson

T = TypeVar("T")

MAX_DEPTH = 512
_BOM = b"\xef\xbb\xbf"
_SPACE = re.compile(r"[ \t\n\r]*")
# The closing quote may be missing: else every quote behind it would be tried up to the end.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NO_BRACKET = bytes(set(range(256)) - set(b"[{]}"))
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw]).decode


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a text is not used as JSON."""

    reason: Literal["not_json", "too_deep"]


class Document(msgspec.Struct, eq=False):
    """One JSON text and its value; parts are cut out of the text and never written anew.

    `made` where the text is the gateway's own, since the vendor sent something else than JSON.
    """

    raw: bytes
    value: object
    made: bool = False
    _exact: "Document | None" = None

    def exact(self) -> "Document":
        """The same text with every number as the characters it was written in."""
        if self._exact is None:
            self._exact = Document(self.raw, _decode_exactly(self.raw.decode()), self.made)
        return self._exact

    def part(self, path: Sequence[str]) -> bytes | None:
        """The bytes of the value at a path; of equal keys the last counts, as everywhere."""
        if not path:
            return self.raw
        try:
            return self._cut(path)
        except (ValueError, RecursionError):  # half a surrogate pair
            text = self.raw.decode()
            span: tuple[int, int] | None = (_start(text, 0), len(text))
            for name in path:
                span = _child(text, span[0], name) if span else None
            return text[span[0] : span[1]].encode() if span else None

    def elements(self, path: Sequence[str]) -> "list[Document]":
        """The elements of the list at a path, each a document of its own; no list is an empty one."""
        values = walk(self.value, path)
        raw = self.part(path)
        if not isinstance(values, list) or raw is None:
            return []
        try:
            return [Document(bytes(one), value) for one, value in zip(_ELEMENTS(raw), values, strict=True)]
        except (ValueError, RecursionError):
            text = raw.decode()
            spans = _element_spans(text, _start(text, 0))
            return [Document(text[a:b].encode(), value) for (a, b), value in zip(spans, values, strict=True)]

    def _cut(self, path: Sequence[str]) -> bytes | None:
        """Level by level, by a parser that leaves each member as the bytes it was written in."""
        raw: bytes | msgspec.Raw | None = self.raw
        value = self.value
        for name in path:
            if raw is None:
                return None
            if type(value) is dict:
                raw, value = _MEMBERS(raw).get(name), value.get(name)
            elif type(value) is list:
                raw, value = _at(_ELEMENTS(raw), name), _at(value, name)
            else:
                return None
        return None if raw is None else bytes(raw)


class Parted(Document):
    """A document that many parts are cut out of: each object and list is taken apart once, not for each of them."""

    _parts: dict[tuple[str, ...], bytes | None] = msgspec.field(default_factory=dict)
    _inside: dict[tuple[str, ...], dict[str, msgspec.Raw] | list[msgspec.Raw] | None] = msgspec.field(
        default_factory=dict
    )

    def part(self, path: Sequence[str]) -> bytes | None:
        """The same, remembered."""
        place = tuple(path)
        if place not in self._parts:
            self._parts[place] = Document.part(self, place)
        return self._parts[place]

    def _cut(self, path: Sequence[str]) -> bytes | None:
        raw = self._raw(tuple(path))
        return None if raw is None else bytes(raw)

    def _raw(self, path: tuple[str, ...]) -> bytes | msgspec.Raw | None:
        if not path:
            return self.raw
        found = self._members(path[:-1])
        return _at(found, path[-1]) if isinstance(found, list) else found.get(path[-1]) if found else None

    def _members(self, path: tuple[str, ...]) -> dict[str, msgspec.Raw] | list[msgspec.Raw] | None:
        if path not in self._inside:
            value, raw = walk(self.value, path), self._raw(path)
            if raw is None or not isinstance(value, dict | list):
                self._inside[path] = None
            else:
                self._inside[path] = _MEMBERS(raw) if isinstance(value, dict) else _ELEMENTS(raw)
        return self._inside[path]


def read(raw: bytes) -> Document | Unreadable:
    """Reads a JSON text; what the fast parser refuses although it is JSON is read by the slow one."""
    if raw.startswith(_BOM):
        raw = raw[len(_BOM) :]
    try:
        value = orjson.loads(raw)
    except JSONDecodeError:
        return _read_odd(raw)
    return Unreadable("too_deep") if _too_deep(raw, value) else Document(raw, value)


def walk(value: object, path: Sequence[str]) -> object:
    """The value at a path of member names and list positions; None where there is none."""
    for name in path:
        if type(value) is dict:
            value = value.get(name)
        elif type(value) is list:
            value = _at(value, name)
        else:
            return None
    return value


def depth(raw: bytes) -> int:
    """How deep brackets are nested, strings left out; counted to one level beyond the maximum."""
    steps = memoryview(_STRING.sub(b"", raw).translate(_STEPS, _NO_BRACKET)).cast("b")
    deepest = 0
    for level in accumulate(steps):
        if level > deepest:
            deepest = level
            if deepest > MAX_DEPTH:
                break
    return deepest


def _read_odd(raw: bytes) -> Document | Unreadable:
    if _opening(raw) > MAX_DEPTH and depth(raw) > MAX_DEPTH:
        return Unreadable("too_deep")
    try:
        return Document(raw, _decode_exactly(raw.decode()))
    except ValueError:
        return Unreadable("not_json")
    except RecursionError:
        return Unreadable("too_deep")


def _too_deep(raw: bytes, value: object) -> bool:
    if len(raw) <= 2 * MAX_DEPTH or _opening(raw) <= MAX_DEPTH:
        return False
    try:
        orjson.dumps(value)  # refuses from depth 255 on, and is far quicker than counting
    except TypeError:
        return depth(raw) > MAX_DEPTH
    return False


def _opening(raw: bytes) -> int:
    return raw.count(b"[") + raw.count(b"{")


def _decode_exactly(text: str) -> object:
    value: object = json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse)
    return value


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _at(values: list[T], position: str) -> T | None:
    if len(position) > 9 or not (position.isascii() and position.isdigit()):
        return None
    index = int(position)
    return values[index] if index < len(values) else None


def _start(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _end(text: str, at: int) -> int:
    return _DECODER.raw_decode(text, at)[1]


_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)


def _child(text: str, at: int, name: str) -> tuple[int, int] | None:
    if text[at] == "{":
        return _member_span(text, at, name)
    if text[at] == "[" and name.isascii() and name.isdigit():
        return next((span for n, span in enumerate(_element_spans(text, at)) if n == int(name)), None)
    return None


def _member_span(text: str, at: int, name: str) -> tuple[int, int] | None:
    found = None
    at = _start(text, at + 1)
    while text[at] != "}":
        key, after = _DECODER.raw_decode(text, at)
        begin = _start(text, _start(text, after) + 1)
        end = _end(text, begin)
        if key == name:
            found = (begin, end)
        at = _next(text, end)
    return found


def _element_spans(text: str, at: int) -> Iterator[tuple[int, int]]:
    at = _start(text, at + 1)
    while text[at] != "]":
        end = _end(text, at)
        yield at, end
        at = _next(text, end)


def _next(text: str, at: int) -> int:
    at = _start(text, at)
    return _start(text, at + 1) if text[at] == "," else at
