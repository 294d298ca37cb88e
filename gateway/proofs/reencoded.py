"""What a body may have looked like before something on the way wrote it anew."""

import json
from collections.abc import Callable, Iterator

from gateway.proofs.bodies import unpacked
from gateway.proofs.received import Received

_COMPACT, _SPACED = (",", ":"), (", ", ": ")
_WRITTEN = (
    ("compactly", _COMPACT, False, False),
    ("compactly, with \\u escapes", _COMPACT, True, False),
    ("with spaces after commas and colons", _SPACED, False, False),
    ("with spaces after commas and colons, and \\u escapes", _SPACED, True, False),
    ("compactly with sorted keys", _COMPACT, False, True),
    ("with spaces and sorted keys", _SPACED, False, True),
)
_LINES: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("without the line end at its end", lambda raw: raw.rstrip(b"\r\n")),
    ("with a line end at its end", lambda raw: raw + b"\n"),
    ("with LF for CRLF", lambda raw: raw.replace(b"\r\n", b"\n")),
    ("with CRLF for LF", lambda raw: raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")),
)


def reencoded(received: Received, most: int) -> Iterator[tuple[str, bytes]]:
    """Other forms of the same body, each with words for it; none of them twice, nor the body itself."""
    seen = {received.body}
    for words, form in _forms(received, most):
        if len(form) <= most and form not in seen:
            seen.add(form)
            yield words, form


def _forms(received: Received, most: int) -> Iterator[tuple[str, bytes]]:
    raw = received.body
    coding = received.headers.get("content-encoding", "") or ("gzip" if raw[:2] == b"\x1f\x8b" else "")
    if coding:
        plain = unpacked(raw, coding, most)
        if isinstance(plain, bytes):
            yield "unpacked", plain
            raw = plain
    yield from ((words, change(raw)) for words, change in _LINES)
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return
    for words, separators, ascii_only, ordered in _WRITTEN:
        text = _written(value, separators, ascii_only, ordered)
        if text is not None:
            yield f"with its JSON written {words}", text
    text = _written(value, _COMPACT, True, False)
    if text is not None:
        yield "with its JSON written compactly, with \\u escapes and \\/", text.replace(b"/", b"\\/")


def _written(value: object, separators: tuple[str, str], ascii_only: bool, ordered: bool) -> bytes | None:
    try:
        return json.dumps(value, separators=separators, ensure_ascii=ascii_only, sort_keys=ordered).encode()
    except (ValueError, TypeError, RecursionError):
        return None
