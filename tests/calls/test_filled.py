"""Inputs by number: what a method takes, and the request that values make of it."""

import json
from pathlib import Path

import pytest

from gateway.calls.filled import request_with
from gateway.calls.model import Access, Rendered
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.inputs import Input, inputs_of
from gateway.catalogue.model import Connector
from gateway.errors import Invalid
from tests.catalogue.connector_file import connector_of

FILE = """
[http]
base_url = "https://api.example.com/v1"
[pagination.pages]
type = "page"
param = "page"
size_param = "per_page"
[methods.find]
request = "GET /things/{group}"
params = { group = { choices = ["red", "blue"] } }
query = { tag = {}, since = { type = "integer" }, version = "2" }
paginate = "pages"
[methods.make]
request = "POST /things"
body = "json"
fields = { name = { required = true }, size = { type = "integer" }, note = {}, parts = { type = "array" }, "x.*" = {} }
[methods.form]
request = "POST /form"
body = "form"
fields = { amount = { type = "integer" }, meta = { type = "object" } }
[methods.free]
request = "{verb} /{+path}"
params = { verb = { choices = ["GET", "POST"], required = true }, path = { required = true } }
query = "*"
body = "any"
"""


@pytest.fixture
def connector(tmp_path: Path) -> Connector:
    return connector_of(tmp_path, FILE)


def named(connector: Connector, method: str) -> dict[str, Input]:
    return {one.name: one for one in inputs_of(connector, connector.methods[method])}


def made(connector: Connector, method: str, **values: object) -> Rendered:
    inputs = named(connector, method)
    given = [(inputs[name], value) for name, value in values.items()]
    return request_with(Access(connector=connector, config=ConfigView({})), connector.methods[method], given)


def test_a_method_takes_its_path_its_query_its_pages_and_its_body(connector: Connector) -> None:
    def places(method: str) -> list[tuple[str, str]]:
        return [(one.place, one.name) for one in inputs_of(connector, connector.methods[method])]

    assert places("find") == [
        ("path", "group"), ("query", "tag"), ("query", "since"), ("page", "per_page"), ("page", "page"),
    ]  # fmt: skip
    assert places("free") == [("path", "verb"), ("path", "path"), ("open", "query"), ("body", "body")]
    assert [place for place, _ in places("make")] == ["field"] * 5


def test_parameters_are_texts_numbers_and_lists(connector: Connector) -> None:
    call = made(connector, "find", group="red", tag=["a", "b&c"], since=7, page="3", per_page=50)
    assert call.url == "https://api.example.com/v1/things/red"
    assert dict(call.query) == {"version": "2", "tag": "b&c", "since": "7", "page": "3", "per_page": "50"}
    assert [value for name, value in call.query if name == "tag"] == ["a", "b&c"]


def test_fields_are_in_the_type_that_the_vendor_wants(connector: Connector) -> None:
    call = made(
        connector, "make", name=12, size="5", note="5", parts='[{"a": null}]', **{"x.*": {"x.one": 1, "two": "2"}}
    )
    assert json.loads(call.body) == {
        "name": "12", "size": 5, "note": "5", "parts": [{"a": None}], "x.one": 1, "x.two": "2",
    }  # fmt: skip
    big = made(connector, "make", name="n", size="98765432109876543210")
    assert b"98765432109876543210" in big.body
    assert made(connector, "form", amount="5", meta={"k": "v w"}).body == b"amount=5&meta%5Bk%5D=v%20w"


def test_a_free_method_takes_a_whole_body_and_any_query(connector: Connector) -> None:
    call = made(connector, "free", verb="post", path="a/b c", query={"q": [1, 2]}, body={"deep": [None]})
    assert (call.verb, call.url) == ("POST", "https://api.example.com/v1/a/b%20c")
    assert call.query == (("q", "1"), ("q", "2"))
    assert call.body == b'{"deep": [null]}'
    assert made(connector, "free", verb="POST", path="a", body="<xml/>").body == b"<xml/>"


@pytest.mark.parametrize(
    ("method", "values"),
    [
        ("find", {}),
        ("find", {"group": "green"}),
        ("find", {"group": ["red"]}),
        ("find", {"group": "red", "since": "soon"}),
        ("find", {"group": "red", "tag": {"a": 1}}),
        ("find", {"group": "red", "tag": "\ud800"}),
        ("make", {}),
        ("make", {"name": None}),
        ("make", {"name": "n", "size": "big"}),
        ("make", {"name": "n", "parts": "no list"}),
        ("make", {"name": "n", "x.*": "no object"}),
        ("make", {"name": "\ud800"}),
        ("free", {"verb": "TRACE", "path": "a"}),
        ("free", {"verb": "GET", "path": "../admin"}),
        ("free", {"verb": "POST", "path": "a", "body": "\udfff"}),
    ],
)
def test_what_does_not_fit_is_invalid(connector: Connector, method: str, values: dict[str, object]) -> None:
    with pytest.raises(Invalid, match=r"\w"):
        made(connector, method, **values)
