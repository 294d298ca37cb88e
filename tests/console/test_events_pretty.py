"""What a page shows of a body: every text as it was written, nothing else, and no more than fits."""

import json
import re
import time
from html import unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.console.events.pretty import printed
from gateway.nulls import filter_nulls, removed_paths

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def plain(html: str) -> str:
    return unescape(re.sub(r"</?(b|del)>", "", html))


@given(DOCUMENTS, st.booleans())
def test_what_is_shown_is_the_document_itself(document: Any, ascii_only: bool) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only)
    shown = printed(text.encode("utf-8", "surrogatepass"))
    if shown.kind != "bytes":  # a lone surrogate is no UTF-8
        assert (shown.kind, shown.cut) == ("json", False)
        assert json.loads(plain(shown.html)) == document


@given(DOCUMENTS)
def test_what_is_struck_through_is_what_the_null_filter_takes_out(document: Any) -> None:
    body = json.dumps(document).encode()
    shown = str(printed(body, filtered=True).html)
    assert shown.count("<del>") == removed_paths(body)[1]
    assert "<del>" not in str(printed(body).html)
    assert "<del>" not in str(printed(filter_nulls(body), filtered=True).html)


@pytest.mark.parametrize(
    "body",
    [b'{"a":1', b'{"a" 1}', b'{"a":}', b"[1,]", b"", b'{"a":1}x', b"a=b&c=%3C", b"{a:1}", b'{"a":1,}', b"]", b":",
     b"[,]",
     b'{"a"}', b"{1:2}", b"[1 2]", b"<html>", b'{"a":1:2}', b'[}'],
)  # fmt: skip
def test_what_is_no_json_is_shown_as_it_is(body: bytes) -> None:
    shown = printed(body)
    assert (shown.kind, shown.cut, unescape(shown.html)) == ("text", False, body.decode())


def test_numbers_and_repeated_keys_are_shown_as_they_were_written() -> None:
    shown = plain(printed(b'{"a":1.0,"a":1E+2,"b":-0,"c":123456789012345678901234567890}').html)
    assert shown == '{\n  "a": 1.0,\n  "a": 1E+2,\n  "b": -0,\n  "c": 123456789012345678901234567890\n}'


def test_what_is_no_text_is_shown_as_bytes() -> None:
    shown = printed(b"\xff\x00<b>" + bytes(5000))
    assert (shown.kind, shown.cut) == ("bytes", True)
    assert shown.html.startswith("00000000  ff 00 3c 62 3e")
    assert "<b>" not in shown.html


def test_no_element_comes_from_a_body() -> None:
    body = json.dumps({"<script>alert(1)</script>": "</pre><img src=x>&lt;", "n": None}).encode()
    assert set(re.findall(r"<[^>]*>", printed(body, filtered=True).html)) == {"<b>", "</b>", "<del>", "</del>"}


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000 + b"]" * 200_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"items":[' + b",".join(b'{"id":%d,"n":null}' % number for number in range(200_000)) + b"]}",
        b'{"long":"' + b"x" * 5_000_000 + b'"}',
        b'"' + b'\\"' * 2_500_000 + b'"',
        b"[" + b" " * 5_000_000 + b"1]",
        b"\xc3\xa9".join([b'"', *[b""] * 300_000, b'"']),
    ],
)
def test_a_huge_or_deep_body_is_cut_and_costs_little(body: bytes) -> None:
    began = time.process_time()
    shown = printed(body, filtered=True)
    assert time.process_time() - began < 1
    assert shown.cut
    assert shown.kind != "bytes"
    assert len(shown.html) < 150_000
