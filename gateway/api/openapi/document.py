"""The OpenAPI 3.1 document of all surfaces, from their chapters."""

from collections.abc import Iterator, Mapping, Sequence

from gateway.api.openapi.model import Answer, Chapter, Json, Operation, Refusals, Security

OPENAPI = "3.1.0"
_WITH_BODY = (400, 408, 413, 415)


def document(
    chapters: Sequence[Chapter], public_url: str, info: Mapping[str, str], schemes: Mapping[str, Json]
) -> Json:
    """The whole document; ValueError where two things of different chapters have one name."""
    base = public_url.rstrip("/")
    return {
        "openapi": OPENAPI,
        "info": dict(info),
        "servers": [{"url": base}],
        "tags": [{"name": one.name, "description": one.text} for one in chapters],
        "paths": _paths(chapters, base),
        "components": {
            "securitySchemes": dict(schemes),
            "schemas": _schemas(chapters),
            "responses": {name: one for chapter in chapters for name, one in _shared(chapter)},
        },
    }


def statuses(operation: Operation, refusals: Refusals, *, secured: bool) -> tuple[int, ...]:
    """Every status with which an operation may be refused."""
    found = {*refusals.always, *operation.refusals}
    if secured:
        found.add(401)
    if operation.body is not None:
        found.update(_WITH_BODY)
    if any(one.place == "path" for one in operation.parameters):
        found.add(404)
    if any(one.place == "query" for one in operation.parameters):
        found.add(400)
    return tuple(sorted(found))


def _paths(chapters: Sequence[Chapter], base: str) -> Json:
    paths: Json = {}
    for chapter in chapters:
        for one in chapter.operations:
            item = paths.setdefault(one.path, {})
            if one.method.lower() in item:
                raise ValueError(f"{one.method} {one.path} is described twice")
            if one.prefixes != ("",):
                item["servers"] = [{"url": base + prefix} for prefix in one.prefixes]
            item[one.method.lower()] = _operation(chapter, one)
    return paths


def _operation(chapter: Chapter, one: Operation) -> Json:
    security = chapter.security if one.security is None else one.security
    found: Json = {"operationId": one.id, "tags": [chapter.name], "summary": one.summary}
    if one.text:
        found["description"] = one.text
    if one.parameters:
        found["parameters"] = [parameter.written() for parameter in one.parameters]
    if one.body is not None:
        found["requestBody"] = _body(one)
    found["responses"] = {str(status): _answer(answer) for status, answer in sorted(one.answers.items())} | {
        str(status): {"$ref": f"#/components/responses/{_name(chapter.refusals, status)}"}
        for status in statuses(one, chapter.refusals, secured=bool(security))
        if status not in one.answers
    }
    found["security"] = [_requirement(way) for way in security]
    return found


def _requirement(way: Security) -> Json:
    return {name: [] for name in way}


def _body(one: Operation) -> Json:
    assert one.body is not None
    content: Json = {"schema": one.body.schema}
    if one.body.example is not None:
        content["example"] = one.body.example
    return {"required": one.body.required, "content": dict.fromkeys(one.body.media, content)}


def _answer(one: Answer) -> Json:
    found: Json = {"description": one.text}
    if one.headers:
        found["headers"] = {name: {"schema": schema} for name, schema in one.headers.items()}
    if one.schema is not None:
        found["content"] = {one.media: {"schema": one.schema}}
    return found


def _schemas(chapters: Sequence[Chapter]) -> Json:
    found: Json = {}
    for name, schema in (pair for chapter in chapters for pair in _named(chapter)):
        if found.setdefault(name, schema) != schema:
            raise ValueError(f"two schemas are called {name}")
    return found


def _named(chapter: Chapter) -> Iterator[tuple[str, Json]]:
    yield from chapter.schemas.items()
    yield chapter.refusals.name, chapter.refusals.schema


def _shared(chapter: Chapter) -> Iterator[tuple[str, Json]]:
    """What is answered where something is wrong; alike for all operations of a surface."""
    refusals = chapter.refusals
    content = {refusals.media: {"schema": {"$ref": f"#/components/schemas/{refusals.name}"}}}
    for status, text in refusals.texts.items():
        yield _name(refusals, status), {"description": text, "content": content}


def _name(refusals: Refusals, status: int) -> str:
    return f"{refusals.name}{status}"
