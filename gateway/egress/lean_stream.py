"""An answer of the lean client that is read piece by piece, and a request that is sent piece by piece."""

import asyncio
from collections.abc import AsyncIterable, Callable, Iterator
from math import inf

from gateway.egress import fault, limits
from gateway.egress.body import CorruptBodyError
from gateway.egress.head import Headers
from gateway.egress.inflate import PIECE, Inflater
from gateway.egress.lean_call import Call, Carrier
from gateway.egress.model import BrokenOffError, Fault, Request, Streamed
from gateway.egress.target import Target

_OF_AN_OBJECT = 64  # what the shortest piece takes in memory; a peer may send one byte at a time


class Streaming(Call[None]):
    """Holds what the connection brings until it is read; its iteration is the body, for one reader."""

    _carrier: Carrier
    _inflater: Inflater | None
    _has_head = False
    _ended = False
    _fault: Fault | None = None
    _size = 0
    _unpacking: Iterator[bytes] | None = None
    _large = False
    _reader: asyncio.Future[None] | None = None
    _release: Callable[[], None] | None = None
    _upload: asyncio.Task[None] | None = None

    def __init__(
        self,
        request: Request,
        target: Target,
        wire: bytes,
        started: float,
        deadline: float,
        body: AsyncIterable[bytes] | None,
    ) -> None:
        super().__init__(request, target, wire, started, deadline)
        self._body = body
        self._held: list[bytes] = []
        if body is not None:
            self.uploading, self.repeatable = True, False

    # What the connection says.

    def sent(self, carrier: Carrier) -> None:
        """The request is on its way, but for what is uploaded piece by piece."""
        self._carrier = carrier
        if self._body is not None:
            self._upload = asyncio.get_running_loop().create_task(self._sent_in_pieces(self._body))
            self._upload.add_done_callback(self._uploaded)

    def head(self, status: int, headers: Headers, encoding: str | None) -> None:
        """The head of the answer is there."""
        self._has_head = True
        self.deadline = inf
        self._status, self._headers = status, headers
        self._inflater = None if encoding is None else Inflater(encoding)
        if not self.waiter.done():
            self.waiter.set_result(None)

    def feed(self, data: bytes) -> bool:
        """A part of the body; nobody has read enough of it before its end."""
        self._held.append(data)
        self._size += len(data) + _OF_AN_OBJECT
        if self._size > limits.MAX_HELD:
            self._carrier.hold_back()
        self._wake()
        return False

    def end(self) -> None:
        """The answer is complete."""
        self._ended = True
        self._wake()
        self._stop_upload()

    def fail(self, why: Fault) -> None:
        """No more will come."""
        if self._has_head:
            self._fault = why
            self._wake()
        elif not self.waiter.done():
            self.waiter.set_result(why)
        self._stop_upload()

    def late(self) -> Fault:
        """The deadline has passed."""
        host = self.target.host
        if self._has_head:
            return Fault("timeout", f"{host} stopped sending in the middle of its answer")
        return fault.of_deadline(self.request.timeout, host, "no answer came")

    # What the reader does.

    def __aiter__(self) -> "Streaming":
        return self

    async def __anext__(self) -> bytes:
        """The next piece; BrokenOffError where the body ended before its end."""
        while True:
            if self._unpacking is not None:
                piece = await self._unpacked(self._unpacking)
                if piece is not None:
                    return piece
            elif self._held:
                data = self._taken()
                if self._inflater is None:
                    return data
                self._unpacking = self._inflater.pieces(data)
            elif self._fault is not None:
                raise BrokenOffError(self._fault.detail)
            elif self._ended:
                self._finish()
                raise StopAsyncIteration
            else:
                await self._woken()

    def streamed(self, release: Callable[[], None]) -> Streamed:
        """The answer as its reader sees it; the connection is released as soon as the answer is complete."""
        at_hand = None
        if self._ended:
            release()
            at_hand = b"".join(self._held) if self._inflater is None else None
        else:
            self._release = release
        return Streamed(
            status=self._status, headers=self._headers, pieces=self, connect_ms=self.connect_ms, at_hand=at_hand
        )

    def leave(self) -> None:
        """Read no more; a connection that is in the middle of an answer cannot be used again."""
        if self._fault is None and (not self._ended or self._held or self._unpacking is not None):
            self._fault = Fault("reset", f"the answer of {self.target.host} was left before its end")
        if not self._ended:
            self._carrier.abort()
        self._held.clear()
        self._unpacking = None
        self._let_go()

    async def upload_stopped(self) -> None:
        """Stop what is still being uploaded, and wait until nobody reads from its source any more."""
        if self._upload is not None and not self._upload.done():
            self._stop_upload()
            await asyncio.wait([self._upload])

    def _taken(self) -> bytes:
        """Everything that has come, which makes room for more."""
        held, self._held, self._size = self._held, [], 0
        if not self._ended:  # else the connection may be carrying another call
            self._carrier.go_on()
        return held[0] if len(held) == 1 else b"".join(held)

    def _finish(self) -> None:
        if self._inflater is not None:
            try:
                self._inflater.finish()
            except CorruptBodyError as error:
                raise self._corrupt() from error
        self._let_go()

    def _corrupt(self) -> BrokenOffError:
        return BrokenOffError(f"the answer of {self.target.host} is not what its Content-Encoding says")

    async def _woken(self) -> None:
        loop = asyncio.get_running_loop()
        self._reader = loop.create_future()
        self._renew()
        try:
            await self._reader
        finally:
            self._reader = None
            self.deadline = inf

    async def _unpacked(self, pieces: Iterator[bytes]) -> bytes | None:
        if self._large:
            await asyncio.sleep(0)  # little data may hold a great many pieces: others have their turn between them
        try:
            piece = next(pieces, None)
        except CorruptBodyError as error:
            raise self._corrupt() from error
        self._large = piece is not None and len(piece) >= PIECE
        if piece is None:
            self._unpacking = None
        return piece

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _let_go(self) -> None:
        release, self._release = self._release, None
        if release is not None:
            release()

    # What is sent piece by piece.

    async def _sent_in_pieces(self, body: AsyncIterable[bytes]) -> None:
        async for piece in body:
            if piece:  # an empty one would be the last
                self._renew()
                self._carrier.write((b"%x\r\n" % len(piece), piece, b"\r\n"))
                await self._carrier.drained()
        self._carrier.write((b"0\r\n\r\n",))
        self.uploading = False

    def _uploaded(self, upload: "asyncio.Task[None]") -> None:
        if not upload.cancelled() and upload.exception() is not None:
            self._carrier.fail(Fault("reset", f"what was being sent to {self.target.host} broke off at its source"))

    def _stop_upload(self) -> None:
        if self._upload is not None:
            self._upload.cancel()

    def _renew(self) -> None:
        """The time begins anew: that of the head, or that of a piece which somebody waits for."""
        if not self._has_head:
            self.deadline = asyncio.get_running_loop().time() + self.request.timeout
        elif self._reader is not None:
            self.deadline = asyncio.get_running_loop().time() + limits.PIECE_SECONDS
            self._carrier.watch(self.deadline)
