"""What an instance's own API offers, read from its OpenAPI document for people; pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import orjson

VERBS = ("get", "post", "put", "patch", "delete")
AUTHORIZATION = "User USER_SECRET, Element ELEMENT_TOKEN"
#: What turns pages belongs to programs; who tries a list out sees its first page.
_PAGES = ("page", "nextPage")
_PLACE = re.compile(r"\{(\w+)\}")
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter, or a member of the body."""

    name: str
    place: str
    type: str
    required: bool
    choices: tuple[str, ...] = ()
    default: str | None = None
    text: str = ""

    @property
    def field(self) -> str:
        """The name of its field in a form."""
        return f"{self.place}.{self.name}"

    @property
    def options(self) -> list[tuple[str, str]]:
        """Its choices, each as it is sent and as it is shown."""
        return [(one, one) for one in self.choices]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One call that can be made."""

    id: str
    verb: str
    path: str
    summary: str
    text: str
    group: str
    parameters: tuple[Parameter, ...]
    #: Whether a body is taken, and which members are known of it.
    has_body: bool
    body_required: bool
    members: tuple[Parameter, ...]

    @property
    def sample(self) -> str:
        """A body to begin with: what is required."""
        if not self.members:
            return ""
        needed = {one.name: _example(one) for one in self.members if one.required}
        return orjson.dumps(needed, option=orjson.OPT_INDENT_2).decode()

    def filled(self, values: Mapping[str, str]) -> str:
        """The path with its values in it, percent-encoded; a name where none is given."""
        return _PLACE.sub(lambda match: quote(values.get(match[1]) or match[0], safe="{}"), self.path)


def base_of(document: Json) -> str:
    """The address that all paths begin with."""
    return str(document["servers"][0]["url"])


def operations(document: Json) -> Iterator[Operation]:
    """All calls, in the order in which the connector declares them."""
    for path, item in document["paths"].items():
        for verb in VERBS:
            if verb in item:
                yield _operation(verb.upper(), path, item[verb])


def fitting(found: Sequence[Operation], search: str) -> list[Operation]:
    """Those that a text fits: each of its words stands in the path, the name or the group."""
    words = search.casefold().split()
    texts = [(one, f"{one.verb} {one.path} {one.summary} {one.group}".casefold()) for one in found]
    return [one for one, text in texts if all(word in text for word in words)]


def grouped(found: Sequence[Operation]) -> dict[str, list[Operation]]:
    """The same by their groups."""
    groups: dict[str, list[Operation]] = {}
    for one in found:
        groups.setdefault(one.group, []).append(one)
    return groups


def curl(operation: Operation, base: str) -> str:
    """The command that makes the call, with words in capitals for what is the caller's own."""
    needed = [one for one in operation.parameters if one.place == "query" and one.required]
    query = urlencode({one.name: one.default or f"<{one.name}>" for one in needed}, safe="<>")
    url = base + operation.path + (f"?{query}" if query else "")
    lines = [f"curl -X {operation.verb} {_quoted(url)}", f"  -H 'Authorization: {AUTHORIZATION}'"]
    if operation.has_body:
        lines += ["  -H 'Content-Type: application/json'", f"  -d {_quoted(operation.sample or '{}')}"]
    return " \\\n".join(lines)


def _operation(verb: str, path: str, found: Json) -> Operation:
    body: Json = found.get("requestBody", {})
    content: Json = body.get("content", {})
    media: Json = next(iter(content.values()), {})
    return Operation(
        id=found["operationId"],
        verb=verb,
        path=path,
        summary=found["summary"],
        text=found.get("description", ""),
        group=next(iter(found["tags"]), ""),
        parameters=tuple(_parameter(one) for one in found["parameters"] if not _turns(one)),
        has_body=bool(content),
        body_required=bool(body.get("required")),
        members=tuple(_members(media.get("schema", {}))),
    )


def _turns(found: Json) -> bool:
    return found["in"] == "query" and found["name"] in _PAGES


def _parameter(found: Json) -> Parameter:
    needed, text = bool(found.get("required")), found.get("description", "")
    return _read(found["name"], found["in"], found["schema"], text, required=needed)


def _members(schema: Json) -> Iterator[Parameter]:
    needed = schema.get("required", ())
    for name, one in schema.get("properties", {}).items():
        yield _read(name, "body", one, "", required=name in needed)


def _read(name: str, place: str, schema: Json, text: str, *, required: bool) -> Parameter:
    default = schema.get("default")
    return Parameter(
        name=name,
        place=place,
        type=str(schema.get("format") or schema.get("type") or ""),
        required=required,
        choices=tuple(map(str, schema.get("enum", ("true", "false") if schema.get("type") == "boolean" else ()))),
        default=None if default is None else default if isinstance(default, str) else orjson.dumps(default).decode(),
        text=text or schema.get("description", ""),
    )


def _example(one: Parameter) -> object:
    if one.choices and one.type != "boolean":
        return one.choices[0]
    return {"boolean": True, "integer": 0, "number": 0, "object": {}, "array": []}.get(one.type, "")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
