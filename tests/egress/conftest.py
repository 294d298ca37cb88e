"""A peer on the loopback that behaves as badly as a script tells it to, and the certificates it may show."""

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.egress.guard import Guard
from gateway.egress.model import Client, Request
from gateway.egress.open import open_client


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The gateway runs on uvloop where there is one; what depends on the loop is tested on both."""
    on_both = item.path.name in {"test_dialling.py", "test_pool.py"}
    return {"asyncio": asyncio.new_event_loop} | ({"uvloop": uvloop.new_event_loop} if on_both else {})


class Talk:
    """One connection, seen from the peer's side."""

    def __init__(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.number = number
        self.reader = reader
        self.writer = writer

    async def request(self) -> bytes:
        """The next request, head and body."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line[15:])
        return head + await self.reader.readexactly(length)

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def wait_for_the_end(self) -> None:
        """Until the client has let go."""
        while await self.reader.read(65536):
            pass


Script = Callable[[Talk], Awaitable[None]]


class Peer:
    """A raw server; counts connections and keeps the requests that its script has read."""

    def __init__(self) -> None:
        self.connections = 0
        self.ended = 0
        self.requests: list[bytes] = []
        self.port = 0
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self, script: Script | bytes, tls: ssl.SSLContext | None = None) -> "Peer":
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            task = asyncio.current_task()
            assert task is not None
            self._talks.add(task)
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._run(script, Talk(self.connections, reader, writer))
            self.ended += 1
            self._talks.discard(task)
            writer.transport.abort()

        self._tls = tls is not None
        self._server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _run(self, script: Script | bytes, talk: Talk) -> None:
        if not isinstance(script, bytes):
            await script(talk)
            return
        while True:
            self.requests.append(await talk.request())
            await talk.say(script)

    async def stop(self) -> None:
        self._server.close()
        for task in tuple(self._talks):
            task.cancel()
        await asyncio.gather(*self._talks)
        await asyncio.sleep(0.05 if self._tls else 0.005)  # a handshake cut short is noticed late

    def url(self, path: str = "/hook", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


class Names:
    """A resolver that answers from a table; a list of lists is answered in turn."""

    def __init__(self, **table: Sequence[Sequence[str]]) -> None:
        self.table = {name.replace("_", "."): list(answers) for name, answers in table.items()}
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        assert port > 0
        self.asked.append(host)
        if host not in self.table:
            raise OSError("no such name")
        answers = self.table[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
async def peer() -> AsyncIterator[Callable[..., Awaitable[Peer]]]:
    peers = []

    async def start(script: Script | bytes, tls: ssl.SSLContext | None = None) -> Peer:
        peers.append(await Peer().start(script, tls))
        return peers[-1]

    yield start
    for each in peers:
        await each.stop()


@pytest.fixture
def post() -> Callable[..., Request]:
    """Makes a request with what a test does not care about filled in."""

    def make(url: str, **changed: object) -> Request:
        given = {"method": "POST", "headers": (), "body": b'{"a":1}', "timeout": 5.0, **changed}
        return Request(url=url, **given)

    return make


@pytest.fixture
def names() -> type[Names]:
    return Names


@pytest.fixture(params=["lean", "aiohttp"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def loopback() -> Guard:
    return Guard(allow_http=True, allow_networks=["127.0.0.0/8"])


@pytest.fixture
async def client(kind, loopback) -> AsyncIterator[Client]:
    async with open_client(kind, loopback) as opened:
        yield opened


class Authority:
    """A certificate authority that lives for one test session."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test Authority")])
        self._certificate = self._sign(self._name, self._key, self._name, self._key, 0, [], ca=True)
        self.trusting = ssl.create_default_context(cadata=self._pem(self._certificate).decode())

    def server(self, *hosts: str, expired: bool = False, self_signed: bool = False) -> ssl.SSLContext:
        """The context of a server that shows a certificate for these hosts."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
        issuer, issuer_key = (name, key) if self_signed else (self._name, self._key)
        certificate = self._sign(name, key, issuer, issuer_key, 30 if expired else 0, hosts, ca=False)
        path = self._folder / f"{certificate.serial_number}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(private + self._pem(certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    @staticmethod
    def _pem(certificate: x509.Certificate) -> bytes:
        return certificate.public_bytes(serialization.Encoding.PEM)

    @staticmethod
    def _sign(subject, key, issuer, issuer_key, days_ago: int, hosts: Sequence[str], *, ca: bool) -> x509.Certificate:
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1 - days_ago)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - datetime.timedelta(days=10))
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
            .add_extension(_usage(ca), critical=True)
        )
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName([_general(host) for host in hosts]), False)
        return builder.sign(issuer_key, hashes.SHA256())


def _usage(ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _general(host: str) -> x509.GeneralName:
    if host[0].isdigit():
        return x509.IPAddress(ipaddress.ip_address(host))
    return x509.DNSName(host)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))
