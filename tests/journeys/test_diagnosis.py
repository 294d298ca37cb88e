"""Operators learn why a vendor's delivery was refused; the vendor learns nothing."""

import asyncio
import hashlib
import hmac
import json
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from gateway.inbound import refusing
from gateway.inbound.others import others_of
from tests.kit import signed
from tests.kit.gateway import Gateway

BODY = b'{"action": "opened", "issue": {"id": 7}}'
COMPACT = json.dumps(json.loads(BODY), separators=(",", ":")).encode()


def hub(secret: str, body: bytes, name: str = "sha256") -> dict[str, str]:
    made = hmac.new(secret.encode(), body, name).hexdigest()
    return {**signed.github(secret, body), "X-Hub-Signature-256": f"sha256={made}"}


async def rows(gateway: Gateway, number: int) -> list[dict[str, Any]]:
    """The refusals, once there are so many."""
    async with asyncio.timeout(10):
        while True:
            found = await gateway.running.services.runtime.database.all("SELECT * FROM refusals ORDER BY at, id")
            if len(found) >= number:
                return [dict(row) for row in found]
            await asyncio.sleep(0.02)


async def counted(gateway: Gateway) -> dict[str, int]:
    text = (await gateway.call("GET", "/metrics")).body.decode()
    lines = [line for line in text.splitlines() if line.startswith("gateway_inbound_refusals_total{")]
    found = {line.split('"')[1]: int(float(line.rsplit(" ", 1)[1])) for line in lines}
    return {check: number for check, number in found.items() if number}


async def wire(gateway: Gateway, url: str, headers: dict[str, str], body: bytes) -> bytes:
    """The whole answer as it comes over the wire, without the date."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.running.port)
    head = f"POST /{url.split('/', 3)[3]} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
    writer.write((head + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n").encode() + body)
    answered = await reader.read()
    writer.close()
    return b"\r\n".join(line for line in answered.split(b"\r\n") if not line.lower().startswith(b"date:"))


async def test_what_was_found_out_stands_in_the_log_the_metric_and_the_row(gateway: Gateway) -> None:
    made, other = await gateway.create("github"), await gateway.create("github")
    secret, theirs = made["webhookSecret"], other["webhookSecret"]
    sent = {
        "body_reencoded": hub(secret, COMPACT),
        "wrong_algorithm": hub(secret, BODY, "sha512"),
        "other_secret": hub(theirs, BODY),
        "signature_mismatch": hub("nobody's", BODY),
        "missing_header": {"Content-Type": "application/json"},
    }
    with capture_logs() as lines:
        for headers in sent.values():
            assert (await gateway.send(made["webhookUrl"], BODY, headers)).status == 401
        found = await rows(gateway, len(sent))
    assert sorted(row["failed_check"] for row in found) == sorted(sent)
    assert await counted(gateway) == dict.fromkeys(sent, 1)
    told = {line["check"]: line["detail"] for line in lines if line["event"] == "event.refused"}
    assert told == {row["failed_check"]: row["detail"] for row in found}
    assert told["other_secret"] == (
        f"it matches the secret of instance {other['id']}: the vendor sends to the wrong address"
    )
    kept = repr([lines, found])
    signatures = [headers["X-Hub-Signature-256"].partition("=")[2] for headers in sent.values() if len(headers) > 1]
    assert [text for text in (secret, theirs, *signatures) if text in kept] == []


async def test_a_secret_that_a_rotation_ended_is_known_as_one(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    path = f"/api/v1/instances/{made['id']}/rotate/webhook-secret"
    rotated = await sqlite_gateway.call("POST", path, json={"overlap": "50ms"})
    assert rotated.status == 200, rotated.body
    async with asyncio.timeout(10):
        while (await sqlite_gateway.send(made["webhookUrl"], BODY, hub(made["webhookSecret"], BODY))).status == 200:
            pass
    [row] = await rows(sqlite_gateway, 1)
    assert row["failed_check"] == "old_secret"


async def test_the_answer_is_the_same_to_the_byte_whatever_the_cause(sqlite_gateway: Gateway) -> None:
    made, other = await sqlite_gateway.create("github"), await sqlite_gateway.create("github")
    secret = made["webhookSecret"]
    answers = {
        await wire(sqlite_gateway, made["webhookUrl"], headers, BODY)
        for headers in (
            hub(secret, COMPACT),
            hub(secret, BODY, "sha1"),
            hub(other["webhookSecret"], BODY),
            hub(secret + "\n", BODY),
            {**hub(secret, BODY), "X-Hub-Signature-256": hmac.new(secret.encode(), BODY, hashlib.sha256).hexdigest()},
            hub("nobody's", BODY),
            {},
        )
    }
    assert len(answers) == 1
    assert answers.pop().startswith(b"HTTP/1.1 401 ")


async def test_the_answer_does_not_wait_for_what_is_found_out(
    sqlite_gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = asyncio.Event()

    async def held(*arguments: Any) -> Any:
        await released.wait()
        return await others_of(*arguments)

    monkeypatch.setattr("gateway.inbound.refusing.others_of", held)
    made = await sqlite_gateway.create("github")
    wrong = hub("nobody's", BODY)
    async with asyncio.timeout(10), aiohttp.ClientSession() as session:
        for _ in range(refusing.MOST_AT_ONCE + 2):
            async with session.post(made["webhookUrl"], data=BODY, headers=wrong) as answered:
                assert answered.status == 401
    # Those beyond the bound are kept as they are, at once.
    assert len(await rows(sqlite_gateway, 2)) == 2
    released.set()
    assert len(await rows(sqlite_gateway, refusing.MOST_AT_ONCE + 2)) == 10


async def test_a_long_body_is_looked_into_beside_the_loop(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    body = json.dumps({"action": "opened", "issue": {"id": 7}, "text": ["x" * 40] * 3000}).encode()
    compact = json.dumps(json.loads(body), separators=(",", ":")).encode()
    assert len(compact) > refusing.SHORT_BODY
    assert (await sqlite_gateway.send(made["webhookUrl"], body, hub(made["webhookSecret"], compact))).status == 401
    [row] = await rows(sqlite_gateway, 1)
    assert row["failed_check"] == "body_reencoded"
