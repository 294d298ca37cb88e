"""What peers do wrong, by accident or on purpose: each is a value, in time and within bounds."""

import asyncio
import gzip
import tracemalloc

import pytest

from gateway.egress.model import Answer, Client, Failure
from tests.egress.peer import Script, StartPeer, Talk, post

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def saying(*pieces: bytes, then_hang: bool = False) -> Script:
    """A peer that reads one request, says its pieces and leaves, or stays in silence."""

    async def script(talk: Talk) -> None:
        await talk.request()
        for piece in pieces:
            await talk.say(piece)
        if then_hang:
            await talk.wait_for_the_end()

    return script


def for_ever(start: bytes, piece: bytes, pause: float = 0.0) -> Script:
    """A peer that goes on and on."""

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(start)
        while True:
            await talk.say(piece)
            await asyncio.sleep(pause)

    return script


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"<html>hello, this is HTTP/0.9</html>\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"-ERR unknown command\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ],
)
async def test_what_is_not_http_1_1_is_a_failure_of_the_protocol(
    client: Client, peer: StartPeer, answer: bytes
) -> None:
    there = await peer(saying(answer, then_hang=True))
    outcome = await client.send(post(there.url(), timeout=2.0))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "protocol", outcome
    assert "127.0.0.1" in outcome.detail


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 2",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
    ],
)
async def test_a_connection_lost_before_the_end_of_the_answer_is_a_reset(
    client: Client, peer: StartPeer, answer: bytes
) -> None:
    there = await peer(saying(answer))
    outcome = await client.send(post(there.url()))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "reset", outcome
    assert there.connections == 1


@pytest.mark.parametrize(
    "script",
    [
        saying(then_hang=True),
        saying(b"HTTP/1.1 200 OK\r\n", then_hang=True),
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", then_hang=True),
        for_ever(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a", 0.02),
        for_ever(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"a", 0.02),
        for_ever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n", 0.02),
        for_ever(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.05),
    ],
    ids=["silent", "half a head", "half a body", "slow head", "slow body", "slow chunks", "slow interim"],
)
async def test_one_deadline_holds_for_the_whole_answer(client: Client, peer: StartPeer, script: Script) -> None:
    there = await peer(script)
    outcome = await client.send(post(there.url(), timeout=0.4))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "timeout"
    assert 300 < outcome.total_ms < 3000
    assert "0.4 s" in outcome.detail


async def test_interim_answers_without_end_do_end(client: Client, peer: StartPeer) -> None:
    there = await peer(for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 10))
    outcome = await client.send(post(there.url(), timeout=1.0))
    assert isinstance(outcome, Failure)
    assert outcome.reason in {"protocol", "timeout"}


@pytest.mark.parametrize(
    "script",
    [
        for_ever(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n", bytes(65536)),
        for_ever(b"HTTP/1.1 200 OK\r\n\r\n", bytes(65536)),
        for_ever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"8000\r\n" + bytes(0x8000) + b"\r\n"),
    ],
    ids=["huge length", "no length", "chunks without end"],
)
async def test_a_body_without_end_is_cut_and_its_connection_closed(
    client: Client, peer: StartPeer, script: Script
) -> None:
    there = await peer(script)
    outcome = await client.send(post(there.url(), max_answer=1000))
    assert isinstance(outcome, Answer)
    assert (outcome.status, len(outcome.body), outcome.truncated) == (200, 1000, True)
    await client.send(post(there.url(), max_answer=1000))
    assert there.connections == 2


@pytest.mark.parametrize(("limit", "truncated"), [(5, False), (4, True), (0, True)])
async def test_a_body_is_cut_only_when_it_is_longer_than_the_limit(
    client: Client, peer: StartPeer, limit: int, truncated: bool
) -> None:
    there = await peer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    outcome = await client.send(post(there.url(), max_answer=limit))
    assert isinstance(outcome, Answer)
    assert (outcome.body, outcome.truncated) == (b"hello"[:limit], truncated)


async def test_a_bomb_of_gzip_is_cut_within_bounded_memory(client: Client, peer: StartPeer) -> None:
    bomb = gzip.compress(bytes(64 << 20))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    there = await peer(saying(head + bomb, then_hang=True))
    tracemalloc.start()
    try:
        outcome = await client.send(post(there.url(), max_answer=10_000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(outcome, Answer)
    assert (outcome.body, outcome.truncated) == (bytes(10_000), True)
    assert peak < 4 << 20


async def test_what_follows_the_end_of_a_gzip_stream_is_not_read(client: Client, peer: StartPeer) -> None:
    packed = gzip.compress(b"hello")
    start = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + packed
    there = await peer(for_ever(start, bytes(65536), 0.001))
    outcome = await client.send(post(there.url()))
    assert isinstance(outcome, Answer)
    assert (outcome.body, outcome.truncated) == (b"hello", True)


async def test_a_body_that_is_not_what_its_coding_says_is_a_failure_of_the_protocol(
    client: Client, peer: StartPeer
) -> None:
    there = await peer(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello")
    outcome = await client.send(post(there.url()))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "protocol"


@pytest.mark.parametrize(
    "script",
    [
        saying(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 300 + b"\r\n"),
        saying(b"HTTP/1.1 200 OK\r\n" + (b"X-A: " + b"b" * 6000 + b"\r\n") * 12 + b"\r\n"),
        saying(b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 70_000 + b"\r\n\r\n"),
        for_ever(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 100),
        for_ever(b"HTTP/1.1 200 OK\r\nX-A: ", b"b" * 10_000),
    ],
    ids=["many", "long in sum", "one long", "many without end", "one without end"],
)
async def test_a_head_that_is_too_long_is_refused(client: Client, peer: StartPeer, script: Script) -> None:
    there = await peer(script)
    outcome = await client.send(post(there.url()))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "too_many_headers", outcome


async def test_headers_that_are_not_ascii_are_tolerated(client: Client, peer: StartPeer) -> None:
    there = await peer(b"HTTP/1.1 200 \xc3\xa9\r\nX-A: caf\xe9 \xff\r\nContent-Length: 0\r\n\r\n")
    outcome = await client.send(post(there.url()))
    assert isinstance(outcome, Answer)
    assert dict(outcome.headers)["x-a"] == "caf\xe9 \xff"


@pytest.mark.parametrize(
    "more", [b"garbage", OK, b"HTTP/1.1 100 Continue\r\n\r\n"], ids=["garbage", "answer", "interim"]
)
async def test_what_follows_an_answer_closes_its_connection(client: Client, peer: StartPeer, more: bytes) -> None:
    there = await peer(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue" + more)
    for _ in range(2):
        outcome = await client.send(post(there.url()))
        assert (outcome.body if isinstance(outcome, Answer) else outcome.reason) in {b"true", "protocol"}
    assert there.connections == 2


async def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_one(client: Client, peer: StartPeer) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(OK)
        await asyncio.sleep(0.05)
        await talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfalse")
        await talk.request()
        await talk.say(OK)

    there = await peer(script)
    await client.send(post(there.url()))
    await asyncio.sleep(0.2)
    outcome = await client.send(post(there.url()))
    assert isinstance(outcome, Answer)
    assert outcome.body == b"ok"


async def test_a_peer_that_reads_nothing_of_a_large_body_ends_by_the_deadline(client: Client, peer: StartPeer) -> None:
    async def script(talk: Talk) -> None:
        talk.stop_reading()
        await asyncio.sleep(3)

    there = await peer(script)
    outcome = await client.send(post(there.url(), body=bytes(16 << 20), timeout=0.4))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "timeout"
