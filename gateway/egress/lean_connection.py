"""One HTTP/1.1 connection of the lean client: a request out, an answer in, and one timer for all its life."""

import asyncio
from collections.abc import Sequence
from math import inf
from typing import Any, Protocol, TypeVar, cast

import httptools

from gateway.egress import fault, limits
from gateway.egress.body import CorruptBodyError
from gateway.egress.lean_call import Call
from gateway.egress.model import Fault
from gateway.egress.target import Target

T = TypeVar("T")


class Keeper(Protocol):
    """Whoever must know which connections are open."""

    def opened(self, connection: "Connection") -> None: ...
    def lost(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    """Carries one call at a time; `reusable` and `untouched` say what may follow it."""

    def __init__(self, target: Target, keeper: Keeper) -> None:
        self.target = target
        self._keeper = keeper
        self._loop = asyncio.get_running_loop()
        self._expires = self._loop.time() + limits.AGE_SECONDS
        self._idle_until = self._expires
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._call: Call[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0
        self._held_back = False
        self._room: asyncio.Future[None] | None = None  # while the peer takes no more
        self._begin()
        self._prepare()

    def exchange(self, call: Call[T]) -> "asyncio.Future[T | Fault]":
        """Write a request; the future is never an exception, and whoever cancels it aborts the connection."""
        waiter: asyncio.Future[T | Fault] = self._loop.create_future()
        call.waiter = waiter
        self._prepare()
        self._call = call
        if self._transport is None or self._transport.is_closing():
            self.fail(fault.of_loss(self.target.host, False))
        else:
            self.watch(call.deadline)
            self._transport.write(call.wire)
            call.sent(self)
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
        self._until_close = False  # this end is not the one that the peer gives to its answer
        if self._transport is not None:
            self._transport.abort()

    def _prepare(self) -> None:
        self.untouched = True  # not one byte of the answer has come
        self.reusable = False  # the answer was complete, and another request may follow
        self._has_head = False
        self._complete = False
        self._until_close = False
        self._interim = 0
        self._silent_bytes = 0

    def _begin(self) -> None:
        self._raw_headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0

    # What the call asks for.

    def hold_back(self) -> None:
        """Take no more from the peer for a while."""
        if not self._held_back and self._transport is not None and not self._transport.is_closing():
            self._held_back = True
            self._transport.pause_reading()

    def go_on(self) -> None:
        """Take more again."""
        if self._held_back:
            self._held_back = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()

    def write(self, parts: Sequence[bytes]) -> None:
        """Send more of the request; what nobody will get is dropped."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.writelines(parts)

    async def drained(self) -> None:
        """Wait until the peer takes more, or is gone."""
        if self._room is not None:
            await self._room

    def fail(self, why: Fault) -> None:
        """End the call, and the connection with it."""
        call, self._call = self._call, None
        if call is not None:
            call.fail(why)
        self.abort()

    # What the transport says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not of that class
        self._keeper.opened(self)
        self.watch(self._expires)

    def data_received(self, data: bytes) -> None:
        if self._call is None or self._parser is None:
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
            self.fail(fault.of_too_many_headers(self.target.host))

    def eof_received(self) -> None:
        self._ended()

    def pause_writing(self) -> None:
        self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is None:
            self._ended()
        else:
            self.fail(self._loss())
        self.resume_writing()
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
            self.fail(fault.of_too_many_headers(self.target.host))

    def on_headers_complete(self) -> None:
        self._silent_bytes = 0
        if self._parser is None or self._call is None or self._complete:
            return
        status = self._parser.get_status_code()
        if status < 200:
            self._interim_answer(status)
        elif not self._parser.get_http_version().startswith("1."):
            self.fail(self._protocol("its version of HTTP is not 1.x"))
        else:
            self._head_complete(self._call, status, self._parser.should_keep_alive())

    def on_body(self, data: bytes) -> None:
        self._silent_bytes = 0
        call = self._call
        if call is None or self._complete:
            return
        try:
            enough = call.feed(data)
        except CorruptBodyError:
            self.fail(self._protocol("its body is not what Content-Encoding says"))
            return
        if enough:
            self.reusable = False
            self._complete = True

    def on_message_complete(self) -> None:
        if self._has_head:
            self._complete = True

    # What follows from it.

    def _head_complete(self, call: Call[Any], status: int, keep_alive: bool) -> None:
        fields = {}
        headers = []
        for raw_name, raw_value in self._raw_headers:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1").strip(" \t")
            headers.append((name, value))
            fields[name] = value
        self._begin()  # what comes after the body is not kept
        self._has_head = True
        framed = "content-length" in fields or "transfer-encoding" in fields
        self._until_close = not keep_alive and not framed
        # The parser cannot know what the answer to HEAD leaves out.
        self._complete = call.request.method == "HEAD"
        self.reusable = keep_alive and not self._complete
        call.head(status, tuple(headers), fields.get("content-encoding"))

    def _interim_answer(self, status: int) -> None:
        self._interim += 1
        if status == 101:
            self.fail(self._protocol("it switches protocols"))
        elif self._interim > limits.MAX_INTERIM:
            self.fail(self._protocol("it sends interim answers without end"))

    def _unparsable(self, what: str) -> None:
        self.reusable = False
        if not self._complete:
            self.fail(self._protocol(what))

    def _ended(self) -> None:
        if self._until_close and self._has_head:
            self._deliver()
        else:
            self.fail(self._loss())

    def _deliver(self) -> None:
        call, self._call = self._call, None
        if call is None:
            return
        if call.uploading or (self._transport is not None and self._transport.get_write_buffer_size()):
            self.reusable = False  # answered before the request was sent
        self._idle_until = min(self._loop.time() + limits.IDLE_SECONDS, self._expires)
        self.watch(self._idle_until)
        if self._held_back:
            self.go_on()
        call.end()
        if not self.reusable:
            self.abort()

    # One timer, moved only when a deadline comes before it: most exchanges leave it alone.

    def watch(self, due: float) -> None:
        """Look at the deadline at this time at the latest."""
        if self._timer is not None:
            if self._timer_due <= due:
                return
            self._timer.cancel()
        self._timer_due = due
        self._timer = self._loop.call_at(due, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        due = self._idle_until if self._call is None else self._call.deadline
        if self._loop.time() < due - 0.001:
            if due != inf:
                self.watch(due)
        elif self._call is None:
            self.abort()
        else:
            self.fail(self._call.late())

    def _loss(self) -> Fault:
        return fault.of_loss(self.target.host, self._has_head)

    def _protocol(self, what: str) -> Fault:
        return fault.of_protocol(self.target.host, what)
