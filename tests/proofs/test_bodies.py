"""What a delivery carries: unpacked within bounds, and never lost for being odd."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalogue.document import Document
from gateway.proofs import bodies
from gateway.proofs.bodies import Malformed, read_body
from gateway.proofs.received import Received

MOST = 10_000


def _packed(text: bytes) -> bytes:
    """The same bytes at whatever time: they are in the names of tests."""
    return gzip.compress(text, mtime=0)


def _read(
    body: bytes,
    kind: str | None = "application/json",
    *,
    coding: str = "",
    method: str = "POST",
    query: str = "",
    field: str | None = None,
) -> Document | Malformed:
    headers = {"content-type": kind} if kind is not None else {}
    if coding:
        headers["content-encoding"] = coding
    received = Received(method=method, url="https://g.example", query=query, headers=headers, body=body, remote="")
    return read_body(received, field, MOST)


def _raw(found: Document | Malformed) -> tuple[bytes, bool]:
    assert isinstance(found, Document), found
    return found.raw, found.made


def _check(found: Document | Malformed) -> str:
    assert isinstance(found, Malformed), found
    return found.check


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/vnd.api+json",
        None,
        "text/plain",
        "text/json",
    ],
)
def test_json_is_read_whatever_it_is_called(kind: str | None) -> None:
    assert _raw(_read(b'{"a": 1.10}', kind)) == (b'{"a": 1.10}', False)


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert _raw(_read(b'\xef\xbb\xbf{"a":1}')) == (b'{"a":1}', False)
    assert _raw(_read(b'\xef\xbb\xbf{"a":1}', None)) == (b'{"a":1}', False)


@pytest.mark.parametrize(
    ("body", "kind", "check"),
    [
        (b"hello", "application/json", "not_json"),
        (b'{"a":', "application/json", "not_json"),
        (b'{"a":', None, "not_json"),
        (b'{"a":"\xff"}', "application/json", "not_json"),
        (b'{"a":NaN}', "application/vnd.x+json", "not_json"),
        (b"[" * 513 + b"]" * 513, "application/json", "too_deep"),
        (b"payload=%7B", "application/x-www-form-urlencoded", "not_json"),
        (b"payload=", "application/x-www-form-urlencoded", "not_json"),
    ],
)
def test_what_says_that_it_is_json_and_is_not_is_malformed(body: bytes, kind: str | None, check: str) -> None:
    assert _check(_read(body, kind, field="payload")) == check


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b"hello", "text/plain", b'{"body":"hello"}'),
        (b"12", "text/plain", b'{"body":"12"}'),
        (b'{"a":', "text/plain", b'{"body":"{\\"a\\":"}'),
        (b"<a/>", "application/xml", b'{"body":"<a/>"}'),
        (b"hello", None, b'{"body":"hello"}'),
        (b"\xff\x00", "application/octet-stream", b'{"body":"/wA=","encoding":"base64"}'),
        (b"--x\r\n\r\n1\r\n--x--", "multipart/form-data; boundary=x", b'{"body":"--x\\r\\n\\r\\n1\\r\\n--x--"}'),
    ],
)
def test_what_is_no_json_and_says_so_is_kept_whole(body: bytes, kind: str | None, expected: bytes) -> None:
    assert _raw(_read(body, kind)) == (expected, True)


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"a=1&b=x+y%21&a=2&c=", b'{"a":["1","2"],"b":"x y!","c":""}'),
        (b"a=%FF", '{"a":"\ufffd"}'.encode()),
        (b"a=%ED%A0%80", '{"a":"\ufffd\ufffd\ufffd"}'.encode()),
        (b"just text", b'{"just text":""}'),
        (b"a=%00", b'{"a":"\\u0000"}'),
    ],
)
def test_a_form_is_an_object_of_its_fields(body: bytes, expected: bytes) -> None:
    assert _raw(_read(body, FORM)) == (expected, True)


def test_json_inside_a_form_field_is_taken_to_the_byte() -> None:
    assert _raw(_read(b"x=1&payload=%7B%22a%22%3A+1.10%7D", FORM, field="payload")) == (b'{"a": 1.10}', False)
    assert _raw(_read(b"x=1", FORM, field="payload")) == (b'{"x":"1"}', True)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_request_without_a_body_is_its_query(method: str) -> None:
    assert _raw(_read(b"", method=method, query="a=1&b=2&b=3")) == (b'{"a":"1","b":["2","3"]}', True)
    assert _raw(_read(b"", query="a=1")) == (b'{"a":"1"}', True)
    assert _raw(_read(b" \r\n", None)) == (b"{}", True)


def test_too_many_fields_are_malformed() -> None:
    assert _check(_read(b"", query="&" * 10_001)) == "too_many_fields"


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", _packed(b'{"a":1}')),
        ("x-gzip", _packed(b'{"a":1}')),
        ("GZIP", _packed(b'{"a"') + _packed(b":1}")),
        ("gzip", _packed(b"") * 63 + _packed(b'{"a":1}')),
        ("deflate", zlib.compress(b'{"a":1}')),
        ("deflate", zlib.compress(b'{"a":1}')[2:-4]),
        ("identity", b'{"a":1}'),
        ("identity, gzip", _packed(b'{"a":1}')),
        ("deflate, gzip", _packed(zlib.compress(b'{"a":1}'))),
    ],
)
def test_a_compressed_body_is_unpacked(coding: str, packed: bytes) -> None:
    assert _raw(_read(packed, coding=coding)) == (b'{"a":1}', False)


def test_streams_are_joined_wherever_their_pieces_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = _packed(b'{"a"') + _packed(b":1}")
    for size in range(1, len(packed) + 2):
        monkeypatch.setattr(bodies, "_PIECE", size)
        assert _raw(_read(packed, coding="gzip")) == (b'{"a":1}', False)


@pytest.mark.parametrize(
    ("coding", "packed", "check"),
    [
        ("gzip", b'{"a":1}', "bad_encoding"),
        ("gzip", _packed(b"") * 64 + _packed(b"{}"), "bad_encoding"),
        ("gzip", _packed(b"{}")[:-3] + _packed(b"{}"), "bad_encoding"),
        ("gzip", _packed(b'{"a":1}')[:-3], "bad_encoding"),
        ("deflate", b"\x00\x01", "bad_encoding"),
        ("br", b'{"a":1}', "bad_encoding"),
        ("gzip, gzip, gzip", b"", "bad_encoding"),
        ("gzip", _packed(b"[" + b" " * MOST + b"]"), "too_large"),
        ("gzip", _packed(b" " * 50_000_000), "too_large"),
        ("gzip", _packed(b" " * MOST) + _packed(b"{}"), "too_large"),
        ("", b" " * (MOST + 1), "too_large"),
    ],
)
def test_what_cannot_be_unpacked_within_the_bound_is_malformed(coding: str, packed: bytes, check: str) -> None:
    assert _check(_read(packed, coding=coding)) == check


KINDS = st.sampled_from(["application/json", FORM, "text/plain", "", "multipart/form-data", "\udcff/\x00"])


@given(st.binary(), KINDS, st.sampled_from(["", "gzip", "deflate", "br", ",", "gzip,deflate"]), st.text())
def test_nothing_that_comes_makes_reading_fail(body: bytes, kind: str, coding: str, query: str) -> None:
    assert isinstance(_read(body, kind, coding=coding, query=query, field="payload"), Document | Malformed)
