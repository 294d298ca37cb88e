"""From a request's query, path and body to the arguments of a method, and to how a list is wanted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from gateway.calls.model import Access, Arguments, Rendered
from gateway.calls.render import rendered, sentence
from gateway.catalogue.call_model import Method
from gateway.catalogue.offers import Found, Offer
from gateway.catalogue.read_methods import takes
from gateway.catalogue.where import expressed, parse
from gateway.errors import Invalid, Problem

WIRE = ("pageSize", "page", "nextPage", "where", "fields", "orderBy")
_OF_PAGES = ("pageSize", "page", "nextPage")
_MOST_FIELDS = 200
_LONGEST_NAME = 128
_LONGEST_TOKEN = 16_384
_JSON_TYPES = ("integer", "number", "boolean", "object", "array")


_NOTHING = Arguments()
_NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")
_ODD = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked of the vendor, and of the list that it answers; `fields` are chosen here."""

    arguments: Arguments
    size: int | None = None
    page: int = 1
    token: str | None = None
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reading:
    """What was read so far; `members` go into the body as JSON texts."""

    params: dict[str, str] = field(default_factory=dict)
    query: list[tuple[str, str]] = field(default_factory=list)
    members: dict[str, bytes] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, name: str, message: str) -> None:
        self.problems.append(Problem(name, message))


def wished(
    found: Found, verb: str, query: list[tuple[str, str]], body: bytes, headers: Mapping[str, str]
) -> tuple[Wish, list[Problem]]:
    """The wish of a request, and what is wrong with it."""
    offer, reading, wire = found.offer, _Reading(), dict[str, str]()
    if "verb" in offer.method.request.verb:
        reading.params["verb"] = verb
    for name, value in found.values.items():
        _fed(offer, name, value, reading)
    for name, value in query:
        # Elsewhere lines are no harm: they are percent-encoded, or stand in a JSON text.
        if (_ODD if name in offer.words else _NO_TEXT).search(name + value):
            reading.problem(_text(name)[:100], "holds control characters, or is no UTF-8")
        elif name in offer.words:
            reading.params[name] = _spelled(offer.method, name, value)
        elif is_wire(offer, verb, name):
            if name in wire:
                reading.problem(name, "is given twice")
            wire[name] = value
        elif name in found.values:
            reading.problem(name, "is given by the path")
        elif _goes_into_body(offer, verb, name):
            reading.members[name] = _member(offer.method, name, value)
        else:
            reading.query.append((name, value))
    wish = _with_wire(offer, wire, reading) if wire else Wish(arguments=_NOTHING)
    text = _with_members(body, reading)
    arguments = Arguments(
        params=reading.params,
        query=tuple(reading.query),
        body=text,
        content_type=headers.get("Content-Type", ""),
        idempotency_key=headers.get("Idempotency-Key"),
    )
    return replace(wish, arguments=arguments), reading.problems


def request_of(access: Access, method: Method, wish: Wish, problems: list[Problem]) -> Rendered:
    """The vendor's request; Invalid names everything that is wrong at once."""
    try:
        call = rendered(access, method, wish.arguments)
    except Invalid as error:
        if not problems:
            raise
        problems = [*problems, *error.problems]
    if problems:
        raise Invalid(sentence(method, problems), tuple(problems))
    return call


def is_wire(offer: Offer, verb: str, name: str) -> bool:
    """Whether a name of the query means what it means on this wire, and not a parameter of the vendor's."""
    method = offer.method
    if name in _OF_PAGES:
        return offer.is_list and (method.paginate is not None or name not in method.query)
    if name not in WIRE or name in method.query or method.any_query:
        return False
    if name == "fields":
        return verb == "GET" or offer.is_list
    return offer.act == "list"


def _fed(offer: Offer, name: str, value: str, reading: _Reading) -> None:
    declared = offer.method.query.get(name)
    if _ODD.search(value):
        reading.problem(name, "holds control characters, or is no UTF-8")
    elif name in offer.needs:
        reading.params[name] = value
    elif offer.method.any_query or (declared is not None and declared.fixed is None):
        reading.query.append((name, value))
    else:
        reading.members[name] = orjson.dumps(value)


def _spelled(method: Method, name: str, value: str) -> str:
    """The value as its parameter's choices spell it."""
    declared = method.params.get(name)
    choices = declared.choices if declared else ()
    return next((one for one in choices if one.lower() == value.lower()), value)


def _goes_into_body(offer: Offer, verb: str, name: str) -> bool:
    """A list that the vendor wants to be asked for with a body is asked for with a query here."""
    method = offer.method
    is_body = method.body in ("json", "form") and name not in method.query and not method.any_query
    return is_body and verb == "GET" and offer.act == "list" and bool(method.fields) and takes(method, name)


def _member(method: Method, name: str, value: str) -> bytes:
    declared = method.fields.get(name)
    if declared is not None and declared.type in _JSON_TYPES:
        try:
            orjson.loads(value)
        except orjson.JSONDecodeError:
            return orjson.dumps(_text(value))
        return value.encode()
    return orjson.dumps(_text(value))


def _text(value: str) -> str:
    return value.encode("utf-8", "replace").decode()


def _with_members(body: bytes, reading: _Reading) -> bytes:
    """The body with what the path and the query say of it; what the caller wrote stays to the byte."""
    if not reading.members:
        return body
    given = _object(body)
    if given is None:
        reading.problem("body", "expected a JSON object")
        return body
    for name, member in list(reading.members.items()):
        if name in given:
            if given[name] != orjson.loads(member):
                reading.problem(name, "is given by the path or the query, and another way by the body")
            del reading.members[name]
    added = b",".join([orjson.dumps(name) + b":" + member for name, member in reading.members.items()])
    if not given or not added:
        return b"{" + added + b"}" if not given else body
    return b"{" + added + b"," + body.strip()[1:]


def _object(body: bytes) -> dict[str, Any] | None:
    if not body.strip():
        return {}
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _with_wire(offer: Offer, wire: Mapping[str, str], reading: _Reading) -> Wish:
    size = _number(wire, "pageSize", reading)
    page = _number(wire, "page", reading)
    token = wire.get("nextPage") or None
    if token is not None and (page or 1) > 1:
        reading.problem("page", "cannot be given beside nextPage")
    if token is not None and len(token) > _LONGEST_TOKEN:
        reading.problem("nextPage", "is no page token of this list")
    _ordered(offer, wire.get("orderBy"), reading)
    _narrowed(offer, wire.get("where"), reading)
    fields = _chosen(offer, wire.get("fields"), reading)
    return Wish(arguments=Arguments(), size=size, page=page or 1, token=token, fields=fields)


def _number(wire: Mapping[str, str], name: str, reading: _Reading) -> int | None:
    text = wire.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text)):
        reading.problem(name, "expected a whole number of 1 or more")
        return None
    return int(text)


def _ordered(offer: Offer, text: str | None, reading: _Reading) -> None:
    if not text:
        return
    if offer.resource is None or offer.resource.order_by is None:
        reading.problem("orderBy", "the vendor cannot order this list")
        return
    reading.query.append((offer.resource.order_by, text))


def _narrowed(offer: Offer, text: str | None, reading: _Reading) -> None:
    if not text:
        return
    where = offer.resource.where if offer.resource is not None else None
    if where is None:
        reading.problem("where", f"this list cannot be asked for comparisons{_parameters(offer)}")
        return
    comparisons = parse(text)
    said = comparisons if isinstance(comparisons, str) else expressed(where, comparisons)
    if isinstance(said, str):
        reading.problem("where", said)
        return
    given, known = {name for name, _ in reading.query}, offer.method.query
    for name, value in said:
        if name in given or name in reading.params:
            reading.problem("where", f"says {name}, which is also given as a parameter")
        elif name in offer.words:
            reading.params[name] = value
        elif not offer.method.any_query and name not in known:
            reading.problem("where", f"{name} cannot be asked for{_parameters(offer)}")
        else:
            reading.query.append((name, value))


def _parameters(offer: Offer) -> str:
    named = [name for name, one in offer.method.query.items() if one.fixed is None]
    return f"; parameters that can be given: {', '.join(named[:30])}" if named else ""


def _chosen(offer: Offer, text: str | None, reading: _Reading) -> tuple[str, ...]:
    """The names that are left to be chosen here; none where the vendor does it."""
    names = tuple(dict.fromkeys([name.strip() for name in (text or "").split(",") if name.strip()]))
    if len(names) > _MOST_FIELDS or any(len(name) > _LONGEST_NAME or not name.isprintable() for name in names):
        reading.problem("fields", f"expected at most {_MOST_FIELDS} names, joined by commas")
        return ()
    parameter = offer.resource.fields if offer.resource is not None else None
    if names and parameter is not None and parameter in offer.method.query:
        reading.query.append((parameter, ",".join(names)))
        return ()
    return names
