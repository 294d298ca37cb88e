"""What every handler of the gateway's own API needs: the caller, strict queries, pages with cursors, answers."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from aiohttp import web

from gateway.accounts.authorization import caller_of, parse
from gateway.accounts.model import Caller
from gateway.api import read
from gateway.api.surface import CALLER, SERVICES
from gateway.clock import now_ms
from gateway.errors import Invalid, Problem
from gateway.history.cursor import cursor, position_of
from gateway.history.filter import EventFilter
from gateway.history.filter import parse as parse_filter
from gateway.provisioning.services import Services

PREFIX = "/api/v1"
DEFAULT_PAGE = 100
LARGEST_PAGE = 500
PAGING = ("limit", "cursor")
_POSITION = re.compile(r"[0-9a-z]{1,64}")


def services(request: web.Request) -> Services:
    """The rooms below."""
    return request.app[SERVICES]


async def caller(request: web.Request) -> Caller:
    """Whom the Authorization header speaks for."""
    credentials = parse(request.headers.get("Authorization", ""))
    found = await caller_of(services(request).runtime.database, credentials, now=now_ms())
    request[CALLER] = found
    return found


def answer(body: Any, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")


def page(items: Sequence[Any], position: str | None, about: str) -> web.Response:
    """A page of the list that `about` names; `position` is where the next one begins, None after the last."""
    return answer({"items": items, "next": None if position is None else cursor(position, about)})


def size(request: web.Request) -> int:
    """How many items a page may have."""
    return read.number(request, "limit", default=DEFAULT_PAGE, most=LARGEST_PAGE)


def position(request: web.Request, about: str) -> str | None:
    """Where the cursor of the query says that the page begins; Invalid where it is none of this list."""
    given = request.query.get("cursor")
    if not given:
        return None
    found = position_of(given, about)
    if found is None or not _POSITION.fullmatch(found):
        raise invalid(Problem("cursor", "is no cursor of this list, as it was given, with the same filter"))
    return found


def query(request: web.Request, *names: str) -> dict[str, str]:
    """The query's fields, each given once; Invalid where there is one that this request does not know."""
    known = dict.fromkeys(names)
    problems = [Problem(name[:80], "is no field of this request") for name in set(request.query) if name not in known]
    problems += [Problem(name, "is given more than once") for name in known if len(request.query.getall(name, [])) > 1]
    if problems:
        raise invalid(*problems)
    return dict(request.query)


async def json_object(request: web.Request, *names: str, optional: bool = False) -> dict[str, Any]:
    """The body's JSON object; Invalid where it is none, or has a field that this request does not know."""
    found = await read.json_body(request, optional=optional)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise invalid(Problem("body", "expected a JSON object"))
    problems = [Problem(str(name)[:80], "is no field of this request") for name in found if name not in names]
    if problems:
        raise invalid(*problems)
    return found


def event_filter(given: Mapping[str, object], within: str = "") -> EventFilter:
    """The filter that the fields make; Invalid names every field that is wrong, by its place `within` a body."""
    found = parse_filter(given)
    if isinstance(found, EventFilter):
        return found
    raise invalid(*(Problem(within + one.field, one.message) for one in found))


def invalid(*problems: Problem) -> Invalid:
    """What is wrong with the request, field by field, in a sentence too."""
    return Invalid("; ".join(f"{one.field}: {one.message}" for one in problems) + ".", problems)


def about(name: str, who: Caller, *conditions: str) -> str:
    """What tells a list from every other: its name, whose it is, its conditions."""
    return "\n".join((name, who.partner_id, who.account_id or "", *conditions))
