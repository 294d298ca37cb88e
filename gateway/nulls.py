"""The null filter: object members whose value is null go, at every depth; what stays is passed on to the byte.

It works on the text, not on a tree: numbers, order, duplicate keys, escapes and white space cannot change, and
depth costs nothing. Escapes are masked once, so that every quote that is left begins or ends a string; whether a
`null` stands inside a string is then a matter of counting quotes, and all the walking is done by `bytes` methods.
The text must be valid JSON.
"""

import json
import re
from collections.abc import Iterator
from itertools import islice

_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_NULL = re.compile(rb":[ \t\r\n]*null")
_COMMA = re.compile(rb"[ \t\r\n]*+,")
_SPACE = b" \t\r\n"


def filter_nulls(text: bytes) -> bytes:
    """The JSON text without its null members; the very same bytes where there is none."""
    if b"null" not in text:
        return text
    kept: list[bytes] = []
    position = 0
    for start, end in _members(text):
        position = _cut(kept, text, position, start, end)
    if not position:
        return text
    kept.append(text[position:])
    return b"".join(kept)


def _members(text: bytes) -> Iterator[tuple[int, int]]:
    """Where each null member begins (its key's first quote) and ends."""
    masked = _ESCAPE.sub(b"__", text) if b"\\" in text else text
    counted = 0
    inside = False
    for match in _NULL.finditer(masked):
        colon = match.start()
        inside ^= masked.count(b'"', counted, colon) % 2 == 1
        counted = colon
        if not inside:
            closing = masked.rindex(b'"', 0, colon)
            yield masked.rindex(b'"', 0, closing), match.end()


def _cut(kept: list[bytes], text: bytes, position: int, start: int, end: int) -> int:
    """Keep what stands before the member, drop the member and one comma beside it; where to go on."""
    before = text[position:start].rstrip(_SPACE)
    if before.endswith(b","):
        kept.append(before[:-1])
        return end
    # No comma before it in what is left: the member is the first of its object.
    kept.append(text[position:start])
    comma = _COMMA.match(text, end)
    return comma.end() if comma else end


def removed(text: bytes) -> list[str]:
    """The paths of what the filter takes out, such as `data.contacts[2].phone`; for people, not for the hot path."""
    return [_path(stack) for stack in _walk(text)]


def removed_paths(text: bytes, most: int = 1_000) -> tuple[list[str], int]:
    """The first JSON pointers (RFC 6901) into the text to what the filter takes out, and how many there are in all."""
    return [_pointer(stack) for stack in islice(_walk(text), most)], sum(1 for _ in _members(text))


_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)


def _walk(text: bytes) -> Iterator[list[str | int]]:
    """Keys and places on the way to each null member, keys as they are written."""
    starts = {start for start, _ in _members(text)}
    stack: list[str | int] = []
    opened: list[bytes] = []
    for match in _TOKEN.finditer(text) if starts else ():
        token = match[0]
        if token in b"{[":
            opened.append(token)
            stack.append(0 if token == b"[" else "")
        elif token in b"}]":
            opened.pop()
            stack.pop()
        elif token == b",":
            place = stack[-1]
            stack[-1] = place + 1 if isinstance(place, int) else ""
        elif opened and opened[-1] == b"{" and stack[-1] == "":
            stack[-1] = token[1:-1].decode("utf-8", "replace")
            if match.start() in starts:
                yield stack


def _path(stack: list[str | int]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in stack)
    return text.removeprefix(".")


def _pointer(stack: list[str | int]) -> str:
    return "".join("/" + (str(step) if isinstance(step, int) else _step(step)) for step in stack)


def _step(written: str) -> str:
    key = str(json.loads(f'"{written}"', strict=False)) if "\\" in written else written
    return key.encode("utf-8", "replace").decode().replace("~", "~0").replace("/", "~1")
