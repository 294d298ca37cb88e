"""From a method and arguments to a request: what fits is rendered exactly, what does not is named."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.calls.model import Access
from gateway.calls.render import whole_url
from gateway.errors import Invalid
from tests.calls.shop import SHOP, access_to, call_of, refusal_of

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)


def test_defaults_and_fixed_parameters_stand_beside_what_the_caller_gives(shop: Access) -> None:
    call = call_of(shop, "list", query=(("state", "on"), ("size", "12345678901234567890")))
    assert whole_url(call) == ("https://api.shop.example/v1/things/?kind=plain&v=2&state=on&size=12345678901234567890")
    assert ("X-Shop", "yes") in call.headers


def test_a_default_gives_way_to_the_caller(shop: Access) -> None:
    assert call_of(shop, "list", query=(("kind", "a b&c"),)).query == (("v", "2"), ("kind", "a b&c"))


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ((("stat", "on"),), "did you mean state?"),
        ((("state", "maybe"),), "expected one of on, off"),
        ((("size", "1e3"),), "expected a whole number"),
        ((("v", "3"),), "is set by the connector"),
    ],
)
def test_a_parameter_that_does_not_fit_is_named(shop: Access, query: tuple[tuple[str, str], ...], told: str) -> None:
    refusal = refusal_of(shop, "list", query=query)
    assert told in refusal
    assert query[0][0] in refusal


def test_all_that_is_wrong_is_said_at_once(shop: Access) -> None:
    with pytest.raises(Invalid) as caught:
        call_of(shop, "create", query=(("no", "1"),), body=b'{"count": "many"}')
    assert [problem.field for problem in caught.value.problems] == ["no", "count", "name"]


@pytest.mark.parametrize("id_", ["a/b", "a?b#c", "é ü", "100%", "a\\b", "..%2f", "@evil.example", "a:b", "...", ".a"])
def test_an_id_is_one_step_of_the_path_whatever_it_holds(shop: Access, id_: str) -> None:
    url = call_of(shop, "get", params={"id": id_}).url
    prefix, suffix = "https://api.shop.example/v1/things/", "/"
    assert url.startswith(prefix)
    assert url.endswith(suffix)
    step = url[len(prefix) : -1]
    assert "/" not in step
    assert unquote(step) == id_


@pytest.mark.parametrize("id_", ["", ".", "..", "a\nb", "a\r\nHost: x", "\x00", "\x7f", "\ud800", "x" * 2049])
def test_an_id_that_is_no_id_is_refused(shop: Access, id_: str) -> None:
    assert "id: " in refusal_of(shop, "get", params={"id": id_})


@pytest.mark.parametrize("path", ["a/../../b", "..", "a/.", "./a", "a\nb", ""])
def test_a_path_cannot_climb(shop: Access, path: str) -> None:
    assert "path: " in refusal_of(shop, "file", params={"path": path})


def test_a_wide_path_keeps_its_slashes_and_nothing_else(shop: Access) -> None:
    url = call_of(shop, "file", params={"path": "a b/c?d/e#f"}).url
    assert url == "https://api.shop.example/v1/files/a%20b/c%3Fd/e%23f"


@given(ANY_TEXT)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_argument_leaves_the_host_or_breaks_a_line(shop: Access, text: str) -> None:
    for method, name in (("get", "id"), ("file", "path"), ("any", "path")):
        try:
            call = call_of(shop, method, params={name: text, "verb": "GET"})
        except Invalid:
            continue
        parts = urlsplit(call.url)
        assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("https", "api.shop.example", "", "")
        assert call.url.isascii()
        assert call.url.isprintable()


@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT), max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_query_is_rendered_or_refused_and_never_an_accident(shop: Access, query: list[tuple[str, str]]) -> None:
    call = call_of(shop, "any", params={"verb": "GET", "path": "x"}, query=tuple(query))
    assert whole_url(call).isascii()
    assert whole_url(call).isprintable()


@pytest.mark.parametrize("verb", ["PUT", "CONNECT", "GET /x HTTP/1.1\r\n", "", "get it"])
def test_a_verb_that_the_method_does_not_know_is_refused(shop: Access, verb: str) -> None:
    assert "verb: expected one of GET, POST" in refusal_of(shop, "any", params={"verb": verb, "path": "x"})


def test_a_path_with_an_address_in_it_stays_a_path(shop: Access) -> None:
    url = call_of(shop, "any", params={"verb": "get", "path": "https://evil.example/x"}).url
    assert url == "https://api.shop.example/v1/https%3A//evil.example/x"


def test_an_address_that_is_too_long_is_refused(shop: Access) -> None:
    refusal = refusal_of(shop, "any", params={"verb": "GET", "path": "x"}, query=(("q", "x" * 9000),))
    assert "more than 8192 characters" in refusal


def test_a_connector_without_an_address_says_which_entry_is_missing(tmp_path: Path) -> None:
    bare = access_to(tmp_path, SHOP.replace('base_url = "https://api.shop.example/v1"\n', ""))
    assert "base.url is needed for calls" in refusal_of(bare, "list")


def test_a_post_carries_a_fresh_key_against_doubles_and_nothing_else_does(shop: Access) -> None:
    keys = [dict(call_of(shop, "create", body=b'{"name":"x"}').headers)["Idempotency-Key"] for _ in range(2)]
    assert len({*keys}) == 2
    assert all(len(key) == 36 for key in keys)
    assert "Idempotency-Key" not in dict(call_of(shop, "list").headers)
    assert "Idempotency-Key" not in dict(call_of(shop, "upload", params={"id": "1"}, body=b"x").headers)


def test_the_caller_s_own_key_against_doubles_is_kept(shop: Access) -> None:
    call = call_of(shop, "create", body=b'{"name":"x"}', idempotency_key="mine-1")
    assert dict(call.headers)["Idempotency-Key"] == "mine-1"
    assert "idempotency key: " in refusal_of(shop, "create", body=b'{"name":"x"}', idempotency_key="a\r\nb")
