"""Reads JSON as callers of this wire write it: single quotes, bare keys, a comma too many; never more than data."""

import re
from typing import Any

import orjson

from gateway.catalogue.document import depth

DEEPEST = 64
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_BARE = re.compile(r"[A-Za-z_$0-9][\w$.\-]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_QUOTED = re.compile(r"""(["'])((?:[^\\"']|\\.|(?!\1)["'])*)\1""", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "/": "/", "\\": "\\", '"': '"', "'": "'"}
_WORDS = {"true": True, "false": False, "null": None}


def loads(raw: bytes) -> Any:
    """The value of a text; ValueError says what is wrong with it."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        value = _Reader(raw.decode()).whole()
    else:
        if raw.count(b"[") + raw.count(b"{") > DEEPEST and depth(raw) > DEEPEST:
            raise ValueError(_TOO_DEEP)
    return value


_TOO_DEEP = f"it is nested deeper than {DEEPEST} levels"


class _Reader:
    """One pass over a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def whole(self) -> Any:
        value = self._value(0)
        self._skip()
        if self._at < len(self._text):
            raise self._wrong("the end")
        return value

    def _value(self, level: int) -> Any:
        if level > DEEPEST:
            raise ValueError(_TOO_DEEP)
        mark = self._peek()
        if mark == "{":
            return dict(self._members(level))
        if mark == "[":
            return self._elements(level)
        if mark in ('"', "'"):
            return self._quoted()
        return self._bare_value()

    def _members(self, level: int) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        self._at += 1
        while self._peek() != "}":
            key = self._quoted() if self._peek() in ('"', "'") else self._bare()
            self._expect(":")
            found.append((key, self._value(level + 1)))
            if self._peek() != "}":
                self._expect(",")
        self._at += 1
        return found

    def _elements(self, level: int) -> list[Any]:
        found: list[Any] = []
        self._at += 1
        while self._peek() != "]":
            found.append(self._value(level + 1))
            if self._peek() != "]":
                self._expect(",")
        self._at += 1
        return found

    def _bare_value(self) -> Any:
        number = _NUMBER.match(self._text, self._at)
        if number:
            self._at = number.end()
            return orjson.loads(number[0])
        word = self._bare()
        if word not in _WORDS:
            raise self._wrong("a value")
        return _WORDS[word]

    def _bare(self) -> str:
        found = _BARE.match(self._text, self._at)
        if found is None:
            raise self._wrong("a name or a value")
        self._at = found.end()
        return found[0]

    def _quoted(self) -> str:
        found = _QUOTED.match(self._text, self._at)
        if found is None:
            raise self._wrong("the end of a text")
        self._at = found.end()
        # Halves of a surrogate pair meet here, as they do in any JSON.
        text = _ESCAPE.sub(_unescaped, found[2])
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _expect(self, mark: str) -> None:
        if self._peek() != mark:
            raise self._wrong(repr(mark))
        self._at += 1

    def _peek(self) -> str:
        self._skip()
        return self._text[self._at : self._at + 1]

    def _skip(self) -> None:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _wrong(self, expected: str) -> ValueError:
        line, column = self._text.count("\n", 0, self._at) + 1, self._at - self._text.rfind("\n", 0, self._at)
        return ValueError(f"expected {expected} at line {line}, column {column}")


def _unescaped(match: re.Match[str]) -> str:
    name = match[1]
    if name[0] == "u" and len(name) == 5:
        return chr(int(name[1:], 16))
    if name not in _ESCAPES:
        raise ValueError("a backslash stands before a character that is no escape")
    return _ESCAPES[name]
