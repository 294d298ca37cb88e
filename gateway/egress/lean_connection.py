"""One HTTP/1.1 connection of the lean client: a request out, an answer in, and one timer for all its life."""

import asyncio
import time
from typing import Protocol, cast

import httptools

from gateway.egress import fault, limits
from gateway.egress.body import Body, CorruptBodyError
from gateway.egress.model import Answer, Fault, Request
from gateway.egress.target import Target


class Keeper(Protocol):
    """Whoever must know which connections are open."""

    def opened(self, connection: "Connection") -> None: ...
    def lost(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    """Carries one exchange at a time; `reusable` and `untouched` say what may follow it."""

    def __init__(self, target: Target, keeper: Keeper) -> None:
        self.target = target
        self._keeper = keeper
        self._loop = asyncio.get_running_loop()
        self._expires = self._loop.time() + limits.AGE_SECONDS
        self._idle_until = self._expires
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[Answer | Fault] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0
        self._prepare()

    def exchange(
        self, request: Request, wire: bytes, *, deadline: float, started: float, connect_ms: float
    ) -> "asyncio.Future[Answer | Fault]":
        """Write a request; the future is never an exception, and whoever cancels it aborts the connection."""
        waiter: asyncio.Future[Answer | Fault] = self._loop.create_future()
        self._prepare()
        self._waiter = waiter
        self._request = request
        self._deadline = deadline
        self._started = started
        self._connect_ms = connect_ms
        if self._transport is None or self._transport.is_closing():
            self._fail(fault.of_loss(self.target.host, False))
        else:
            self._watch(deadline)
            self._transport.write(wire)
        return waiter

    def usable(self) -> bool:
        """Whether it may carry another request."""
        transport = self._transport
        return (
            self.reusable
            and transport is not None
            and not transport.is_closing()
            and self._loop.time() < self._idle_until
        )

    def abort(self) -> None:
        """Let go of the connection now."""
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    def _prepare(self) -> None:
        self.untouched = True  # not one byte of the answer has come
        self.reusable = False  # the answer was complete, and another request may follow
        self._complete = False
        self._until_close = False
        self._body: Body | None = None
        self._interim = 0
        self._silent_bytes = 0
        self._begin()

    def _begin(self) -> None:
        self._raw_headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0

    # What the transport says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not of that class
        self._keeper.opened(self)
        self._watch(self._expires)

    def data_received(self, data: bytes) -> None:
        if self._waiter is None or self._parser is None:
            self.abort()  # nobody asked
            return
        self.untouched = False
        self._silent_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._unparsable(str(error))
        except httptools.HttpParserUpgrade:
            self._unparsable("it switches protocols")
        if self._complete:
            self._deliver()
        elif self._silent_bytes > limits.MAX_HEAD_BYTES:
            self._fail(fault.of_too_many_headers(self.target.host))

    def eof_received(self) -> None:
        self._ended()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is None:
            self._ended()
        else:
            self._fail(self._loss())
        if self._timer is not None:
            self._timer.cancel()
        self._parser = self._timer = None  # the parser and this object hold each other
        self._keeper.lost(self)

    # What the parser says.

    def on_message_begin(self) -> None:
        if self._complete:
            self.reusable = False  # more than one answer to one request
        self._begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._silent_bytes = 0
        if self._complete:
            return
        self._head_bytes += len(name) + len(value) + 4
        self._raw_headers.append((name, value))
        if self._head_bytes > limits.MAX_HEAD_BYTES or len(self._raw_headers) > limits.MAX_HEADERS:
            self._fail(fault.of_too_many_headers(self.target.host))

    def on_headers_complete(self) -> None:
        self._silent_bytes = 0
        if self._parser is None or self._waiter is None or self._complete:
            return
        self._status = self._parser.get_status_code()
        if self._status < 200:
            self._interim_answer()
        elif not self._parser.get_http_version().startswith("1."):
            self._fail(self._protocol("its version of HTTP is not 1.x"))
        else:
            self._head_complete(self._parser.should_keep_alive())

    def on_body(self, data: bytes) -> None:
        self._silent_bytes = 0
        body = self._body
        if body is None or self._complete or self._waiter is None:
            return
        try:
            body.feed(data)
        except CorruptBodyError:
            self._fail(self._protocol("its body is not what Content-Encoding says"))
        if body.truncated:
            self.reusable = False
            self._complete = True

    def on_message_complete(self) -> None:
        if self._body is not None:
            self._complete = True

    # What follows from it.

    def _head_complete(self, keep_alive: bool) -> None:
        fields = {}
        headers = []
        for raw_name, raw_value in self._raw_headers:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1").strip(" \t")
            headers.append((name, value))
            fields[name] = value
        self._headers = tuple(headers)
        self._begin()  # what comes after the body is not kept
        self._body = Body(fields.get("content-encoding"), self._request.max_answer)
        framed = "content-length" in fields or "transfer-encoding" in fields
        self._until_close = not keep_alive and not framed
        # The parser cannot know what the answer to HEAD leaves out.
        self._complete = self._request.method == "HEAD"
        self.reusable = keep_alive and not self._complete

    def _interim_answer(self) -> None:
        self._interim += 1
        if self._status == 101:
            self._fail(self._protocol("it switches protocols"))
        elif self._interim > limits.MAX_INTERIM:
            self._fail(self._protocol("it sends interim answers without end"))

    def _unparsable(self, what: str) -> None:
        self.reusable = False
        if not self._complete:
            self._fail(self._protocol(what))

    def _ended(self) -> None:
        if self._until_close and self._body is not None:
            self._deliver()
        else:
            self._fail(self._loss())

    def _deliver(self) -> None:
        body = self._body
        if body is None or self._waiter is None:
            return
        answer = Answer(
            status=self._status,
            headers=self._headers,
            body=body.whole(),
            truncated=body.truncated,
            connect_ms=self._connect_ms,
            total_ms=(time.perf_counter() - self._started) * 1000,
        )
        if self._transport is not None and self._transport.get_write_buffer_size():
            self.reusable = False  # answered before the request was sent
        self._idle_until = min(self._loop.time() + limits.IDLE_SECONDS, self._expires)
        self._watch(self._idle_until)
        self._settle(answer)
        if not self.reusable:
            self.abort()

    def _fail(self, why: Fault) -> None:
        self._settle(why)
        self.abort()

    def _settle(self, outcome: Answer | Fault) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(outcome)

    # One timer, moved only when a deadline comes before it: most exchanges leave it alone.

    def _watch(self, due: float) -> None:
        if self._timer is not None:
            if self._timer_due <= due:
                return
            self._timer.cancel()
        self._timer_due = due
        self._timer = self._loop.call_at(due, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        due = self._idle_until if self._waiter is None else self._deadline
        if self._loop.time() < due - 0.001:
            self._watch(due)
        elif self._waiter is None:
            self.abort()
        else:
            stage = "no answer came" if self._body is None else "the answer was not complete"
            self._fail(fault.of_deadline(self._request.timeout, self.target.host, stage))

    def _loss(self) -> Fault:
        return fault.of_loss(self.target.host, self._body is not None)

    def _protocol(self, what: str) -> Fault:
        return fault.of_protocol(self.target.host, what)
