"""What is refused before anything is kept, and at which field it is said."""

from typing import Any

import pytest

from gateway.egress.guard import Guard
from gateway.thirdparty.checks import problems_in
from gateway.thirdparty.fitting import fits
from gateway.thirdparty.model import Fires, Header
from tests.delivery.parts import event
from tests.thirdparty.parts import definition, rows

GUARD = Guard(allow_http=False, allow_networks=())
GOOD: dict[str, Any] = {
    "headers": (Header("X-Key", "Bearer {body:token}"),),
    "username": "ann",
    "data": rows(("a.b", "{body:a ?? const:none}"), ("c[]", "{event:id}"), ("d", '{"e": ["{body:}"]}', "json")),
}


def fields(**changes: Any) -> list[str]:
    """Where something is wrong."""
    return [one.field for one in problems_in(definition(**changes), GUARD.refuses_url)]


def test_nothing_is_wrong_with_a_good_one() -> None:
    assert fields(**GOOD) == []
    assert fields(type="XML", data=rows(("@v", "1"), ("a.b", "x"), ("a.@c", "y"), ("a.#text", "z")), root="ä.b-1") == []


@pytest.mark.parametrize(
    "url",
    [
        "", "target.example/x", "http://target.example/x", "ftp://target.example/", "https://user:pw@target.example/",
        "https://{body:host}/x", "https://target.example{body:x}", "https://target.example:{body:port}/", "{body:url}",
        "https://{{target.example/", "https://127.0.0.1/", "https://10.1.2.3/x", "https://[::1]/", "https://localhost/x",
        "https://169.254.169.254/latest", "https://0x7f.1/", "https://target.example/a b", "https://target.example/\r\n",
        "https://target.example/#x", "https://target.example/{body:x", "https://target.example/{config:password}",
        "https://target.example/{event:nothing}", "https://target.example/{access_token}", "https://target.example\\@x/",
        "https://target.example/{body:@key}", "https://target.example/" + "x" * 5000, "https://target.example/\x00",
    ],
)  # fmt: skip
def test_a_url_that_may_not_be_called_or_leads_where_an_event_says_is_refused(url: str) -> None:
    assert fields(url=url) == ["url"]


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("X A", "1", "name"), ("", "1", "name"), ("X\r\nY", "1", "name"), ("Host", "x", "name"),
        ("Content-Length", "1", "name"), ("Transfer-Encoding", "chunked", "name"), ("webhook-signature", "x", "name"),
        ("X-A", "1\r\nX-B: 2", "value"), ("X-A", "1\n", "value"), ("X-A", "\x00", "value"), ("X-A", "{body:", "value"),
        ("X-A", "x" * 9000, "value"), ("X-A", "\ud800", "value"), ("X-A", "{config:x}", "value"),
    ],
)  # fmt: skip
def test_a_header_that_cannot_be_sent_is_refused_at_its_field(name: str, value: str, field: str) -> None:
    assert fields(headers=(Header("X-Good", "1"), Header(name, value))) == [f"headers.1.{field}"]


def test_a_header_is_given_once() -> None:
    assert fields(headers=(Header("X-A", "1"), Header("x-a", "2"))) == ["headers.0.name", "headers.1.name"]
    assert fields(username="ann", headers=(Header("Authorization", "x"),)) == ["basic.username"]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("JSON", ("",)), ("JSON", ("a..b",)), ("JSON", ("a.",)), ("JSON", (".a",)), ("JSON", ("a[x]",)),
        ("JSON", ("a", "a")), ("JSON", ("a", "a.b")), ("JSON", ("a.b", "a[0]")), ("JSON", ("a[0]", "a[]")),
        ("JSON", ("a[].b",)), ("JSON", ("[0]",)), ("JSON", ("a[99999]",)), ("JSON", ("'a",)), ("JSON", ("a\x00",)),
        ("JSON", (".".join("abcdefghijklmnopqrs"),)), ("XML", ("no name",)), ("XML", ("1a",)), ("XML", ("a:b",)),
        ("XML", ("@a.b",)), ("XML", ("a", "<b>")), ("FORM", ("user[name]",)), ("JSON", ("x" * 300,)),
    ],
)  # fmt: skip
def test_a_row_whose_name_makes_no_sense_is_refused_at_its_field(kind: str, names: tuple[str, ...]) -> None:
    found = fields(type=kind, data=rows(*((name, "x") for name in names)))
    assert set(found) == {f"data.{len(names) - 1}.name"}


@pytest.mark.parametrize(
    "row",
    [
        ("a", "{body:"), ("a", "}"), ("a", "{nothing}"), ("a", "x" * 20_000), ("a", "\x00"), ("a", "{", "json"),
        ("a", "NaN", "json"), ("a", '"{body:"', "json"), ("a", "[" * 100 + "]" * 100, "json"),
        ("a", "[" * 8000 + "]" * 8000, "json"),
    ],
)  # fmt: skip
def test_a_row_whose_value_is_no_template_is_refused_at_its_field(row: tuple[str, ...]) -> None:
    assert fields(data=rows(("good", "x"), row)) == ["data.1.value"]


def test_so_many_placeholders_as_no_event_needs_are_refused() -> None:
    many = "{event:id}" * 500
    assert fields(data=rows(*((f"n{number}", many) for number in range(4)))) == []
    assert fields(data=rows(*((f"n{number}", many) for number in range(5)))) == ["data"]
    assert fields(headers=tuple(Header(f"X-{number}", many) for number in range(5))) == ["headers"]


def test_other_fields_are_looked_at_too() -> None:
    assert fields(name="") == ["name"]
    assert fields(name="a\nb") == ["name"]
    assert fields(name="x" * 300) == ["name"]
    assert fields(root="no name", type="XML") == ["root"]
    assert fields(username="a:b") == ["basic.username"]
    assert fields(username="a", password="\x00") == ["basic.password"]
    assert fields(password="x") == ["basic.username"]
    assert fields(method="GET", type="XML", data=rows(("a", "b"))) == ["type"]
    assert fields(fires=Fires(event_types=("a\x00",))) == ["fires.event_types"]
    assert fields(headers=tuple(Header(f"X-{n}", "1") for n in range(60))) == ["headers"]
    assert fields(data=rows(*((f"a{n}", "1") for n in range(201)))) == ["data"]


def test_an_event_fires_what_it_meets_all_conditions_of() -> None:
    given = event(instance_id=3, connector="github", type="issues.opened", action="CREATED", object_type="issues")
    assert fits(Fires(), given)
    assert fits(Fires(instance_ids=(1, 3), connectors=("github",), object_types=("issues",)), given)
    assert fits(Fires(event_types=("CREATED",)), given)
    assert fits(Fires(event_types=("issues.opened", "DELETED")), given)
    for other in (
        Fires(instance_ids=(1,)), Fires(connectors=("closeio",)), Fires(event_types=("UPDATED",)),
        Fires(object_types=("pulls",)), Fires(instance_ids=(3,), event_types=("DELETED",)),
    ):  # fmt: skip
        assert not fits(other, given)
    assert not fits(Fires(object_types=("issues",)), event(object_type=None))
