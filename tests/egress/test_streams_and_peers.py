"""Streams with peers of every kind: a body comes out whole or breaks off, and no connection or place is lost."""

import asyncio
import gzip
import random
from collections.abc import Callable
from contextlib import suppress

import pytest

from gateway.egress import limits
from gateway.egress.guard import Guard
from gateway.egress.model import Answer, BrokenOffError, Failure, Streamed, StreamingClient
from gateway.egress.open import ClientKind, open_streaming_client
from tests.egress.certificates import Authority
from tests.egress.peer import StartPeer, Talk, post
from tests.vendors import misbehaving, vendor

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
MIB = 1 << 20


async def outcome(client: StreamingClient, url: str, method: str = "POST", timeout: float = 5.0) -> bytes | str:
    """The body, or the word for what came instead of it."""
    async with client.open(post(url, method=method, timeout=timeout)) as answer:
        if isinstance(answer, Failure):
            return answer.reason
        try:
            return b"".join([piece async for piece in answer.pieces])
        except BrokenOffError:
            return "broken off"


def chunked(data: bytes, choose: random.Random) -> bytes:
    """A body in chunks of any size."""
    said = b""
    while data:
        size = choose.randint(1, len(data))
        said += b"%x\r\n%b\r\n" % (size, data[:size])
        data = data[size:]
    return said + b"0\r\n\r\n"


@pytest.mark.parametrize("seed", range(12))
async def test_any_body_in_any_frame_cut_anywhere_comes_out_whole(
    streams: StreamingClient, peer: StartPeer, seed: int
) -> None:
    choose = random.Random(seed)
    plain = [choose.randbytes(choose.choice([0, 1, 100, 5000, 300_000])) for _ in range(4)]

    async def script(talk: Talk) -> None:
        for body in plain:
            await talk.request()
            packed, coding = body, b""
            if choose.random() < 0.5:
                packed, coding = gzip.compress(body), b"Content-Encoding: gzip\r\n"
            framing = b"Transfer-Encoding: chunked\r\n\r\n" + chunked(packed, choose)
            if choose.random() < 0.5:
                framing = b"Content-Length: %d\r\n\r\n%b" % (len(packed), packed)
            said = b"HTTP/1.1 200 OK\r\n" + coding + framing
            while said:
                size = choose.choice([1, 7, 1000, 100_000])
                await talk.say(said[:size])
                await asyncio.sleep(0)
                said = said[size:]

    there = await peer(script)
    for body in plain:
        assert await outcome(streams, there.url()) == body
    assert there.connections == 1


@pytest.mark.parametrize("framing", ["length", "chunks", "gzip"])
async def test_an_answer_that_ends_anywhere_before_its_end_is_never_taken_for_whole(
    streams: StreamingClient, peer: StartPeer, framing: str
) -> None:
    body = gzip.compress(b"hello " * 9, mtime=0) if framing == "gzip" else b"hello world"
    said = b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    if framing == "chunks":
        said = b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    coding = b"Content-Encoding: gzip\r\n" if framing == "gzip" else b""
    said = b"HTTP/1.1 200 OK\r\n" + coding + said

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(said[: talk.number - 1])

    there = await peer(script)
    for length in range(len(said)):
        assert await outcome(streams, there.url()) in ("reset", "broken off"), said[:length]
    assert await outcome(streams, there.url()) == (b"hello " * 9 if framing == "gzip" else b"hello world")


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("DELETE", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n"),
        ("GET", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ],
)
async def test_what_has_no_body_ends_with_its_head(
    streams: StreamingClient, peer: StartPeer, method: str, answer: bytes
) -> None:
    there = await peer(answer)
    for _ in range(2):
        assert await outcome(streams, there.url(), method, timeout=1.0) == b""


async def test_a_body_without_a_length_ends_with_its_connection(streams: StreamingClient, peer: StartPeer) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 500_000)

    there = await peer(script)
    for _ in range(2):
        assert await outcome(streams, there.url()) == b"x" * 500_000
    assert there.connections == 2


async def test_a_body_without_a_length_that_is_cut_by_closing_breaks_off(loopback: Guard, peer: StartPeer) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        await talk.wait_for_the_end()

    there = await peer(script)
    async with open_streaming_client(loopback, kind="lean") as client, client.open(post(there.url())) as answer:
        assert isinstance(answer, Streamed)
        assert await anext(answer.pieces) == b"half"
        await client.close()
        with pytest.raises(BrokenOffError):
            await anext(answer.pieces)


@pytest.mark.parametrize("more", [b"garbage", OK], ids=["garbage", "answer"])
async def test_what_follows_a_streamed_answer_closes_its_connection(
    streams: StreamingClient, peer: StartPeer, more: bytes
) -> None:
    there = await peer(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue" + more)
    for _ in range(2):
        # Whether the body was read or what follows it was seen first is a matter of chance.
        assert await outcome(streams, there.url()) in (b"true", "broken off", "protocol")
    assert there.connections == 2


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_peer_waits_for_a_reader_that_is_slow(
    kind: ClientKind, loopback: Guard, peer: StartPeer, authority: Authority, scheme: str
) -> None:
    said = 0

    async def script(talk: Talk) -> None:
        nonlocal said
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (64 * MIB))
        for _ in range(1024):
            await talk.say(bytes(1 << 16))
            said += 1 << 16
        await talk.wait_for_the_end()

    there = await peer(script, authority.server("127.0.0.1") if scheme == "https" else None)
    async with (
        open_streaming_client(loopback, kind=kind, ssl_context=authority.trusting) as client,
        client.open(post(there.url(scheme=scheme))) as answer,
    ):
        assert isinstance(answer, Streamed)
        before = -1
        while said != before:
            before = said
            await asyncio.sleep(0.1)
        assert said < 32 * MIB  # what the kernel's buffers hold, too
        size = 0
        async for piece in answer.pieces:
            size += len(piece)
            assert len(piece) <= MIB
        assert size == 64 * MIB


async def test_chunks_of_one_byte_are_joined(streams: StreamingClient, peer: StartPeer) -> None:
    there = await peer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 50_000 + b"0\r\n\r\n")
    assert await outcome(streams, there.url()) == b"a" * 50_000
    assert await outcome(streams, there.url()) == b"a" * 50_000
    assert there.connections == 1


async def test_a_kept_connection_that_dies_without_an_answer_is_replaced_once(
    streams: StreamingClient, peer: StartPeer
) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(OK)
        await talk.request()

    there = await peer(script)
    for _ in range(3):
        assert await outcome(streams, there.url()) == b"ok"
    assert there.connections == 3


@pytest.mark.parametrize("delay", [0.0, 0.001, 0.003, 0.01])
async def test_cancelling_at_any_moment_loses_no_place(
    kind: ClientKind, loopback: Guard, peer: StartPeer, authority: Authority, delay: float
) -> None:
    there = await peer(OK, authority.server("127.0.0.1"))
    async with open_streaming_client(
        loopback, kind=kind, connections_per_host=2, ssl_context=authority.trusting
    ) as client:
        url = there.url(scheme="https")
        tasks = [asyncio.create_task(outcome(client, url)) for _ in range(12)]
        await asyncio.sleep(delay)
        for task in tasks[::2]:
            task.cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert found[1::2] == [b"ok"] * 6
        assert [await outcome(client, url) for _ in range(3)] == [b"ok"] * 3


@pytest.mark.parametrize("how", ["early", "read", "failed"])
async def test_whoever_leaves_gives_the_place_back(
    kind: ClientKind, loopback: Guard, peer: StartPeer, how: str
) -> None:
    async def script(talk: Talk) -> None:
        while True:
            await talk.request()
            await talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + bytes(1000))
            if how != "early":
                await talk.say(bytes(1000))

    there = await peer(script)
    async with open_streaming_client(loopback, kind=kind, connections_per_host=1) as client:
        for _ in range(5):
            with suppress(ZeroDivisionError):
                async with client.open(post(there.url(), timeout=1.0)) as answer:
                    assert isinstance(answer, Streamed), answer
                    if how == "failed":
                        raise ZeroDivisionError
                    if how == "early":
                        await anext(answer.pieces)
                    else:
                        assert len(b"".join([piece async for piece in answer.pieces])) == 2000
    assert there.connections == 1 if how == "read" else there.connections <= 5


@pytest.mark.parametrize("length", [2, 3])
async def test_a_body_that_was_left_unread_is_not_an_empty_one(peer: StartPeer, loopback: Guard, length: int) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\nok" % length)
        await talk.wait_for_the_end()

    there = await peer(script)
    async with open_streaming_client(loopback, kind="lean") as client:
        async with client.open(post(there.url())) as answer:
            assert isinstance(answer, Streamed)
        with pytest.raises(BrokenOffError):
            await anext(answer.pieces)


async def test_sends_and_streams_share_their_connections(streams: StreamingClient, peer: StartPeer) -> None:
    there = await peer(OK)
    for _ in range(3):
        assert await outcome(streams, there.url()) == b"ok"
        assert isinstance(await streams.send(post(there.url())), Answer)
    assert there.connections == 1


async def test_an_answer_that_came_at_once_is_at_hand(loopback: Guard, peer: StartPeer) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(OK)
        await talk.request()
        await talk.say(OK[:-1])
        await talk.reader.read(1)

    there = await peer(script)
    async with open_streaming_client(loopback, kind="lean") as client:
        async with client.open(post(there.url())) as answer:
            assert isinstance(answer, Streamed)
            assert answer.at_hand == b"ok"
            assert [piece async for piece in answer.pieces] == [b"ok"]
        async with client.open(post(there.url())) as answer:
            assert isinstance(answer, Streamed)
            assert answer.at_hand is None


@pytest.mark.parametrize(
    "manner",
    [
        misbehaving.nothing, misbehaving.half, misbehaving.broken_gzip, misbehaving.wrong_json, misbehaving.html,
        misbehaving.slow_head, lambda: misbehaving.redirect("{self}"), lambda: misbehaving.zeros(4, chunked=True),
    ],
    ids=["nothing", "half", "broken gzip", "wrong json", "html", "slow head", "redirect", "zeros"],
)  # fmt: skip
async def test_bad_manners_are_the_same_to_both_clients(loopback: Guard, manner: Callable[[], misbehaving.Act]) -> None:
    async with vendor() as there:
        there.always(manner())
        found = []
        for kind in ("lean", "aiohttp"):
            async with open_streaming_client(loopback, kind=kind) as client:
                found.append(await outcome(client, there.url, "GET", timeout=0.5))
    assert found[0] == found[1]


async def test_a_reader_that_takes_its_time_is_not_late(
    streams: StreamingClient, peer: StartPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PIECE_SECONDS", 0.3)
    there = await peer(b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n" + bytes(400_000))
    async with streams.open(post(there.url(), timeout=0.2)) as answer:
        assert isinstance(answer, Streamed)
        size = len(await anext(answer.pieces))
        await asyncio.sleep(0.8)
        async for piece in answer.pieces:
            size += len(piece)
    assert size == 400_000
