"""Where a finding stands: from the text of a connector file and a place such as `webhook.verify[0].hash` to a line."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

_TOKEN = re.compile(
    r"(?P<skip>[ \t\r]+|\#[^\n]*)|(?P<newline>\n)|(?P<mark>[][{}=,.])"
    r'|(?P<text>"""(?:[^\\]|\\.)*?"""+|\'\'\'.*?\'\'\'+|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\')'
    r"|(?P<word>[^][{}=,.\s\#\"']+)",
    re.DOTALL,
)
_SYNTAX_LINE = re.compile(r"\(at line ([0-9]+), column [0-9]+\)")
_AT_END = "(at end of document)"
_LAST_STEP = re.compile(r"(?:\.|\[)[^.[]*$")


def located(path: Path, findings: Iterable[str]) -> list[str]:
    """Findings of a file, `where: expected` each, as `path:line: where: expected`."""
    # The file is read once more: one that is right needs no line numbers, and pays nothing for them.
    try:
        places = lines_of(path.read_text("utf-8-sig"))
    except (OSError, ValueError):
        places = {}
    return [f"{path}:{line_of(places, finding.partition(': ')[0])}: {finding}" for finding in findings]


def not_toml(path: Path, raw: bytes, error: Exception) -> str:
    """What to say of a file that is no TOML, with the line where reading ended."""
    if isinstance(error, UnicodeDecodeError):
        line = raw.count(b"\n", 0, error.start) + 1
        return f"{path}:{line}: is no UTF-8: {error.reason}"
    found = _SYNTAX_LINE.search(str(error))
    last = f":{max(1, len(raw.splitlines()))}" if _AT_END in str(error) else ""
    return f"{path}{':' + found[1] if found else last}: is no TOML: {error}"


def line_of(places: Mapping[str, int], place: str) -> int:
    """The line of a place, or of the nearest one around it; the first where nothing is nearer."""
    while place:
        if place in places:
            return places[place]
        shorter = _LAST_STEP.sub("", place)
        place = shorter if shorter != place else ""
    return 1


def lines_of(text: str) -> dict[str, int]:
    """The line of every table, key and element of a TOML text that parses, by its place."""
    reader = _Reader(text)
    reader.read()
    return reader.found


class _Reader:
    """Walks over the tokens of a valid TOML text; of what is not valid it makes nothing in particular."""

    def __init__(self, text: str) -> None:
        self.found: dict[str, int] = {}
        self._tokens = _tokens(text)
        self._at = 0
        self._elements: dict[str, int] = {}

    def read(self) -> None:
        table = ""
        while (token := self._next()) is not None:
            kind, word, line = token
            if kind == "newline":
                continue
            if word == "[":
                table = self._header(line)
            else:
                self._at -= 1
                self._member(table)

    def _header(self, line: int) -> str:
        several = self._peek() == "["
        if several:
            self._at += 1
        place, names = "", self._names()
        for number, name in enumerate(names, 1):
            place = self._inside(place, name)
            if number == len(names) and several:
                self.found.setdefault(place, line)
                self._elements[place] = self._elements.get(place, -1) + 1
            if place in self._elements:
                place = f"{place}[{self._elements[place]}]"
        self.found.setdefault(place, line)
        while self._peek() == "]":
            self._at += 1
        return place

    def _member(self, table: str) -> None:
        line = self._line()
        place = table
        for name in self._names():
            place = self._inside(place, name)
            self.found.setdefault(place, line)
        if self._peek() == "=":
            self._at += 1
            self._value(place)
        else:
            self._at += 1

    def _names(self) -> list[str]:
        names = []
        while (token := self._next()) is not None:
            kind, word, _ = token
            if kind in ("word", "text"):
                names.append(_plain(word) if kind == "text" else word)
            elif word != ".":
                self._at -= 1
                break
        return names

    def _value(self, place: str) -> None:
        opened = self._peek()
        if opened not in ("{", "["):
            while self._peek() not in (None, "\n", ",", "]", "}"):
                self._at += 1
            return
        self._at += 1
        self._inner(place, "}" if opened == "{" else "]")

    def _inner(self, place: str, end: str) -> None:
        number = 0
        while (word := self._peek()) is not None:
            if word == end:
                self._at += 1
                return
            if word in ("\n", ","):
                self._at += 1
            elif end == "}":
                self._member(place)
            else:
                self.found.setdefault(f"{place}[{number}]", self._line())
                before = self._at
                self._value(f"{place}[{number}]")
                self._at += self._at == before
                number += 1

    @staticmethod
    def _inside(place: str, name: str) -> str:
        return f"{place}.{name}" if place else name

    def _next(self) -> tuple[str, str, int] | None:
        if self._at >= len(self._tokens):
            return None
        self._at += 1
        return self._tokens[self._at - 1]

    def _peek(self) -> str | None:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else None

    def _line(self) -> int:
        return self._tokens[min(self._at, len(self._tokens) - 1)][2]


def _tokens(text: str) -> list[tuple[str, str, int]]:
    found, line = [], 1
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "skip"
        if kind != "skip":
            found.append((kind, match[0], line))
        line += match[0].count("\n")
    return found


def _plain(quoted: str) -> str:
    try:
        return str(tomllib.loads(f"key = {quoted}")["key"])
    except ValueError:
        return quoted
