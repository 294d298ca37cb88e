"""The editor's fields: what is stored comes back as it was, what is offered can be used, what changed is told."""

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict
from yarl import URL

from gateway.accounts.model import AccountId, PartnerId
from gateway.console.forms import Form
from gateway.console.thirdparty import entered, overtaken, suggestions
from gateway.console.thirdparty.table import Table, last_page, table
from gateway.errors import Conflict, Invalid, Problem
from gateway.thirdparty.model import DataRow, Definition, Fires, Header, SigningSecret, ThirdParty
from tests.console.person import signed_in
from tests.console.thirdparty_parts import PATH, made, stored
from tests.kit.gateway import Gateway
from tests.thirdparty.parts import rendered, rows

RICH: dict[str, Any] = {
    "method": "PUT",
    "type": "JSON",
    "headers": [
        {"name": "X-Note", "value": ' "quoted" & <b>{body:id}</b> '},
        {"name": "X-Token", "value": "s3cret-token"},
    ],
    "basic": {"username": "ann & co", "password": " spaced password "},
    "data": [
        {"name": "a.b", "value": "\n first line\nsecond </textarea> line\n"},
        {"name": "list[]", "value": '{"x":\n ["{body:id}", null]}', "kind": "json"},
        {"name": "empty", "value": ""},
    ],
    "fires": {"event_types": ["CREATED", "lead.updated, really"], "object_types": ["<lead>"], "connectors": ["github"]},
}


class _Sent(HTMLParser):
    """What a browser would send of the editor, as it stands."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._in_editor = self._in_template = False
        self._select = self._area = ""
        self._chosen: str | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._in_editor = "data-editor" in found
        self._in_template = self._in_template or tag == "template"
        if not self._in_editor or self._in_template:
            return
        if tag == "input" and found.get("name") and (found.get("type") != "checkbox" or "checked" in found):
            self.fields.append((found["name"], found.get("value", "")))
        elif tag == "select":
            self._select, self._chosen = found["name"], None
        elif tag == "option" and ("selected" in found or self._chosen is None):
            self._chosen = found["value"]
        elif tag == "textarea":
            self._area, self._text = found["name"], ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "template":
            self._in_template = False
        elif tag == "select" and self._select:
            self.fields.append((self._select, self._chosen or ""))
            self._select = ""
        elif tag == "textarea" and self._area:
            # The first line break belongs to the tag; the others are sent as two characters.
            text = self._text.removeprefix("\n").replace("\n", "\r\n")
            self.fields.append((self._area, text))
            self._area = ""


async def test_saving_the_editor_as_it_was_opened_changes_nothing(gateway: Gateway) -> None:
    kinds: list[dict[str, Any]] = [{}, {"type": "XML", "root": "order", "data": []}, {"type": "FORM"}]
    for number, changes in enumerate(kinds):
        one = await made(gateway, f"Chat {number}", **{**RICH, **changes})
        async with signed_in(gateway) as person:
            page = await person.get(f"{PATH}/{one.id}/edit")
            reader = _Sent()
            reader.feed(page.text)
            fields = [pair for pair in reader.fields if pair[0] != "csrf"]
            answered = await person.post(f"{PATH}/{one.id}/edit", fields)
            assert answered.path == PATH, answered.shown
        after = await stored(gateway, one.id)
        assert after.definition == one.definition
        assert after.version == 2


def form(*pairs: tuple[str, str]) -> Form:
    return Form(MultiDict(pairs))


def test_problems_stand_at_the_rows_as_they_are_seen() -> None:
    fields = entered.Entered(
        headers=(Header("", ""), Header("a", "b"), Header("", " "), Header("c", "d")),
        data=(DataRow("", ""), DataRow("x", "")),
    )
    problem = Invalid(
        "",
        tuple(
            Problem(one, "no")
            for one in (
                "headers.0.name",
                "headers.1.value",
                "headers.2",
                "data.0.kind",
                "data",
                "fires.connectors",
                "url",
            )
        ),
    )
    found = entered.placed(problem, fields)
    assert isinstance(found, Invalid)
    assert [one.field for one in found.problems] == [
        "headers.1.name", "headers.3.value", "headers.2.name", "data.1.kind", "data", "fires.connectors", "url",
    ]  # fmt: skip
    conflict = Conflict("no")
    assert entered.placed(conflict, fields) is conflict


def test_values_that_are_ticked_and_typed_are_each_meant_once() -> None:
    name = "fires.object_types"
    found = entered.typed(form((name, "lead"), (name, "note"), (f"{name}.more", "note\r\n\r\n task \r\nlead")))
    assert found.object_types == ("lead", "note", "task")


def test_an_instance_that_is_no_number_is_refused_at_its_field() -> None:
    fields = entered.typed(form(("name", "x"), ("url", "https://x.example"), ("fires.instance_ids", "1; drop")))
    with pytest.raises(Invalid) as refused:
        entered.draft_of(fields)
    assert [one.field for one in refused.value.problems] == ["fires.instance_ids"]


_LEAVES = st.text(max_size=8) | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.booleans() | st.none()
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(_VALUES)
def test_every_value_that_is_offered_is_found_in_the_event(payload: object) -> None:
    content = orjson.dumps({"payload": payload})
    for one in suggestions.of_payload(content):
        found = orjson.loads(rendered_with(one.placeholder, content)).get("found")
        if one.example:
            assert found is not None, one


def rendered_with(placeholder: str, payload: bytes) -> bytes:
    definition = Definition(name="x", url="https://target.example", data=rows(("found", placeholder)))
    return rendered(definition, payload).body


def test_offered_values_are_bounded() -> None:
    wide = orjson.dumps({f"key {number}": "x" * 1000 for number in range(1000)})
    found = suggestions.of_payload(wide)
    assert len(found) == suggestions.MOST
    assert all(len(one.example) <= suggestions.LONGEST_EXAMPLE for one in found)
    deep: dict[str, Any] = {}
    for _ in range(100):
        deep = {"a": deep, "b": 1}
    assert all(len(one.placeholder) < 250 for one in suggestions.of_payload(orjson.dumps(deep)))
    assert suggestions.of_payload(b"not json") == []
    assert suggestions.of_payload(b'"' + b"x" * (2 << 20) + b'"') == []


def connector(**changes: Any) -> ThirdParty:
    return ThirdParty(
        id=1,
        partner_id=PartnerId("p"),
        account_id=AccountId("a"),
        definition=Definition(name="Chat", url="https://x.example", headers=(Header("X-Key", "s3cret"),), **changes),
        state="active",
        reason=None,
        signing_secrets=(SigningSecret("whsec_x"),),
        version=1,
        created_at=0,
        updated_at=0,
    )


def test_what_another_changed_is_told_by_field_and_without_secrets() -> None:
    before = connector()
    after = replace(connector(method="PUT", fires=Fires(object_types=("lead",))), state="off")
    found = {one.field: one.value for one in overtaken.changed(overtaken.marks(before), after)}
    assert found == {"method": "PUT", "fires": "lead", "enabled": "false"}
    everything = {one.field: one.value for one in overtaken.changed("made up", after)}
    assert everything["headers"] == "X-Key: ********"
    assert len(everything) == len(overtaken.marks(after).split(","))


def test_a_changed_secret_is_named_in_the_log_and_not_told() -> None:
    before, after = connector(password="one", username="ann"), connector(password="two", username="ann")
    assert overtaken.names(before, after) == ["password"]
    other = replace(after, definition=replace(after.definition, headers=(Header("X-Key", "other"),)))
    assert overtaken.names(after, other) == ["headers"]


def test_an_address_of_the_table_leads_to_what_it_was_made_of() -> None:
    for wanted in (
        Table(),
        Table(search="a&b =ü", sort="date", ascending=False, number=3, size=50),
        Table(sort="name", ascending=False),
        Table(sort="url"),
    ):
        assert table(URL(wanted.path).query) == wanted
    assert Table(sort="url").by("url") == Table(sort="url", ascending=False)
    assert Table(sort="url", number=4).by("date") == Table(sort="date")
    assert [last_page(total, 10) for total in (0, 1, 10, 11)] == [1, 1, 1, 2]
