"""A vendor's public key on the road of a delivery: fetched once, and nothing decided while it cannot be had."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from tests.egress.certificates import Authority, trusted_by_default
from tests.kit.gateway import Gateway, settings, started

CONNECTOR = """
format = 1
key = "tokens"
name = "Tokens"
version = "1.0.0"
ack_deadline = "1s"
[auth.none]
type = "none"
[http]
base_url = "https://vendor.example"
[webhook]
type = "{body:type}"
[[webhook.verify]]
scheme = "jwt"
token = "header:x-token"
algorithms = ["ES256"]
jwks_url = "https://localhost:PORT/keys"
"""


class Vendor:
    """Publishes a key, and makes tokens with it."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.asked = 0
        self.status = 200
        self.silent = False

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        if self.silent:
            await asyncio.sleep(60)
        key = json.loads(ECAlgorithm.to_jwk(self.key.public_key())) | {"kid": "k", "use": "sig", "alg": "ES256"}
        return web.json_response({"keys": [key]}, status=self.status)

    def token(self) -> str:
        claims = {"iat": int(time.time()), "exp": int(time.time()) + 60}
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": "k"})


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with trusted_by_default(tmp_path_factory.mktemp("authority")) as found:
        yield found


@pytest.fixture
async def vendor(authority: Authority, tmp_path: Path) -> AsyncIterator[Vendor]:
    found = Vendor()
    app = web.Application()
    app.router.add_get("/keys", found.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "localhost", 0, ssl_context=authority.server("localhost")).start()
    folder = tmp_path / "connectors"
    folder.mkdir()
    (folder / "tokens.toml").write_text(CONNECTOR.replace("PORT", str(runner.addresses[0][1])))
    yield found
    await runner.cleanup()


@pytest.fixture
async def gateway(vendor: Vendor, tmp_path: Path) -> AsyncIterator[Gateway]:
    del vendor
    async with started(settings(tmp_path, "", catalogue={"paths": [str(tmp_path / "connectors")]})) as found:
        yield found


async def statuses(gateway: Gateway, vendor: Vendor, times: int = 1, token: str | None = None) -> list[int]:
    made = await gateway.create("tokens")
    headers = {"x-token": token or vendor.token(), "Content-Type": "application/json"}
    sent = [gateway.send(made["webhookUrl"], b'{"type":"%d"}' % number, headers) for number in range(times)]
    return [answered.status for answered in await asyncio.gather(*sent)]


async def counted(gateway: Gateway) -> tuple[int, int, int]:
    await asyncio.sleep(0.1)
    ledger = await gateway.ledger()
    return ledger["received"], ledger["accepted"], ledger["refused"]


async def test_a_key_is_fetched_when_the_first_delivery_needs_it_and_once_for_many(
    gateway: Gateway, vendor: Vendor
) -> None:
    assert await statuses(gateway, vendor, 20) == [200] * 20
    assert await statuses(gateway, vendor) == [200]
    assert vendor.asked == 1
    assert await counted(gateway) == (21, 21, 0)


async def test_a_forged_token_is_401_with_the_vendors_key(gateway: Gateway, vendor: Vendor) -> None:
    assert await statuses(gateway, vendor, token=Vendor().token()) == [401]
    assert await counted(gateway) == (1, 0, 1)


async def test_an_outage_of_the_vendors_keys_decides_nothing(gateway: Gateway, vendor: Vendor) -> None:
    vendor.status = 500
    assert await statuses(gateway, vendor, 3) == [503] * 3
    assert await counted(gateway) == (0, 0, 0)


async def test_a_refused_key_is_401_and_kept(gateway: Gateway, vendor: Vendor) -> None:
    vendor.status = 404
    assert await statuses(gateway, vendor) == [401]
    assert await counted(gateway) == (1, 0, 1)
    rows = await gateway.running.services.runtime.database.all("SELECT failed_check FROM refusals")
    assert [row["failed_check"] for row in rows] == ["key_unavailable"]


async def test_a_silent_key_server_does_not_outlast_the_vendors_patience(gateway: Gateway, vendor: Vendor) -> None:
    vendor.silent = True
    began = time.monotonic()
    assert await statuses(gateway, vendor) == [503]
    assert time.monotonic() - began < 3
    assert await counted(gateway) == (0, 0, 0)
