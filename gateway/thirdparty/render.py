"""The request that a 3rd-party connector makes of one event; pure, and the same at every attempt."""

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.egress.limits import MAX_URL
from gateway.events.model import Event
from gateway.thirdparty.bodies import Placed, form_body, json_body, xml_body
from gateway.thirdparty.facts import Material, material_of
from gateway.thirdparty.model import Definition
from gateway.thirdparty.naming import path_of
from gateway.thirdparty.values import MOST_BODY, Refused, Room, address, json_of, template_of, text

LONGEST_HEADER = 8_192
#: What finding a value costs, told in characters.
PLACEHOLDER = 100
#: Methods whose data stands in the URL.
BODILESS = ("GET", "DELETE")
CONTENT_TYPES = {
    "JSON": "application/json",
    "FORM": "application/x-www-form-urlencoded",
    "XML": "application/xml; charset=utf-8",
}
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_STEP_UP = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?=/|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What is sent, but for the signature."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes


@dataclass(frozen=True, slots=True)
class Unrenderable:
    """Which field makes no request of this event, and why."""

    field: str
    message: str


def effort(definition: Definition, payload: int) -> int:
    """How many characters may have to be handled for a payload of so many: each placeholder may stand for all of it."""
    texts = [definition.url, *(one.value for one in definition.headers), *(one.value for one in definition.data)]
    return sum(len(one) + one.count("{") * (payload + PLACEHOLDER) for one in texts)


def request(
    definition: Definition, event: Event, instance_name: str, notification: Callable[[], bytes]
) -> Rendered | Unrenderable:
    """The request of an event; a JSON body without rows is the notification that a callback gets."""
    material = material_of(event, instance_name)
    url = _url(definition, material)
    if isinstance(url, Unrenderable):
        return url
    headers = _headers(definition, material)
    if isinstance(headers, Unrenderable):
        return headers
    body = _body(definition, material, notification)
    if isinstance(body, Unrenderable):
        return body
    if definition.method in BODILESS:
        return _with_query(definition, url, headers, body)
    kind = () if _has(headers, "content-type") else (("Content-Type", CONTENT_TYPES[definition.type]),)
    return Rendered(method=definition.method, url=url, headers=(*kind, *headers), body=body)


def _with_query(
    definition: Definition, url: str, headers: tuple[tuple[str, str], ...], query: bytes
) -> Rendered | Unrenderable:
    whole = f"{url}{'&' if '?' in url else '?'}{query.decode()}" if query else url
    if len(whole) > MAX_URL:
        return Unrenderable("data", f"makes a URL of more than {MAX_URL} characters")
    return Rendered(method=definition.method, url=whole, headers=headers, body=b"")


def _url(definition: Definition, material: Material) -> str | Unrenderable:
    template = template_of(definition.url)
    try:
        url = address(template, material, MAX_URL)
    except Refused as problem:
        return Unrenderable("url", str(problem))
    if template.locators and _STEP_UP.search(url.partition("?")[0]):
        return Unrenderable("url", "the event would make a step out of the path, such as ..")
    return url


def _headers(definition: Definition, material: Material) -> tuple[tuple[str, str], ...] | Unrenderable:
    headers = []
    for number, one in enumerate(definition.headers):
        where = f"headers.{number}.value"
        try:
            value = text(template_of(one.value), material, LONGEST_HEADER)
        except Refused as problem:
            return Unrenderable(where, str(problem))
        if _UNSENDABLE.search(value):
            return Unrenderable(where, "the event would put a line break or another control character into the header")
        if value:
            headers.append((one.name, value))
    if definition.username is not None:
        pair = f"{definition.username}:{definition.password or ''}"
        headers.append(("Authorization", "Basic " + b64encode(pair.encode()).decode()))
    return tuple(headers)


def _body(definition: Definition, material: Material, notification: Callable[[], bytes]) -> bytes | Unrenderable:
    if not definition.data and definition.type == "JSON" and definition.method not in BODILESS:
        return notification()
    where = "data"
    placed: list[tuple[tuple[str | int, ...], bytes]] = []
    room = Room(MOST_BODY)
    is_form = definition.type == "FORM" or definition.method in BODILESS
    try:
        for number, row in enumerate(definition.data):
            where = f"data.{number}.value"
            value = json_of(row, material, room)
            if value is not None or is_form:
                placed.append((path_of(row.name), b'""' if value is None else value))
        where = "data"
        return _shaped(definition, placed, is_form=is_form)
    except Refused as problem:
        return Unrenderable(where, str(problem))


def _shaped(definition: Definition, placed: Placed, *, is_form: bool) -> bytes:
    if is_form:
        return form_body(placed)
    return json_body(placed) if definition.type == "JSON" else xml_body(placed, definition.root)


def _has(headers: tuple[tuple[str, str], ...], name: str) -> bool:
    return any(one.lower() == name for one, _ in headers)
