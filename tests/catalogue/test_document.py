"""JSON texts: read as they are, and cut to the byte."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalogue.document import MAX_DEPTH, Document, Parted, Unreadable, depth, read, walk

ODD = [
    b'{"a":18446744073709551617}',
    b'{"a":1.10}',
    b'{"a":1E400}',
    b'{"a":-1E-400}',
    b'{"a":' + b"9" * 5000 + b"}",
    b'{"a":1,"a":2}',
    b'{"a":"\\ud83d"}',
    b'{"\\udc00":1,"a":2}',
    b'{"a":"\\u0000"}',
    b' \r\n{"a" : 1 }\t',
    b'"text"',
    b"null",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=15,
)


def _read(raw: bytes) -> Document:
    document = read(raw)
    assert isinstance(document, Document)
    return document


@pytest.mark.parametrize("raw", ODD)
def test_odd_json_is_read_and_kept_to_the_byte(raw: bytes) -> None:
    assert _read(raw).raw == raw
    assert _read(b"\xef\xbb\xbf" + raw).raw == raw


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"nul",
        b"NaN",
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b"{'a':1}",
        b"[1,]",
        b'"\xff"',
        b"01",
        b'"\n"',
        b"[1] x",
    ],
)
def test_what_is_no_json_is_said_to_be_none(raw: bytes) -> None:
    assert read(raw) == Unreadable("not_json")


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_nesting_is_allowed_to_a_depth(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    for levels in (200, 255, 300, MAX_DEPTH):
        assert depth(opening * levels + b"1" + closing * levels) == levels
        assert isinstance(read(opening * levels + b"1" + closing * levels), Document)
        assert isinstance(read(opening * levels + b'"\\ud800"' + closing * levels), Document)
    for levels in (MAX_DEPTH + 1, 1024, 1025, 100_000):
        assert read(opening * levels + b"1" + closing * levels) == Unreadable("too_deep")


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert isinstance(read(b"[" + b",".join([b"{}"] * 5000) + b"]"), Document)
    assert isinstance(read(b'["' + b"[" * 5000 + b'"]'), Document)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'["[[", {"a]": "\\"["}]', 2),
        (b"[[]] [[[]]]", 3),
        (b"]]][", 0),
        (b'[{"a', 2),
        (b'["\\', 1),
        (b"[" * (1 << 20), MAX_DEPTH + 1),
    ],
)
def test_depth_is_counted_outside_of_texts(raw: bytes, expected: int) -> None:
    assert depth(raw) == expected


def test_a_text_without_an_end_is_passed_over_once() -> None:
    began = time.perf_counter()
    assert read(b'"' + b'\\"' * 300_000 + b"[" * 600) == Unreadable("not_json")
    assert time.perf_counter() - began < 1


def test_numbers_are_as_written_in_the_exact_document() -> None:
    assert _read(b'{"a":18446744073709551617,"b":1.10,"c":1e2}').exact().value == {
        "a": "18446744073709551617",
        "b": "1.10",
        "c": "1e2",
    }


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((), b' {"a": {"b":[1.10, {"c" : 1E400}]} , "a": {"b":[ 2.50 ,{"c":"\\ud800"}]}}'),
        (("a", "b"), b'[ 2.50 ,{"c":"\\ud800"}]'),
        (("a", "b", "0"), b"2.50"),
        (("a", "b", "1", "c"), b'"\\ud800"'),
        (("a", "x"), None),
        (("a", "b", "7"), None),
        (("a", "b", "0", "x"), None),
    ],
)
def test_a_part_is_cut_out_to_the_byte(path: tuple[str, ...], expected: bytes | None) -> None:
    raw = b' {"a": {"b":[1.10, {"c" : 1E400}]} , "a": {"b":[ 2.50 ,{"c":"\\ud800"}]}}'
    assert _read(raw).part(path) == expected


def test_elements_are_cut_out_to_the_byte() -> None:
    found = _read(b'{"l":[ 1.10 , {"a":null},[ ] ]}').elements(("l",))
    assert [(one.raw, one.value) for one in found] == [(b"1.10", 1.1), (b'{"a":null}', {"a": None}), (b"[ ]", [])]
    assert _read(b'{"l":[]}').elements(("l",)) == []
    assert _read(b'{"l":7}').elements(("l",)) == []


@given(JSON, st.sampled_from([None, 1]), st.booleans())
def test_parts_are_slices_of_the_text_and_mean_what_is_there(value: Any, indent: int | None, ascii_only: bool) -> None:
    raw = json.dumps({"a": value, "l": [value, value]}, indent=indent, ensure_ascii=ascii_only).encode()
    document = _read(raw)
    for path in (("a",), ("l",), ("l", "1")):
        part = document.part(path)
        assert part is not None
        assert part in raw
        assert _read(part).exact().value == walk(document.exact().value, path)
    assert [_read(one.raw).value for one in document.elements(("l",))] == walk(document.value, ("l",))


@given(st.binary(max_size=200))
def test_reading_any_bytes_never_fails(raw: bytes) -> None:
    found = read(raw)
    assert isinstance(found, Document | Unreadable)
    if isinstance(found, Document):
        assert found.exact().raw in raw


@given(JSON)
def test_what_remembers_its_parts_has_the_same_ones(value: Any) -> None:
    document = _read(json.dumps(value).encode())
    parted = Parted(document.raw, document.value)
    places = [(), ("a",), ("b", "a"), ("0",), ("0", "a"), ("a", "1"), ("c", "c", "c"), ("nothing", "x"), ("9" * 11,)]
    for place in (*places, *places):
        assert parted.part(place) == document.part(place)


def test_a_thousand_parts_of_a_large_text_cost_no_thousand_readings() -> None:
    raw = b'{"a":{"n":1.5},"l":[%b1]}' % (b"1," * 2_500_000)
    document = _read(raw)
    parted, began = Parted(document.raw, document.value), time.monotonic()
    assert [parted.part(("a", "n")) for _ in range(500)] == [b"1.5"] * 500
    assert [parted.part(("l", str(number))) for number in range(500)] == [b"1"] * 500
    assert time.monotonic() - began < 5
