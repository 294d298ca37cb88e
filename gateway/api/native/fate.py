"""Where is it? The question that operators ask with whatever name of an event they have."""

import re
from typing import get_args

from aiohttp import web

from gateway.api.native import calls, shapes_history
from gateway.errors import Problem
from gateway.history.fates.asking import fates
from gateway.history.fates.model import Asked, Question

_NAMES: tuple[Asked, ...] = get_args(Asked)
_HASH = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")
_ID = re.compile(r"[0-9a-f]{32}")
#: How much of a body's hash is kept.
_KEPT = 32


def routes() -> list[web.AbstractRouteDef]:
    """The route of fates."""
    return [web.get(calls.PREFIX + "/fate", fate)]


async def fate(request: web.Request) -> web.Response:
    """`GET /api/v1/fate` by exactly one name: all that arrived under it, newest first."""
    who = await calls.caller(request)
    asked = _question(calls.query(request, *_NAMES, *calls.PAGING))
    about = calls.about("fate", who, asked.by, asked.value)
    before, size = calls.position(request, about), calls.size(request)
    found, position = await fates(calls.services(request).runtime.database, who, asked, before, size)
    return calls.page([shapes_history.fate(one) for one in found], position, about)


def _question(given: dict[str, str]) -> Question:
    names = [name for name in _NAMES if name in given]
    if len(names) != 1:
        raise calls.invalid(Problem("vendor_event_id", f"expected exactly one of {', '.join(_NAMES)}"))
    [name] = names
    value = given[name]
    if name == "body_hash":
        value = _matching(name, value.lower(), _HASH, "the first 32 or all 64 hex digits of the body's SHA-256")
        return Question(name, value[:_KEPT])
    if name == "event_id":
        return Question(name, _matching(name, value, _ID, "the 32 hex digits of an event's id"))
    calls.event_filter({name: value})
    return Question(name, value)


def _matching(name: str, value: str, pattern: re.Pattern[str], expected: str) -> str:
    if not pattern.fullmatch(value):
        raise calls.invalid(Problem(name, f"expected {expected}"))
    return value
