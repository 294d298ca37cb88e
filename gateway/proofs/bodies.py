"""The JSON text of a delivery: unpacked, and taken as it is; made only where the vendor sent something else."""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import orjson

from gateway.catalogue.document import Document, Unreadable, read
from gateway.catalogue.sources import pairs
from gateway.proofs.received import Received

_FORM = "application/x-www-form-urlencoded"
_USUAL = ("application/json", "application/json; charset=utf-8")
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_MAX_CODINGS = 2
_MAX_MEMBERS = 64
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Malformed:
    """Why a verified delivery cannot be used."""

    check: Literal["not_json", "too_deep", "bad_encoding", "too_large", "too_many_fields", "not_configured"]
    detail: str


def read_body(received: Received, form_field: str | None, max_body: int) -> Document | Malformed:
    """The document that a delivery carries.

    A form is an object of its fields, a request without a body one of its query parameters. What neither is JSON nor
    says so is kept whole as `{"body": "…"}`, with `"encoding": "base64"` where it is no text.
    """
    raw = unpacked(received.body, received.headers.get("content-encoding", ""), max_body)
    if isinstance(raw, Malformed):
        return raw
    if received.method in ("GET", "HEAD") or not raw or raw.isspace():
        return _fields(received.query)
    kind = received.headers.get("content-type", "")
    if kind in _USUAL:
        return _declared(raw)
    kind = kind.partition(";")[0].strip().lower()
    if kind == _FORM:
        return _form(raw, form_field)
    return _json_or_text(raw, kind)


def unpacked(body: bytes, coding: str, most: int) -> bytes | Malformed:
    """The body without its content codings, at most so many bytes."""
    codings = [part.strip().lower() for part in coding.split(",")] if coding else []
    if len(codings) > _MAX_CODINGS:
        return Malformed("bad_encoding", f"more than {_MAX_CODINGS} content codings")
    for name in reversed(codings):
        if name in ("", "identity"):
            continue
        inflated = _inflated(body, name, most)
        if isinstance(inflated, Malformed):
            return inflated
        body = inflated
    return Malformed("too_large", f"the body is larger than {most} bytes") if len(body) > most else body


def _inflated(body: bytes, name: str, most: int) -> bytes | Malformed:
    window = _WINDOWS.get(name)
    if window is None:
        return Malformed("bad_encoding", "a content coding that this gateway does not know")
    if name == "deflate" and not _has_zlib_header(body):
        window = -15  # half of the world sends deflate without the header that the standard asks for
    try:
        return _members(body, window, most)
    except zlib.error:
        return Malformed("bad_encoding", f"the body is no {name}")


def _members(body: bytes, window: int, most: int) -> bytes | Malformed:
    """Inflates one compressed stream after another, as gzip allows."""
    packed, whole = memoryview(body), bytearray()
    end = members = 0
    while end < len(packed):
        members += 1
        if members > _MAX_MEMBERS:
            return Malformed("bad_encoding", f"more than {_MAX_MEMBERS} compressed streams in one body")
        found = _member(packed, end, window, whole, most)
        if isinstance(found, Malformed):
            return found
        end = found
    return bytes(whole)


def _member(packed: memoryview, at: int, window: int, whole: bytearray, most: int) -> int | Malformed:
    """Adds the stream that begins there to the whole, and says where it ends."""
    stream = zlib.decompressobj(window)
    while not stream.eof:
        # Piece by piece, since zlib copies whatever it was given behind the end of a stream.
        piece = packed[at : at + _PIECE]
        if not piece:
            return Malformed("bad_encoding", "the compressed body ends too early")
        whole += stream.decompress(piece, most + 1 - len(whole))
        if len(whole) > most:
            return Malformed("too_large", f"the body is larger than {most} bytes")
        at += len(piece)
    return at - len(stream.unused_data)


def _has_zlib_header(body: bytes) -> bool:
    return len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2]) % 31 == 0


def _form(raw: bytes, form_field: str | None) -> Document | Malformed:
    text = raw.decode("utf-8", "surrogateescape")
    if form_field is not None:
        inner = _field(text, form_field)
        if inner is not None:
            return _declared(inner.encode("utf-8", "surrogateescape"))
    return _fields(text)


def _field(text: str, name: str) -> str | None:
    try:
        return next((value for found, value in pairs(text) if found == name), None)
    except ValueError:
        return None


def _json_or_text(raw: bytes, kind: str) -> Document | Malformed:
    looks = raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")
    if kind.endswith(("/json", "+json")) or (looks and not kind):
        return _declared(raw)
    document = read(raw) if looks else None
    return document if isinstance(document, Document) else _made(_text(raw))


def _declared(raw: bytes) -> Document | Malformed:
    document = read(raw)
    if isinstance(document, Unreadable):
        deep = document.reason == "too_deep"
        return Malformed(document.reason, "nested deeper than 512" if deep else "the body is no JSON")
    return document


def _fields(text: str) -> Document | Malformed:
    try:
        found = pairs(text)
    except ValueError:
        return Malformed("too_many_fields", "more than 10000 fields")
    values: dict[str, list[str]] = {}
    for name, value in found:
        values.setdefault(_printable(name), []).append(_printable(value))
    return _made({name: several[0] if len(several) == 1 else several for name, several in values.items()})


def _text(raw: bytes) -> Mapping[str, str]:
    try:
        return {"body": raw.decode()}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(raw).decode(), "encoding": "base64"}


def _printable(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _made(value: object) -> Document:
    return Document(orjson.dumps(value), value, made=True)
