"""JSON as people read it: a member to a line, every number and every key as it was written; pure.

It goes along the text and builds no tree, so that what is shown is what was sent, whatever the depth, and no more is
looked at than is shown.
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

#: So many characters are shown, and so many bytes are looked at for them.
MOST = 64 << 10
_READ = 4 * MOST
_DEEPEST = 24
_HEX_SHOWN = 1024
_WORD = re.compile(r'[ \t\r\n]*("(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^ \t\r\n\[\]{}:,"]+)', re.DOTALL)
#: What a value may be beside a text; the last one that is shown may be the first half of it.
_PLAIN = re.compile(r"-?[0-9][0-9.eE+-]*\u2026?|tr?u?e?|fa?l?s?e?|nu?l?l?")
_PAIRS = {"}": "{", "]": "["}


@dataclass(slots=True)
class _Line:
    depth: int
    key: str
    value: str
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Printed:
    """A text for a page, and whether there is more of it; `kind` is json, text or bytes."""

    html: Markup
    cut: bool
    kind: str = "json"


class _NoJson(Exception):
    """The text is something else."""


def printed(content: bytes, *, filtered: bool = False, most: int = MOST) -> Printed:
    """The first of a body; with `filtered`, what the null filter takes out is marked as deleted."""
    more = len(content) > _READ
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(content[:_READ], final=not more)
    except UnicodeDecodeError:
        return _hex(content)
    try:
        lines, cut = _lines(text, more, filtered, most)
    except _NoJson:
        return Printed(_escaped(text[:most]), more or len(text) > most, "text")
    return Printed(Markup("\n").join(_written(lines)), cut)


def _hex(content: bytes) -> Printed:
    rows = []
    for start in range(0, min(len(content), _HEX_SHOWN), 16):
        piece = content[start : start + 16]
        plain = "".join(chr(one) if 32 <= one < 127 else "." for one in piece)
        rows.append(f"{start:08x}  {piece.hex(' '):47}  {plain}")
    return Printed(_escaped("\n".join(rows)), len(content) > _HEX_SHOWN, "bytes")


def _lines(text: str, more: bool, filtered: bool, most: int) -> tuple[list[_Line], bool]:
    found: list[_Line] = []
    left = most
    reading = _Reading(filtered)
    for word in _words(text, more):
        if word is None or left <= 0:
            return found, True
        before = len(found)
        reading.take(word if len(word) <= left else word[:left] + "\u2026", found)
        left -= len(word) + sum(2 * min(line.depth, _DEEPEST) + 1 for line in found[before:])
    if reading.opened or not found:
        raise _NoJson
    return found, more


def _words(text: str, more: bool) -> Iterator[str | None]:
    """The tokens in turn; None at the end where the text goes on behind what is looked at."""
    position = 0
    while (match := _WORD.match(text, position)) is not None:
        if match.end() == len(text) and more:
            break
        yield match[1]
        position = match.end()
    if more:
        # What is cut off may be a long text, whose beginning is shown.
        if rest := text[position:].lstrip(" \t\r\n"):
            yield rest
        yield None
    elif text[position:].strip(" \t\r\n"):
        raise _NoJson


class _Reading:
    """Where in the document the next word stands."""

    def __init__(self, filtered: bool) -> None:
        self._filtered = filtered
        self.opened: list[str] = []
        self._key: str | None = None
        self._colon = False
        self._value = True

    def take(self, word: str, found: list[_Line]) -> None:
        """Write a word to its line; _NoJson where it cannot stand there."""
        if word in _PAIRS:
            self._close(word, found)
        elif word == ",":
            self._comma(found)
        elif word == ":":
            self._expect(self._key is not None and not self._colon)
            self._colon = True
        elif self._awaits_key:
            self._expect(word.startswith('"'))
            self._key = word
        else:
            self._begin(word, found)

    @property
    def _awaits_key(self) -> bool:
        return bool(self.opened) and self.opened[-1] == "{" and self._key is None and self._value

    def _begin(self, word: str, found: list[_Line]) -> None:
        self._expect(self._value and (self._key is None or self._colon))
        self._expect(word[0] in '"{[' or _PLAIN.fullmatch(word) is not None)
        gone = self._filtered and word == "null" and self._key is not None
        found.append(_Line(len(self.opened), self._key or "", word, gone))
        self._key, self._colon = None, False
        self._value = word in ("{", "[")
        if self._value:
            self.opened.append(word)

    def _close(self, word: str, found: list[_Line]) -> None:
        self._expect(bool(self.opened) and self.opened[-1] == _PAIRS[word] and self._key is None)
        self._expect(not self._value or found[-1].value == _PAIRS[word])
        self.opened.pop()
        self._value = False
        if found[-1].value == _PAIRS[word] and found[-1].depth == len(self.opened):
            found[-1].value += word
        else:
            found.append(_Line(len(self.opened), "", word))

    def _comma(self, found: list[_Line]) -> None:
        self._expect(not self._value and bool(self.opened))
        found[-1].value += ","
        self._value = True

    def _expect(self, fits: bool) -> None:
        if not fits:
            raise _NoJson


def _written(lines: Sequence[_Line]) -> Iterator[Markup]:
    for line in lines:
        key = Markup("<b>{}</b>: ").format(_escaped(line.key)) if line.key else Markup("")
        text = key + _escaped(line.value)
        yield "  " * min(line.depth, _DEEPEST) + (Markup("<del>{}</del>").format(text) if line.gone else text)


def _escaped(text: str) -> Markup:
    """Fit to stand between tags; quotes stay as they are, since JSON is full of them."""
    return Markup(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\x00", "\ufffd"))  # noqa: S704
