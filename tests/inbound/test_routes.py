"""What a request says about where it went, on the way that aiohttp takes."""

import asyncio
import hashlib
import hmac
from pathlib import Path

import pytest

from tests.kit.gateway import settings, started

HEAD = """
format = 1
key = "addressed"
name = "Addressed"
version = "1.0.0"
description = "A vendor that signs the address it sends to."
docs = "https://example.com"
categories = ["Developer tools"]
ack_deadline = "5s"
[[config]]
key = "webhook.secret"
name = "Secret"
secret = true
generate = true
[auth.none]
type = "none"
[http]
base_url = "https://example.com"
[webhook]
type = "x"
[[webhook.verify]]
scheme = "hmac"
hash = "sha256"
secret = "config:webhook.secret"
signature = "header:x-sig"
encoding = "hex"
signed = "{url}|{raw}"
"""


@pytest.mark.parametrize("written", ["", "http://elsewhere.example", "HTTP://elsewhere.example:1"])
async def test_the_host_that_a_client_writes_into_its_target_means_nothing(written: str, tmp_path: Path) -> None:
    folder = tmp_path / "connectors"
    folder.mkdir()
    (folder / "addressed.toml").write_text(HEAD)
    async with started(settings(tmp_path, "", catalogue={"paths": [str(folder)]})) as gateway:
        made = await gateway.create("addressed")
        url = made["webhookUrl"] + "?a=%2F&b=http://c/d"
        signature = hmac.digest(made["webhookSecret"].encode(), f"{url}|{{}}".encode(), hashlib.sha256).hex()
        path = "/in/" + url.rsplit("/in/", 1)[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.running.port)
        head = f"POST {written}{path} HTTP/1.1\r\nHost: a\r\nX-Sig: {signature}\r\n"
        writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        assert b" 200 " in await reader.readline()
        writer.close()
