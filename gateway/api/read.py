"""Reading requests: bodies, numbers, dates, page tokens; what cannot be read is Invalid, never a 500."""

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import web

from gateway.errors import Invalid, NotFound, Problem

BODY_DEADLINE_S = 30.0
_LONGEST_ID = 15


async def body(request: web.Request) -> bytes:
    """The request's body; one that is broken off, packed or too slow is the caller's failure."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise web.HTTPUnsupportedMediaType
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            return await request.read()
    except TimeoutError as problem:
        raise web.HTTPRequestTimeout from problem
    except web.RequestPayloadError as problem:
        raise Invalid("The body cannot be read: it is not what its headers say.") from problem


async def json_body(request: web.Request, *, optional: bool = False) -> Any:
    """The request's JSON; with `optional`, an empty body is None."""
    content = await body(request)
    if not content.strip():
        if optional:
            return None
        raise Invalid("The body is empty; this request needs a JSON object.")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as problem:
        where = f"line {problem.lineno}, column {problem.colno}"
        raise Invalid(f"The body is not valid JSON ({problem.msg} at {where}).") from problem


def path_id(request: web.Request, name: str = "id", *, what: str = "instance") -> int:
    """A number in the path; what is no number names nothing."""
    given = request.match_info[name]
    if not (given.isascii() and given.isdigit() and len(given) <= _LONGEST_ID):
        raise NotFound(f"No {what} found with ID {given[:64]}")
    return int(given)


def text(request: web.Request, name: str, *, longest: int) -> str:
    """A text of the query, empty where there is none."""
    return ([*texts(request, (name,), most=1, longest=longest)] or [""])[0]


def texts(request: web.Request, names: Sequence[str], *, most: int, longest: int) -> tuple[str, ...]:
    """All texts of the query under some names, without empty ones."""
    given = [value for name in names for value in request.query.getall(name, []) if value]
    if len(given) > most:
        raise _invalid(names[0], f"is given {len(given)} times; at most {most} are taken")
    for value in given:
        if len(value) > longest or not _is_text(value):
            raise _invalid(names[0], f"expected a text of at most {longest} characters")
    return tuple(given)


def _is_text(value: str) -> bool:
    return not any(character == "\x00" or "\ud800" <= character <= "\udfff" for character in value)


def number(request: web.Request, name: str, *, default: int, most: int) -> int:
    """A number of the query, at least 1; above `most` it is `most`."""
    given = request.query.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) <= _LONGEST_ID and int(given) >= 1):
        raise _invalid(name, f"expected a number from 1 to {most}")
    return min(int(given), most)


def flag(request: web.Request, name: str, *, default: bool) -> bool:
    """A truth value of the query."""
    given = request.query.get(name, str(default)).lower()
    if given not in ("true", "false"):
        raise _invalid(name, "expected true or false")
    return given == "true"


def date_ms(request: web.Request, name: str) -> int | None:
    """A date of the query, ISO 8601, UTC where it names no zone; epoch milliseconds."""
    given = request.query.get(name)
    if given is None:
        return None
    try:
        # The plus of a zone that nobody escaped arrives as a space.
        at = datetime.fromisoformat(given.replace(" ", "+") if "T" in given else given)
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError, OSError) as problem:
        raise _invalid(name, "expected a date such as 2026-01-31T12:00:00Z") from problem


def page_token(position: dict[str, Any]) -> str:
    """A token for the next page; callers pass it back as it is."""
    return urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def position(request: web.Request, name: str, key: str, kind: type[str] | type[int]) -> Any:
    """The place that a page token names; None where there is no token."""
    given = request.query.get(name)
    if not given:
        return None
    try:
        found = orjson.loads(urlsafe_b64decode(given + "=" * (-len(given) % 4)))
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
