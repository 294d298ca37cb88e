"""The words of the console: every text stands in `texts/<language>/*.toml`, and is asked for by its name."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

LANGUAGE = "en"
_FORMAT = Formatter()


def text(name: str, /, **values: object) -> str:
    """The text of this name with its `{placeholders}` filled in; of one with forms, the form for `count`."""
    found = texts()[name]
    if isinstance(found, Mapping):
        found = found["one" if values.get("count") == 1 else "other"]
    return _FORMAT.vformat(found, (), values) if values else found


def has(name: str) -> bool:
    """Whether there is a text of this name; for names that are made of data, such as those of checks."""
    return name in texts()


@cache
def texts() -> Mapping[str, str | Mapping[str, str]]:
    """All texts by their names: the file's, the table's, the key's, with dots between."""
    found: dict[str, Any] = {}
    for file in sorted((files("gateway.console") / "texts" / LANGUAGE).iterdir(), key=lambda one: one.name):
        if file.name.endswith(".toml"):
            found.update(_flat(file.name.removesuffix(".toml"), tomllib.loads(file.read_text("utf-8"))))
    return found


def _flat(above: str, table: Mapping[str, Any]) -> Iterator[tuple[str, str | Mapping[str, str]]]:
    for key, value in table.items():
        name = f"{above}.{key}"
        if isinstance(value, str) or set(value) == {"one", "other"}:
            yield name, value
        else:
            yield from _flat(name, value)
