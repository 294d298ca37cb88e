"""The short way in, met with bare sockets: what it takes, what it hands over, and what it will not wait for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.inbound import wire
from tests.kit import signed
from tests.kit.gateway import Gateway

BODY = b'{"action":"opened","issue":{"id":7}}'


class Socket:
    """One connection to the gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            if len(pieces) > 1:
                await asyncio.sleep(0.01)

    async def answer(self) -> tuple[int, bytes]:
        """The next answer: its status and its body."""
        async with asyncio.timeout(15):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            return int(head[9:12]), await self.reader.readexactly(length)

    async def ended(self) -> bool:
        """Whether the gateway closes the connection without a further word."""
        async with asyncio.timeout(15):
            return await self.reader.read() == b""


@asynccontextmanager
async def connected(gateway: Gateway) -> AsyncIterator[Socket]:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.running.port)
    try:
        yield Socket(reader, writer)
    finally:
        writer.close()


async def _request(gateway: Gateway, *extra: str, body: bytes = BODY, length: str | None = None) -> bytes:
    made = await gateway.create("github")
    headers = {"Host": "gateway.test", **signed.github(made["webhookSecret"], body)}
    headers["Content-Length"] = str(len(body)) if length is None else length
    if length == "":
        del headers["Content-Length"]
    lines = [f"{name}: {value}" for name, value in headers.items()]
    path = "/in/" + made["webhookUrl"].rsplit("/", 1)[-1]
    return "\r\n".join([f"POST {path} HTTP/1.1", *lines, *extra, "", ""]).encode() + body


async def _has_accepted(gateway: Gateway, deliveries: int) -> bool:
    """Whether the gateway has stored so many deliveries, or does so within ten seconds."""
    for _ in range(500):
        if (await gateway.ledger())["accepted"] >= deliveries:
            return True
        await asyncio.sleep(0.02)
    return False


async def test_requests_on_one_connection_are_answered_one_by_one(sqlite_gateway: Gateway) -> None:
    first, second = await _request(sqlite_gateway), await _request(sqlite_gateway)
    async with connected(sqlite_gateway) as socket:
        for request in (first, second):
            await socket.send(request)
            assert (await socket.answer())[0] == 200


async def test_requests_sent_at_once_are_answered_in_their_order(sqlite_gateway: Gateway) -> None:
    good, unsigned = await _request(sqlite_gateway), (await _request(sqlite_gateway)).replace(b"sha256=", b"sha256=0")
    async with connected(sqlite_gateway) as socket:
        await socket.send(good + unsigned + good)
        assert [(await socket.answer())[0] for _ in range(3)] == [200, 401, 200]
    assert (await sqlite_gateway.ledger())["duplicate"] == 1


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_a_request_in_pieces_is_one_request(sqlite_gateway: Gateway, size: int) -> None:
    request = await _request(sqlite_gateway)
    async with connected(sqlite_gateway) as socket:
        await socket.send(*(request[start : start + size] for start in range(0, len(request), size)))
        assert (await socket.answer())[0] == 200


async def test_other_requests_may_follow_and_precede_on_the_same_connection(sqlite_gateway: Gateway) -> None:
    request = await _request(sqlite_gateway)
    other = b"GET /healthz HTTP/1.1\r\nHost: gateway.test\r\n\r\n"
    async with connected(sqlite_gateway) as socket:
        await socket.send(request + other + request)
        assert [(await socket.answer())[0] for _ in range(3)] == [200, 200, 200]


async def test_a_chunked_body_takes_the_other_way_and_is_accepted(sqlite_gateway: Gateway) -> None:
    request = await _request(sqlite_gateway, "Transfer-Encoding: chunked", length="")
    head, _, body = request.partition(b"\r\n\r\n")
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    async with connected(sqlite_gateway) as socket:
        await socket.send(head + b"\r\n\r\n" + chunks)
        assert (await socket.answer())[0] == 200


async def test_a_sender_that_waits_for_100_continue_is_told_to_go_on(sqlite_gateway: Gateway) -> None:
    request = await _request(sqlite_gateway, "Expect: 100-continue")
    head, _, body = request.partition(b"\r\n\r\n")
    async with connected(sqlite_gateway) as socket:
        await socket.send(head + b"\r\n\r\n")
        assert (await socket.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        await socket.send(body)
        assert (await socket.answer())[0] == 200


@pytest.mark.parametrize(
    "line",
    [
        "Content-Length: 5",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding : chunked",
        " folded: line",
        "no colon here",
        "Host: another.test",
        "bad name: x",
        "X-Nul: a\x00b",
        "X-Bare: a\nTransfer-Encoding: chunked",
        "X-Return: a\rb",
    ],
)
async def test_a_head_that_two_readers_could_take_differently_is_never_accepted(
    sqlite_gateway: Gateway, line: str
) -> None:
    request = await _request(sqlite_gateway, line)
    async with connected(sqlite_gateway) as socket:
        await socket.send(request)
        status, _ = await socket.answer()
        assert status == 400
    assert (await sqlite_gateway.ledger())["accepted"] == 0


@pytest.mark.parametrize("length", ["-1", "+5", "0x10", "5 5", "1e1", "\u0665", "99999999999999999999"])
async def test_a_length_that_is_no_number_is_refused(sqlite_gateway: Gateway, length: str) -> None:
    request = await _request(sqlite_gateway, length=length)
    async with connected(sqlite_gateway) as socket:
        await socket.send(request)
        assert (await socket.answer())[0] in (400, 413)


async def test_a_repeated_header_is_one_value(sqlite_gateway: Gateway) -> None:
    request = await _request(sqlite_gateway, "X-Other: a", "X-Other: b")
    async with connected(sqlite_gateway) as socket:
        await socket.send(request)
        assert (await socket.answer())[0] == 200


async def test_a_body_over_the_limit_is_413_whatever_way_it_takes(sqlite_gateway: Gateway) -> None:
    body = b'{"x":"' + b"y" * (1 << 20) + b'"}'
    made = await sqlite_gateway.create("generic")
    path = "/in/" + made["webhookUrl"].rsplit("/", 1)[-1]
    head = f"POST {path} HTTP/1.1\r\nHost: gateway.test\r\nContent-Length: {len(body)}"
    request = head.encode() + b"\r\n\r\n" + body
    async with connected(sqlite_gateway) as socket:
        await socket.send(request[:300_000])
        assert (await socket.answer())[0] == 413
        assert await socket.ended()


async def test_a_large_body_within_the_limit_is_accepted(sqlite_gateway: Gateway) -> None:
    body = b'{"x":"' + b"y" * 600_000 + b'"}'
    request = await _request(sqlite_gateway, body=body)
    async with connected(sqlite_gateway) as socket:
        await socket.send(request)
        assert (await socket.answer())[0] == 200


async def test_a_request_that_does_not_get_on_is_cut_off(
    sqlite_gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "ARRIVAL_S", 0.2)
    request = await _request(sqlite_gateway)
    async with connected(sqlite_gateway) as socket:
        await socket.send(request[:-5])
        assert (await socket.answer())[0] == 408
        assert await socket.ended()


async def test_a_connection_that_stands_idle_is_closed(
    sqlite_gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "IDLE_S", 0.2)
    request = await _request(sqlite_gateway)
    async with connected(sqlite_gateway) as socket:
        await socket.send(request)
        assert (await socket.answer())[0] == 200
        assert await socket.ended()


async def test_a_sender_that_leaves_before_its_answer_loses_nothing(sqlite_gateway: Gateway) -> None:
    request = await _request(sqlite_gateway)
    async with connected(sqlite_gateway) as socket:
        await socket.send(request)
    assert await _has_accepted(sqlite_gateway, 1)
