"""The page at `/docs`: all of the description, from this gateway alone, whatever stands in a text."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from gateway.api.openapi import page
from tests.api.openapi.test_document import DOCUMENT, OPERATIONS
from tests.kit.gateway import Gateway

_VOID = {"meta", "link", "input", "br", "img"}


class Outline(HTMLParser):
    """The tags of a page, each with its attributes; whether all are closed in their order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


OUTLINE = Outline(page.html(DOCUMENT))


async def test_it_may_load_nothing_from_elsewhere_and_run_nothing_inline(sqlite_gateway: Gateway) -> None:
    answered = await sqlite_gateway.call("GET", "/docs", headers={})
    assert (answered.status, answered.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    policy = dict(one.strip().partition(" ")[::2] for one in answered.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["form-action"] == policy["base-uri"] == "'none'"
    assert answered.headers["X-Content-Type-Options"] == "nosniff"


async def test_what_it_loads_is_there(sqlite_gateway: Gateway) -> None:
    html = (await sqlite_gateway.call("GET", "/docs", headers={})).body.decode()
    loaded = [found[tag] for name, found in Outline(html).tags for tag in ("src", "href") if found.get(tag)]
    files = {one for one in loaded if one is not None and not one.startswith("#")}
    assert files == {"docs/page.css", "docs/page.js", "openapi.json"}
    types = {name: (await sqlite_gateway.call("GET", f"/{name}", headers={})) for name in files}
    assert {one.status for one in types.values()} == {200}
    assert types["docs/page.js"].headers["Content-Type"].startswith("text/javascript")
    assert types["docs/page.css"].headers["Content-Type"].startswith("text/css")


async def test_beside_it_there_is_nothing(sqlite_gateway: Gateway) -> None:
    assert (await sqlite_gateway.call("GET", "/docs/page.py", headers={})).status == 404
    assert (await sqlite_gateway.call("POST", "/docs", headers={})).status == 405


def test_it_has_no_inline_script_style_or_handler() -> None:
    for tag, attributes in OUTLINE.tags:
        assert tag != "style"
        assert tag != "script" or attributes.get("src")
        assert not [name for name in attributes if name.startswith("on") or name == "style"]


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_it_shows_every_operation(path: str, operation: dict[str, Any]) -> None:
    shown = next(found for tag, found in OUTLINE.tags if found.get("id") == operation["operationId"])
    assert path.lower() in str(shown["data-text"])
    assert operation["summary"].lower() in str(shown["data-text"])


def test_no_two_things_on_it_have_one_address() -> None:
    ids = [found["id"] for _, found in OUTLINE.tags if "id" in found]
    assert len(ids) == len(set(ids))


def test_a_text_of_the_description_is_no_markup() -> None:
    rude = "<script>alert(1)</script>\"'"
    item = {
        "get": {
            "operationId": "x",
            "tags": [rude],
            "summary": rude,
            "description": rude,
            "responses": {},
            "security": [],
            "parameters": [
                {"name": rude, "in": "query", "required": False, "schema": {"type": "string", "default": rude}}
            ],
        }
    }
    told = {
        "info": {"title": rude, "version": rude, "description": rude},
        "servers": [{"url": rude}],
        "tags": [{"name": rude, "description": rude}],
        "paths": {f"/{rude}": item},
    }  # fmt: skip
    found = Outline(page.html(told))
    assert [one for tag, one in found.tags if tag == "script"] == [{"src": "docs/page.js", "defer": None}]


def test_a_command_is_quoted_for_a_shell() -> None:
    found = {"operationId": "x", "responses": {}, "security": [], "requestBody": {
        "content": {"application/json": {"schema": {}, "example": {"name": "it's"}}}}}  # fmt: skip
    text = re.sub("<[^>]+>", "", "".join(page.pieces("https://gateway.example", "post", "/things/{id}", found)))
    assert text.startswith("curl -sS -X POST 'https://gateway.example/things/{id}'")
    assert "it&#x27;\\&#x27;&#x27;s" in text
