"""JSON as callers of the Cyclr wire write it."""

import contextlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.cyclr.lenient import loads


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'Parameters': {123 : 1}}", {"Parameters": {"123": 1}}),
        (
            "{a: 'it\\'s', \"b\": 'say \"hi\"', c: [1, -2.5e1, true, null,],}",
            {"a": "it's", "b": 'say "hi"', "c": [1, -25.0, True, None]},
        ),
        ("{'\\u00e9\\n': '\\ud83d\\ude00'}", {"é\n": "😀"}),
        ("['\\ud800']", ["�"]),
        ('\ufeff{"a":1}', {"a": 1}),
        ("{}", {}),
        ("'alone'", "alone"),
    ],
)
def test_what_means_only_one_thing_is_read(text: str, value: Any) -> None:
    assert loads(text.encode()) == value


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "{",
            "[1",
            "{'a'}",
            "{a:}",
            "{a:1 b:2}",
            "'open",
            "\"mixed'",
            "{a:__import__('os')}",
            "nan",
            "[1,,2]",
            "{,}",
        ),
        *("[" * 10_000, "{a:" * 10_000, "[" * 65 + "]" * 65, '{"a":' * 65 + "1" + "}" * 65, "{} {}", "'\\x41'", "01x"),
        *("'" + "\\" * 100_001, "'" + '"' * 100_000),
    ],
    ids=range(21),
)
def test_everything_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        loads(text.encode())


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_is_json_is_read_as_json(value: Any) -> None:
    assert loads(orjson.dumps(value)) == value


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_a_value_or_a_value_error(raw: bytes) -> None:
    with contextlib.suppress(ValueError):
        orjson.dumps(loads(raw))
