"""Both clients, and the peers and certificates that they meet."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable

import pytest
import uvloop

from gateway.egress.guard import Guard
from gateway.egress.model import Client, StreamingClient
from gateway.egress.open import ClientKind, open_client, open_streaming_client
from tests.egress.certificates import Authority
from tests.egress.peer import Peer, Script, StartPeer


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The gateway runs on uvloop where there is one; what depends on the loop is tested on both."""
    on_both = item.path.stem in {
        "test_dialling",
        "test_pool",
        "test_streaming",
        "test_streams_and_peers",
        "test_uploads",
    }
    return {"asyncio": asyncio.new_event_loop} | ({"uvloop": uvloop.new_event_loop} if on_both else {})


@pytest.fixture
async def peer() -> AsyncIterator[StartPeer]:
    peers: list[Peer] = []

    async def start(script: Script | bytes, tls: ssl.SSLContext | None = None) -> Peer:
        peers.append(await Peer().start(script, tls))
        return peers[-1]

    yield start
    for each in peers:
        await each.stop()


@pytest.fixture(params=["lean", "aiohttp"])
def kind(request: pytest.FixtureRequest) -> ClientKind:
    wanted: ClientKind = request.param
    return wanted


@pytest.fixture
def loopback() -> Guard:
    return Guard(allow_http=True, allow_networks=["127.0.0.0/8"])


@pytest.fixture
async def client(kind: ClientKind, loopback: Guard) -> AsyncIterator[Client]:
    async with open_client(kind, loopback) as opened:
        yield opened


@pytest.fixture
async def streams(kind: ClientKind, loopback: Guard) -> AsyncIterator[StreamingClient]:
    async with open_streaming_client(loopback, kind=kind) as opened:
        yield opened


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))
