"""Bodies of any size, both ways, in bounded memory: pieces as they come, and a word where they end too early."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator

import psutil
import pytest

from gateway.egress import limits
from gateway.egress.guard import Guard
from gateway.egress.model import BrokenOffError, Failure, Streamed, StreamingClient
from gateway.egress.open import ClientKind, open_streaming_client
from tests.egress.certificates import Authority
from tests.egress.peer import Names, Peer, Script, StartPeer, Talk, post
from tests.vendors import misbehaving, vendor

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
MIB = 1 << 20


def saying(*pieces: bytes, then_hang: bool = False) -> Script:
    async def script(talk: Talk) -> None:
        await talk.request()
        for piece in pieces:
            await talk.say(piece)
        if then_hang:
            await talk.wait_for_the_end()

    return script


async def read(client: StreamingClient, url: str, **options: float) -> bytes:
    async with client.open(post(url, timeout=options.get("timeout", 5.0))) as answer:
        assert isinstance(answer, Streamed), answer
        return b"".join([piece async for piece in answer.pieces])


async def failure(client: StreamingClient, url: str, timeout: float = 5.0) -> Failure:
    async with client.open(post(url, timeout=timeout)) as answer:
        assert isinstance(answer, Failure), answer
        return answer


async def test_the_head_is_there_before_the_body(streams: StreamingClient, peer: StartPeer) -> None:
    go_on = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 201 Made\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 5\r\n\r\nab")
        await go_on.wait()
        await talk.say(b"cde")

    there = await peer(script)
    async with streams.open(post(there.url(), timeout=0.5)) as answer:
        assert isinstance(answer, Streamed)
        assert (answer.status, answer.headers[:2]) == (201, (("x-a", "1"), ("x-a", "2")))
        assert await anext(answer.pieces) == b"ab"
        # The time that a request may take is over; that of the body has its own measure.
        await asyncio.sleep(0.6)
        go_on.set()
        assert b"".join([piece async for piece in answer.pieces]) == b"cde"


async def test_a_connection_is_used_again_after_a_body_was_read_to_its_end(
    streams: StreamingClient, peer: StartPeer
) -> None:
    there = await peer(OK)
    for _ in range(3):
        assert await read(streams, there.url()) == b"ok"
    assert there.connections == 1


async def test_an_idle_connection_that_the_peer_let_go_is_no_failure(streams: StreamingClient, peer: StartPeer) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(OK)

    there = await peer(script)
    for _ in range(3):
        assert await read(streams, there.url()) == b"ok"


async def test_an_upload_goes_out_piece_by_piece_and_may_take_its_time(
    streams: StreamingClient, peer: StartPeer
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(6):
            await asyncio.sleep(0.1)
            yield b"x" * 1000

    async def script(talk: Talk) -> None:
        arrived = b""
        while not arrived.endswith(b"0\r\n\r\n"):
            arrived += await talk.reader.read(65536)
        there.requests.append(arrived)
        await talk.say(OK)

    there = await peer(script)
    async with streams.open(post(there.url(), body=b"", timeout=0.4), body=pieces()) as answer:
        assert isinstance(answer, Streamed), answer
    assert b"transfer-encoding: chunked" in there.requests[0].lower()
    assert there.requests[0].count(b"x" * 1000) == 6


async def test_an_upload_that_stands_still_is_late(streams: StreamingClient, peer: StartPeer) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.sleep(3600)

    there = await peer(saying(OK, then_hang=True))
    async with streams.open(post(there.url(), body=b"", timeout=0.3), body=pieces()) as answer:
        assert isinstance(answer, Streamed)  # the peer answers before it has read the whole
    silent = await peer(saying(then_hang=True))
    async with streams.open(post(silent.url(), body=b"", timeout=0.3), body=pieces()) as answer:
        assert isinstance(answer, Failure)
        assert answer.reason == "timeout"


async def test_a_peer_that_does_not_read_an_upload_is_late(streams: StreamingClient, peer: StartPeer) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1 << 16)

    async def script(talk: Talk) -> None:
        talk.stop_reading()
        await asyncio.sleep(3600)

    there = await peer(script)
    async with streams.open(post(there.url(), body=b"", timeout=0.5), body=pieces()) as answer:
        assert isinstance(answer, Failure)
        assert answer.reason == "timeout"


async def test_an_upload_whose_source_fails_is_a_failure(streams: StreamingClient, peer: StartPeer) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"
        raise ConnectionResetError

    there = await peer(saying(then_hang=True))
    async with streams.open(post(there.url(), body=b"", timeout=2.0), body=pieces()) as answer:
        assert isinstance(answer, Failure)
        assert answer.reason == "reset"


async def test_500_mib_stream_through_in_bounded_memory(streams: StreamingClient) -> None:
    process = psutil.Process()
    async with vendor() as there:

        async def pass_through(mib: int) -> tuple[int, int]:
            there.next(misbehaving.zeros(mib))
            size = most = 0
            async with streams.open(post(there.url, method="GET", body=b"", timeout=20.0)) as answer:
                assert isinstance(answer, Streamed)
                async for piece in answer.pieces:
                    size += len(piece)
                    assert len(piece) <= MIB
                    most = max(most, process.memory_info().rss)
            return size, most

        await pass_through(8)
        idle = process.memory_info().rss
        size, most = await pass_through(500)
    assert size == 500 * MIB
    assert most - idle <= 16 * MIB


async def test_a_small_body_that_becomes_a_huge_one_comes_in_small_pieces(streams: StreamingClient) -> None:
    process = psutil.Process()
    async with vendor() as there:
        there.always(misbehaving.bomb())
        size, idle = 0, process.memory_info().rss
        async with streams.open(post(there.url, timeout=5.0)) as answer:
            assert isinstance(answer, Streamed)
            async for piece in answer.pieces:
                assert len(piece) <= 1 << 16
                size += len(piece)
                if size > 100 * MIB:
                    break
        assert process.memory_info().rss - idle <= 16 * MIB
        assert await there.wait_left() == ["/"]


async def test_who_leaves_early_lets_the_peer_go(streams: StreamingClient, peer: StartPeer) -> None:
    ended = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        await talk.wait_for_the_end()
        ended.set()

    there = await peer(script)
    async with streams.open(post(there.url())) as answer:
        assert isinstance(answer, Streamed)
        assert await anext(answer.pieces) == b"hello"
    async with asyncio.timeout(2):
        await ended.wait()


async def test_who_is_cancelled_in_the_middle_lets_the_peer_go(streams: StreamingClient, peer: StartPeer) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        begun.set()
        await talk.wait_for_the_end()
        ended.set()

    there = await peer(script)
    task = asyncio.create_task(read(streams, there.url()))
    await begun.wait()
    task.cancel()
    async with asyncio.timeout(2):
        await ended.wait()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_body_that_stands_still_breaks_off(
    streams: StreamingClient, peer: StartPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PIECE_SECONDS", 0.2)
    there = await peer(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", then_hang=True))
    with pytest.raises(BrokenOffError, match="stopped sending"):
        await read(streams, there.url())


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 9\r\n\r\nab",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        b"Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!",
        b"Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + gzip.compress(b"cut off", mtime=0)[:20],
        b"Content-Encoding: deflate\r\nContent-Length: 4\r\n\r\n\xff\xff\xff\xff",
    ],
)
async def test_a_body_that_is_not_whole_breaks_off(streams: StreamingClient, peer: StartPeer, body: bytes) -> None:
    there = await peer(saying(b"HTTP/1.1 200 OK\r\n" + body))
    with pytest.raises(BrokenOffError, match=r"127\.0\.0\.1"):
        await read(streams, there.url())


@pytest.mark.parametrize(
    ("coding", "packed", "plain"),
    [
        (b"gzip", gzip.compress(b"hello " * 1000, mtime=0), b"hello " * 1000),
        (b"X-GZip", gzip.compress(b"", mtime=0), b""),
        (b"gzip", gzip.compress(b"one ", mtime=0) + gzip.compress(b"two", mtime=0), b"one two"),
        (b"gzip", gzip.compress(b"padded", mtime=0) + b"\0" * 10_000, b"padded"),
        (b"deflate", zlib.compress(b"zlib"), b"zlib"),
        (b"deflate", zlib.compress(b"bare " * 100, wbits=-15), b"bare " * 100),
        (b"br", b"as it is", b"as it is"),
        (b"gzip", b"", b""),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 100_000])
async def test_a_compressed_body_comes_out_plain_however_it_is_cut(
    streams: StreamingClient, peer: StartPeer, coding: bytes, packed: bytes, plain: bytes, size: int
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (coding, len(packed))

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(head)
        for at in range(0, len(packed), size):
            await talk.say(packed[at : at + size])

    there = await peer(script)
    assert await read(streams, there.url()) == plain


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_answers(streams: StreamingClient, peer: StartPeer, status: int) -> None:
    answer = b"HTTP/1.1 %d Moved\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n" % status
    there = await peer(answer)
    async with streams.open(post(there.url())) as found:
        assert isinstance(found, Streamed)
        assert found.status == status
    assert len(there.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest", "http://10.0.0.1/", "http://[::ffff:10.0.0.1]/", "http://0x7f.1.1.1.1/",
        "ftp://127.0.0.1/", "http://user@127.0.0.1/", "http://intranet/",
    ],
)  # fmt: skip
async def test_the_guard_stands_before_streams_too(kind: ClientKind, url: str) -> None:
    guard = Guard(allow_http=True, allow_networks=["127.0.0.0/8"])
    async with open_streaming_client(guard, kind=kind, resolver=Names(intranet=[["10.1.2.3"]])) as client:
        assert (await failure(client, url)).reason in ("forbidden_address", "invalid_url")


async def test_a_name_that_moves_to_a_forbidden_address_is_not_followed(kind: ClientKind, peer: StartPeer) -> None:
    there = await peer(saying(OK))
    names = Names(moving_example=[["127.0.0.1"], ["169.254.169.254"]])
    guard = Guard(allow_http=True, allow_networks=["127.0.0.0/8"])
    async with open_streaming_client(guard, kind=kind, resolver=names) as client:
        assert await read(client, there.url(host="moving.example")) == b"ok"
        assert (await failure(client, there.url(host="moving.example"))).reason == "forbidden_address"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "reset"),
        (b"HTTP/1.1 2", "reset"),
        (b"SSH-2.0-OpenSSH\r\n", "protocol"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * 300 + b"\r\n", "too_many_headers"),
        (b"HTTP/1.1 200 OK\r\nX-A: " + b"1" * 70_000 + b"\r\n\r\n", "too_many_headers"),
    ],
)
async def test_what_is_no_answer_is_a_failure(
    streams: StreamingClient, peer: StartPeer, answer: bytes, reason: str
) -> None:
    there = await peer(saying(answer))
    assert (await failure(streams, there.url())).reason == reason


async def test_a_head_that_does_not_come_in_time_is_late(streams: StreamingClient, peer: StartPeer) -> None:
    there = await peer(saying(b"HTTP/1.1 200 OK\r\n", then_hang=True))
    found = await failure(streams, there.url(), timeout=0.2)
    assert found.reason == "timeout"


async def test_certificates_are_checked(kind: ClientKind, authority: Authority) -> None:
    there = await Peer().start(saying(OK), authority.server("localhost", self_signed=True))
    guard = Guard(allow_http=False, allow_networks=["127.0.0.0/8"])
    try:
        async with open_streaming_client(guard, kind=kind, ssl_context=authority.trusting) as client:
            assert (await failure(client, there.url(host="localhost", scheme="https"))).reason == "tls"
    finally:
        await there.stop()


async def test_a_closed_client_says_so(kind: ClientKind, loopback: Guard, peer: StartPeer) -> None:
    there = await peer(OK)
    async with open_streaming_client(loopback, kind=kind) as client:
        pass
    assert (await failure(client, there.url())).detail
