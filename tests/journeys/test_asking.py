"""Proofs that need a call: a key that only a method tells, and an object that the vendor is asked about again."""

import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec

from tests.kit.gateway import Gateway, settings, started

BODY = b'{"webhook_type":"TRANSACTIONS","webhook_code":"SYNC_UPDATES_AVAILABLE","item_id":"item-1"}'


class Vendor:
    """Plaid's key endpoint and Mollie's payments, on one address."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.asked: list[str] = []
        self.payment: dict[str, Any] | None = None
        self.down = False
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if self.down:
            return web.Response(status=503)
        if request.path.endswith("/webhook_verification_key/get"):
            wanted = json.loads(await request.read())["key_id"]
            if wanted != "kid-1":
                return web.json_response({"error_code": "INVALID_INPUT"}, status=400)
            return web.json_response({"key": {**_jwk(self.key), "kid": "kid-1"}})
        if "/payments/" in request.path:
            return web.json_response(self.payment) if self.payment else web.Response(status=404)
        return web.json_response({})


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    there = Vendor()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", there.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    there.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield there
    await runner.cleanup()


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with started(settings(tmp_path, "")) as running:
        yield running


def _jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    x, y = (base64.urlsafe_b64encode(n.to_bytes(32, "big")).decode().rstrip("=") for n in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "x": x, "y": y}


def _signed(key: ec.EllipticCurvePrivateKey, body: bytes, key_id: str = "kid-1") -> dict[str, str]:
    claims = {"iat": int(time.time()), "request_body_sha256": hashlib.sha256(body).hexdigest()}
    token = jwt.encode(claims, key, "ES256", headers={"kid": key_id})
    return {"Content-Type": "application/json", "Plaid-Verification": token}


async def _plaid(gateway: Gateway, vendor: Vendor) -> dict[str, Any]:
    return await gateway.create("plaid", **{"client.id": "c", "secret": "s", "base.url": vendor.url})


async def test_a_key_that_a_method_tells_is_asked_for_once(gateway: Gateway, vendor: Vendor) -> None:
    made = await _plaid(gateway, vendor)
    vendor.asked.clear()
    for number in range(3):
        body = BODY.replace(b"item-1", b"item-%d" % number)
        assert (await gateway.send(made["webhookUrl"], body, _signed(vendor.key, body))).status == 200
    assert vendor.asked == ["/webhook_verification_key/get"]


async def test_another_key_another_body_and_an_unknown_key_are_401(gateway: Gateway, vendor: Vendor) -> None:
    made = await _plaid(gateway, vendor)
    forged = _signed(ec.generate_private_key(ec.SECP256R1()), BODY)
    assert (await gateway.send(made["webhookUrl"], BODY, forged)).status == 401
    assert (await gateway.send(made["webhookUrl"], BODY + b" ", _signed(vendor.key, BODY))).status == 401
    assert (await gateway.send(made["webhookUrl"], BODY, _signed(vendor.key, BODY, "kid-2"))).status == 401


async def test_a_key_of_one_instance_proves_nothing_to_another(gateway: Gateway, vendor: Vendor) -> None:
    made = await _plaid(gateway, vendor)
    assert (await gateway.send(made["webhookUrl"], BODY, _signed(vendor.key, BODY))).status == 200
    other = Vendor()
    elsewhere = await gateway.create("plaid", **{"client.id": "c", "secret": "s", "base.url": "http://127.0.0.1:9"})
    assert (await gateway.send(elsewhere["webhookUrl"], BODY, _signed(vendor.key, BODY))).status == 503
    assert (await gateway.send(made["webhookUrl"], BODY, _signed(other.key, BODY))).status == 401


async def test_while_the_vendor_cannot_be_asked_it_shall_send_again(gateway: Gateway, vendor: Vendor) -> None:
    made = await _plaid(gateway, vendor)
    vendor.down = True
    answered = await gateway.send(made["webhookUrl"], BODY, _signed(vendor.key, BODY))
    assert answered.status == 503
    assert int(answered.headers["Retry-After"]) >= 1


async def test_what_counts_is_what_the_vendor_says_of_its_object(gateway: Gateway, vendor: Vendor) -> None:
    made = await gateway.create("mollie", **{"api.key": "k", "base.url": vendor.url})
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await gateway.send(made["webhookUrl"], b"id=tr_1", form)).status == 401
    vendor.payment = {"resource": "payment", "id": "tr_1", "status": "paid", "createdAt": "2026-03-20T09:13:37Z"}
    assert (await gateway.send(made["webhookUrl"], b"id=tr_1&status=failed", form)).status == 200
    assert (await gateway.send(made["webhookUrl"], b"id=tr_1", form)).status == 200
    vendor.payment["status"] = "refunded"
    assert (await gateway.send(made["webhookUrl"], b"id=tr_1", form)).status == 200
    listed = (await gateway.call("GET", f"/instances/{made['id']}/events")).json
    assert len(listed) == 2
    ledger = await gateway.ledger()
    assert (ledger["accepted"], ledger["duplicate"], ledger["refused"]) == (2, 1, 1)
