"""The bounds that the description tells are those that the handlers keep: up to them is taken, beyond them is a 400."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.api.openapi.scene import Scene, of, scene
from tests.api.openapi.test_answers import ENDLESS, bodies

#: Where parameters hang together, or where there is nothing whatever is asked for.
_OTHERWISE = {"findFate", "getUsage", "signIn", "cyclrListVersionMethods", "cyclrInstallVersion", "token"}
#: It counts only where there is no element.
_PASSED_OVER = ("createInstance", "connector")
_WORDS = {"boolean": "perhaps", "date-time": "yesterday", "enum": "none-of-these", "pattern": "!"}


def within(schema: Mapping[str, Any]) -> Iterator[str]:
    """Values that just fit."""
    yield from schema.get("enum", ())
    if schema.get("type") == "integer":
        yield from (str(schema[name]) for name in ("minimum", "maximum") if name in schema)
    if schema.get("type") == "boolean":
        yield from ("true", "false")
    if schema.get("format") == "date-time":
        yield "2026-01-31T12:00:00Z"
    if "maxLength" in schema:
        yield "x" * schema["maxLength"]


def beyond(schema: Mapping[str, Any]) -> Iterator[str]:
    """Values that just do not."""
    if schema.get("type") == "integer":
        yield "x"
        if schema["minimum"] > 0:
            yield str(schema["minimum"] - 1)
        if schema.get("maximum", 0) == 10**15 - 1:
            yield "9" * 16
    if "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1)
    for name, word in _WORDS.items():
        if name in schema or name in (schema.get("type"), schema.get("format")):
            yield word


def asked(there: Scene) -> Iterator[tuple[str, dict[str, str], str, str, bool]]:
    """Path, headers, the parameter's name, a value, and whether it fits."""
    for method, path, operation in there.operations():
        if method != "GET" or operation["operationId"] in _OTHERWISE or path.startswith("/elements/api-v2/"):
            continue
        headers = there.headers(there.own, operation)
        for one in operation.get("parameters", ()):
            if one["in"] == "query":
                yield from ((path, headers, one["name"], text, False) for text in beyond(one["schema"]))
            if one["in"] == "query" and operation["operationId"] != ENDLESS:
                yield from ((path, headers, one["name"], text, True) for text in within(one["schema"]))


async def test_bounds_are_kept_as_they_are_told(tmp_path: Path) -> None:
    wrong: list[str] = []
    async with scene(tmp_path) as there:
        for path, headers, name, text, fits in asked(there):
            answered = await there.ask("GET", there.filled(path), headers, params={name: text})
            if (answered.status == 400) is fits:
                wrong.append(f"{path} {name}={text[:40]}: {of(answered)}")
    assert not wrong, "\n".join(wrong)


def wrongs(schema: Mapping[str, Any]) -> Iterator[Any]:
    """JSON values that just do not fit; of a schema that lets null pass, of its other part."""
    parts = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    kinds = parts[0].get("type", ()) if len(parts) == 1 else ()
    if len(parts) != 1 or not kinds:
        return
    if "string" in kinds:
        yield from beyond(parts[0])
        yield ["a list"]
        yield from [""] if parts[0].get("minLength") else []
    elif "integer" in kinds:
        yield parts[0].get("minimum", 0) - 1
        yield parts[0].get("maximum", 10**15 - 1) + 1
        yield "x"
    elif "boolean" in kinds or "object" in kinds or "array" in kinds:
        yield "x"


def misfits(operation: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of a body, each with values that it must not have."""
    for name, one in schema.get("properties", {}).items():
        if (operation, name) != _PASSED_OVER:
            yield from ((name, value) for value in wrongs(one))


async def test_bounds_of_bodies_are_kept_as_they_are_told(tmp_path: Path) -> None:
    wrong: list[str] = []
    async with scene(tmp_path) as there:
        known = bodies(there)
        for method, path, operation in there.operations():
            media = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if media is None or operation["operationId"] in _OTHERWISE or path.startswith("/elements/api-v2/"):
                continue
            body = known.get(operation["operationId"], media.get("example", {}))
            for name, value in misfits(operation["operationId"], media["schema"]):
                headers = there.headers(there.own, operation)
                answered = await there.ask(method, there.filled(path), headers, json={**body, name: value})
                if answered.status != 400:
                    wrong.append(f"{method} {path} {name}={str(value)[:40]}: {of(answered)}")
    assert not wrong, "\n".join(wrong)
