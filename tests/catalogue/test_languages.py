"""Locators and templates: what they find, and that nothing makes them fail."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.document import Document, read
from gateway.catalogue.locator import SOURCES, compile_locator
from gateway.catalogue.sources import Sources
from gateway.catalogue.template import WORDS, Context, compile_json, compile_template, render_json

EVERYWHERE = Context(SOURCES, WORDS, parameters=True, secrets=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def _sources(body: bytes = b"{}", **given_: Any) -> Sources:
    item = read(given_.pop("item", b"null"))
    assert isinstance(item, Document)
    return Sources(raw=body, item=item, **given_)


def _found(text: str, sources: Sources) -> str | None:
    return compile_locator(text, SOURCES, "item").text(sources)


@pytest.mark.parametrize(
    ("locator", "expected"),
    [
        ("header:X-One", "1"),
        ("header:x-limit#remaining", "50"),
        ("header:x-limit#nothing", None),
        ("header:@name", "1"),
        ("header:@nothing", None),
        ("query:a", "1"),
        ("query:b", None),
        ("form:a", None),
        ("body:a.b", "deep"),
        ("body:list.1.id", "2"),
        ("body:list.9", None),
        ("body:list.-1", None),
        ("body:list.x", None),
        ("body:list", None),
        ("body:yes", "true"),
        ("body:nothing ?? body:a.b", "deep"),
        ("body:zero", "0"),
        ("body:empty", ""),
        ("body:big", "18446744073709551617"),
        ("body:price", "1.10"),
        ("body:a.@name", None),
        ("body:'@odata.nextLink'", "next"),
        ("body:a.'dotted.name'", "dotted"),
        ("item:id", "i"),
        ("id", "i"),
        ("config:shop.name", "Acme"),
        ("config:usual", "default"),
        ("const:x:y", "x:y"),
        ("const:", ""),
        ("last:id", None),
        ("sig:t", "5"),
        ("sig:v1", "a"),
        ("token:sub", None),
    ],
)
def test_a_locator_finds(locator: str, expected: str | None) -> None:
    body = (
        b'{"@odata.nextLink":"next","a":{"b":"deep","dotted.name":"dotted"},"list":[{"id":1},{"id":2}],'
        b'"yes":true,"nothing":null,"zero":0,"empty":"",'
        b'"big":18446744073709551617,"price":1.10}'
    )
    sources = _sources(
        body,
        item=b'{"id":"i"}',
        headers={"x-one": "1", "x-limit": "limit=100, remaining=50; reset=5"},
        query_text="a=1&a=2",
        config=ConfigView({"shop.name": "Acme", "name": "x-one"}),
        defaults={"usual": "default"},
    )
    sources.sig_text = "t=5, v1=a, v1=b"
    assert _found(locator, sources) == expected


@pytest.mark.parametrize(
    "wrong", ["", "bdy:a", "body:a..b", "body:a.'b", "header:", "config:", "body:@", "body:@a b", "a ?? b:c"]
)
def test_a_locator_that_is_none_says_what_was_expected(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"expected|names no|needs a name"):
        compile_locator(wrong, SOURCES)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{raw}", b'{"a":1}'),
        ("v0:{header:x-time}:{raw}", b'v0:5:{"a":1}'),
        ("{method}{url_base}|{url}", b"POSThttps://g.example/in/t|https://g.example/in/t?q=1"),
        ("{{{body:a}}}", b"{1}"),
        ("{body:missing}.x", b".x"),
        ("{header:x-latin}", b"caf\xe9"),
        ("", b""),
    ],
)
def test_a_template_renders_bytes(template: str, expected: bytes) -> None:
    headers = {"x-time": "5", "x-latin": b"caf\xe9".decode("utf-8", "surrogateescape")}
    sources = _sources(b'{"a":1}', method="POST", url="https://g.example/in/t?q=1", headers=headers)
    assert compile_template(template, EVERYWHERE).render(sources) == expected


def test_a_template_is_percent_encoded_in_an_address() -> None:
    sources = _sources(words={"id": "a/b c?&é"}, config=ConfigView({"u": "https://x.example/t", "p": "v1/a b"}))
    assert compile_template("/i/{id}?n=1", EVERYWHERE).url(sources) == "/i/a%2Fb%20c%3F%26%C3%A9?n=1"
    assert compile_template("/i/{+id}", EVERYWHERE).url(sources) == "/i/a/b%20c%3F%26%C3%A9"
    assert compile_template("/{+config:p}", EVERYWHERE).url(sources) == "/v1/a%20b"
    assert compile_template("{config:u}/x", EVERYWHERE).url(sources) == "https://x.example/t/x"


def test_a_template_that_must_be_complete_is_none_where_a_part_is_missing() -> None:
    template = compile_template("{body:a}:{body:b}", EVERYWHERE)
    assert template.complete(_sources(b'{"a":1,"b":2}')) == "1:2"
    assert template.complete(_sources(b'{"a":1}')) is None
    assert template.complete(_sources(b'{"a":1,"b":""}')) is None


def test_a_json_value_of_one_placeholder_keeps_its_type() -> None:
    tree = compile_json({"n": "{body:n}", "t": "n={body:n}", "l": [True, "{body:l}", 1.5]}, EVERYWHERE)
    assert render_json(tree, _sources(b'{"n":7,"l":[1,{"a":null}]}')) == {
        "n": 7,
        "t": "n=7",
        "l": [True, [1, {"a": None}], 1.5],
    }


@pytest.mark.parametrize("wrong", ["{", "}", "{raw", "{}", "{bdy:a}", "{a b}", "{body:a..b}"])
def test_a_template_that_is_none_says_what_was_expected(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"lone|neither|no locator|no path"):
        compile_template(wrong, EVERYWHERE)


@given(st.text(max_size=40))
def test_compiling_any_text_gives_a_value_error_or_something_that_works(text: str) -> None:
    try:
        locator = compile_locator(text, SOURCES, "body")
        template = compile_template(text, EVERYWHERE)
    except ValueError:
        return
    sources = _sources(b'{"a":[1,"\\ud800"]}')
    locator.text(sources)
    assert isinstance(template.render(sources), bytes)


@given(
    JSON,
    st.sampled_from(["body:", "item:", "header:", "query:", "form:", "config:", "sig:", "const:"]),
    st.text(st.characters(exclude_characters="?@{}"), min_size=1, max_size=8),
    st.dictionaries(st.text(), st.text(), max_size=3),
)
def test_evaluating_never_fails(value: Any, source: str, path: str, headers: dict[str, str]) -> None:
    try:
        locator = compile_locator(source + path, SOURCES)
    except ValueError:
        return
    raw = json.dumps(value).encode()
    sources = _sources(raw, item=raw, headers=headers, query_text=path, config=ConfigView(headers))
    found = locator.text(sources)
    assert found is None or isinstance(found, str)
    assert all(isinstance(text, str) for text in locator.texts(sources))


@given(st.binary(max_size=60), st.text(max_size=20), st.text(max_size=20))
def test_templates_render_bytes_whatever_comes(raw: bytes, header: str, query: str) -> None:
    template = compile_template("{header:h}{raw}{query:q}{body:a}{form:a}{url}", EVERYWHERE)
    sources = _sources(raw, headers={"h": header}, query_text=query)
    assert raw in template.render(sources)
    assert isinstance(template.text(sources), str)
    assert isinstance(template.url(sources), str)
