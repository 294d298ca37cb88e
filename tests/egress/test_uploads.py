"""Uploads piece by piece: as fast as the peer reads, never twice, and over as soon as the answer is."""

import asyncio
from collections.abc import AsyncIterator

from gateway.egress.model import Failure, Streamed, StreamingClient
from tests.egress.peer import StartPeer, Talk, post

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
MIB = 1 << 20


async def test_an_upload_goes_only_as_fast_as_it_is_read(streams: StreamingClient, peer: StartPeer) -> None:
    taken = 0
    go_on = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(1024):
            taken += 1 << 16
            yield bytes(1 << 16)

    async def script(talk: Talk) -> None:
        await go_on.wait()
        arrived = 0
        while not (data := await talk.reader.read(1 << 20)).endswith(b"0\r\n\r\n"):
            arrived += len(data)
        await talk.say(OK)

    async def watch() -> None:
        before = -1
        while taken != before:
            before = taken
            await asyncio.sleep(0.1)
        assert taken < 32 * MIB
        go_on.set()

    there = await peer(script)
    watching = asyncio.create_task(watch())
    async with streams.open(post(there.url(), body=b""), body=pieces()) as answer:
        assert isinstance(answer, Streamed), answer
        assert b"".join([piece async for piece in answer.pieces]) == b"ok"
    await watching
    assert taken == 64 * MIB


async def test_an_upload_is_never_sent_twice(streams: StreamingClient, peer: StartPeer) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        if talk.number == 1:
            await talk.say(OK)
            await talk.reader.read(1)
        else:
            there.requests.append(b"again")

    async def pieces() -> AsyncIterator[bytes]:
        yield b"once"

    there = await peer(script)
    async with streams.open(post(there.url())) as first:
        assert isinstance(first, Streamed)
        assert [piece async for piece in first.pieces] == [b"ok"]
    async with streams.open(post(there.url(), body=b""), body=pieces()) as answer:
        assert isinstance(answer, Failure)
        assert answer.reason == "reset"
    assert (there.connections, there.requests) == (1, [])


async def test_an_upload_that_was_answered_early_ends_and_its_connection_too(
    streams: StreamingClient, peer: StartPeer
) -> None:
    left = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
                await asyncio.sleep(0.01)
        finally:
            left.set()

    async def script(talk: Talk) -> None:
        await talk.reader.readuntil(b"\r\n\r\n")
        await talk.say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        await talk.wait_for_the_end()

    there = await peer(script)
    for _ in range(2):
        left.clear()
        async with streams.open(post(there.url(), body=b""), body=pieces()) as answer:
            assert isinstance(answer, Streamed)
            assert b"".join([piece async for piece in answer.pieces]) == b"no"
        async with asyncio.timeout(2):
            await left.wait()
    assert there.connections == 2
