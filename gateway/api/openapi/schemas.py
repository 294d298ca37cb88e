"""Schemas in few words: an object is a line of its fields, and an operation is its method, its path and what it has."""

import re
from collections.abc import Mapping
from typing import Any

from gateway.api.openapi.model import Answer, Body, Json, Operation, Parameter, Security

#: Ids that are numbers have at most 15 digits everywhere.
LARGEST_ID = 10**15 - 1
_PLACE = re.compile(r"\{(\w+)(?::([^}]+))?\}")

NUMBER: Json = {"type": "integer", "minimum": 0, "maximum": LARGEST_ID}
HEX: Json = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
WORDS: Mapping[str, Json] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "object": {"type": "object"},
    "any": {},
    "id": NUMBER,
    "hex": HEX,
    "time": {"type": "string", "format": "date-time"},
    "texts": {"type": "array", "items": {"type": "string"}},
    "integers": {"type": "object", "additionalProperties": {"type": "integer"}},
}


def schema_of(word: str) -> Json:
    """The schema that a word stands for: `text`, `time?`, `a|b`, `Thing`, `Thing[]`."""
    if word.endswith("?"):
        return maybe(schema_of(word[:-1]))
    if word.endswith("[]"):
        return listed(schema_of(word[:-2]))
    if "|" in word:
        return one_of(*word.split("|"))
    return ref(word) if word[0].isupper() else WORDS[word]


def record(fields: str, **others: Json) -> Json:
    """An object by its fields, as `id:integer name note:text? -more:Thing`: `?` may be null, `-` may be absent."""
    written = [(name.lstrip("-"), word, name[0] == "-") for name, _, word in map(_parted, fields.split())]
    properties = {name: schema_of(word or "text") for name, word, _ in written} | others
    required = [name for name, _, absent in written if not absent] + [*others]
    schema: Json = {"type": "object", "properties": properties}
    return schema | {"required": required} if required else schema


def _parted(field: str) -> tuple[str, str, str]:
    return field.partition(":")


def wish(fields: str, *, closed: bool = True, **others: Json) -> Json:
    """An object that a caller sends: fields may be absent, `!` after a name says which may not."""
    needed = [name.partition(":")[0].rstrip("!") for name in fields.split() if name.partition(":")[0].endswith("!")]
    plain = record(fields.replace("!", ""), **others)
    plain.pop("required", None)
    if closed:
        plain["additionalProperties"] = False
    return plain | {"required": needed} if needed else plain


def ref(name: str) -> Json:
    """A schema of the document by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def listed(items: Json) -> Json:
    """An array."""
    return {"type": "array", "items": items}


def maybe(schema: Json) -> Json:
    """The same, or null."""
    kind = schema.get("type")
    if isinstance(kind, str) and "enum" not in schema:
        return {**schema, "type": [kind, "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(*values: str) -> Json:
    """One of some texts."""
    return {"type": "string", "enum": [*values]}


def length(least: int, most: int) -> Json:
    """A text of bounded length."""
    return {"type": "string", "minLength": least, "maxLength": most}


def size(default: int, most: int, *, longest: int | None = LARGEST_ID) -> Json:
    """How many a page has: what is above the most is brought down to it, up to the longest number that is read."""
    text = f"More than {most} is brought down to {most}."
    found: Json = {"type": "integer", "minimum": 1, "default": default, "description": text}
    return found if longest is None else found | {"maximum": longest}


def query(name: str, schema: Json | str = "text", text: str = "", *, required: bool = False) -> Parameter:
    """A parameter of the query."""
    return Parameter(name, "query", schema_of(schema) if isinstance(schema, str) else schema, text, required)


def header(name: str, schema: Json | str = "text", text: str = "", *, required: bool = False) -> Parameter:
    """A parameter in the request's head."""
    return Parameter(name, "header", schema_of(schema) if isinstance(schema, str) else schema, text, required)


def op(
    id_: str,
    place: str,
    summary: str,
    *parameters: Parameter,
    text: str = "",
    body: Body | Json | None = None,
    example: Any = None,
    optional: bool = False,
    answer: Answer | Json | str | None = None,
    answers: Mapping[int, Answer] | None = None,
    status: int = 200,
    refusals: tuple[int, ...] = (),
    security: tuple[Security, ...] | None = None,
    prefixes: tuple[str, ...] = ("",),
) -> Operation:
    """An operation from `GET /path/{id:id}`, whose places name their schemas, and from what else it has."""
    method, _, path = place.partition(" ")
    places = [Parameter(name, "path", schema_of(word or "text"), "", True) for name, word in _PLACE.findall(path)]
    return Operation(
        id=id_,
        method=method,
        path=_PLACE.sub(r"{\1}", path),
        summary=summary,
        text=text,
        parameters=[*places, *parameters],
        body=Body(body, not optional, example=example) if isinstance(body, dict) else body,
        answers=answers or {status: _answer(answer)},
        refusals=refusals,
        security=security,
        prefixes=prefixes,
    )


def _answer(given: Answer | Json | str | None) -> Answer:
    if isinstance(given, Answer):
        return given
    if given is None:
        return Answer("Done.")
    return Answer("As asked.", schema_of(given) if isinstance(given, str) else given)
