"""One request of the lean client on its way; its connection tells it what arrives, and here that is collected."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from gateway.egress import fault
from gateway.egress.body import Body
from gateway.egress.head import Headers
from gateway.egress.model import Answer, Fault, Request
from gateway.egress.target import Target

T = TypeVar("T")


class Carrier(Protocol):
    """What a call may ask of the connection that carries it."""

    def watch(self, due: float) -> None: ...
    def hold_back(self) -> None: ...
    def go_on(self) -> None: ...
    def write(self, parts: Sequence[bytes]) -> None: ...
    async def drained(self) -> None: ...
    def fail(self, why: Fault) -> None: ...
    def abort(self) -> None: ...


class Call(ABC, Generic[T]):
    """What is sent, by when, and who waits for it; `waiter` is never an exception."""

    connect_ms = 0.0
    reused = False
    #: Whether it may be sent again, and whether a part of it is still to be sent.
    repeatable = True
    uploading = False
    waiter: "asyncio.Future[T | Fault]"

    def __init__(self, request: Request, target: Target, wire: bytes, started: float, deadline: float) -> None:
        self.request = request
        self.target = target
        self.wire = wire
        self.started = started
        self.deadline = deadline

    @abstractmethod
    def sent(self, carrier: Carrier) -> None:
        """The request is on its way, but for what is uploaded piece by piece."""

    @abstractmethod
    def head(self, status: int, headers: Headers, encoding: str | None) -> None:
        """The head of the answer is there."""

    @abstractmethod
    def feed(self, data: bytes) -> bool:
        """A part of the body; whether no more is wanted. CorruptBodyError where it is not what was declared."""

    @abstractmethod
    def end(self) -> None:
        """The answer is complete."""

    @abstractmethod
    def fail(self, why: Fault) -> None:
        """No more will come."""

    @abstractmethod
    def late(self) -> Fault:
        """The deadline has passed."""


class Collecting(Call[Answer]):
    """Waits for the whole answer."""

    _body: Body | None = None
    _head_ms = 0.0

    def sent(self, carrier: Carrier) -> None:
        """The request is on its way, and whole."""

    def head(self, status: int, headers: Headers, encoding: str | None) -> None:
        """The head of the answer is there."""
        self._status = status
        self._headers = headers
        self._head_ms = (time.perf_counter() - self.started) * 1000
        self._body = Body(encoding, self.request.max_answer)

    def feed(self, data: bytes) -> bool:
        """A part of the body; whether no more is wanted."""
        assert self._body is not None
        return self._body.feed(data)

    def end(self) -> None:
        """The answer is complete."""
        body = self._body
        assert body is not None
        if self.waiter.done():
            return
        answer = Answer(
            status=self._status,
            headers=self._headers,
            body=body.whole(),
            truncated=body.truncated,
            connect_ms=self.connect_ms,
            head_ms=self._head_ms,
            total_ms=(time.perf_counter() - self.started) * 1000,
        )
        self.waiter.set_result(answer)

    def fail(self, why: Fault) -> None:
        """No more will come."""
        if not self.waiter.done():
            self.waiter.set_result(why)

    def late(self) -> Fault:
        """The deadline has passed."""
        stage = "no answer came" if self._body is None else "the answer was not complete"
        return fault.of_deadline(self.request.timeout, self.target.host, stage)
