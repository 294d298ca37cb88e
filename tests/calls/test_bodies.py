"""Bodies: checked against the declared fields, and passed on to the byte."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.calls.bodies import form
from gateway.calls.model import Access
from gateway.errors import Invalid
from tests.calls.shop import SHOP, access_to, call_of, refusal_of

JSON = ("Content-Type", "application/json")


def test_a_body_that_needs_nothing_stays_as_it_came(shop: Access) -> None:
    body = b' { "name":\t"\\u00e9",  "count": 18446744073709551617, "kind":1.10, "x_y" :1e40 }\n'
    call = call_of(shop, "create", body=body)
    assert call.body == body
    assert JSON in call.headers


def test_defaults_are_put_before_what_came_which_stays_to_the_byte(shop: Access) -> None:
    call = call_of(shop, "create", body=b' {"name" : "a", "x_big":12345678901234567890123}\n')
    assert call.body == b'{"kind":"plain","name" : "a", "x_big":12345678901234567890123}\n'


def test_an_object_without_members_gets_its_defaults(tmp_path: Path) -> None:
    lax = access_to(tmp_path, SHOP.replace("name = { required = true }", "name = {}"))
    assert [call_of(lax, "create", body=body).body for body in (b"", b" { } ")] == [
        b'{"kind":"plain"}',
        b'{"kind":"plain" } ',
    ]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"[1]", "expected a JSON object"),
        (b"{", "is not valid JSON"),
        (b"\xff", "is not valid JSON"),
        (b"\xef\xbb\xbf{}", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b'{"name":"a","nmae":1}', "did you mean name?"),
        (b'{"name":"a","count":1.5}', "count: expected a whole number"),
        (b'{"name":"a","count":true}', "count: expected a whole number"),
        (b'{"name":null}', "name: is required"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_by_name(shop: Access, body: bytes, told: str) -> None:
    assert told in refusal_of(shop, "create", body=body)


def test_kinds_and_choices_are_kept_to(shop: Access) -> None:
    assert "tags: expected a list" in refusal_of(shop, "tag", body=b'{"tags":{}}')
    assert "mode: expected one of 1, 2" in refusal_of(shop, "tag", body=b'{"mode":3}')
    assert refusal_of(shop, "tag", body=b'{"tags":[],"mode":2}') == ""


def test_null_clears_a_field_that_is_not_required(shop: Access) -> None:
    body = b'{"name":"a","count":null,"kind":null}'
    assert call_of(shop, "create", body=body).body == body


def test_a_body_where_none_is_taken_is_refused(shop: Access) -> None:
    assert "body: is not taken by this method" in refusal_of(shop, "list", body=b"{}")
    assert refusal_of(shop, "list", body=b" \n") == ""


def test_a_form_holds_numbers_as_they_were_written(shop: Access) -> None:
    call = call_of(
        shop, "pay", body=b'{"amount": 100, "big": 18446744073709551617, "exact": 1.10, "yes": true, "no": null}'
    )
    assert call.body == b"amount=100&big=18446744073709551617&exact=1.10&yes=true&no="
    assert ("Content-Type", "application/x-www-form-urlencoded") in call.headers


def test_a_form_writes_objects_and_lists_with_brackets() -> None:
    assert form({"a": {"b": [1, 2], "c&": "d=e"}}) == b"a%5Bb%5D%5B%5D=1&a%5Bb%5D%5B%5D=2&a%5Bc%26%5D=d%3De"


@pytest.mark.parametrize("depth", [17, 900, 1_100])
def test_a_form_has_a_bounded_depth(shop: Access, depth: int) -> None:
    body = b'{"amount":1,"a":' + b"[" * depth + b"]" * depth + b"}"
    assert "body: is n" in refusal_of(shop, "pay", body=body)
    hidden = b'{"a":' + b"[" * depth + b"]" * depth + b',"amount":1,"a":1}'
    call = refusal_of(shop, "pay", body=hidden)
    assert call == "" or "body: is n" in call


@pytest.mark.parametrize("content_type", ["text/xml", "application/octet-stream", "multipart/form-data; boundary=x"])
def test_a_body_of_another_kind_goes_through_with_its_type(shop: Access, content_type: str) -> None:
    call = call_of(shop, "any", params={"verb": "POST", "path": "x"}, body=b"<\x00>", content_type=content_type)
    assert call.body == b"<\x00>"
    assert ("Content-Type", content_type) in call.headers


def test_no_body_has_no_type(shop: Access) -> None:
    call = call_of(shop, "any", params={"verb": "POST", "path": "x"}, content_type="application/json")
    assert call.body == b""
    assert not [name for name, _ in call.headers if name == "Content-Type"]


def test_a_raw_body_is_nobody_s_business(shop: Access) -> None:
    call = call_of(shop, "upload", params={"id": "1"}, body=b"{not json")
    assert call.body == b"{not json"
    assert ("Content-Type", "application/octet-stream") in call.headers


@given(st.binary(max_size=200), st.sampled_from(["create", "pay", "any", "upload", "list"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_are_sent_or_refused(shop: Access, body: bytes, method: str) -> None:
    with suppress(Invalid):
        call_of(shop, method, params={"id": "1", "path": "x", "verb": "POST"}, body=body)
