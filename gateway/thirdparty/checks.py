"""Whether a definition can be used at all: what is wrong is said at its field."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from gateway.catalogue.template import Template
from gateway.errors import Problem
from gateway.thirdparty.draft import MOST_HEADERS, MOST_ROWS
from gateway.thirdparty.model import DataRow, Definition, Fires, Header
from gateway.thirdparty.naming import is_xml_name, problems_of
from gateway.thirdparty.render import BODILESS, LONGEST_HEADER
from gateway.thirdparty.values import template_of, tree_of

LONGEST_NAME = 255
LONGEST_URL = 4_096
LONGEST_ROW_NAME = 255
LONGEST_VALUE = 16_384
#: Each is looked for in every event, whatever it finds.
MOST_PLACEHOLDERS = 2_000
#: Answers why a URL may not be called, or None.
UrlRule = Callable[[str], str | None]

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_OWN = frozenset(
    {
        "host", "content-length", "content-encoding", "transfer-encoding", "connection", "keep-alive", "upgrade", "te",
        "trailer", "expect", "proxy-authorization", "proxy-connection", "accept-encoding", "webhook-id",
        "webhook-timestamp", "webhook-signature", "gateway-replay-id",
    }
)  # fmt: skip
_PLACE = re.compile(r"https?://[^/?#]+", re.IGNORECASE)


def problems_in(definition: Definition, url_rule: UrlRule) -> list[Problem]:
    """Everything that is wrong with it."""
    return [
        *_name(definition.name),
        *_url(definition.url, url_rule),
        *_headers(definition.headers),
        *_basic(definition),
        *_data(definition),
        *_root(definition),
        *_fires(definition.fires),
        *_many(definition),
    ]


def origin_of(url: str) -> str:
    """Where a URL leads to: scheme, host and port, as they are written."""
    try:
        parts = urlsplit(url.partition("{")[0])
    except ValueError:
        return url
    return f"{parts.scheme}://{parts.netloc}".lower()


def _name(name: str) -> Iterator[Problem]:
    if not 1 <= len(name) <= LONGEST_NAME:
        yield Problem("name", f"expected 1 to {LONGEST_NAME} characters")
    elif _CONTROL.search(name):
        yield Problem("name", "holds control characters")


def _url(url: str, url_rule: UrlRule) -> Iterator[Problem]:
    if not url:
        yield Problem("url", "is required")
        return
    if len(url) > LONGEST_URL:
        yield Problem("url", f"is longer than {LONGEST_URL} characters")
        return
    template = _compiled(url)
    problem = template if isinstance(template, str) else _place_problem(template) or url_rule(_skeleton(template))
    if problem is not None:
        yield Problem("url", problem)


def _place_problem(template: Template) -> str | None:
    """Why the URL leads to nowhere that is known before an event comes."""
    first = template.parts[0] if template.parts and isinstance(template.parts[0], str) else ""
    place = _PLACE.match(first)
    if place is None:
        return "begins with https:// and a host, and no placeholder stands in them"
    if len(template.parts) > 1 and place.end() == len(first):
        return "has a placeholder in its host; an event must not choose where its data goes"
    if any("#" in part for part in template.parts if isinstance(part, str)):
        return "has a fragment (#), which is never sent"
    return None


def _skeleton(template: Template) -> str:
    return "".join(part if isinstance(part, str) else "x" for part in template.parts)


def _headers(headers: tuple[Header, ...]) -> Iterator[Problem]:
    if len(headers) > MOST_HEADERS:
        yield Problem("headers", f"are more than {MOST_HEADERS}")
        return
    times = Counter(one.name.lower() for one in headers)
    for number, one in enumerate(headers):
        if (problem := _header_name(one.name, times)) is not None:
            yield Problem(f"headers.{number}.name", problem)
        if (problem := _header_value(one.value)) is not None:
            yield Problem(f"headers.{number}.value", problem)


def _header_name(name: str, times: Counter[str]) -> str | None:
    if not _HEADER_NAME.fullmatch(name):
        return "expected the name of a header, such as X-Api-Key"
    if name.lower() in _OWN:
        return "is set by the gateway"
    return "is given twice" if times[name.lower()] > 1 else None


def _header_value(value: str) -> str | None:
    if len(value) > LONGEST_HEADER:
        return f"is longer than {LONGEST_HEADER} characters"
    if _CONTROL.search(value.replace("\t", "")):
        return "holds a line break or another control character"
    template = _compiled(value)
    return template if isinstance(template, str) else None


def _basic(definition: Definition) -> Iterator[Problem]:
    username, password = definition.username, definition.password
    if username is None:
        if password:
            yield Problem("basic.username", "is required where there is a password")
        return
    if ":" in username:
        yield Problem("basic.username", "must not contain a colon")
    for name, value in (("username", username), ("password", password or "")):
        if len(value) > LONGEST_NAME or _CONTROL.search(value):
            yield Problem(f"basic.{name}", f"expected at most {LONGEST_NAME} characters, none a control character")
    if any(one.name.lower() == "authorization" for one in definition.headers):
        yield Problem("basic.username", "stands beside a header Authorization; only one of them can be sent")


def _data(definition: Definition) -> Iterator[Problem]:
    rows = definition.data
    if len(rows) > MOST_ROWS:
        yield Problem("data", f"are more than {MOST_ROWS} rows")
        return
    if rows and definition.type == "XML" and definition.method in BODILESS:
        yield Problem("type", f"{definition.method} carries its data in the URL, which XML cannot; choose JSON or FORM")
    for number, row in enumerate(rows):
        yield from _row(number, row)
    yield from problems_of(rows, definition.type)


def _row(number: int, row: DataRow) -> Iterator[Problem]:
    if len(row.name) > LONGEST_ROW_NAME or _CONTROL.search(row.name):
        yield Problem(
            f"data.{number}.name", f"expected at most {LONGEST_ROW_NAME} characters, none a control character"
        )
    if len(row.value) > LONGEST_VALUE or _UNSTORABLE.search(row.value):
        yield Problem(f"data.{number}.value", f"expected at most {LONGEST_VALUE} characters, no NUL among them")
        return
    try:
        tree_of(row.value) if row.kind == "json" else template_of(row.value)
    except ValueError as problem:
        yield Problem(f"data.{number}.value", str(problem))


def _root(definition: Definition) -> Iterator[Problem]:
    if len(definition.root) > LONGEST_ROW_NAME or not is_xml_name(definition.root):
        yield Problem("root", "expected the name of an XML element")


def _fires(fires: Fires) -> Iterator[Problem]:
    for name in ("connectors", "event_types", "object_types"):
        if any(_CONTROL.search(one) for one in getattr(fires, name)):
            yield Problem(f"fires.{name}", "holds control characters")


def _many(definition: Definition) -> Iterator[Problem]:
    for name, rows in (("headers", definition.headers), ("data", definition.data)):
        # Each brace may open one.
        if sum(one.value.count("{") for one in rows) > MOST_PLACEHOLDERS:
            yield Problem(name, f"have more than {MOST_PLACEHOLDERS} placeholders, or braces")


def _compiled(text: str) -> Template | str:
    if _UNSTORABLE.search(text):
        return "holds a NUL or half a surrogate pair"
    try:
        return template_of(text)
    except ValueError as problem:
        return str(problem)
