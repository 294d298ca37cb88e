"""Secrets in places where people look who may not know them, and failures that callers can bring about."""

import asyncio
import logging
from pathlib import Path

import pytest

from gateway import seal
from gateway.errors import StartRefused
from gateway.storage.postgres import open_postgres
from tests.kit import command
from tests.kit.gateway import Gateway, settings, started


@pytest.mark.parametrize(
    "request_head",
    [
        b"GET /instances HTTP/1.1\r\nHost: a\r\nAuthorization: User hush-hush\x00\r\n\r\n",
        b"POST /in/hush-hush HTTP/9.9\r\n\r\n",
    ],
)
async def test_what_a_malformed_request_says_is_not_logged(
    sqlite_gateway: Gateway, caplog: pytest.LogCaptureFixture, request_head: bytes
) -> None:
    with caplog.at_level(logging.WARNING):
        reader, writer = await asyncio.open_connection("127.0.0.1", sqlite_gateway.running.port)
        writer.write(request_head)
        assert b" 400 " in await reader.readline()
        writer.close()
        await asyncio.sleep(0.1)
    assert "hush-hush" not in caplog.text


@pytest.mark.parametrize("password", ["hush/hush", "hush#hush", "a?hush=1"])
async def test_a_database_url_that_cannot_be_read_is_not_repeated(password: str) -> None:
    with pytest.raises(StartRefused) as refused:
        async with open_postgres(f"postgresql://gateway:{password}@127.0.0.1:1/gateway"):
            pass
    assert "hush" not in str(refused.value)


def test_a_secret_that_was_given_in_place_of_its_file_is_not_repeated(tmp_path: Path) -> None:
    done = command.gateway("check", cwd=tmp_path, GATEWAY_BOOTSTRAP__USER_SECRET_FILE="hush-hush")
    assert "hush-hush" not in done.stdout + done.stderr


async def test_a_name_with_a_broken_marked_section_is_no_failure_of_the_gateway(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    answered = await sqlite_gateway.call("PATCH", f"/instances/{made['id']}", json={"name": "<![a[ b"})
    assert answered.status in (200, 400)


async def test_a_key_that_stored_values_still_need_cannot_be_left_out(tmp_path: Path) -> None:
    old, new = seal.new_key(), seal.new_key()
    async with started(settings(tmp_path, "", security={"encryption_keys": [old]})) as gateway:
        await gateway.create("github")
    async with started(settings(tmp_path, "", security={"encryption_keys": [new, old]})):
        pass
    with pytest.raises(StartRefused):
        async with started(settings(tmp_path, "", security={"encryption_keys": [new]})):
            pass
