"""One reading of a vendor's list: page by page to its end, or as far as its bounds allow; all outcomes are values."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

from gateway.calls.model import Rendered
from gateway.calls.pages import Place, first, following, turned
from gateway.calls.perform import Called, Manner, Unsent
from gateway.catalogue.call_model import Pagination, Poll
from gateway.catalogue.document import Document
from gateway.catalogue.sources import Sources
from gateway.errors import Invalid
from gateway.polling.answer import page_of, refused, unsent
from gateway.polling.asking import (
    Ask,
    conditional,
    date_of,
    first_token,
    onward,
    request,
    resumed,
    says_from,
    shortest,
)
from gateway.polling.asking import written as written_place
from gateway.polling.model import Failure, Page, Read, Window

READ_S = 40.0
MOST_BYTES = 64 << 20
#: What all polls of a node hold at once; beyond it each goes no further than its first page.
MOST_HELD = 256 << 20
_PATIENCE_S = 10.0
_ENDLESS = 1 << 30
_BY_NUMBER = ("offset", "page", "link")
_AGAIN = Failure("malformed", "the vendor gives the same page again and again")

Send = Callable[[Rendered, Manner], AbstractAsyncContextManager[Called | Unsent]]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read, and what put an end to it before it was complete; one of them is always there."""

    read: Read | None = None
    failure: Failure | None = None
    #: How much of the node's memory it holds, until it is let go.
    held: int = 0
    #: The status by which the vendor refused a page.
    refused_by: int | None = None
    #: How many requests were sent for it.
    requests: int = 0


class Reader:
    """Reads for this node; knows how much its polls hold."""

    def __init__(self) -> None:
        self._held = 0

    async def read(self, send: Send, ask: Ask, *, read_s: float = READ_S, most_pages: int | None = None) -> Reading:
        """Read what the poll asks for; never raises for what a vendor or a configuration does."""
        walk = _Walk(self, send, ask, read_s, most_pages)
        try:
            reading = await walk.walked()
        except Invalid as problem:
            reading = Reading(failure=Failure("configuration", str(problem)))
        except BaseException:
            self._held -= walk.bytes
            raise
        return replace(reading, held=walk.bytes, refused_by=walk.refused_by, requests=walk.requests)

    def let_go(self, reading: Reading) -> None:
        """What was read is stored, or thrown away."""
        self._held -= reading.held

    def holds(self, number: int) -> None:
        """So much more is held."""
        self._held += number

    @property
    def crowded(self) -> bool:
        """Whether a poll that has something should stop for now."""
        return self._held > MOST_HELD


@dataclass(frozen=True, slots=True)
class _Turn:
    """Which page is asked for next, in which window."""

    window: Window
    place: Place | None


class _Walk:
    """The way from page to page."""

    def __init__(self, reader: Reader, send: Send, ask: Ask, read_s: float, most_pages: int | None) -> None:
        self._reader = reader
        self._send = send
        self._ask = ask
        self._until = time.monotonic() + read_s
        self._paging = ask.paging
        self._most_pages = min(self._paging.max_pages if self._paging else 1, most_pages or _ENDLESS)
        self._pages: list[Page] = []
        self._known: set[tuple[str | None, int]] = set()
        self._read = Read(asked_at=ask.now, complete=False)
        self.bytes = 0
        self.refused_by: int | None = None
        self.requests = 0

    async def walked(self) -> Reading:
        call = first_token(self._ask)
        if call is not None:
            return await self._first_token(call)
        turn: _Turn | None = self._begin()
        while turn is not None:
            if self._spent(turn):
                return Reading(self._result(turn))
            page = await self._page(turn)
            if isinstance(page, Failure):
                return self._broken(turn, page)
            if self._read.unchanged:
                break
            if self._is_known(turn, page):
                return self._broken(turn, _AGAIN)
            turn = self._after(turn, page)
        self._read = replace(self._read, complete=True)
        return Reading(self._result())

    def _begin(self) -> _Turn:
        ask, paging = self._ask, self._paging
        if paging is None:
            return _Turn(ask.window, None)
        if ask.cursor.resume:
            found = resumed(ask.cursor.resume)
            if found is not None:
                return _Turn(found[1], found[0])
        return _Turn(ask.window, first(paging, None))

    async def _first_token(self, call: Rendered) -> Reading:
        """Nothing is read the first time but where the changes begin."""
        where = self._ask.plan.poll.token
        page = await self._asked(call)
        if isinstance(page, Failure):
            return Reading(failure=page)
        token = where.text(self._sources(page)) if where is not None else None
        if not token:
            path = where.source_text[:80] if where is not None else ""
            return Reading(failure=Failure("malformed", f"the vendor gives no token at {path!r}"))
        return Reading(replace(self._result(), token=token, complete=True))

    def _spent(self, turn: _Turn) -> bool:
        """Whether a bound is reached: what was read counts, and the rest comes later."""
        read = len(self._pages)
        if read == 0:
            return False
        late = time.monotonic() >= self._until or read >= self._most_pages
        return late or self.bytes >= MOST_BYTES or self._reader.crowded or _at_end(self._paging, turn.place)

    async def _page(self, turn: _Turn) -> Page | Failure:
        call = self._rendered(turn)
        return call if isinstance(call, Failure) else await self._asked(call)

    async def _asked(self, call: Rendered) -> Page | Failure:
        left = max(0.1, self._until - time.monotonic())
        try:
            # One moment later than the bounds of the call itself, which say more of what went wrong.
            async with asyncio.timeout(left + 1), self._send(call, _manner(left, self._ask.plan.poll)) as outcome:
                self.requests += isinstance(outcome, Called) or outcome.sent
                if isinstance(outcome, Unsent):
                    return unsent(outcome)
                return await self._answered(outcome)
        except TimeoutError:
            return Failure("unavailable", "the vendor took too long to answer")

    def _rendered(self, turn: _Turn) -> Rendered | Failure:
        call, paging, place = request(self._ask, turn.window), self._paging, turn.place
        if paging is not None and place is not None:
            found = turned(self._ask.access, paging, call, place)
            if isinstance(found, Unsent):
                return unsent(found)
            call = found
        return call if self._pages or self._ask.cursor.resume is not None else conditional(self._ask, call)

    async def _answered(self, outcome: Called) -> Page | Failure:
        if not self._pages:
            self._note(outcome)
        if outcome.status == 304:
            self._read = replace(self._read, unchanged=True)
            return Page([])
        if outcome.verdict.kind != "ok" or outcome.status >= 300:
            return self._refused(outcome)
        body = await self._body(outcome)
        return body if isinstance(body, Failure) else page_of(self._ask, outcome, body)

    def _note(self, outcome: Called) -> None:
        sources = Sources(headers=outcome.headers, raw=outcome.body or b"")
        least = shortest(self._ask.plan.poll.min_interval_from, sources)
        etag = outcome.headers.get("etag") if self._ask.plan.poll.etag else None
        kept = etag if etag and len(etag) <= 1_024 else None
        self._read = replace(
            self._read, source_now=date_of(outcome.headers), etag=kept or self._kept_etag(outcome), min_interval=least
        )

    def _kept_etag(self, outcome: Called) -> str | None:
        return self._ask.cursor.etag if outcome.status == 304 else None

    def _refused(self, outcome: Called) -> Failure:
        poll, self.refused_by = self._ask.plan.poll, outcome.status
        if poll.mode == "token" and self._ask.cursor.token and not self._pages:
            self._read = replace(self._read, expired=poll.token_expired.says(outcome.status, outcome.body or b""))
        return refused(outcome)

    async def _body(self, outcome: Called) -> bytes | Failure:
        held = bytearray(outcome.body or b"")
        if outcome.pieces is not None:
            async for piece in outcome.pieces:
                held += piece
                if len(held) > MOST_BYTES:
                    return Failure("malformed", f"one page is larger than {MOST_BYTES >> 20} MiB")
        self.bytes += len(held)
        self._reader.holds(len(held))
        return bytes(held)

    def _is_known(self, turn: _Turn, page: Page) -> bool:
        """Whether this page came before: then it would come for ever."""
        known = turn.window.text, hash(tuple([record.raw for record in page.records]))
        if page.records and known in self._known:
            return True
        self._known.add(known)
        return False

    def _after(self, turn: _Turn, page: Page) -> _Turn | None:
        """The page after this one; None where the list, or the window, has come to its end."""
        self._pages.append(page)
        paging, place = self._paging, turn.place
        sources = self._sources(page)
        if self._ask.plan.poll.token is not None:
            self._read = replace(self._read, token=self._ask.plan.poll.token.text(sources) or self._read.token)
        if paging is None or place is None or self._left_window(page):
            return None
        unbounded = replace(paging, max_pages=_ENDLESS, max_records=None)
        after = following(unbounded, place, sources, len(page.records), _size(paging, page))
        if after is None:
            return None
        window = self._onward(turn.window, page) if self._by_key(paging) else None
        return _Turn(turn.window, after) if window is None else _Turn(window, first(paging, None))

    def _by_key(self, paging: Pagination) -> bool:
        """Whether a list goes on from its last record, so that nothing is skipped while records move."""
        poll = self._ask.plan.poll
        numbered = paging.type in _BY_NUMBER or paging.max_records is not None
        return poll.order == "asc" and poll.mode == "since" and numbered and says_from(self._ask)

    def _onward(self, window: Window, page: Page) -> Window | None:
        """The window from the last record on; None where that lies in the moment that was asked for already."""
        for record in reversed(page.records):
            at = self._updated(page, record)
            if at is not None:
                found = onward(self._ask, at)
                is_later = found.text != window.text and (window.at is None or at > window.at)
                return found if is_later else None
        return None

    def _left_window(self, page: Page) -> bool:
        """Whether a list that begins with the newest has come to what is older than the window."""
        at = self._ask.window.at
        if self._ask.plan.poll.order != "desc" or at is None:
            return False
        dated = (self._updated(page, record) for record in page.records)
        return any(found is not None and found < at for found in dated)

    def _updated(self, page: Page, record: Document) -> int | None:
        poll = self._ask.plan.poll
        sources = self._ask.sources()
        sources.headers, sources.item = page.headers, record
        if page.body is not None:
            sources.read_as(page.body)
        text = poll.updated.text(sources) if poll.updated is not None else None
        return poll.read_updated(text) if text else None

    def _sources(self, page: Page) -> Sources:
        sources = self._ask.sources()
        sources.headers = page.headers
        if page.body is not None:
            sources.read_as(page.body)
        sources.last = page.records[-1].value if page.records else None
        return sources

    def _broken(self, turn: _Turn, failure: Failure) -> Reading:
        if self._read.expired:
            return Reading(replace(self._result(), complete=True))
        passes = failure.kind in ("waits", "rate_limited", "unavailable")
        if not self._pages and (passes or self._ask.cursor.resume is None):
            return Reading(failure=failure)
        # Where the way on is barred for good, the next poll begins anew.
        return Reading(self._result(turn if passes else None), failure)

    def _result(self, turn: _Turn | None = None) -> Read:
        paging, resume = self._paging, None
        place = turn.place if turn is not None else None
        if turn is not None and place is not None and paging is not None:
            resume = None if _at_end(paging, place) else written_place(place, turn.window)
        return replace(self._read, pages=tuple(self._pages), resume=resume)


def _manner(left_s: float, poll: Poll) -> Manner:
    bound = (poll.name, poll.limits) if poll.limits is not None else None
    return Manner(patience_s=min(_PATIENCE_S, left_s), timeout_s=left_s, yields=True, bound=bound)


def _at_end(paging: Pagination | None, place: Place | None) -> bool:
    """Whether the vendor goes no further, although there is more."""
    most = paging.max_records if paging is not None else None
    return most is not None and place is not None and place.seen >= most


def _size(paging: Pagination, page: Page) -> int | None:
    """How many records a full page has: where nobody says, only an empty one is the last."""
    return None if paging.size is not None else max(1, len(page.records))
