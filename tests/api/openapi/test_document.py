"""The document at `/openapi.json` is OpenAPI 3.1 that tools can rely on."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import orjson
import pytest
import schemathesis

from gateway.api.openapi import document as documents
from gateway.api.openapi import schemas
from gateway.api.openapi.surface import Description
from gateway.app import described
from tests.kit.gateway import Gateway

PUBLIC = "https://gateway.example"
CHAPTERS = [chapter for surface in described(PUBLIC) for chapter in surface.chapters]
DOCUMENT: dict[str, Any] = orjson.loads(Description(CHAPTERS, PUBLIC).written)
OPERATIONS = [
    pytest.param(path, operation, id=operation["operationId"])
    for path, item in DOCUMENT["paths"].items()
    for verb, operation in item.items()
    if verb != "servers"
]


def nodes(value: Any) -> Iterator[Any]:
    """The value and everything in it."""
    yield value
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inside:
        yield from nodes(one)


def references(value: Any) -> set[str]:
    return {one["$ref"] for one in nodes(value) if isinstance(one, dict) and "$ref" in one}


async def test_everybody_may_read_it(sqlite_gateway: Gateway) -> None:
    answered = await sqlite_gateway.call("GET", "/openapi.json", headers={})
    assert answered.status == 200
    assert answered.json["servers"] == [{"url": sqlite_gateway.running.config.public_url.rstrip("/")}]
    assert answered.json["paths"].keys() == DOCUMENT["paths"].keys()


async def test_whoever_has_it_is_told_so(sqlite_gateway: Gateway) -> None:
    first = await sqlite_gateway.call("GET", "/openapi.json", headers={})
    again = await sqlite_gateway.call("GET", "/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


def test_it_fits_the_schema_of_openapi_3_1() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(DOCUMENT).validate()


def test_the_validator_would_object() -> None:
    broken = {**DOCUMENT, "paths": {"/new": {"get": {"responses": {"200": {}}}}}}
    with pytest.raises(jsonschema_rs.ValidationError):
        schemathesis.openapi.from_dict(broken).validate()


def test_every_name_in_it_leads_somewhere_and_no_schema_is_left_over() -> None:
    kinds = DOCUMENT["components"]
    known = {f"#/components/{kind}/{name}" for kind in ("schemas", "responses") for name in kinds[kind]}
    assert references(DOCUMENT) <= known
    assert {one for one in known if "/schemas/" in one} <= references(DOCUMENT)


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_schema_is_one(name: str) -> None:
    whole = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    jsonschema_rs.Draft202012Validator(whole)


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_an_operation_is_whole(path: str, operation: dict[str, Any]) -> None:
    parameters = operation.get("parameters", [])
    places = [one["name"] for one in parameters if one["in"] == "path"]
    assert sorted(places) == sorted(re.findall(r"\{(\w+)\}", path))
    assert len({(one["name"], one["in"]) for one in parameters}) == len(parameters)
    assert {name for way in operation["security"] for name in way} <= DOCUMENT["components"]["securitySchemes"].keys()
    assert any(status < "400" for status in operation["responses"])
    assert operation["summary"][0].isupper()
    assert not operation["summary"].endswith(".")


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_an_example_is_taken(path: str, operation: dict[str, Any]) -> None:
    del path
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if "example" in content:
            whole = {**content["schema"], "components": DOCUMENT["components"]}
            jsonschema_rs.Draft202012Validator(whole).validate(content["example"])


def test_two_things_of_one_name_are_refused() -> None:
    chapter = CHAPTERS[-1]
    with pytest.raises(ValueError, match="described twice"):
        documents.document([chapter, chapter], PUBLIC, {}, {})


def test_a_field_may_be_null_or_absent() -> None:
    assert schemas.record("id:id note:text? -more:Thing[]") == {
        "type": "object",
        "properties": {
            "id": schemas.NUMBER,
            "note": {"type": ["string", "null"]},
            "more": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
        },
        "required": ["id", "note"],
    }
