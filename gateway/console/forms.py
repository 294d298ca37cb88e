"""What people fill in: read once, refused at the field, and shown again as it was typed."""

from collections.abc import Iterator, Sequence
from urllib.parse import parse_qsl

from aiohttp import web
from multidict import MultiDict

from gateway.api.read import body
from gateway.console.roles import Act
from gateway.console.visitor import Visitor, found, refuse_foreign, refuse_unasked, visitor
from gateway.errors import Conflict, Invalid, Problem

#: A form that was sent after its session had ended; it is sent again after the next sign-in.
UNSENT: web.RequestKey["Form"] = web.RequestKey("unsent")
#: The largest forms have some hundreds.
_MOST_FIELDS = 2_000
_NO_FORM = "The form cannot be read."


class Form:
    """The fields of a form, and what is wrong with them, by field; "" is the form as a whole."""

    def __init__(self, fields: MultiDict[str] | None = None) -> None:
        self._fields: MultiDict[str] = MultiDict(fields or ())
        self.problems: dict[str, str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def get(self, name: str, default: str = "") -> str:
        """A field as it was typed, without spaces around it."""
        return str(self._fields.get(name, default)).strip()

    def typed(self, name: str, default: str = "") -> str:
        """A field to the letter; for secrets and texts whose spaces count."""
        return str(self._fields.get(name, default))

    def all(self, name: str) -> list[str]:
        """Every value of a field that stands there several times."""
        return [value.strip() for value in self._fields.getall(name, [])]

    def ticked(self, name: str) -> bool:
        """Whether a box is ticked."""
        return name in self._fields and self.get(name).lower() not in ("", "false", "off", "no", "0")

    def rows(self, *names: str) -> list[tuple[str, ...]]:
        """The rows of a table whose fields have these names in each row, without rows that are empty throughout."""
        columns = [self._fields.getall(name, []) for name in names]
        rows = zip(*columns, strict=False) if all(columns) else iter(())
        return [row for row in rows if any(value.strip() for value in row)]

    def items(self) -> Iterator[tuple[str, str]]:
        """All that was sent."""
        yield from self._fields.items()

    def refuse(self, field: str, message: str) -> None:
        """Say what is wrong with a field; the first word counts."""
        self.problems.setdefault(field, message)

    def refused_by(self, error: Invalid | Conflict, prefixes: Sequence[str] = ()) -> None:
        """Lay what a room says is wrong to the fields; what no field is named for, to the form."""
        found = error.problems if isinstance(error, Invalid) else ()
        for problem in found or (Problem("", str(error)),):
            field = problem.field
            for prefix in prefixes:
                field = field.removeprefix(prefix)
            self.refuse(field, problem.message)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong so far."""
        return not self.problems


async def posted(request: web.Request, act: Act = "change") -> tuple[Visitor, Form]:
    """Who sends a form, and what is in it; Forbidden where no page of the session asked, or the role forbids it.

    What was typed into a page whose session has ended is kept until the next sign-in.
    """
    refuse_foreign(request)
    form = await read(request)
    if await found(request) is None:
        request[UNSENT] = form
    who = await visitor(request)
    refuse_unasked(who, request.headers.get("X-CSRF-Token") or form.get("csrf"))
    return await visitor(request, act), form


async def read(request: web.Request) -> Form:
    """The fields of the body; pages are in UTF-8 and send no files, so that there is one way to write a form."""
    content = await body(request)
    if content and request.content_type != "application/x-www-form-urlencoded":
        raise Invalid(_NO_FORM)
    return Form(MultiDict(pairs(content.decode("utf-8", "replace"))))


def pairs(text: str) -> list[tuple[str, str]]:
    """The fields of a form that was written as a text; Invalid where there are more than any form has."""
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as problem:
        raise Invalid(_NO_FORM) from problem


def asked(request: web.Request) -> Form:
    """The fields of the query, for forms that only ask."""
    return Form(MultiDict(request.query))


def number(given: str, digits: int = 15) -> int | None:
    """A whole number of so many digits at most; None where there is none."""
    return int(given) if given.isascii() and given.isdigit() and len(given) <= digits else None
