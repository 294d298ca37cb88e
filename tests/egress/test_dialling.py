"""Names, addresses and certificates: nothing is dialled that the guard has not seen, and each failure has its word."""

import asyncio
import socket

import pytest

from gateway.egress.guard import Guard
from gateway.egress.model import Answer, Failure
from gateway.egress.open import open_client
from gateway.egress.resolve import SystemResolver

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
PLAIN = Guard(allow_http=True, allow_networks=[])


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "[::1]", "localhost"])
async def test_a_url_that_is_this_machine_is_refused_without_a_connection(kind, peer, post, host):
    there = await peer(OK)
    async with open_client(kind, PLAIN) as client:
        outcome = await client.send(post(there.url(host=host)))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "forbidden_address"
    assert "allow_networks" in outcome.detail
    assert there.connections == 0


async def test_a_url_of_another_scheme_is_refused(kind, loopback, post):
    async with open_client(kind, loopback) as client:
        outcome = await client.send(post("file:///etc/passwd"))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "invalid_url"


@pytest.mark.parametrize(
    "answer",
    [["127.0.0.1"], ["::ffff:127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["fe80::1%1"], ["junk"]],
    ids=str,
)
async def test_a_name_with_a_forbidden_address_is_refused_whole(kind, peer, post, names, answer):
    there = await peer(OK)
    async with open_client(kind, PLAIN, resolver=names(inner_example=[answer])) as client:
        outcome = await client.send(post(there.url(host="inner.example")))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "forbidden_address", outcome
    assert "inner.example" in outcome.detail
    assert there.connections == 0


async def test_a_name_that_turns_to_another_address_is_judged_at_every_connection(kind, peer, post, names):
    there = await peer(CLOSING)
    guard = Guard(allow_http=True, allow_networks=["127.0.0.1/32"])
    resolver = names(turning_example=[["127.0.0.1"], ["127.0.0.2"]])
    async with open_client(kind, guard, resolver=resolver) as client:
        first = await client.send(post(there.url(host="turning.example")))
        second = await client.send(post(there.url(host="turning.example")))
    assert isinstance(first, Answer)
    assert isinstance(second, Failure)
    assert second.reason == "forbidden_address"
    assert "127.0.0.2 of turning.example" in second.detail
    assert there.connections == 1


async def test_the_name_stands_in_the_host_header_and_not_the_address(kind, loopback, peer, post, names):
    there = await peer(OK)
    async with open_client(kind, loopback, resolver=names(good_example=[["127.0.0.1"]])) as client:
        assert isinstance(await client.send(post(there.url(host="GOOD.example."))), Answer)
    assert f"host: good.example:{there.port}".encode() in there.requests[0].lower()


async def test_the_next_address_is_tried_when_one_refuses(kind, loopback, peer, post, names):
    there = await peer(OK)
    async with open_client(kind, loopback, resolver=names(two_example=[["127.0.0.9", "127.0.0.1"]])) as client:
        assert isinstance(await client.send(post(there.url(host="two.example"))), Answer)


async def test_a_name_that_cannot_be_resolved_is_a_failure_of_dns(kind, loopback, post, names):
    async with open_client(kind, loopback, resolver=names(empty_example=[[]])) as client:
        for host in ("nowhere.example", "empty.example"):
            outcome = await client.send(post(f"http://{host}/"))
            assert isinstance(outcome, Failure)
            assert outcome.reason == "dns"
            assert host in outcome.detail


async def test_a_resolver_that_hangs_ends_by_the_deadline(kind, loopback, post):
    class Hanging:
        async def resolve(self, host: str, port: int) -> list[str]:
            await asyncio.sleep(60)
            return [host, str(port)]

    async with open_client(kind, loopback, resolver=Hanging()) as client:
        outcome = await client.send(post("http://slow.example/", timeout=0.2))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "timeout"
    assert outcome.connect_ms > 100


async def test_localhost_is_the_loopback_address_that_is_permitted(client, peer, post):
    there = await peer(OK)
    for host in ("localhost", "receiver.localhost"):
        assert isinstance(await client.send(post(there.url(host=host))), Answer)


async def test_names_of_the_hosts_file_are_resolved():
    resolver = SystemResolver()
    assert "127.0.0.1" in await resolver.resolve("localhost", 80)
    await resolver.close()


async def test_a_refused_connection_names_the_address(client, post):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    outcome = await client.send(post(f"http://127.0.0.1:{port}/"))
    assert isinstance(outcome, Failure)
    assert (outcome.reason, outcome.detail) == ("connect", f"connection refused by 127.0.0.1:{port}")


async def test_an_address_that_does_not_answer_ends_by_the_deadline(kind, post):
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


async def test_a_certificate_of_a_trusted_authority_is_accepted(kind, loopback, peer, post, names, authority):
    there = await peer(OK, authority.server("good.example", "127.0.0.1"))
    resolver = names(good_example=[["127.0.0.1"]])
    async with open_client(kind, loopback, resolver=resolver, ssl_context=authority.trusting) as client:
        for host in ("good.example", "127.0.0.1", "good.example"):
            outcome = await client.send(post(there.url(host=host, scheme="https")))
            assert isinstance(outcome, Answer), outcome
            assert outcome.body == b"ok"
    assert there.connections == 2


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ({"hosts": ["good.example"], "expired": True}, "expired"),
        ({"hosts": ["good.example"], "self_signed": True}, "self.signed"),
        ({"hosts": ["other.example", "127.0.0.1"]}, "good.example"),
    ],
    ids=["expired", "self-signed", "wrong host"],
)
async def test_a_certificate_that_proves_nothing_is_refused(kind, loopback, peer, post, names, authority, shown, said):
    hosts = shown.pop("hosts")
    there = await peer(OK, authority.server(*hosts, **shown))
    resolver = names(good_example=[["127.0.0.1"]])
    async with open_client(kind, loopback, resolver=resolver, ssl_context=authority.trusting) as client:
        outcome = await client.send(post(there.url(host="good.example", scheme="https")))
    shown["hosts"] = hosts
    assert isinstance(outcome, Failure)
    assert outcome.reason == "tls"
    assert said.replace(".", " ") in outcome.detail.replace("-", " ").replace(".", " ")
    assert there.requests == []


async def test_an_unknown_authority_is_refused_by_default(kind, loopback, peer, post, authority):
    there = await peer(OK, authority.server("127.0.0.1"))
    async with open_client(kind, loopback) as client:
        outcome = await client.send(post(there.url(scheme="https")))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "tls"


async def test_a_peer_that_does_not_speak_tls_is_a_failure_of_tls(client, peer, post):
    async def script(talk):
        await talk.reader.read(100)
        await talk.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    there = await peer(script)
    outcome = await client.send(post(there.url(scheme="https")))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "tls"


async def test_a_peer_that_leaves_during_the_handshake_is_a_failure_of_tls(client, peer, post):
    async def script(talk):
        await talk.reader.read(100)

    there = await peer(script)
    outcome = await client.send(post(there.url(scheme="https")))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "tls"


async def test_a_handshake_that_stalls_ends_by_the_deadline(client, peer, post):
    async def script(talk):
        await talk.wait_for_the_end()

    there = await peer(script)
    outcome = await client.send(post(there.url(scheme="https"), timeout=0.3))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "timeout"
