"""Names, addresses and certificates: nothing is dialled that the guard has not seen, and each failure has its word."""

import asyncio
import socket
from dataclasses import dataclass

import pytest

from gateway.egress.guard import Guard
from gateway.egress.model import Answer, Client, Failure
from gateway.egress.open import ClientKind, open_client
from gateway.egress.resolve import SystemResolver
from tests.egress.certificates import Authority
from tests.egress.peer import Names, StartPeer, Talk, post

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
PLAIN = Guard(allow_http=True, allow_networks=[])


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "[::1]", "localhost"])
async def test_a_url_that_is_this_machine_is_refused_without_a_connection(
    kind: ClientKind, peer: StartPeer, host: str
) -> None:
    there = await peer(OK)
    async with open_client(kind, PLAIN) as client:
        outcome = await client.send(post(there.url(host=host)))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "forbidden_address"
    assert "allow_networks" in outcome.detail
    assert there.connections == 0


async def test_a_url_of_another_scheme_is_refused(kind: ClientKind, loopback: Guard) -> None:
    async with open_client(kind, loopback) as client:
        outcome = await client.send(post("file:///etc/passwd"))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "invalid_url"


@pytest.mark.parametrize(
    "answer",
    [["127.0.0.1"], ["::ffff:127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["fe80::1%1"], ["junk"]],
    ids=str,
)
async def test_a_name_with_a_forbidden_address_is_refused_whole(
    kind: ClientKind, peer: StartPeer, answer: list[str]
) -> None:
    there = await peer(OK)
    async with open_client(kind, PLAIN, resolver=Names(inner_example=[answer])) as client:
        outcome = await client.send(post(there.url(host="inner.example")))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "forbidden_address", outcome
    assert "inner.example" in outcome.detail
    assert there.connections == 0


async def test_a_name_that_turns_to_another_address_is_judged_at_every_connection(
    kind: ClientKind, peer: StartPeer
) -> None:
    there = await peer(CLOSING)
    guard = Guard(allow_http=True, allow_networks=["127.0.0.1/32"])
    resolver = Names(turning_example=[["127.0.0.1"], ["127.0.0.2"]])
    async with open_client(kind, guard, resolver=resolver) as client:
        first = await client.send(post(there.url(host="turning.example")))
        second = await client.send(post(there.url(host="turning.example")))
    assert isinstance(first, Answer)
    assert isinstance(second, Failure)
    assert second.reason == "forbidden_address"
    assert "127.0.0.2 of turning.example" in second.detail
    assert there.connections == 1


async def test_the_name_stands_in_the_host_header_and_not_the_address(
    kind: ClientKind, loopback: Guard, peer: StartPeer
) -> None:
    there = await peer(OK)
    async with open_client(kind, loopback, resolver=Names(good_example=[["127.0.0.1"]])) as client:
        assert isinstance(await client.send(post(there.url(host="GOOD.example."))), Answer)
    assert f"host: good.example:{there.port}".encode() in there.requests[0].lower()


async def test_the_next_address_is_tried_when_one_refuses(kind: ClientKind, loopback: Guard, peer: StartPeer) -> None:
    there = await peer(OK)
    async with open_client(kind, loopback, resolver=Names(two_example=[["127.0.0.9", "127.0.0.1"]])) as client:
        assert isinstance(await client.send(post(there.url(host="two.example"))), Answer)


async def test_a_name_that_cannot_be_resolved_is_a_failure_of_dns(kind: ClientKind, loopback: Guard) -> None:
    async with open_client(kind, loopback, resolver=Names(empty_example=[[]])) as client:
        for host in ("nowhere.example", "empty.example"):
            outcome = await client.send(post(f"http://{host}/"))
            assert isinstance(outcome, Failure)
            assert outcome.reason == "dns"
            assert host in outcome.detail


async def test_a_resolver_that_hangs_ends_by_the_deadline(kind: ClientKind, loopback: Guard) -> None:
    class Hanging:
        async def resolve(self, host: str, port: int) -> list[str]:
            await asyncio.sleep(60)
            return [host, str(port)]

    async with open_client(kind, loopback, resolver=Hanging()) as client:
        outcome = await client.send(post("http://slow.example/", timeout=0.2))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "timeout"
    assert outcome.connect_ms > 100


async def test_localhost_is_the_loopback_address_that_is_permitted(client: Client, peer: StartPeer) -> None:
    there = await peer(OK)
    for host in ("localhost", "receiver.localhost"):
        assert isinstance(await client.send(post(there.url(host=host))), Answer)


async def test_names_of_the_hosts_file_are_resolved() -> None:
    resolver = SystemResolver()
    assert "127.0.0.1" in await resolver.resolve("localhost", 80)
    await resolver.close()


async def test_a_refused_connection_names_the_address(client: Client) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    outcome = await client.send(post(f"http://127.0.0.1:{port}/"))
    assert isinstance(outcome, Failure)
    assert (outcome.reason, outcome.detail) == ("connect", f"connection refused by 127.0.0.1:{port}")


async def test_an_address_that_does_not_answer_ends_by_the_deadline(kind: ClientKind) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        async with open_client(kind, Guard(allow_http=True, allow_networks=["127.0.0.0/8"])) as client:
            outcome = await client.send(post(f"http://127.0.0.1:{port}/", timeout=0.3))
        for filler in fillers:
            filler.close()
    assert isinstance(outcome, Failure)
    assert outcome.reason in {"timeout", "connect"}


async def test_a_certificate_of_a_trusted_authority_is_accepted(
    kind: ClientKind, loopback: Guard, peer: StartPeer, authority: Authority
) -> None:
    there = await peer(OK, authority.server("good.example", "127.0.0.1"))
    resolver = Names(good_example=[["127.0.0.1"]])
    async with open_client(kind, loopback, resolver=resolver, ssl_context=authority.trusting) as client:
        for host in ("good.example", "127.0.0.1", "good.example"):
            outcome = await client.send(post(there.url(host=host, scheme="https")))
            assert isinstance(outcome, Answer), outcome
            assert outcome.body == b"ok"
    assert there.connections == 2


@dataclass(frozen=True)
class Shown:
    """What is on a certificate."""

    hosts: tuple[str, ...]
    expired: bool = False
    self_signed: bool = False


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (Shown(("good.example",), expired=True), "expired"),
        (Shown(("good.example",), self_signed=True), "self.signed"),
        (Shown(("other.example", "127.0.0.1")), "good.example"),
    ],
    ids=["expired", "self-signed", "wrong host"],
)
async def test_a_certificate_that_proves_nothing_is_refused(
    kind: ClientKind, loopback: Guard, peer: StartPeer, authority: Authority, shown: Shown, said: str
) -> None:
    tls = authority.server(*shown.hosts, expired=shown.expired, self_signed=shown.self_signed)
    there = await peer(OK, tls)
    resolver = Names(good_example=[["127.0.0.1"]])
    async with open_client(kind, loopback, resolver=resolver, ssl_context=authority.trusting) as client:
        outcome = await client.send(post(there.url(host="good.example", scheme="https")))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "tls"
    assert said.replace(".", " ") in outcome.detail.replace("-", " ").replace(".", " ")
    assert there.requests == []


async def test_an_unknown_authority_is_refused_by_default(
    kind: ClientKind, loopback: Guard, peer: StartPeer, authority: Authority
) -> None:
    there = await peer(OK, authority.server("127.0.0.1"))
    async with open_client(kind, loopback) as client:
        outcome = await client.send(post(there.url(scheme="https")))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "tls"


async def test_a_peer_that_does_not_speak_tls_is_a_failure_of_tls(client: Client, peer: StartPeer) -> None:
    async def script(talk: Talk) -> None:
        await talk.reader.read(100)
        await talk.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    there = await peer(script)
    outcome = await client.send(post(there.url(scheme="https")))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "tls"


async def test_a_peer_that_leaves_during_the_handshake_is_a_failure_of_tls(client: Client, peer: StartPeer) -> None:
    async def script(talk: Talk) -> None:
        await talk.reader.read(100)

    there = await peer(script)
    outcome = await client.send(post(there.url(scheme="https")))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "tls"


async def test_a_handshake_that_stalls_ends_by_the_deadline(client: Client, peer: StartPeer) -> None:
    async def script(talk: Talk) -> None:
        await talk.wait_for_the_end()

    there = await peer(script)
    outcome = await client.send(post(there.url(scheme="https"), timeout=0.3))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "timeout"
