"""The page of `/docs`: all of the description in plain HTML; its script only searches and fills in the curl texts."""

import re
from collections.abc import Iterator
from functools import cache
from html import escape
from importlib.resources import files

import orjson

from gateway.api.openapi.model import Json

#: Nothing from elsewhere, nothing inline, nowhere to send anything to.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_CODE = re.compile(r"`([^`]+)`")
_VERBS = ("get", "post", "put", "patch", "delete")


@cache
def file(name: str) -> bytes:
    """A file that belongs to the page."""
    return (files("gateway.api.openapi") / "page" / name).read_bytes()


def html(document: Json) -> str:
    """The page of a document."""
    info, base = document["info"], document["servers"][0]["url"]
    body = "".join(_chapter(document, tag) for tag in document["tags"])
    contents = "".join(
        f'<li><a href="#{_anchor(tag["name"])}">{escape(tag["name"])}</a></li>' for tag in document["tags"]
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(info["title"])}</title>'
        '<link rel="stylesheet" href="docs/page.css"><script src="docs/page.js" defer></script></head><body>'
        f"<header><h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1>"
        f"{_prose(info['description'])}"
        '<p>For programs: <a href="openapi.json">openapi.json</a>, OpenAPI 3.1.</p></header>'
        f"<nav><ul>{contents}</ul></nav>{_tools(base)}<main>{body}</main></body></html>"
    )


def _tools(base: str) -> str:
    return (
        '<form id="tools" hidden><label>Search <input id="search" type="search" autocomplete="off"></label>'
        f'<label>Address <input data-sets="base" value="{escape(base)}" autocomplete="off"></label>'
        '<label>Authorization <input data-sets="authorization" placeholder="Bearer …" autocomplete="off"></label>'
        '<label>X-Cyclr-Account <input data-sets="X-Cyclr-Account" autocomplete="off"></label>'
        '<p id="found" role="status"></p></form>'
    )


def _chapter(document: Json, tag: Json) -> str:
    name = tag["name"]
    shown = "".join(
        _operation(document, verb, path, item)
        for path, item in document["paths"].items()
        for verb in _VERBS
        if name in item.get(verb, {}).get("tags", ())
    )
    return f'<section id="{_anchor(name)}"><h2>{escape(name)}</h2>{_prose(tag["description"])}{shown}</section>'


def _operation(document: Json, verb: str, path: str, item: Json) -> str:
    found = item[verb]
    text = f"{verb} {path} {found['summary']} {found['operationId']}".lower()
    elsewhere = "".join(f" <code>{escape(one['url'])}</code>" for one in item.get("servers", ())[1:])
    return (
        f'<details class="operation" id="{escape(found["operationId"])}" data-text="{escape(text)}"><summary>'
        f'<b class="{verb}">{verb.upper()}</b> <code>{escape(path)}</code> {escape(found["summary"])}</summary>'
        f"{_prose(found.get('description', ''))}{f'<p>Also below{elsewhere}.</p>' if elsewhere else ''}"
        f"{_ways(found)}{_parameters(found)}{_body(document, found)}{_answers(document, found)}"
        f"{_curl(document['servers'][0]['url'], verb, path, found)}"
        "</details>"
    )


def _ways(found: Json) -> str:
    ways = [" and ".join(way) or "nobody in particular" for way in found["security"]]
    return f"<p>Who calls: {escape(', or '.join(ways))}.</p>" if ways else "<p>Open to everybody.</p>"


def _parameters(found: Json) -> str:
    rows = "".join(
        f'<tr><td><label>{escape(one["name"])} <input data-sets="{escape(one["name"])}" data-in="{one["in"]}" '
        f'autocomplete="off"></label></td><td>{one["in"]}{", required" if one["required"] else ""}</td>'
        f"<td>{_schema(one['schema'])}</td><td>{_inline(one.get('description', ''))}</td></tr>"
        for one in found.get("parameters", ())
    )
    return f"<table><tbody>{rows}</tbody></table>" if rows else ""


def _schema(schema: Json) -> str:
    return f"<code>{escape(_told(schema))}</code>"


def _told(schema: Json) -> str:
    """A schema in a line."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(_told(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    kinds = schema.get("type", "anything")
    kind = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if "items" in schema:
        kind += " of " + _told(schema["items"])
    bounds = [f"{name} {schema[name]}" for name in _BOUNDS if name in schema]
    return ", ".join([kind, *bounds])


_BOUNDS = ("format", "pattern", "minimum", "maximum", "minLength", "maxLength", "maxItems", "default", "const")


def _body(document: Json, found: Json) -> str:
    if "requestBody" not in found:
        return ""
    body = found["requestBody"]
    media, content = next(iter(body["content"].items()))
    need = "required" if body["required"] else "optional"
    return f"<h3>Body <small>{escape(media)}, {need}</small></h3>{_fields(document, content['schema'])}"


def _answers(document: Json, found: Json) -> str:
    return "<h3>Answers</h3>" + "".join(_answer(document, *one) for one in found["responses"].items())


def _answer(document: Json, status: str, answer: Json) -> str:
    if "$ref" in answer:
        shared = document["components"]["responses"][answer["$ref"].rsplit("/", 1)[-1]]
        return f"<p><b>{status}</b> {_inline(shared['description'])}</p>"
    shown = "".join(
        f" <small>{escape(media)}</small>{_fields(document, one['schema'])}"
        for media, one in answer.get("content", {}).items()
    )
    return f"<div><b>{status}</b> {_inline(answer['description'])}{shown}</div>"


def _fields(document: Json, schema: Json) -> str:
    """An object's fields a line each; a schema with a name is shown where it is used."""
    if schema.get("type") == "array" and "$ref" in schema["items"]:
        return f"<p>{_schema(schema)}, each:</p>{_fields(document, schema['items'])}"
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{'' if name in schema.get('required', ()) else 'may be absent'}</td>"
        f"<td>{_schema(one)}</td><td>{_inline(one.get('description', ''))}</td></tr>"
        for name, one in schema.get("properties", {}).items()
    )
    return f"<table><tbody>{rows}</tbody></table>" if rows else f"<p>{_schema(schema)}</p>"


def _curl(base: str, verb: str, path: str, found: Json) -> str:
    """A command; each span is what an input of the page may set."""
    return f'<h3>With curl</h3><pre class="curl">{"".join(pieces(base, verb, path, found))}</pre>'


def pieces(base: str, verb: str, path: str, found: Json) -> Iterator[str]:
    """The command in pieces; what may be set stands in spans."""
    named = re.sub(r"\{(\w+)\}", lambda one: _place("path", one[1], "{" + one[1] + "}"), escape(path))
    yield f"curl -sS -X {verb.upper()} '{_place('base', 'base', base)}{named}{_place('query', 'query', '')}'"
    if found["security"]:
        yield f" \\\n  -H 'Authorization: {_place('authorization', 'authorization', '{authorization}')}'"
    for one in found.get("parameters", ()):
        if one["in"] == "header" and one["required"]:
            yield f" \\\n  -H '{escape(one['name'])}: {_place('header', one['name'], '{' + one['name'] + '}')}'"
    if "requestBody" in found:
        media, content = next(iter(found["requestBody"]["content"].items()))
        example = content.get("example")
        yield f" \\\n  -H 'Content-Type: {escape(media)}' \\\n  -d '{escape(_quoted(media, example))}'"


def _quoted(media: str, example: object) -> str:
    if media == "application/x-www-form-urlencoded" and isinstance(example, dict):
        return "&".join(f"{name}={value}" for name, value in example.items())
    return orjson.dumps({} if example is None else example).decode().replace("'", r"'\''")


def _place(kind: str, name: str, text: str) -> str:
    return f'<span data-is="{kind}" data-name="{escape(name)}" data-usual="{escape(text)}">{escape(text)}</span>'


def _prose(text: str) -> str:
    return "".join(f"<p>{_inline(one)}</p>" for one in text.split("\n\n") if one)


def _inline(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _anchor(name: str) -> str:
    return "chapter-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
