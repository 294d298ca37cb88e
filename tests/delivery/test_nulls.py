"""The null filter."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.nulls import filter_nulls, removed

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5), max_leaves=30
)
SPACES = st.sampled_from(["", " ", "\n", "\t ", "\r\n  "])


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_nulls(element) for element in value]
    return value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a":null}', "{}"),
        ('{"a":null,"b":1}', '{"b":1}'),
        ('{"b":1,"a":null}', '{"b":1}'),
        ('{"b":1,"a":null,"c":2}', '{"b":1,"c":2}'),
        ('{"a":null,"b":null,"c":null}', "{}"),
        ('{"a":null,"b":null,"c":{"d":null},"e":null}', '{"c":{}}'),
        ('[null,{"a":[null,null]}]', '[null,{"a":[null,null]}]'),
        ("null", "null"),
        ('{"a":"b: null","c":"\\": null"}', '{"a":"b: null","c":"\\": null"}'),
        ('{"\\\\":null,"\\"":null,"x":"\\\\"}', '{"x":"\\\\"}'),
        ('{"":null,"e":"","l":[],"o":{}}', '{"e":"","l":[],"o":{}}'),
        ('{ "a" : null , "b" : 1.10 }', '{  "b" : 1.10 }'),
        ('{"n":18446744073709551617,"n":1e2,"m":null,"s":"\\ud800\\u0000\\/"}',
         '{"n":18446744073709551617,"n":1e2,"s":"\\ud800\\u0000\\/"}'),
    ],
)  # fmt: skip
def test_null_members_go_and_all_else_stays_to_the_byte(text: str, expected: str) -> None:
    assert filter_nulls(text.encode()) == expected.encode()


def test_a_text_without_null_members_is_the_same_object() -> None:
    text = b'{"a": [null], "b": "null", "c": ": null"}'
    assert filter_nulls(text) is text


def test_depth_is_no_limit() -> None:
    text = b'{"a":' * 50_000 + b'{"b":null}' + b"}" * 50_000
    assert filter_nulls(text) == text.replace(b'"b":null', b"")


@given(DOCUMENTS)
def test_it_agrees_with_filtering_the_tree(document: Any) -> None:
    text = json.dumps(document).encode()
    assert json.loads(filter_nulls(text)) == without_nulls(document)


@given(DOCUMENTS, SPACES, SPACES)
def test_white_space_of_any_kind_is_no_matter(document: Any, comma: str, colon: str) -> None:
    text = json.dumps(document, separators=(comma + "," + comma, colon + ":" + colon), indent=None).encode()
    assert json.loads(filter_nulls(text)) == without_nulls(document)
    indented = json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert json.loads(filter_nulls(indented)) == without_nulls(document)


@given(DOCUMENTS)
def test_filtering_twice_changes_nothing_more(document: Any) -> None:
    once = filter_nulls(json.dumps(document).encode())
    assert filter_nulls(once) == once


def test_removed_names_the_path_of_each_null_member() -> None:
    document = {"id": 1, "email": None, "data": {"x": None, "list": [{"phone": 1}, {"phone": None}, None]}}
    assert removed(orjson.dumps(document)) == ["email", "data.x", "data.list[1].phone"]
