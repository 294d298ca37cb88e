"""Headers of a callback: what is taken can neither end a header line nor replace one of the gateway's own."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.instances.callback_headers import parse_headers


@given(st.text(max_size=200))
def test_no_text_smuggles_a_line(text: str) -> None:
    for name, value in parse_headers(text).headers:
        assert name.isascii()
        assert not set(name + value) & set("\r\n\x00")


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=20) | st.integers() | st.none(), max_size=5))
def test_no_json_smuggles_a_line(headers: dict[str, object]) -> None:
    try:
        text = orjson.dumps(headers).decode()
    except TypeError:
        return
    found = parse_headers(text)
    assert len(found.headers) + len(found.problems) == len(headers)
    for name, value in found.headers:
        assert not set(name + value) & set("\r\n\x00")


def test_lines_and_json_say_the_same() -> None:
    expected = (("X-Key", "a: b"), ("X-Other", "c"))
    assert parse_headers('{"X-Key":"a: b","X-Other":"c"}').headers == expected
    assert parse_headers("X-Key: a: b\r\n\n X-Other:c \n").headers == expected
    assert parse_headers("").headers == ()


@pytest.mark.parametrize(
    "text",
    [
        '{"X":"a\\r\\nEvil: b"}',
        '{"X\\r\\nEvil":"b"}',
        "X: a\rEvil: b",
        "X : a b\x00",
        '{"X": 5}',
        "{",
        "no colon",
        "Host: x",
        "content-LENGTH: 5",
        "Transfer-Encoding: chunked",
        "webhook-signature: v1,x",
        "Elements-Webhook-Signature: x",
        ": x",
        "Ü: x",
        "X: 漢",
        "\n".join(f"X-{number}: x" for number in range(33)),
    ],
)
def test_what_cannot_be_sent_is_a_problem(text: str) -> None:
    found = parse_headers(text)
    assert found.problems
    assert found.headers == ()
