"""The keys that vendors publish, fetched over real TLS: once, from where they may lie, and never from elsewhere."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.egress.guard import Guard
from gateway.egress.model import Answer, Client, Failure, Request
from gateway.egress.open import open_client
from gateway.proofs import keys as bounds
from gateway.proofs.keys import KeyStore, Outage
from gateway.proofs.proof import KeySource, Rejected
from tests.egress.certificates import Authority
from tests.egress.peer import Names, Peer, Script, Talk
from tests.proofs.signers import EC, RSA, jwk, jwks
from tests.proofs.signers import Authority as Vendor

HOST = "keys.vendor.example"
SET = jwks(jwk(EC, "k1"), jwk(RSA, "k2"))
CERTIFICATE = Vendor().signing(RSA)


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Site:
    """A vendor's address, and a store that asks it."""

    def __init__(self, peer: Peer, client: Client, clock: Clock) -> None:
        self.peer = peer
        self.clock = clock
        self.store = KeyStore(client, clock)
        self.answer: bytes | Script = _said(200, SET)
        self.arrived = asyncio.Semaphore(0)

    def source(self, path: str = "/jwks", key_id: str | None = None, host: str = HOST) -> KeySource:
        place = f"{host}:{self.peer.port}"
        return KeySource("jwks", f"https://{place}{path}", (place,), key_id)

    def certificate(self, path: str = "/cert.pem") -> KeySource:
        place = f"{HOST}:{self.peer.port}"
        return KeySource("certificate", f"https://{place}{path}", (place,))

    @property
    def asked(self) -> list[bytes]:
        return [request.split(b" ")[1] for request in self.peer.requests]


def _said(status: int, text: str | bytes, *headers: str) -> bytes:
    body = text if isinstance(text, bytes) else text.encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
async def site(authority: Authority) -> AsyncIterator[Site]:
    peer = Peer()

    async def answer(talk: Talk) -> None:
        while True:
            peer.requests.append(await talk.request())
            made.arrived.release()
            if isinstance(made.answer, bytes):
                await talk.say(made.answer)
            else:
                await made.answer(talk)

    await peer.start(answer, authority.server(HOST))
    guard = Guard(allow_http=True, allow_networks=["127.0.0.0/8"])
    names = Names(keys_vendor_example=[["127.0.0.1"]], other_vendor_example=[["127.0.0.1"]])
    async with open_client("lean", guard, ssl_context=authority.trusting, resolver=names) as client:
        made = Site(peer, client, Clock())
        yield made
        await made.store.close()
    await peer.stop()


async def test_a_key_is_fetched_once_and_known_for_an_hour(site: Site) -> None:
    source = site.source()
    assert site.store.known(source) is None
    assert await site.store.fetch(source) is None
    assert site.store.known(source) == SET.encode()
    site.clock.now += bounds.FRESH_S - 1
    assert site.store.known(source) == SET.encode()
    site.clock.now += 1
    assert site.store.known(source) is None
    site.answer = _said(200, '{"keys": []}')
    assert await site.store.fetch(source) is None
    assert site.store.known(source) == b'{"keys": []}'
    assert site.asked == [b"/jwks", b"/jwks"]


async def test_a_certificate_is_fetched_too(site: Site) -> None:
    site.answer = _said(200, CERTIFICATE)
    assert await site.store.fetch(site.certificate()) is None
    assert site.store.known(site.certificate()) == CERTIFICATE
    assert site.store.known(site.certificate("/other.pem")) is None


async def test_many_that_wait_ask_once(site: Site) -> None:
    go = asyncio.Event()

    async def slowly(talk: Talk) -> None:
        await go.wait()
        await talk.say(_said(200, SET))

    site.answer = slowly
    waiting = [asyncio.create_task(site.store.fetch(site.source())) for _ in range(20)]
    await site.arrived.acquire()
    waiting[0].cancel()  # one of them goes away; the others still get their key
    go.set()
    assert await asyncio.gather(*waiting[1:]) == [None] * 19
    assert len(site.peer.requests) == 1


async def test_a_failure_is_remembered_for_a_moment(site: Site) -> None:
    site.answer = _said(503, "")
    outage = Outage("the address of the key answered 503")
    for _ in range(3):
        assert await site.store.fetch(site.source()) == outage
    assert len(site.peer.requests) == 1
    site.answer = _said(200, SET)
    site.clock.now += bounds.FAILED_S
    assert await site.store.fetch(site.source()) is None
    assert len(site.peer.requests) == 2


async def test_while_an_address_is_down_its_last_answer_counts_for_a_day(site: Site) -> None:
    source = site.source()
    await site.store.fetch(source)
    site.clock.now += bounds.FRESH_S
    site.answer = _said(500, "")
    assert site.store.known(source) is None
    assert await site.store.fetch(source) is None
    assert site.store.known(source) == SET.encode()
    site.clock.now += bounds.FAILED_S
    assert site.store.known(source) is None
    site.clock.now += bounds.USABLE_S
    assert await site.store.fetch(source) == Outage("the address of the key answered 500")
    assert site.store.known(source) is None


async def test_an_unknown_id_asks_again_at_most_once_a_minute(site: Site) -> None:
    known, unknown = site.source(key_id="k1"), site.source(key_id="k3")
    await site.store.fetch(unknown)
    assert site.store.known(unknown) == SET.encode()
    site.clock.now += bounds.ANOTHER_KEY_S
    assert site.store.known(known) == SET.encode()
    assert site.store.known(unknown) is None
    assert await site.store.fetch(unknown) is None
    assert site.store.known(unknown) == SET.encode()
    assert len(site.peer.requests) == 2
    site.clock.now += bounds.ANOTHER_KEY_S
    site.answer = _said(200, jwks(jwk(EC, "k3")))
    assert await site.store.fetch(unknown) is None
    site.clock.now += bounds.ANOTHER_KEY_S
    assert site.store.known(unknown) is not None


async def test_an_unknown_id_is_an_outage_while_nobody_can_be_asked(site: Site) -> None:
    await site.store.fetch(site.source())
    site.clock.now += bounds.ANOTHER_KEY_S
    site.answer = _said(502, "")
    assert isinstance(await site.store.fetch(site.source(key_id="k3")), Outage)
    assert site.store.known(site.source(key_id="k3")) is None
    assert site.store.known(site.source(key_id="k1")) == SET.encode()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (_said(301, "", "Location: https://evil.example/"), "the address of the key answered 301"),
        (_said(307, "", "Location: /elsewhere"), "the address of the key answered 307"),
        (_said(404, ""), "the address of the key answered 404"),
        (_said(204, ""), "the address of the key answered 204"),
        (_said(200, ""), "what the address answered is no key"),
        (_said(200, "<html>"), "what the address answered is no key"),
        (_said(200, "7"), "what the address answered is no key"),
        (_said(200, " " * (256 << 10) + SET), "the answer is larger than 262144 bytes"),
    ],
)
async def test_what_an_address_answers_otherwise_is_a_refusal(answer: bytes, expected: str, site: Site) -> None:
    site.answer = answer
    assert await site.store.fetch(site.source()) == Rejected("key_unavailable", expected)
    assert site.store.known(site.source()) is None
    assert len(site.peer.requests) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_an_address_that_asks_for_patience_is_an_outage(status: int, site: Site) -> None:
    site.answer = _said(status, "")
    assert isinstance(await site.store.fetch(site.source()), Outage)


async def test_an_address_that_hangs_up_or_shows_another_s_certificate_is_an_outage(site: Site) -> None:
    async def hang_up(talk: Talk) -> None:
        talk.writer.transport.abort()

    site.answer = hang_up
    assert await site.store.fetch(site.source()) == Outage("the key could not be fetched: reset")
    other = site.source(host="other.vendor.example")
    assert await site.store.fetch(other) == Outage("the key could not be fetched: tls")
    nobody = site.source(host="nobody.vendor.example")
    assert await site.store.fetch(nobody) == Outage("the key could not be fetched: dns")


async def test_a_forbidden_address_is_never_called(authority: Authority) -> None:
    peer = await Peer().start(_said(200, SET), authority.server(HOST))
    names = Names(keys_vendor_example=[["127.0.0.1"]])
    guard = Guard(allow_http=True, allow_networks=[])
    async with open_client("lean", guard, ssl_context=authority.trusting, resolver=names) as client:
        place = f"{HOST}:{peer.port}"
        store = KeyStore(client)
        refused = await store.fetch(KeySource("jwks", f"https://{place}/", (place,)))
    assert refused == Rejected("key_unavailable", "the address of the key may not be called: forbidden_address")
    assert peer.connections == 0
    await peer.stop()


async def test_what_is_not_on_its_host_or_not_https_is_never_called(site: Site) -> None:
    place = f"{HOST}:{site.peer.port}"
    for url in (f"http://{place}/", f"https://u@{place}/", f"https://{HOST}/", "https://evil.example/", "x"):
        refused = await site.store.fetch(KeySource("jwks", url, (place,)))
        assert isinstance(refused, Rejected)
        assert refused.check == "key_unavailable"
    assert site.peer.connections == 0


async def test_a_key_of_a_method_is_not_available(site: Site) -> None:
    refused = await site.store.fetch(KeySource("method", "key_get:k1"))
    assert isinstance(refused, Rejected)
    assert refused.check == "key_unavailable"


async def test_new_addresses_are_few_in_a_minute_and_known_ones_are_free(site: Site) -> None:
    for number in range(bounds.MAX_NEW_A_MINUTE):
        assert await site.store.fetch(site.source(f"/{number}")) is None
    assert isinstance(await site.store.fetch(site.source("/more")), Outage)
    assert len(site.peer.requests) == bounds.MAX_NEW_A_MINUTE
    site.clock.now += 60
    assert await site.store.fetch(site.source("/more")) is None
    site.clock.now += bounds.FRESH_S
    assert await site.store.fetch(site.source("/0")) is None


async def test_only_some_are_asked_at_once(site: Site) -> None:
    go = asyncio.Event()

    async def slowly(talk: Talk) -> None:
        await go.wait()
        await talk.say(_said(200, SET))

    site.answer = slowly
    waiting = [asyncio.create_task(site.store.fetch(site.source(f"/{n}"))) for n in range(bounds.MAX_AT_ONCE + 3)]
    for _ in range(bounds.MAX_AT_ONCE):
        await site.arrived.acquire()
    for _ in range(200):
        await asyncio.sleep(0)
    assert len(site.peer.requests) == bounds.MAX_AT_ONCE
    go.set()
    assert await asyncio.gather(*waiting) == [None] * len(waiting)


class Endless:
    """A client whose every address answers a large set of keys."""

    def __init__(self, size: int) -> None:
        self.body = b"[" + b" " * size + b"]"

    async def send(self, request: Request) -> Answer | Failure:
        assert request.timeout == bounds.TIMEOUT_S
        return Answer(status=200, headers=(), body=self.body, truncated=False, connect_ms=0, total_ms=0)

    async def close(self) -> None: ...


@pytest.mark.parametrize(("size", "kept"), [(10, bounds.MAX_KEPT), (1 << 20, 31)])
async def test_what_is_kept_is_bounded_and_the_least_used_goes_first(size: int, kept: int) -> None:
    clock = Clock()
    store = KeyStore(Endless(size), clock)
    sources = [KeySource("jwks", f"https://a.example/{number}", ("a.example",)) for number in range(kept + 5)]
    for source in sources:
        clock.now += 1.01
        assert await store.fetch(source) is None
        store.known(sources[0])
    known = [source for source in sources if _is_kept(store, source)]
    assert len(known) == kept
    assert sources[0] in known
    assert sources[1] not in known


def _is_kept(store: KeyStore, source: KeySource) -> bool:
    return (source.kind, source.where, source.hosts) in store._kept


async def test_closing_asks_nobody_any_more(site: Site) -> None:
    async def never(talk: Talk) -> None:
        await talk.wait_for_the_end()

    site.answer = never
    waiting = asyncio.create_task(site.store.fetch(site.source()))
    await site.arrived.acquire()
    await site.store.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


def test_a_store_is_made_without_a_loop() -> None:
    assert KeyStore(Endless(1)).known(KeySource("jwks", "https://a.example/", ("a.example",))) is None
