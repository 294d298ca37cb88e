"""Reads `[[poll]]`: the facts about an endpoint that is asked for changes."""

from collections.abc import Mapping
from typing import Literal

from gateway.catalogue import contexts
from gateway.catalogue.call_model import Expired, Interval, Pagination, Poll
from gateway.catalogue.dates import NAMED
from gateway.catalogue.locator import Locator, compile_locator
from gateway.catalogue.read_changes import change_map, reader
from gateway.catalogue.read_http import limits
from gateway.catalogue.read_methods import paged_by
from gateway.catalogue.read_request import optional_request, request
from gateway.catalogue.table import Table, scalar_texts
from gateway.catalogue.template import Template, templates_in

_USUAL = Interval(default=15 * 60_000, min=60_000, max=24 * 3_600_000)
Order = Literal["asc", "desc", "any"]
_ORDERS: Mapping[str, Order] = {"asc": "asc", "desc": "desc", "any": "any"}
Mode = Literal["since", "token", "snapshot"]
_MODES: Mapping[str, Mode] = {"since": "since", "token": "token", "snapshot": "snapshot"}
_BY_TOKEN = ("token", "first_token")
#: What the engine fills in.
_WORDS = frozenset({"from", "now", "token"})


def polls(tables: list[Table], pages: Mapping[str, Pagination]) -> tuple[Poll, ...]:
    """The polled endpoints in the order of the file."""
    found = tuple(_poll(table, pages) for table in tables)
    names = [poll.name for poll in found]
    for table, name in zip(tables, names, strict=True):
        if names.count(name) > 1:
            table.problem("name", f"{name!r} is used twice; the cursor of a poll belongs to its name")
    return found


def _poll(table: Table, pages: Mapping[str, Pagination]) -> Poll:
    table.need("name", "request", "records")
    mode = _MODES[table.choice("mode", tuple(_MODES), "since")]
    if mode == "since":
        table.need("updated")
    poll = Poll(
        name=table.text("name") or "",
        description=table.text("description") or "",
        changes=change_map(table, contexts.RECORD),
        request=request(table, "request", contexts.CALL),
        query=_query(table),
        body=table.json("body", contexts.CALL),
        paginate=paged_by(table, pages),
        records=table.locator("records", contexts.RECORD, "body") or _here("body"),
        order=_ORDERS[table.choice("order", tuple(_ORDERS), "any")],
        id=table.locator("id", contexts.RECORD, "item") or _here("item"),
        updated=table.locator("updated", contexts.RECORD, "item"),
        read_updated=reader(table, "updated_format", "updated_timezone"),
        created=table.locator("created", contexts.RECORD, "item"),
        read_created=reader(table, "created_format", "created_timezone"),
        created_tolerance=table.duration("created_tolerance") or 0,
        deleted_when=_deleted_when(table),
        skip_if=table.locator("skip_if", contexts.RECORD, "item"),
        mode=mode,
        from_format=_from_format(table),
        overlap=table.duration("overlap") or 0,
        settle=table.duration("settle"),
        start="beginning" if table.choice("start", ("now", "beginning"), "now") == "beginning" else "now",
        retention=table.duration("retention"),
        interval=_interval(table),
        min_interval_from=table.locator("min_interval_from", contexts.ANSWER),
        etag=table.flag("etag"),
        limits=limits(table, "limits"),
        token=table.locator("token", contexts.ANSWER, "body"),
        first_token=optional_request(table, "first_token", contexts.CALL),
        first_token_body=table.json("first_token_body", contexts.CALL),
        token_expired=_expired(table),
    )
    _check(table, poll, pages)
    return poll


def _expired(table: Table) -> Expired:
    inner = table.table("token_expired", "token_expired")
    if inner is None:
        return Expired()
    inner.need("status")
    return Expired(frozenset(inner.wholes("status")), inner.text("body_contains"))


def _check(table: Table, poll: Poll, pages: Mapping[str, Pagination]) -> None:
    table.need("id")
    _check_words(table, poll)
    page = pages.get(poll.paginate or "")
    if poll.order == "asc" and page is not None and page.type in ("offset", "page"):
        table.findings.warnings.append(
            f"{table.where}: ascending order with {page.type} pages skips records while others move"
        )


def _check_words(table: Table, poll: Poll) -> None:
    """What nobody fills in would be asked for as nothing; a token means something only where one is kept."""
    if poll.mode == "token":
        table.need(*_BY_TOKEN)
    for key in (*_BY_TOKEN, "first_token_body", "token_expired"):
        if poll.mode != "token" and table.has(key):
            table.problem(key, 'means nothing without mode = "token"')
    asked = [poll.request.path, *(one for pair in poll.query for one in pair), *templates_in(poll.body)]
    words = frozenset(word for template in asked for word in template.words)
    if poll.mode == "token" and "token" not in words:
        table.problem("request", "names {token} nowhere, in its path, query or body")
    known = _WORDS if poll.mode == "token" else _WORDS - {"token"}
    if words - known:
        table.problem("request", f"{{{min(words - known)}}} is nothing that a poll is filled with: {{from}}, {{now}}")


def _query(table: Table) -> tuple[tuple[Template, Template], ...]:
    made = []
    for name, text in table.mapping("query").items():
        if not isinstance(text, str):
            table.problem(f"query.{name}", f"expected a text, got {text!r}")
            continue
        parameter = table.worded("query", name, contexts.CALL)
        value = table.worded(f"query.{name}", text, contexts.CALL)
        if parameter is not None and value is not None:
            made.append((parameter, value))
    return tuple(made)


def _from_format(table: Table) -> str:
    text = table.text("from_format") or "iso8601"
    if text.startswith("@") or "%" not in text:
        return table.choice_or_setting("from_format", NAMED, "iso8601")
    return text


def _deleted_when(table: Table) -> tuple[tuple[Locator, frozenset[str]], ...]:
    made = []
    for path, value in table.mapping("deleted_when").items():
        key = f"deleted_when.{path}"
        locator, texts = table.compiled(key, path, contexts.RECORD, "item"), scalar_texts(value)
        if texts is None:
            table.problem(key, f"expected a plain value or a list of them, got {value!r}")
        elif locator is not None:
            made.append((locator, texts))
    return tuple(made)


def _interval(table: Table) -> Interval:
    inner = table.table("interval", "interval")
    if inner is None:
        return _USUAL
    inner.need("default")
    usual = inner.duration("default") or _USUAL.default
    least, most = inner.duration("min") or usual, inner.duration("max") or usual
    if not least <= usual <= most:
        inner.problem("default", "expected a duration between min and max")
    return Interval(usual, least, most)


def _here(source: str) -> Locator:
    return compile_locator("", contexts.RECORD.sources, source)
