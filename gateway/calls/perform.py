"""Send a rendered call: proved, at the vendor's pace, through the guard; what came of it is always a value."""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field

from gateway.calls.authenticate import authenticated
from gateway.calls.circuit import Circuits
from gateway.calls.hosts import leaves, origin_of
from gateway.calls.judge import judged, remaining, wait_s
from gateway.calls.model import Access, Rendered, Unsent, Verdict, Why
from gateway.calls.pace import Keys, Pace, key_of
from gateway.calls.render import whole_url
from gateway.catalogue.call_model import Limits
from gateway.catalogue.sources import Sources
from gateway.egress.model import BrokenOffError, Failure, Request, Streamed, StreamingClient

__all__ = ["Called", "Calls", "Manner", "Unsent"]

TIMEOUT_S = 30.0
#: How often a call comes again that the vendor had too many of.
MOST_REPEATS = 4
#: JSON up to this size is held in memory, where its nulls are filtered; more of it streams through as it is.
MOST_HELD = 8 << 20
_MOST_OF_ERROR = 64 << 10
_SMALL = 256 << 10
_OUTAGES = frozenset({"dns", "connect", "tls", "timeout", "reset", "protocol"})
#: With these the request has left, or may have.
_LEFT = frozenset({"timeout", "reset", "protocol", "too_many_headers"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """The vendor's answer; its body is held, or comes in pieces that begin with what was read already."""

    status: int
    headers: Mapping[str, str]
    verdict: Verdict
    body: bytes | None
    pieces: AsyncIterator[bytes] | None
    took_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How long a call may wait and last, in seconds, and whether it lets others go first."""

    patience_s: float = 10.0
    timeout_s: float = TIMEOUT_S
    yields: bool = False
    #: What it is asked for, and how often that may be, where the connector bounds it beside everything else.
    bound: tuple[str, Limits] | None = None
    #: Whether the answer is passed on as it is, so that not even a long failure may be cut.
    whole: bool = False


class Calls:
    """Sends for this node; holds what is known of every vendor's pace and health."""

    def __init__(self, client: StreamingClient, *, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._now = now
        self._keys = Keys()
        self.pace = Pace()
        self.circuits = Circuits()

    def made(
        self, access: Access, call: Rendered, manner: Manner, *, upload: AsyncIterable[bytes] | None = None
    ) -> AbstractAsyncContextManager[Called | Unsent]:
        """The outcome of one call with its proof, which never leaves the instance's hosts; valid inside the block."""
        stray = leaves(access.connector, access.config, call.url)
        if stray is not None:
            message = f"the call would leave the hosts of {access.connector.key}: {stray[:200]}"
            return nullcontext(Unsent("forbidden", message))
        proved = authenticated(access, call, self._now())
        if isinstance(proved, str):
            return nullcontext(Unsent("no_credentials", proved))
        return self.sent(access, proved, manner, upload=upload)

    def sent(
        self, access: Access, call: Rendered, manner: Manner, *, upload: AsyncIterable[bytes] | None = None
    ) -> AbstractAsyncContextManager[Called | Unsent]:
        """The outcome of a call as it is, such as a login; a vendor's 429 is waited for while patience lasts."""
        sending = _Sending(access, call, manner, self._keys.of(access), origin_of(call.url), upload)
        return _Block(self._outcome, self._left, sending)

    async def _outcome(self, sending: "_Sending") -> Called | Unsent:
        until = time.monotonic() + sending.manner.patience_s
        repeats = 0
        try:
            while True:
                outcome = await self._once(sending, until)
                if repeats == MOST_REPEATS or not self._comes_again(sending, outcome, until):
                    return outcome
                await self._left(sending)
                repeats += 1
        except BaseException:
            await self._left(sending)
            raise

    def _comes_again(self, sending: "_Sending", outcome: Called | Unsent, until: float) -> bool:
        if not isinstance(outcome, Called) or outcome.verdict.kind != "rate_limited" or sending.upload is not None:
            return False
        return time.monotonic() + self.pace.wait_s(sending.key) < until

    async def _once(self, sending: "_Sending", until: float) -> Called | Unsent:
        """One try, which has to be left whatever comes of it."""
        for key, limits in _allowances(sending):
            patience_s = max(0.0, until - time.monotonic())
            refused = await self.pace.enter(key, limits, patience_s, yields=sending.manner.yields)
            if refused is not None:
                return Unsent("rate_limited", "the vendor's limit is reached", refused.wait_s)
            sending.turns.append(key)
        closed_s = self.circuits.wait_s(sending.host)
        if closed_s > 0:
            return Unsent("unreachable", f"{sending.host} did not answer of late and is left alone", closed_s)
        began, request = time.perf_counter(), _request(sending)
        sending.opened = self._client.open(request, body=sending.upload)
        answer = await sending.opened.__aenter__()
        return await self._received(sending, answer, request.timeout, began)

    async def _left(self, sending: "_Sending") -> None:
        opened, sending.opened = sending.opened, None
        try:
            if opened is not None:
                await opened.__aexit__(None, None, None)
        finally:
            if opened is not None:
                # Who is cancelled has learnt nothing of the host, and must not stand in the way of the next try.
                self.circuits.given_up(sending.host)
            while sending.turns:
                self.pace.leave(sending.turns.pop())

    async def _received(
        self, sending: "_Sending", answer: Streamed | Failure, timeout_s: float, began: float
    ) -> Called | Unsent:
        if isinstance(answer, Failure):
            return self._failed(answer, sending.host)
        self.circuits.answered(sending.host)
        headers = _joined(answer.headers)
        most = _MOST_OF_ERROR if answer.status >= 300 else _most(headers)
        pieces: AsyncIterator[bytes] | None = None
        held = answer.at_hand
        if held is None or len(held) > most:
            try:
                async with asyncio.timeout(timeout_s):
                    held, pieces = await _held(answer, most, whole=sending.manner.whole)
            except BrokenOffError as error:
                return Unsent("unreachable", str(error), sent=True)
            except TimeoutError:
                return Unsent("late", f"{sending.host} did not complete its answer within {timeout_s:g} s", sent=True)
        access = sending.access
        verdict = judged(access.connector, answer.status, headers, held, self._now())
        self._learn(access, sending.key, verdict, Sources(headers=headers, raw=held))
        return Called(
            status=answer.status,
            headers=headers,
            verdict=verdict,
            body=None if pieces else held,
            pieces=pieces,
            took_ms=1000 * (time.perf_counter() - began),
        )

    def _failed(self, failure: Failure, host: str) -> Unsent:
        if failure.reason not in _OUTAGES:
            self.circuits.given_up(host)
            return Unsent("forbidden", failure.detail, sent=failure.reason in _LEFT)
        self.circuits.failed(host)
        why: Why = "late" if failure.reason == "timeout" else "unreachable"
        return Unsent(why, failure.detail, sent=failure.reason in _LEFT)

    def _learn(self, access: Access, key: str, verdict: Verdict, sources: Sources) -> None:
        if verdict.kind == "rate_limited":
            self.pace.pause(key, verdict.wait_s)
            return
        limits = access.connector.http.limits
        left = remaining(limits, sources)
        if left is not None and 0 <= left < 1 and verdict.wait_s is None:
            self.pace.pause(key, wait_s(limits, sources, self._now()))


@dataclass(slots=True)
class _Sending:
    """One call on its way: whose allowance it draws on, which host's health it depends on, and what has to be left."""

    access: Access
    call: Rendered
    manner: Manner
    key: str
    host: str
    upload: AsyncIterable[bytes] | None
    #: The allowances that it draws on just now.
    turns: list[str] = field(default_factory=list)
    opened: AbstractAsyncContextManager[Streamed | Failure] | None = None


class _Block(AbstractAsyncContextManager[Called | Unsent]):
    """What two functions begin and end; a generator would cost as much as all the rest."""

    __slots__ = ("_begin", "_end", "_sending")

    def __init__(
        self,
        begin: Callable[[_Sending], Awaitable[Called | Unsent]],
        end: Callable[[_Sending], Awaitable[None]],
        sending: _Sending,
    ) -> None:
        self._begin = begin
        self._end = end
        self._sending = sending

    async def __aenter__(self) -> Called | Unsent:
        return await self._begin(self._sending)

    async def __aexit__(self, *_exc: object) -> None:
        await self._end(self._sending)


def _allowances(sending: _Sending) -> Iterator[tuple[str, Limits | None]]:
    """What the call draws on; the narrowest first, so that who waits for it keeps nobody else waiting."""
    access, bound = sending.access, sending.manner.bound
    if bound is not None:
        yield f"{key_of(access, bound[1])}:{bound[0]}", bound[1]
    yield sending.key, access.connector.http.limits


def _request(sending: _Sending) -> Request:
    call, declared = sending.call, sending.access.connector.http.timeout
    return Request(
        method=call.verb,
        url=whole_url(call),
        headers=call.headers,
        body=call.body,
        timeout=min(declared / 1000 if declared else TIMEOUT_S, sending.manner.timeout_s),
    )


async def _held(answer: Streamed, most: int, *, whole: bool) -> tuple[bytes, AsyncIterator[bytes] | None]:
    """What is held of the body, and the whole of it in pieces where it is more than that."""
    read = bytearray()
    async for piece in answer.pieces:
        read += piece
        if len(read) > most:
            held = bytes(read)
            return held[:_MOST_OF_ERROR], _chained(held, answer.pieces) if whole or answer.status < 300 else None
    return bytes(read), None


def _most(headers: Mapping[str, str]) -> int:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return MOST_HELD if kind.endswith(("/json", "+json")) or not kind else _SMALL


async def _chained(held: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield held
    async for piece in rest:
        yield piece


def _joined(pairs: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    for name, value in pairs:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
