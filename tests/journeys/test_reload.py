"""Connector files of the operator come, change, break and go while the gateway runs."""

import asyncio
import hmac
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway import duties
from tests.kit.consumer import Consumer
from tests.kit.gateway import Answered, Gateway, settings, started

TINY = """
format = 1
key = "tiny"
name = "Tiny"
version = "1.0.0"

[[config]]
key = "webhook.secret"
name = "Secret"
secret = true

[webhook]
type = "{body:kind}"

[[webhook.verify]]
scheme = "hmac"
hash = "sha256"
secret = "config:webhook.secret"
signature = "header:x-tiny"
signed = "{raw}"
"""
BODY = b'{"kind":"first","other":"second"}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "connectors"
    found.mkdir()
    return found


@pytest.fixture
async def gateway(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gateway]:
    monkeypatch.setattr(duties, "RELOAD_EVERY_S", 0.05)
    async with started(settings(tmp_path, "", catalogue={"paths": [str(folder)]})) as found:
        yield found


async def metric(gateway: Gateway, name: str) -> int:
    text = (await gateway.call("GET", "/metrics")).body.decode()
    return int(float(next(line for line in text.splitlines() if line.startswith(f"{name} ")).rsplit(" ", 1)[1]))


async def until(gateway: Gateway, name: str, number: int) -> None:
    async with asyncio.timeout(20):
        while True:
            if await metric(gateway, name) == number:
                return
            await asyncio.sleep(0.02)


async def named(gateway: Gateway, key: str, name: str | None) -> None:
    """Wait until the connector is called so; None: until it is gone."""
    async with asyncio.timeout(20):
        while True:
            found = await gateway.call("GET", f"/elements/{key}")
            if (found.status == 404) if name is None else (found.status == 200 and found.json["name"] == name):
                return
            await asyncio.sleep(0.02)


async def send(gateway: Gateway, url: str, body: bytes = BODY) -> Answered:
    return await gateway.send(url, body, {"x-tiny": hmac.digest(b"s", body, "sha256").hex()})


async def made_in(gateway: Gateway, receiver: Consumer) -> str:
    made = await gateway.create("tiny", receiver.url(), **{"webhook.secret": "s"})
    url: str = made["webhookUrl"]
    return url


async def test_a_new_file_is_a_connector_without_a_restart(gateway: Gateway, folder: Path, receiver: Consumer) -> None:
    before = await metric(gateway, "gateway_catalogue_connectors")
    assert (await gateway.call("GET", "/elements/tiny")).status == 404
    (folder / "tiny.toml").write_text(TINY)
    await named(gateway, "tiny", "Tiny")
    assert await metric(gateway, "gateway_catalogue_connectors") == before + 1
    url = await made_in(gateway, receiver)
    assert (await send(gateway, url)).status == 200
    await receiver.wait(1)
    found = (await gateway.call("GET", "/elements/tiny")).json
    assert found["id"] >= 10_000
    assert (await gateway.call("GET", f"/elements/{found['id']}")).json["key"] == "tiny"


async def test_an_edit_changes_how_the_next_delivery_is_read(
    gateway: Gateway, folder: Path, receiver: Consumer
) -> None:
    (folder / "tiny.toml").write_text(TINY)
    await named(gateway, "tiny", "Tiny")
    url = await made_in(gateway, receiver)
    assert (await send(gateway, url)).status == 200
    number = (await gateway.call("GET", "/elements/tiny")).json["id"]
    (folder / "tiny.toml").write_text(TINY.replace("body:kind", "body:other").replace('"Tiny"', '"Tinier"'))
    await named(gateway, "tiny", "Tinier")
    assert (await send(gateway, url, BODY + b" ")).status == 200
    await receiver.wait(2)
    rows = await gateway.running.services.runtime.database.all("SELECT type FROM events ORDER BY id")
    assert [row["type"] for row in rows] == ["first", "second"]
    assert (await gateway.call("GET", "/elements/tiny")).json["id"] == number


async def test_a_broken_edit_is_told_and_the_last_good_one_goes_on(
    gateway: Gateway, folder: Path, receiver: Consumer
) -> None:
    (folder / "tiny.toml").write_text(TINY)
    await named(gateway, "tiny", "Tiny")
    url = await made_in(gateway, receiver)
    with capture_logs() as lines:
        (folder / "tiny.toml").write_text(TINY.replace('hash = "sha256"', 'hash = "sha265"'))
        await until(gateway, "gateway_catalogue_refused", 1)
        await asyncio.sleep(0.3)
    [told] = [line for line in lines if line["event"] == "catalogue.refused"]
    assert told["file"] == str(folder / "tiny.toml")
    assert told["line"] == TINY[: TINY.index("hash =")].count("\n") + 1
    assert told["reason"].startswith(f"{told['line']}: webhook.verify[0].hash: expected one of")
    assert (await send(gateway, url)).status == 200
    await receiver.wait(1)
    (folder / "tiny.toml").write_text(TINY.replace('"Tiny"', '"Mended"'))
    await named(gateway, "tiny", "Mended")
    assert await metric(gateway, "gateway_catalogue_refused") == 0


async def test_a_connector_whose_file_is_gone_is_gone_and_comes_back_with_it(
    gateway: Gateway, folder: Path, receiver: Consumer
) -> None:
    (folder / "tiny.toml").write_text(TINY)
    await named(gateway, "tiny", "Tiny")
    url = await made_in(gateway, receiver)
    with capture_logs() as lines:
        (folder / "tiny.toml").unlink()
        await named(gateway, "tiny", None)
    assert [(line["connector"], line["log_level"]) for line in lines if line["event"] == "catalogue.removed"] == [
        ("tiny", "warning")
    ]
    assert (await send(gateway, url)).status in (404, 503)
    assert (await gateway.call("GET", "/instances")).status == 200
    (folder / "other.toml").write_text(TINY)
    await named(gateway, "tiny", "Tiny")
    assert (await send(gateway, url)).status == 200


async def test_a_shipped_connector_is_back_when_the_operator_s_own_is_gone(gateway: Gateway, folder: Path) -> None:
    (folder / "x.toml").write_text(TINY.replace('"tiny"', '"github"').replace('"Tiny"', '"Our GitHub"'))
    await named(gateway, "github", "Our GitHub")
    (folder / "x.toml").unlink()
    await named(gateway, "github", "GitHub")


async def test_a_number_that_another_connector_has_is_not_given_again(gateway: Gateway, folder: Path) -> None:
    (folder / "tiny.toml").write_text(TINY.replace('key = "tiny"', 'id = 146\nkey = "tiny"'))
    await named(gateway, "tiny", "Tiny")
    assert (await gateway.call("GET", "/elements/146")).json["key"] == "closeio"
    assert (await gateway.call("GET", "/elements/tiny")).json["id"] >= 10_000


async def test_the_loop_goes_on_while_many_files_are_read(gateway: Gateway, folder: Path) -> None:
    before = await metric(gateway, "gateway_catalogue_connectors")
    for n in range(100):
        (folder / f"{n}.toml").write_text(TINY.replace('key = "tiny"', f'key = "tiny{n}"'))
    waits, loop = [], asyncio.get_running_loop()
    async with asyncio.timeout(30):
        while len(gateway.running.services.runtime.catalogue) < before + 100:
            planned = loop.time() + 0.001
            await asyncio.sleep(0.001)
            waits.append(loop.time() - planned)
    waits.sort()
    # A thread that computes gives up the interpreter every 5 ms; reading all of them takes far longer.
    assert waits[len(waits) * 95 // 100] < 0.03, waits[-5:]
