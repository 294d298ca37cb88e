"""A custom connector's methods as tables of a connector file."""

import re
from collections.abc import Sequence
from typing import Any

from gateway.catalogue.custom.end_points import EndPoints
from gateway.catalogue.custom.merging import NAME, MergeFields, literal, slug, word
from gateway.catalogue.custom.part import Part
from gateway.catalogue.custom.values import declared, default

MOST_METHODS = 1_000
MOST_INPUTS = 500
#: What the connector's own parameters may become, since each method has all of them.
MOST_REPEATED = 10_000
_VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_BODIES = {"json": "json", "form": "form", "": "json", "unknown": "json"}
_WHOLE_BODIES = {"plaintext": "any", "xml": "any", "simplefile": "raw"}
_STEP = re.compile(r"\[([^.\[\]*\\]+)\]|([^.\[\]*\\]+)")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_TARGETS = {"mergefield", "querystring", "httpheader"}
Table = dict[str, Any]


def methods(
    top: Part, shared: Sequence[Part], fixed: "Fixed", merged: MergeFields, places: EndPoints
) -> dict[str, Table]:
    """The methods by id; `shared` are parameters of the connector that every caller gives."""
    listed = top.parts("Methods", most=MOST_METHODS)
    if (len(shared) + len(fixed.query)) * len(listed) > MOST_REPEATED:
        top.problem("Parameters", f"with {len(listed)} methods these are more than {MOST_REPEATED} altogether")
        return {}
    read = [(part, *places.read(part)) for part in listed]
    found: dict[str, Table] = {}
    for part, base, rest in read:
        id_ = slug(part.text("Name", longest=200), "method", found)
        found[id_] = _Method(part, shared, fixed, merged).table(places, base, rest)
    return found


class Fixed:
    """What the connector itself puts into every request."""

    def __init__(self) -> None:
        self.query: dict[str, str] = {}
        self.headers: dict[str, str] = {}


class _Method:
    """One method, being translated."""

    def __init__(self, part: Part, shared: Sequence[Part], fixed: Fixed, merged: MergeFields) -> None:
        self._part = part
        self._merged = MergeFields(properties=merged.properties)
        self._params: dict[str, Table] = {}
        self._query: dict[str, Table | str] = dict(fixed.query)
        self._headers: dict[str, str] = {}
        self._given = [*shared, *part.parts("Parameters", most=MOST_INPUTS)]

    def table(self, places: EndPoints, base: str, rest: str) -> Table:
        part = self._part
        verb = part.text("HttpMethod", longest=20).upper() or "GET"
        if verb not in _VERBS:
            part.problem("HttpMethod", f"must be one of {', '.join(_VERBS)}")
        self._check()
        used = self._merged.used(rest)
        for one in self._given:
            self._take(one, used)
        found: Table = {
            "name": part.text("Name", longest=200),
            "category": part.text("Category", longest=200),
            "description": part.text("Description"),
            "request": f"{verb} {places.request(part, self._merged, base, rest)}",
            "params": self._params,
            "query": self._query,
            "headers": self._headers,
        }
        return found | self._body(verb)

    def _check(self) -> None:
        part = self._part
        if not part.text("Name", longest=200):
            part.problem("Name", "cannot be null")
        if part.word("MethodType") not in ("", "action"):
            part.problem("MethodType", "must be Action; webhooks and scripts are not taken over")
        if part.text("Script", longest=1 << 20):
            part.problem("Script", "is not taken over: the gateway runs no scripts")

    def _take(self, one: Part, used: frozenset[str]) -> None:
        name, target = one.text("TargetName", longest=200), one.word("TargetType")
        if not name or target not in _TARGETS:
            check_target(one)
        elif target == "mergefield":
            self._merge(one, name, used)
        elif target == "httpheader":
            self._header(one, name)
        else:
            self._query[name.strip("[]") or name] = _fixed(one) or declared(one)

    def _merge(self, one: Part, name: str, used: frozenset[str]) -> None:
        low = name.lower()
        if not NAME.fullmatch(name):
            one.problem("TargetName", "must be letters, digits and _ for a merge field")
        elif low not in used or low in self._merged.properties:
            return  # Nothing is sent of it.
        elif one.flag("Hide") and default(one):
            self._merged.fixed[low] = default(one)
        else:
            self._merged.parameters[low] = word(name)
            self._params[word(name)] = {**declared(one), "required": True}

    def _header(self, one: Part, name: str) -> None:
        if not _HEADER.fullmatch(name):
            one.problem("TargetName", "must be the name of a header")
            return
        fixed = _fixed(one)
        self._headers[name] = fixed or f"{{{word(name)}}}"
        if not fixed:
            self._params[word(name)] = declared(one)

    def _body(self, verb: str) -> Table:
        kind, fields = self._part.word("DataType"), self._fields()
        if fields:
            if kind not in _BODIES:
                self._part.problem("DataType", "must be Json or Form for a method with fields")
            return {"body": _BODIES.get(kind, "json"), "fields": fields}
        if verb in ("GET", "DELETE") or kind in _BODIES:
            return {}
        if kind not in _WHOLE_BODIES:
            self._part.problem("DataType", "must be Json, Form, Xml, PlainText or SimpleFile")
        return {"body": _WHOLE_BODIES.get(kind, "any")}

    def _fields(self) -> dict[str, Table]:
        found: dict[str, Table] = {}
        for one in self._part.part("RequestFormat").parts("Fields", most=MOST_INPUTS):
            name = one.text("ConnectorField", longest=200)
            steps = [_STEP.fullmatch(step) for step in name.split(".")]
            if not name or not all(steps):
                one.problem(
                    "ConnectorField", "must be names joined by dots, a list as [name]; it may not begin with []"
                )
                continue
            at = ".".join(f"{step[1]}[]" if step[1] else step[2] for step in steps if step)
            found[name] = {**declared(one, in_body=True), **({"at": at} if len(steps) > 1 or at != name else {})}
        return found


def _fixed(one: Part) -> str:
    """The value that nobody else says, as a template; empty where there is none."""
    return literal(default(one)) if one.flag("Hide") else ""


def check_target(one: Part) -> None:
    """Say what is wrong with where a parameter goes."""
    if not one.text("TargetName", longest=200):
        one.problem("TargetName", "cannot be null")
    if one.word("TargetType") not in _TARGETS:
        one.problem("TargetType", "must be MergeField, QueryString or HttpHeader; others need a script")


def targets(one: Part) -> bool:
    """Whether a parameter goes somewhere that is known."""
    return bool(one.text("TargetName", longest=200)) and one.word("TargetType") in _TARGETS
