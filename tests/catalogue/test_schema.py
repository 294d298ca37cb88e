"""The schema for editors knows what the loader knows."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gateway.catalogue.load import SHIPPED
from gateway.catalogue.words import TABLES

SCHEMA = json.loads((SHIPPED.parent / "schema.json").read_text())
FILES = sorted(SHIPPED.glob("*.toml"))


def _known(table: str) -> set[str]:
    schema = SCHEMA if table == "file" else SCHEMA["$defs"][table]
    assert schema["additionalProperties"] is False
    return set(schema["properties"])


def test_schema_and_loader_know_the_same_tables_with_the_same_keys() -> None:
    assert set(SCHEMA["$defs"]) | {"file"} == set(TABLES)
    assert {table: _known(table) for table in TABLES} == {table: set(keys) for table, keys in TABLES.items()}


def test_every_reference_leads_somewhere() -> None:
    text = json.dumps(SCHEMA)
    named = {part.split('"')[0] for part in text.split("#/$defs/")[1:]}
    assert named <= set(SCHEMA["$defs"])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shipped_file_uses_only_keys_of_the_schema(file: Path) -> None:
    data = tomllib.loads(file.read_text())
    _walk(data, SCHEMA)
    assert set(SCHEMA["required"]) <= data.keys()
    assert file.read_text().startswith("#:schema ../schema.json\n")


def _walk(value: Any, schema: dict[str, Any]) -> None:
    schema = _resolved(value, schema)
    if isinstance(value, dict):
        for key, inner in value.items():
            rest = schema.get("additionalProperties", {})
            found = schema.get("properties", {}).get(key, rest)
            assert found is not False, key
            _walk(inner, found if isinstance(found, dict) else {})
    elif isinstance(value, list):
        for inner in value:
            _walk(inner, schema.get("items", {}))


def _resolved(value: Any, schema: dict[str, Any]) -> dict[str, Any]:
    for choice in schema.get("anyOf", []) + schema.get("oneOf", []):
        inner = _resolved(value, choice)
        kind = inner.get("properties", {}).get("type", {}).get("const")
        if isinstance(value, dict) and inner.get("type") == "object" and kind in (None, value.get("type")):
            return inner
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    return SCHEMA["$defs"][name] if name else schema
