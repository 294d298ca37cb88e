"""What the paths of this wire share: bodies with keys in any case, `{"Message"}` for what went wrong, dates and ids."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import orjson
from aiohttp import web

from gateway.api import read
from gateway.api.cyclr import lenient
from gateway.api.front import REQUEST_ID
from gateway.api.surface import SERVICES, Failure
from gateway.errors import Invalid, Problem
from gateway.provisioning.services import Services

_LONGEST_DIGITS = 15
_TRUTHS = {"true": True, "false": False}


class Absent:
    """The type of what a body does not mention."""


ABSENT: Final = Absent()


class Given:
    """A JSON object whose keys count in any case; of equal ones the last."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        #: As it came.
        self.given: Mapping[str, Any] = {str(name): value for name, value in members.items()}
        self._members = {str(name).lower(): value for name, value in members.items()}

    def raw(self, name: str) -> Any:
        """The value as it is; ABSENT where there is none."""
        return self._members.get(name.lower(), ABSENT)

    def has(self, name: str) -> bool:
        """Whether it is there and not null."""
        return self._members.get(name.lower()) is not None

    def text(self, name: str, *, longest: int = 255, lines: bool = False) -> str | None:
        """A text; None where it is absent or null. Numbers are taken as they are written."""
        value = self._members.get(name.lower())
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise wrong(name, "must be a text")
        if len(value) > longest or not fits(value, lines=lines):
            raise wrong(name, f"must be a text of at most {longest} characters without control characters")
        return value

    def flag(self, name: str) -> bool | None:
        """A truth value, which may be a text."""
        value = self._members.get(name.lower())
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().lower() in _TRUTHS:
            return _TRUTHS[value.strip().lower()]
        raise wrong(name, "must be true or false")

    def number(self, name: str) -> int | None:
        """A whole number, which may be a text."""
        value = self._members.get(name.lower())
        if value is None:
            return None
        found = whole(value)
        if found is None:
            raise wrong(name, "must be a whole number")
        return found


def fits(text: str, *, lines: bool = False) -> bool:
    """Whether a text can be stored and shown."""
    kept = text.replace("\n", "").replace("\r", "").replace("\t", "") if lines else text
    return not any(character < " " or "\ud800" <= character <= "\udfff" or character == "\x7f" for character in kept)


def whole(value: object) -> int | None:
    """The whole number that a value is, be it as a text; None where it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < 10**_LONGEST_DIGITS else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 10**_LONGEST_DIGITS else None
    if not isinstance(value, str):
        return None
    digits = value.strip().removeprefix("-")
    return int(value) if digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_DIGITS else None


async def given(request: web.Request, *, optional: bool = False) -> Given:
    """The request's JSON object; with `optional`, an empty body is an empty one."""
    content = await read.body(request)
    if not content.strip():
        if optional:
            return Given({})
        raise Invalid("The body is empty; this request needs a JSON object.")
    try:
        value = lenient.loads(content)
    except ValueError as problem:
        said = "it is no UTF-8" if isinstance(problem, UnicodeError) else str(problem)
        raise Invalid(f"The body is not valid JSON: {said}.") from problem
    if value is None and optional:
        return Given({})
    if not isinstance(value, dict):
        raise Invalid("The body must be a JSON object.")
    return Given(value)


def wrong(name: str, message: str) -> Invalid:
    """That a value of the body or the query cannot be taken."""
    return Invalid(f"{name} {message}.", (Problem(name, message),))


def services(request: web.Request) -> Services:
    """The rooms below."""
    return request.app[SERVICES]


def answer(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json", headers=headers)


def said(status: int, message: str) -> web.Response:
    """An answer that is one sentence."""
    return answer({"Message": message}, status=status)


def refuse(request: web.Request, failure: Failure) -> web.StreamResponse:
    """The wire's error shape."""
    del request
    response = said(failure.status, failure.message)
    if failure.provider:
        response = said(failure.status, f"{failure.message} {failure.provider}")
    if failure.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="connector-gateway"'
    return response


def finish(request: web.Request, response: web.StreamResponse) -> None:
    """Headers that every answer has."""
    if response.prepared:
        return  # Its head is on the way already, and was finished before.
    response.headers["X-Request-Id"] = request[REQUEST_ID]
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"


def dashed(hex_digits: str) -> str:
    """An id as a GUID with dashes."""
    return str(UUID(hex_digits))


def moment(at_ms: int) -> str:
    """A time with seven digits of fraction and its zone, as `2017-12-06T15:54:06.6440000Z`."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}0000Z"
