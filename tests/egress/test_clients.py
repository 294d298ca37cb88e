"""What goes out and what comes back with peers that behave: the same facts for both clients."""

import gzip
import zlib
from collections.abc import Callable

import pytest

from gateway.egress.guard import Guard
from gateway.egress.model import Answer, Client, Failure
from gateway.egress.open import ClientKind, open_client
from tests.egress.peer import StartPeer, Talk, post

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def test_the_request_arrives_as_it_was_given(client: Client, peer: StartPeer) -> None:
    there = await peer(OK)
    headers = (("Webhook-Id", "msg_1"), ("content-type", "application/json"), ("X-Name", "grüße"))
    await client.send(post(there.url("/in/a%2Fb?q=ä b".replace(" ", "+")), headers=headers, body=b"\x00\xff"))
    head, _, body = there.requests[0].partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    assert line == b"POST /in/a%2Fb?q=%C3%A4+b HTTP/1.1"
    lowered = {field.partition(b":")[0].lower(): field.partition(b":")[2].strip() for field in fields}
    assert lowered[b"host"] == f"127.0.0.1:{there.port}".encode()
    assert lowered[b"webhook-id"] == b"msg_1"
    assert lowered[b"content-type"] == b"application/json"
    assert lowered[b"x-name"] == "grüße".encode()
    assert lowered[b"content-length"] == b"2"
    assert lowered[b"accept-encoding"] == b"identity"
    assert lowered[b"user-agent"].startswith(b"connector-gateway/")
    assert len(fields) == len(lowered)
    assert body == b"\x00\xff"


async def test_a_given_user_agent_is_the_only_one(client: Client, peer: StartPeer) -> None:
    there = await peer(OK)
    await client.send(post(there.url(), headers=(("user-agent", "mine"),)))
    assert there.requests[0].lower().count(b"user-agent") == 1
    assert b"mine" in there.requests[0]


async def test_a_header_may_be_sent_twice(client: Client, peer: StartPeer) -> None:
    there = await peer(OK)
    await client.send(post(there.url(), headers=(("X-A", "1"), ("X-A", "2"))))
    assert there.requests[0].count(b"X-A: ") == 2


@pytest.mark.parametrize(("method", "length"), [("GET", None), ("POST", b"0"), ("PUT", b"0"), ("DELETE", b"0")])
async def test_an_empty_body_has_a_length_only_where_a_body_is_usual(
    client: Client, peer: StartPeer, method: str, length: bytes | None
) -> None:
    there = await peer(OK)
    assert isinstance(await client.send(post(there.url(), method=method, body=b"")), Answer)
    assert there.requests[0].startswith(method.encode())
    assert (b"content-length: 0" in there.requests[0].lower()) == (length is not None)
    assert b"content-type" not in there.requests[0].lower()


async def test_a_large_body_arrives_whole(client: Client, peer: StartPeer) -> None:
    there = await peer(OK)
    body = bytes(range(256)) * 12_000
    assert isinstance(await client.send(post(there.url(), body=body)), Answer)
    assert there.requests[0].endswith(b"\r\n\r\n" + body)


async def test_the_answer_is_given_with_lower_case_names_and_times(client: Client, peer: StartPeer) -> None:
    there = await peer(b"HTTP/1.1 503 Later\r\nRetry-After: 7\r\nX-A: 1\r\nX-a: 2 \t\r\nContent-Length: 4\r\n\r\nbusy")
    answer = await client.send(post(there.url()))
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body, answer.truncated) == (503, b"busy", False)
    assert answer.headers == (("retry-after", "7"), ("x-a", "1"), ("x-a", "2"), ("content-length", "4"))
    assert 0 < answer.connect_ms <= answer.total_ms < 5000


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
async def test_a_redirect_is_an_answer_and_is_not_followed(client: Client, peer: StartPeer, status: int) -> None:
    elsewhere = await peer(OK)
    location = f"Location: {elsewhere.url()}\r\n".encode()
    there = await peer(b"HTTP/1.1 %d R\r\n%sContent-Length: 0\r\n\r\n" % (status, location))
    answer = await client.send(post(there.url()))
    assert isinstance(answer, Answer)
    assert answer.status == status
    assert dict(answer.headers)["location"] == elsewhere.url()
    assert elsewhere.connections == 0


async def test_proxies_of_the_environment_are_ignored(
    kind: ClientKind, loopback: Guard, peer: StartPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, proxy = await peer(OK), await peer(OK)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url("/"))
    async with open_client(kind, loopback) as client:
        assert isinstance(await client.send(post(there.url())), Answer)
    assert (there.connections, proxy.connections) == (1, 0)


async def test_cookies_are_not_kept(client: Client, peer: StartPeer) -> None:
    there = await peer(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n")
    await client.send(post(there.url()))
    await client.send(post(there.url()))
    assert b"cookie" not in there.requests[1].lower()


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", b"abcde"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Trailer: 1\r\n\r\n", b"a"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", b"x"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", b"x"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\x00\xff\xfe", b"\x00\xff\xfe"),
    ],
)
async def test_every_framing_of_a_body_is_understood(
    client: Client, peer: StartPeer, answer: bytes, body: bytes
) -> None:
    there = await peer(answer)
    for _ in range(2):
        outcome = await client.send(post(there.url()))
        assert isinstance(outcome, Answer)
        assert outcome.body == body
        assert "x-trailer" not in dict(outcome.headers)


async def test_a_body_without_a_length_ends_with_the_connection(client: Client, peer: StartPeer) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\n\r\nuntil ")
        await talk.say(b"the end")

    there = await peer(script)
    outcome = await client.send(post(there.url()))
    assert isinstance(outcome, Answer)
    assert outcome.body == b"until the end"


async def test_the_answer_to_head_has_no_body(client: Client, peer: StartPeer) -> None:
    there = await peer(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(2):
        outcome = await client.send(post(there.url(), method="HEAD", body=b""))
        assert isinstance(outcome, Answer)
        assert outcome.body == b""


async def test_interim_answers_are_skipped(client: Client, peer: StartPeer) -> None:
    there = await peer(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK)
    outcome = await client.send(post(there.url()))
    assert isinstance(outcome, Answer)
    assert (outcome.status, outcome.body) == (200, b"ok")
    assert outcome.headers == (("content-length", "2"),)


async def test_an_answer_before_the_end_of_the_request_counts(client: Client, peer: StartPeer) -> None:
    async def script(talk: Talk) -> None:
        await talk.reader.readuntil(b"\r\n\r\n")
        await talk.say(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        await talk.wait_for_the_end()

    there = await peer(script)
    outcome = await client.send(post(there.url(), body=bytes(4_000_000)))
    assert isinstance(outcome, Answer)
    assert outcome.status == 413


def raw_deflate(data: bytes) -> bytes:
    return zlib.compress(data, wbits=-15)


@pytest.mark.parametrize(
    ("coding", "encode"),
    [("gzip", gzip.compress), ("X-GZIP", gzip.compress), ("deflate", zlib.compress), ("deflate", raw_deflate)],
)
async def test_a_compressed_body_is_decompressed(
    client: Client, peer: StartPeer, coding: str, encode: Callable[[bytes], bytes]
) -> None:
    text = b"hello " * 1000
    packed = encode(text)
    there = await peer(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (coding.encode(), len(packed))
        + packed
    )
    outcome = await client.send(post(there.url()))
    assert isinstance(outcome, Answer)
    assert (outcome.body, outcome.truncated) == (text, False)


@pytest.mark.parametrize("coding", [b"br", b"zstd", b"gzip, gzip", b"identity"])
async def test_other_codings_are_left_as_they_are(client: Client, peer: StartPeer, coding: bytes) -> None:
    there = await peer(b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: 3\r\n\r\nabc" % coding)
    outcome = await client.send(post(there.url()))
    assert isinstance(outcome, Answer)
    assert outcome.body == b"abc"


async def test_an_empty_body_that_is_said_to_be_compressed_is_empty(client: Client, peer: StartPeer) -> None:
    there = await peer(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n")
    outcome = await client.send(post(there.url()))
    assert isinstance(outcome, Answer)
    assert outcome.body == b""


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ((("X-A", "1\r\nX-B: 2"),), "X-A"),
        ((("X-A", "1\n2"),), "X-A"),
        ((("X-A", "1\x002"),), "X-A"),
        ((("X-A", "\ud800"),), "X-A"),
        ((("X A", "1"),), "X A"),
        ((("X-A:", "1"),), "X-A:"),
        ((("X-A\r\nX-B", "1"),), "X-A"),
        ((("", "1"),), "''"),
        ((("X-Ä", "1"),), "X-Ä"),
        ((("Host", "evil.example"),), "Host"),
        ((("Content-Length", "0"),), "Content-Length"),
        ((("transfer-encoding", "chunked"),), "transfer-encoding"),
        ((("Connection", "close"),), "Connection"),
        ((("Expect", "100-continue"),), "Expect"),
    ],
)
async def test_a_header_that_cannot_be_sent_stops_the_request(
    client: Client, peer: StartPeer, headers: tuple[tuple[str, str], ...], named: str
) -> None:
    there = await peer(OK)
    outcome = await client.send(post(there.url(), headers=(("X-Fine", "secret"), *headers)))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "invalid_header"
    assert named in outcome.detail
    assert "secret" not in outcome.detail
    assert there.connections == 0


@pytest.mark.parametrize("method", ["", "GET /", "P\r\nX: y", "CONNECT", "PÖST"])
async def test_a_method_that_cannot_be_sent_stops_the_request(client: Client, peer: StartPeer, method: str) -> None:
    there = await peer(OK)
    outcome = await client.send(post(there.url(), method=method))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "invalid_method"
    assert there.connections == 0
