"""The request that a connector makes of an event."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.delivery.attempt import MOST_INLINE
from gateway.thirdparty.model import Header
from gateway.thirdparty.naming import path_of, xml_name
from gateway.thirdparty.render import Unrenderable, effort
from tests.thirdparty.parts import NOTIFICATION, definition, rendered, rows, tried

ANY_JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | some.text(),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(), inner, max_size=4),
    max_leaves=20,
)


def body_of(data: Any, payload: object, kind: str = "JSON", **changes: Any) -> bytes:
    return rendered(definition(data=data, type=kind, **changes), payload).body


def test_a_placeholder_by_itself_keeps_its_type_and_the_characters_of_its_numbers() -> None:
    payload = b'{"a":{"n":1.10,"big":123456789012345678901234567890,"no":false},"list":[1e2, {"x" : "y"}]}'
    data = rows(("n", "{body:a.n}"), ("big", "{body:a.big}"), ("no", "{body:a.no}"), ("list", "{body:list}"))
    assert body_of(data, payload) == (
        b'{"n":1.10,"big":123456789012345678901234567890,"no":false,"list":[1e2, {"x" : "y"}]}'
    )


def test_a_number_stays_one_where_the_payload_has_half_a_surrogate_pair() -> None:
    assert body_of(rows(("n", "{body:n}"), ("s", "{body:s}")), b'{"n":7,"s":"\\ud800"}') == b'{"n":7,"s":"\\ud800"}'


def test_a_placeholder_among_text_is_text() -> None:
    assert body_of(rows(("a", "no. {body:n}, {{really}}")), {"n": 5}) == b'{"a":"no. 5, {really}"}'


def test_names_nest_by_dots_places_and_brackets() -> None:
    data = rows(("a.b", "1"), ("a.'c.d'", "2"), ("l[1].x", "3"), ("l[0].x", "4"), ("t[]", "5"), ("t[]", "6"))
    assert orjson.loads(body_of(data, {})) == {
        "a": {"b": "1", "c.d": "2"},
        "l": [{"x": "4"}, {"x": "3"}],
        "t": ["5", "6"],
    }


def test_a_value_marked_as_json_is_json_with_templates_in_it() -> None:
    text = '{"deep": [{"id": "{body:id}", "n": 1.0}, "{body:none}", true, null], "{body:id}": "a {event:action}"}'
    assert body_of(rows(("v", text, "json")), {"id": 3}) == (
        b'{"v":{"deep":[{"id":3,"n":1.0},true,null],"{body:id}":"a CREATED"}}'
    )


def test_what_is_missing_is_left_out_of_json_and_xml_and_is_empty_in_a_form() -> None:
    data = rows(("a", "{body:none}"), ("b.c", "{body:null}"), ("d", "x{body:none}"))
    assert body_of(data, {"null": None}) == b'{"d":"x"}'
    assert body_of(data, {}, "FORM") == b"a=&b%5Bc%5D=&d=x"
    assert body_of(data, {}, "XML").endswith(b"<event><d>x</d></event>")


def test_json_without_rows_is_the_notification_and_the_others_are_empty() -> None:
    assert body_of((), {}) == NOTIFICATION
    assert body_of((), {}, "FORM") == b""
    assert body_of((), {}, "XML", root="order").endswith(b"\n<order />")


def test_a_form_has_brackets_for_what_is_nested() -> None:
    found = body_of(
        rows(("a", "{body:}"), ("tags[]", "x"), ("tags[]", "y")), {"b": [1, 2.50], "c": {"d": True}}, "FORM"
    )
    assert parse_qsl(found.decode()) == [
        ("a[b][]", "1"), ("a[b][]", "2.5"), ("a[c][d]", "true"), ("tags[]", "x"), ("tags[]", "y"),
    ]  # fmt: skip


def test_xml_escapes_markup_and_repeats_the_elements_of_lists() -> None:
    data = rows(
        ("@version", "2"), ("name", "{body:name}"), ("item", "{body:items}"), ("price.@currency", "{body:name}"),
        ("price.#text", "{body:price}"),
    )  # fmt: skip
    payload = {"name": "<b>&\"'", "items": [{"no name!": 1}, 2], "price": 9.5}
    root = ElementTree.fromstring(body_of(data, payload, "XML", root="order"))
    assert (root.tag, root.attrib) == ("order", {"version": "2"})
    assert root.findtext("name") == "<b>&\"'"
    assert [[child.tag for child in one] or one.text for one in root.findall("item")] == [["no_name_"], "2"]
    price = root.find("price")
    assert price is not None
    assert (price.get("currency"), price.text) == ("<b>&\"'", "9.5")


def test_xml_gets_a_replacement_for_what_it_cannot_hold() -> None:
    found = body_of(rows(("a", "{body:s}")), b'{"s":"a\\u0000\\u001b\\ud800b"}', "XML")
    assert ElementTree.fromstring(found).findtext("a") == "a���b"


def test_line_breaks_and_tabs_come_out_of_xml_as_they_went_in() -> None:
    text = "a\r\nb\rc\td"
    data = rows(("v", "{body:t}"), ("w.@x", "{body:t}"), ("w.#text", "{body:t}"))
    found = ElementTree.fromstring(body_of(data, {"t": text}, "XML"))
    inner = found.find("w")
    assert inner is not None
    assert (found.findtext("v"), inner.get("x"), inner.text) == (text, text, text)


def test_the_type_says_what_is_sent_unless_a_header_says_otherwise() -> None:
    assert ("Content-Type", "application/xml; charset=utf-8") in rendered(definition(type="XML"), {}).headers
    own = definition(headers=(Header("content-type", "application/vnd.api+json"),))
    assert rendered(own, {}).headers == (("content-type", "application/vnd.api+json"),)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_what_has_no_body_carries_its_data_in_the_url(method: str) -> None:
    wanted = definition(method=method, url="https://target.example/x?a=1", data=rows(("b.c", "{body:v}")))
    found = rendered(wanted, {"v": "é&="})
    assert (found.url, found.body) == ("https://target.example/x?a=1&b%5Bc%5D=%C3%A9%26%3D", b"")
    assert rendered(definition(method=method), {}).url == "https://target.example/hook"


def test_a_placeholder_in_the_url_cannot_leave_its_place() -> None:
    wanted = definition(url="https://target.example/a/{body:v}/b?q={body:v}")
    assert rendered(wanted, {"v": "x/../y?z#@:\r\n é"}).url == (
        "https://target.example/a/x%2F..%2Fy%3Fz%23%40%3A%0D%0A%20%C3%A9/b?q=x%2F..%2Fy%3Fz%23%40%3A%0D%0A%20%C3%A9"
    )
    for step in (".", ".."):
        found = tried(wanted, {"v": step})
        assert isinstance(found, Unrenderable)
        assert found.field == "url"


def test_a_wide_placeholder_keeps_its_slashes_and_takes_no_step_up() -> None:
    wanted = definition(url="https://target.example/a/{+body:v}")
    assert rendered(wanted, {"v": "x/y"}).url == "https://target.example/a/x/y"
    assert isinstance(tried(wanted, {"v": "x/../../y"}), Unrenderable)


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "\x00", "\x7f"])
def test_a_line_break_of_an_event_never_reaches_a_header(value: str) -> None:
    found = tried(definition(headers=(Header("X-One", "1"), Header("X-Name", "by {body:v}"))), {"v": value})
    assert isinstance(found, Unrenderable)
    assert found.field == "headers.1.value"


def test_headers_are_templates_and_an_empty_one_is_not_sent() -> None:
    wanted = definition(headers=(Header("X-A", "{event:connector}/{event:instance_name}"), Header("X-B", "{body:no}")))
    assert rendered(wanted, {}).headers[1:] == (("X-A", "github/My instance"),)


def test_basic_authentication_is_a_header() -> None:
    found = rendered(definition(username="ann", password="pä"), {})
    assert found.headers[-1] == ("Authorization", "Basic YW5uOnDDpA==")


def test_the_payload_is_read_as_a_callback_gets_it() -> None:
    data = rows(("all", "{body:}"))
    assert body_of(data, b'{"a":null,"b":1}') == b'{"all":{"b":1}}'
    unfiltered = rendered(definition(data=data), b'{"a":null,"b":1}', filter_nulls=False)
    assert unfiltered.body == b'{"all":{"a":null,"b":1}}'


def test_facts_of_the_event_have_names() -> None:
    names = ("type", "action", "object_type", "object_id", "occurred_at", "instance_id", "vendor_event_id")
    text = "|".join(f"{{event:{name}}}" for name in names)
    found = body_of(rows(("v", text)), {})
    assert found == b'{"v":"issues|CREATED|issues|7||3|"}'


def test_alternatives_stand_in_for_what_is_missing() -> None:
    data = rows(("v", "{body:none ?? event:object_id}"), ("w", "{body:none ?? const:nobody}"))
    assert body_of(data, {}) == b'{"v":"7","w":"nobody"}'


def test_a_body_that_grows_beyond_all_bounds_is_refused_and_not_made() -> None:
    payload = b'{"big":"%b"}' % (b"x" * (5 << 20))
    found = tried(definition(data=rows(("v", "[" + ",".join(['"{body:big}"'] * 500) + "]", "json"))), payload)
    assert found == Unrenderable("data.0.value", "makes a body of more than 33554432 bytes")
    found = tried(definition(data=rows(("v", "-{body:big}" * 500))), payload)
    assert found == Unrenderable("data.0.value", "becomes too long")


def test_a_payload_of_five_mebibytes_is_sent_whole() -> None:
    payload = b'{"big":"%b","n":1.0}' % (b"x" * (5 << 20))
    assert body_of(rows(("all", "{body:}")), payload) == b'{"all":%b}' % payload
    assert isinstance(tried(definition(url="https://target.example/{body:big}"), payload), Unrenderable)
    assert isinstance(tried(definition(headers=(Header("X-A", "{body:big}"),)), payload), Unrenderable)


@pytest.mark.parametrize("kind", ["FORM", "XML"])
@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("n" * 200, b'{"v":[%b1]}' % (b"1," * 400_000)),
        ("v", b'{"v":{"%b":[%b1]}}' % (b"k" * 1_000_000, b"1," * 400_000)),
        ("v", b'{"v":{"%b":[%b{}]}}' % (b"k" * 1_000_000, b"{}," * 400_000)),
        ("v", b'{"v":[%b1]}' % (b"1," * 1_000_000)),
    ],
    ids=["name of a row", "key of the payload", "key over nothing", "elements"],
)
def test_a_name_that_is_written_for_every_value_makes_no_endless_body(kind: Any, name: str, payload: bytes) -> None:
    began = time.monotonic()
    found = tried(definition(type=kind, data=rows((name, "{body:v}"))), payload)
    assert isinstance(found, Unrenderable)
    assert found.message.startswith("makes a body of more than")
    assert time.monotonic() - began < 5


def test_a_request_that_takes_long_to_make_says_so_and_an_ordinary_one_does_not() -> None:
    ordinary = definition(data=rows(*((f"n{number}", "{body:a} and {body:b}") for number in range(10))))
    assert effort(ordinary, 2_000) < MOST_INLINE
    for value in (orjson.dumps(["{body:a}"] * 1_800).decode(), "x" * 16_000 + "{body:}"):
        large = definition(data=rows(*((f"n{number}", value, "json") for number in range(20))))
        assert effort(large, 100) > MOST_INLINE
    whole = definition(type="XML", data=rows(*((f"n{number}", "{body:}") for number in range(20))))
    assert effort(whole, 20_000) > MOST_INLINE


def test_what_is_nested_deeper_than_a_form_or_xml_can_be_is_refused() -> None:
    payload = b'{"deep":%b1%b}' % (b"[" * 400, b"]" * 400)
    data = rows(("v", "{body:deep}"))
    assert body_of(data, payload) == b'{"v":%b1%b}' % (b"[" * 400, b"]" * 400)
    for kind in ("FORM", "XML"):
        assert isinstance(tried(definition(data=data, type=kind), payload), Unrenderable)


@given(ANY_JSON)
def test_any_payload_makes_json_that_reads_as_it(payload: Any) -> None:
    text = json.dumps({"v": payload}).encode()
    found = rendered(definition(data=rows(("v", "{body:v}"))), text, filter_nulls=False).body
    assert json.loads(found) == ({} if payload is None else {"v": payload})


@given(ANY_JSON)
def test_any_payload_makes_a_form_that_reads_as_its_values(payload: Any) -> None:
    text = json.dumps({"v": payload}).encode()
    found = rendered(definition(data=rows(("v", "{body:v}")), type="FORM"), text, filter_nulls=False).body
    assert [value for _, value in parse_qsl(found.decode(), keep_blank_values=True)] == [*leaves(payload)]


@given(ANY_JSON)
def test_any_payload_makes_xml_that_can_be_read(payload: Any) -> None:
    text = json.dumps({"v": payload}).encode()
    found = rendered(definition(data=rows(("v", "{body:v}")), type="XML"), text, filter_nulls=False).body
    inner = [*ElementTree.fromstring(found).iter()][1:]
    expected = [] if payload is None else leaves(payload, empty=True)
    assert [one.text or "" for one in inner if not len(one)] == [as_xml(one) for one in expected]


@given(some.text(max_size=20))
def test_any_key_makes_the_name_of_an_element(key: str) -> None:
    ElementTree.fromstring(f"<{xml_name(key)}/>".encode())


@given(some.text(max_size=40))
def test_any_name_of_a_row_is_a_path_or_is_refused_in_words(name: str) -> None:
    with suppress(ValueError):
        assert path_of(name)


def leaves(value: Any, *, empty: bool = False) -> Iterator[str]:
    """The single values in their order as a form or XML has them."""
    if isinstance(value, dict):
        found = [leaf for inner in value.values() for leaf in leaves(inner, empty=empty)]
        yield from found or ([""] if empty else [])
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, empty=empty)
    elif isinstance(value, bool):
        yield "true" if value else "false"
    else:
        yield "" if value is None else value if isinstance(value, str) else json.dumps(value)


def as_xml(text: str) -> str:
    """What a reader of XML gets: what XML cannot hold is replaced."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
