"""Reads `[methods.<id>]` and `[resources.<name>]`."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Literal

from gateway.catalogue import contexts
from gateway.catalogue.call_model import Field, Method, Pagination, Resource, Step, Where
from gateway.catalogue.read_request import request
from gateway.catalogue.table import Findings, Table, nearest, scalar_texts
from gateway.catalogue.words import COMPARISONS, FIELD_TYPES

_RESOURCE_VERBS = ("list", "get", "create", "update", "delete")
_NAME = re.compile(r"[A-Za-z0-9_.-]+(?:/(?:[A-Za-z0-9_.-]+|\{[A-Za-z_][A-Za-z0-9_]*\}))*")
_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
Body = Literal["json", "form", "any", "raw"]
_STEP = re.compile(r"([^.\[\]*]+)(\[\])?")
_BODIES: Mapping[str, Body] = {"json": "json", "form": "form", "any": "any", "raw": "raw"}


def methods(
    found: list[tuple[str, Mapping[str, object]]], pages: Mapping[str, Pagination], findings: Findings
) -> dict[str, Method]:
    """The calls by id."""
    return {id_: _method(id_, Table(data, f"methods.{id_}", "methods", findings), pages) for id_, data in found}


def resources(
    found: list[tuple[str, Mapping[str, object]]], calls: Mapping[str, Method], findings: Findings
) -> dict[str, Resource]:
    """The resources by name."""
    return {
        name: _resource(name, Table(data, f"resources.{name}", "resources", findings), calls) for name, data in found
    }


def paged_by(table: Table, pages: Mapping[str, Pagination]) -> str | None:
    """The way of paging, which must be declared."""
    return table.choice("paginate", tuple(pages)) or None


def _method(id_: str, table: Table, pages: Mapping[str, Pagination]) -> Method:
    table.need("request")
    any_query = table.data.get("query") == "*"
    return Method(
        id=id_,
        name=table.text("name") or id_.replace("_", " ").title(),
        category=table.text("category") or "",
        description=table.text("description") or "",
        request=request(table, "request", contexts.CALL),
        params=_fields(table, "params"),
        query={} if any_query else _fields(table, "query"),
        any_query=any_query,
        body=_BODIES.get(table.choice("body", tuple(_BODIES))),
        fields=_parted(table, _fields(table, "fields")),
        records=table.locator("records", contexts.ANSWER, "body"),
        paginate=paged_by(table, pages),
        headers=table.headers("headers", contexts.CALL),
    )


def _fields(table: Table, key: str) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    if not table.has(key):
        return fields
    for name, value in table.mapping(key).items():
        if isinstance(value, str):
            fields[name] = Field(name=name, fixed=table.worded(f"{key}.{name}", value, contexts.CALL))
        elif isinstance(value, dict):
            fields[name] = _field(name, Table(value, table.at(f"{key}.{name}"), "field", table.findings))
        else:
            table.problem(f"{key}.{name}", f'expected a table such as {{ type = "string" }}, or a text, got {value!r}')
    return fields


def _field(name: str, table: Table) -> Field:
    type_, required = table.choice("type", FIELD_TYPES, "string"), table.flag("required")
    description = table.text("description") or ""
    at = _at(table)
    if not (table.has("default") or table.has("choices")):
        return Field(name=name, type=type_, required=required, description=description, at=at)
    default = scalar_texts(table.data["default"]) if table.has("default") else None
    if table.has("default") and default is None:
        table.problem("default", "expected a plain value")
    return Field(
        name=name,
        type=type_,
        required=required,
        default=next(iter(default), None) if default else None,
        choices=table.texts("choices"),
        description=description,
        at=at,
    )


def _at(table: Table) -> tuple[Step, ...]:
    steps = [_STEP.fullmatch(one) for one in (table.text("at") or "").split(".")] if table.has("at") else []
    if not all(steps):
        table.problem("at", f"expected names joined by dots, lists as name[], got {table.data['at']!r}")
    return tuple(Step(one[1], one[2] is not None) for one in steps if one)


def _parted(table: Table, fields: dict[str, Field]) -> dict[str, Field]:
    """The fields, none of which may go where another one goes, or has its members."""
    if not any(one.at for one in fields.values()):
        return fields
    ways = {name: one.at or (Step(one.name),) for name, one in fields.items()}
    paths = {name: tuple(step.name for step in way) for name, way in ways.items()}
    ends = Counter(paths.values())
    inner = {path[:n]: ways[name][n - 1].many for name, path in paths.items() for n in range(1, len(path))}
    for name, path in paths.items():
        is_mixed = any(inner[path[:n]] is not ways[name][n - 1].many for n in range(1, len(path)))
        if path in inner or is_mixed or ends[path] > 1:
            table.problem(f"fields.{name}", f"goes to {'.'.join(path)}, which is another field's place too")
    return fields


def _resource(name: str, table: Table, calls: Mapping[str, Method]) -> Resource:
    named = {}
    for verb in _RESOURCE_VERBS:
        method = table.text(verb)
        if method is None:
            continue
        if method not in calls:
            table.problem(verb, f"{method!r} is no method of this file{nearest(method, calls)}")
        else:
            _check_fed(name, table, verb, calls[method])
        named[verb] = method
    if not named:
        table.problem("list", f"a resource needs at least one of {', '.join(_RESOURCE_VERBS)}")
    if not _NAME.fullmatch(name):
        table.findings.problem(table.where, "expected a name or a path such as accounts/{account_id}/notes")
    return Resource(
        name=name,
        methods=named,
        where=_where(table),
        objects=table.text("objects") or name,
        order_by=_listed_by(table, "order_by", calls),
        fields=_listed_by(table, "fields", calls),
    )


def _check_fed(name: str, table: Table, verb: str, method: Method) -> None:
    """Every parameter in a resource's name must mean something to its methods."""
    for parameter in _PARAMETER.findall(name):
        if parameter not in method.request.path.words and not takes(method, parameter):
            table.problem(verb, f"{{{parameter}}} of the resource's name is not known to {method.id}")


def takes(method: Method, name: str) -> bool:
    """Whether a caller may give this to the method in its query or its body."""
    declared = method.query.get(name)
    if declared is not None:
        return declared.fixed is None
    if method.any_query or (method.body in ("json", "any") and not method.fields):
        return True
    families = (key[:-1] for key in method.fields if key.endswith("*"))
    return name in method.fields or any(name.startswith(family) for family in families)


def _listed_by(table: Table, key: str, calls: Mapping[str, Method]) -> str | None:
    """A query parameter, which the list's method must know."""
    parameter, listing = table.text(key), calls.get(table.text("list") or "")
    if parameter is not None and (listing is None or not (listing.any_query or parameter in listing.query)):
        table.problem(key, f"{parameter!r} is no query parameter of the method that lists")
    return parameter


def _where(table: Table) -> Where | None:
    inner = table.table("where", "where")
    if inner is None:
        return None
    comparisons = {}
    for sign in COMPARISONS:
        template = inner.template(sign, contexts.COMPARISON)
        if template is not None:
            comparisons[sign] = template
            if not {"field", "value"} >= template.words:
                inner.problem(sign, "expected no other names than {field} and {value}")
    return Where(param=inner.text("param"), join=inner.text("join") or " ", comparisons=comparisons)
