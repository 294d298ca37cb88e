"""Reading requests: bodies, numbers, dates, page tokens; what cannot be read is Invalid, never a 500."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import web

from gateway.errors import Invalid, NotFound, Problem

_LONGEST_ID = 15


async def json_body(request: web.Request, *, optional: bool = False) -> Any:
    """The request's JSON; with `optional`, an empty body is None."""
    content = await request.read()
    if optional and not content.strip():
        return None
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as problem:
        where = f"line {problem.lineno}, column {problem.colno}"
        raise Invalid(f"The body is not valid JSON ({problem.msg} at {where}).") from problem


def path_id(request: web.Request, name: str = "id") -> int:
    """A number in the path; what is no number names nothing."""
    text = request.match_info[name]
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID):
        raise NotFound(f"No instance found with ID {text[:64]}")
    return int(text)


def number(request: web.Request, name: str, *, default: int, most: int) -> int:
    """A number of the query, at least 1; above `most` it is `most`."""
    text = request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID and int(text) >= 1):
        raise _invalid(name, f"expected a number from 1 to {most}")
    return min(int(text), most)


def flag(request: web.Request, name: str, *, default: bool) -> bool:
    """A truth value of the query."""
    text = request.query.get(name, str(default)).lower()
    if text not in ("true", "false"):
        raise _invalid(name, "expected true or false")
    return text == "true"


def date_ms(request: web.Request, name: str) -> int | None:
    """A date of the query, ISO 8601, UTC where it names no zone; epoch milliseconds."""
    text = request.query.get(name)
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError, OSError) as problem:
        raise _invalid(name, "expected a date such as 2026-01-31T12:00:00Z") from problem


def page_token(position: dict[str, Any]) -> str:
    """A token for the next page; callers pass it back as it is."""
    return urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def position(request: web.Request, name: str, key: str, kind: type[str] | type[int]) -> Any:
    """The place that a page token names; None where there is no token."""
    text = request.query.get(name)
    if not text:
        return None
    try:
        found = orjson.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        value = found[key]
    except (ValueError, KeyError, TypeError) as problem:
        raise _invalid(name, "is no page token of this list") from problem
    if type(value) is not kind or (isinstance(value, str) and not value.isalnum()) or len(str(value)) > 64:
        raise _invalid(name, "is no page token of this list")
    if isinstance(value, int) and not 0 <= value < 10**_LONGEST_ID:
        raise _invalid(name, "is no page token of this list")
    return value


def _invalid(name: str, message: str) -> Invalid:
    return Invalid(f"{name}: {message}.", (Problem(name, message),))
