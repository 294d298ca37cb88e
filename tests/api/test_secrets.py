"""Secrets stand sealed at rest, in no log line and in no error."""

from pathlib import Path
from typing import Any

import structlog

from tests.api.asking import bearer
from tests.kit import gateway as kit
from tests.kit import signed
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway

SECRETS = {
    "token": "ghp_Credential0123456789",
    "event.notification.signature.key": "SignatureKey0123456789",
    "event.notification.basic.username": "someone",
    "event.notification.basic.password": "BasicPassword0123456789",
    "event.notification.callback.headers": "X-Api-Key: HeaderValue0123456789",
}
BODY = b'{"action":"opened","issue":{"id":7}}'


async def busy(gateway: Gateway, receiver: Consumer) -> list[str]:
    """Let a gateway do all that touches secrets; the secrets that it knows now."""
    made = await gateway.create("github", receiver.url(), **SECRETS)
    await gateway.send(made["webhookUrl"], BODY, signed.github(made["webhookSecret"], BODY))
    await gateway.send(made["webhookUrl"], BODY, signed.github("wrong", BODY))
    receiver.status = 500
    await gateway.send(made["webhookUrl"], BODY, signed.github(made["webhookSecret"], BODY))
    await receiver.wait(3)
    rotated: dict[str, Any] = {}
    for what in ("webhook-url", "signing-secret", "webhook-secret"):
        rotated |= (await gateway.call("POST", f"/api/v1/instances/{made['id']}/rotate/{what}")).json
    token = await bearer(gateway)
    await gateway.call("PATCH", f"/instances/{made['id']}", json={"configuration": {"token": ["x"], "owner": "!"}})
    await gateway.call("POST", "/instances", json={"element": {"key": "github"}, "configuration": SECRETS})
    shown = [answer[name] for answer in (made, rotated) for name in ("signingSecret", "webhookSecret")]
    urls = [answer["webhookUrl"].rsplit("/", 1)[-1] for answer in (made, rotated)]
    values = [value.split(": ")[-1] for key, value in SECRETS.items() if "username" not in key]
    own = gateway.running.config.bootstrap
    return [
        *values, *shown, *urls, made["token"], token["Authorization"].split()[1], own.user_secret,
        own.organization_secret, own.client_secret, own.admin_password,
    ]  # fmt: skip


async def test_no_secret_stands_in_the_files_of_the_database(tmp_path: Path, receiver: Consumer) -> None:
    folder = tmp_path / "data"
    async with kit.started(kit.settings(folder, "", bootstrap={"admin_password": "a password in words"})) as gateway:
        secrets = await busy(gateway, receiver)
    content = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file() and "secrets" not in path.name)
    assert b"octo" in content
    assert [secret for secret in secrets if secret.encode() in content] == []


async def test_no_secret_stands_in_a_log_line(sqlite_gateway: Gateway, receiver: Consumer) -> None:
    with structlog.testing.capture_logs() as lines:
        secrets = await busy(sqlite_gateway, receiver)
    text = repr(lines)
    assert "event.received" in text
    assert "request.answered" in text
    assert [secret for secret in secrets if secret in text] == []


async def test_no_secret_stands_in_an_error(sqlite_gateway: Gateway) -> None:
    for wrong in ({"owner": "!"}, {"repo": "hello", "nope": 1}, {"event.notification.callback.url": "https://u:pw1@x"}):
        values = {**SECRETS, **wrong}
        answered = await sqlite_gateway.call(
            "POST", "/instances", json={"element": {"key": "github"}, "configuration": values}
        )
        assert answered.status == 400
        for secret in (*SECRETS.values(), "pw1"):
            assert secret.encode() not in answered.body
