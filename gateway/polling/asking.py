"""The requests of a poll as the connector's file words them: what is new since a moment, page by page; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

import orjson

from gateway.calls.model import Access, Rendered
from gateway.calls.pages import Place
from gateway.calls.render import plain
from gateway.catalogue.call_model import Pagination
from gateway.catalogue.locator import Locator
from gateway.catalogue.sources import Sources
from gateway.catalogue.template import Json, render_json, templates_in
from gateway.clock import iso_ms
from gateway.errors import Invalid
from gateway.polling.model import Cursor, Plan, Window
from gateway.polling.window import form_of, rendered

_LONGEST_RESUME = 16_384
_LONGEST_INTERVAL_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What one poll wants to know of one vendor, and in whose name."""

    access: Access
    plan: Plan
    window: Window
    cursor: Cursor
    now: int

    @property
    def paging(self) -> Pagination | None:
        """How the list is paged; None where all of it comes at once."""
        poll = self.plan.poll
        return self.access.connector.pagination.get(poll.paginate) if poll.paginate else None

    def sources(self, words: Mapping[str, str] | None = None) -> Sources:
        """What the templates of the poll are filled from."""
        defaults = self.access.connector.value_defaults
        return Sources(config=self.access.config, defaults=defaults, words=words or {})


def request(ask: Ask, window: Window) -> Rendered:
    """The request for the first page; a parameter without a value is left out. Invalid where it cannot be made."""
    poll = ask.plan.poll
    if ask.plan.ask is not None:
        return ask.plan.ask.rendered(ask.access, ask.now if window.at is None else window.at)
    since = window.text if poll.mode == "since" else None
    words = {"from": since or "", "now": iso_ms(ask.now), "token": ask.cursor.token or ""}
    sources = ask.sources(words)
    call = plain(ask.access, poll.request, words)
    pairs = ((name.text(sources), value.text(sources)) for name, value in poll.query)
    call = replace(call, query=tuple((name, value) for name, value in pairs if name and value))
    return call if poll.body is None else _with_body(ask, call, poll.body, words)


def first_token(ask: Ask) -> Rendered | None:
    """The request for the place where the vendor's changes begin; None where that is known, or not asked for."""
    poll = ask.plan.poll
    if poll.mode != "token" or poll.first_token is None or ask.cursor.token is not None:
        return None
    words = {"now": iso_ms(ask.now)}
    call = plain(ask.access, poll.first_token, words)
    return call if poll.first_token_body is None else _with_body(ask, call, poll.first_token_body, words)


def onward(ask: Ask, at: int) -> Window:
    """The window that begins with a record's date."""
    return Window(rendered(form_of(ask.plan.poll.from_format, ask.sources().setting), at), at)


def conditional(ask: Ask, call: Rendered) -> Rendered:
    """The request that is answered by 304 where nothing has changed, for vendors that can."""
    if not (ask.plan.poll.etag and ask.cursor.etag):
        return call
    return replace(call, headers=(*call.headers, ("If-None-Match", ask.cursor.etag)))


def says_from(ask: Ask) -> bool:
    """Whether the request itself says since when."""
    poll = ask.plan.poll
    templates = [poll.request.path, *(value for _, value in poll.query), *templates_in(poll.body)]
    return ask.plan.ask is None and any("from" in template.words for template in templates)


def written(place: Place, window: Window) -> str | None:
    """A place as a text that a cursor keeps; None where it is too long for that."""
    text = orjson.dumps([window.text, window.at, place.params, place.number, place.seen, place.url]).decode()
    return text if len(text) <= _LONGEST_RESUME else None


def resumed(text: str) -> tuple[Place, Window] | None:
    """The place that a text tells, and the window it was asked in; None where it tells none."""
    try:
        since, at, params, number, seen, url = orjson.loads(text)
        place = Place(params=tuple((str(k), str(v)) for k, v in params), number=int(number), seen=int(seen), url=url)
    except (ValueError, TypeError):
        return None
    return place, Window(since, at)


def date_of(headers: Mapping[str, str]) -> int | None:
    """The source's clock, by its Date header."""
    try:
        return int(parsedate_to_datetime(headers["date"]).timestamp() * 1000)
    except (KeyError, ValueError, OverflowError, TypeError):
        return None


def shortest(where: Locator | None, sources: Sources) -> int | None:
    """The interval that the vendor asks for at least, which it tells in seconds."""
    try:
        seconds = float((where.text(sources) if where else None) or "")
    except ValueError:
        return None
    return round(1000 * min(seconds, _LONGEST_INTERVAL_S)) if seconds > 0 else None


def _with_body(ask: Ask, call: Rendered, tree: Json, words: Mapping[str, str]) -> Rendered:
    sources = ask.sources(words)
    sources.structured = ask.access.connector.structured
    try:
        body = orjson.dumps(render_json(tree, sources))
    except TypeError as problem:
        raise Invalid("The poll's body cannot be written as JSON.") from problem
    others = tuple(pair for pair in call.headers if pair[0].lower() != "content-type")
    return replace(call, body=body, headers=(*others, ("Content-Type", "application/json")))
