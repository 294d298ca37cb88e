"""The OpenAPI 3.1 document of one instance: what it offers and nothing else, written from the catalogue."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import orjson

from gateway.api.open_connectors.described.words import ERROR, PAGE_HEADERS, STATUSES, WIRE_WORDS
from gateway.api.openapi.model import JSON, Json, Parameter
from gateway.calls.asking import WIRE, is_wire
from gateway.catalogue.call_model import Field, Method
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.model import Connector
from gateway.catalogue.offers import Offer, Offers
from gateway.catalogue.sources import Sources
from gateway.catalogue.template import Word
from gateway.instances.view import InstanceView

_TYPES: Mapping[str, Json] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "datetime": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "url": {"type": "string", "format": "uri"},
    "object": {"type": "object"},
    "array": {"type": "array", "items": {}},
    "file": {"type": "string"},
}
_MEDIA = {"json": "application/json", "form": "application/json", "any": "*/*", "raw": "*/*"}
_UPDATES = {"PUT": "replace", "PATCH": "update"}
_PARAMETER = re.compile(r"\{(\w+)\}")
_SECURITY: Json = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "description": "`User <user secret>, Element <instance token>`",
}


def document(view: InstanceView, offers: Offers, public_url: str, *, only: str | None = None) -> Json:
    """The document; with `only`, of this operation alone, and without paths where there is none."""
    return of(view.connector, view.config, offers, public_url, view.instance.id, only=only)


def of(
    connector: Connector,
    config: ConfigView,
    offers: Offers,
    public_url: str,
    instance_id: int,
    *,
    only: str | None = None,
) -> Json:
    """The same from the parts of an instance that it depends on."""
    paths: Json = {}
    for id_, verb, path, offer in operations_of(connector, config, offers):
        if only in (None, id_):
            paths.setdefault(path, {})[verb.lower()] = _operation(connector, id_, verb, path, offer)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{connector.name} through instance {instance_id}",
            "version": connector.version,
            "description": connector.description,
        },
        "servers": [{"url": f"{public_url.rstrip('/')}/elements/api-v2/hubs/{connector.hub}"}],
        "security": [{"instance": []}],
        "paths": paths,
        "components": {"securitySchemes": {"instance": _SECURITY}, "schemas": {"Error": ERROR}},
    }


def operations_of(connector: Connector, config: ConfigView, offers: Offers) -> Iterator[tuple[str, str, str, Offer]]:
    """Every operation as (id, verb, path, offer); ids and paths are unique as OpenAPI wants them."""
    taken: set[str] = set()
    named: dict[str, str] = {}
    sources = Sources(config=config, defaults=connector.value_defaults)
    for offer in offers.all:
        written = "/" + offer.written(sources)
        path = named.setdefault(_PARAMETER.sub("{}", written), written)
        for verb in offer.verbs:
            wanted = _id(offer, verb)
            id_ = wanted if wanted not in taken else f"{wanted}.{len(taken)}"
            taken.add(id_)
            yield id_, verb, path, offer


def _id(offer: Offer, verb: str) -> str:
    if offer.resource is None:
        return offer.method.id if len(offer.verbs) == 1 else f"{offer.method.id}.{verb.lower()}"
    name = ".".join(step for step in offer.resource.name.split("/") if not step.startswith("{"))
    return f"{name}.{_UPDATES[verb] if offer.act == 'update' else offer.act}"


def _operation(connector: Connector, id_: str, verb: str, path: str, offer: Offer) -> Json:
    method = offer.method
    found: Json = {
        "operationId": id_,
        "summary": method.name,
        "tags": [offer.resource.name.partition("/")[0] if offer.resource else method.category or connector.name],
        "parameters": [*_path_parameters(offer, path), *_query_parameters(offer, verb)],
        "responses": _responses(offer),
    }
    if method.description:
        found["description"] = method.description
    if method.body is not None and not (verb == "GET" and offer.act == "list"):
        found["requestBody"] = _body(method, _fed(offer))
    return found


def _path_parameters(offer: Offer, path: str) -> Iterator[Json]:
    names = _PARAMETER.findall(path)
    own = [part for part in offer.path if isinstance(part, Word)]
    for name, word in zip(names, own, strict=True):
        declared = offer.method.params.get(word.name)
        text = (declared.description if declared else "") or ("May hold slashes." if word.wide else "")
        schema = _schema(declared) if declared else {"type": "string"}
        yield _parameter(name, "path", schema, text, required=True)


def _query_parameters(offer: Offer, verb: str) -> Iterator[Json]:
    for name in WIRE:
        if is_wire(offer, verb, name) and _can(offer, name):
            schema, text = WIRE_WORDS[name]
            yield _parameter(name, "query", _sized(offer, name, schema), text)
    for name in sorted(offer.words):
        declared = offer.method.params.get(name, Field(name=name))
        is_path = name in offer.method.request.path.words
        yield _parameter(name, "query", _schema(declared), declared.description, required=is_path)
    fed = _fed(offer)
    for name, one in offer.method.query.items():
        if one.fixed is None and name not in fed and not is_wire(offer, verb, name):
            needed = one.required and one.default is None
            yield _parameter(name, "query", _schema(one), one.description, required=needed)


def _can(offer: Offer, name: str) -> bool:
    """Whether the vendor, or the gateway for it, does what this word of the wire asks."""
    if name == "where":
        return offer.resource is not None and offer.resource.where is not None
    if name == "orderBy":
        return offer.resource is not None and offer.resource.order_by is not None
    return name == "fields" or offer.method.paginate is not None


def _sized(offer: Offer, name: str, schema: Json) -> Json:
    if name != "where" or offer.resource is None or offer.resource.where is None:
        return schema
    return {**schema, "description": f"Comparisons that can be asked: {' '.join(offer.resource.where.comparisons)}"}


def _fed(offer: Offer) -> set[str]:
    return {part.name for part in offer.path if isinstance(part, Word)}


def _parameter(name: str, place: Literal["path", "query"], schema: Json, text: str, *, required: bool = False) -> Json:
    return Parameter(name, place, schema, text, required).written()


def _body(method: Method, fed: set[str]) -> Json:
    if method.body == "raw" or (method.body == "any" and not method.fields):
        return {"content": {"*/*": {}}}
    plain = {name: one for name, one in method.fields.items() if one.fixed is None and name not in fed}
    schema: Json = {
        "type": "object",
        "properties": {name: _schema(one) for name, one in plain.items() if not name.endswith("*")},
    }
    families = {f"^{re.escape(name[:-1])}": _schema(one) for name, one in plain.items() if name.endswith("*")}
    if families:
        schema["patternProperties"] = families
    if method.fields:
        schema["additionalProperties"] = False
    needed = [name for name, one in plain.items() if one.required and one.default is None]
    if needed:
        schema["required"] = needed
    return {"required": bool(needed), "content": {_MEDIA[method.body or "json"]: {"schema": schema}}}


def _schema(field: Field) -> Json:
    schema = dict(_TYPES.get(field.type, {}))
    if field.choices:
        schema["enum"] = [*field.choices]
        schema["type"] = "string"
    if field.default is not None:
        schema["default"] = _default(field)
    if field.description:
        schema["description"] = field.description
    return schema


def _default(field: Field) -> Any:
    if field.choices or field.type not in ("boolean", "integer", "number", "object", "array", "json"):
        return field.default
    try:
        return orjson.loads(field.default or "null")
    except orjson.JSONDecodeError:
        return field.default


def _responses(offer: Offer) -> Json:
    is_list = offer.is_list
    schema: Json = {"type": "array", "items": {"type": "object"}} if is_list else {}
    content = {"application/json": {"schema": schema}} if is_list or offer.method.body != "raw" else {"*/*": {}}
    found: Json = {"200": {"description": offer.method.name, "content": content}}
    if is_list:
        found["200"]["headers"] = {name: {"schema": schema} for name, schema in PAGE_HEADERS.items()}
    error = {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
    return found | {str(status): {"description": text, "content": error} for status, text in STATUSES.items()}
