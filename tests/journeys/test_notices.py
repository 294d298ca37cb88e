"""Deliveries whose proof says less than others': challenges under the signing key, and notices that are all alike."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.kit.gateway import NOWHERE, Gateway, settings, started

SECRET = "test-secret-of-the-app"
FORGED = b'{"for_user_id":"1","tweet_create_events":[{"id_str":"7"}]}'


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with started(settings(tmp_path, "")) as running:
        yield running


async def _x(gateway: Gateway) -> dict[str, Any]:
    return await gateway.create("x", **{"bearer.token": "t", "webhook.secret": SECRET, **NOWHERE})


def _signature(content: bytes) -> str:
    return "sha256=" + base64.b64encode(hmac.digest(SECRET.encode(), content, hashlib.sha256)).decode()


async def test_a_word_is_answered_with_its_keyed_hash(gateway: Gateway) -> None:
    made = await _x(gateway)
    answered = await gateway.call("GET", f"{made['webhookUrl']}?crc_token=a-Word_1", headers={})
    assert (answered.status, answered.json) == (200, {"response_token": _signature(b"a-Word_1")})


async def test_a_challenge_that_could_be_a_delivery_is_not_signed(gateway: Gateway) -> None:
    made = await _x(gateway)
    answered = await gateway.call("GET", f"{made['webhookUrl']}?crc_token={quote(FORGED.decode())}", headers={})
    assert answered.status == 403
    assert _signature(FORGED).encode() not in answered.body


async def test_a_word_that_was_signed_for_anybody_is_no_delivery(gateway: Gateway) -> None:
    made = await _x(gateway)
    headers = {"Content-Type": "text/plain", "x-twitter-webhooks-signature": _signature(b"a-Word_1")}
    assert (await gateway.send(made["webhookUrl"], b"a-Word_1", headers)).status == 400
    real = {"Content-Type": "application/json", "x-twitter-webhooks-signature": _signature(FORGED)}
    assert (await gateway.send(made["webhookUrl"], FORGED, real)).status == 200
    assert (await gateway.ledger())["accepted"] == 1


async def test_equal_notices_of_a_vendor_that_sends_them_all_alike_are_all_stored(gateway: Gateway) -> None:
    values = {
        "access.token": "t",
        "app.secret": SECRET,
        "account.id": "dbid:1",
        "authentication.type": "token",
        **NOWHERE,
    }
    made = await gateway.create("dropbox", **values)
    body = b'{"list_folder":{"accounts":["dbid:1"]}}'
    headers = {
        "Content-Type": "application/json",
        "X-Dropbox-Signature": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
    }
    for _ in range(2):
        assert (await gateway.send(made["webhookUrl"], body, headers)).status == 200
    ledger = await gateway.ledger()
    assert (ledger["accepted"], ledger["duplicate"]) == (2, 0)
