"""`gateway rotate-keys`: everything sealed moves to the first key, and the others can go."""

import asyncio
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway import seal, sealing_key
from gateway.errors import StartRefused
from gateway.seal import Seal
from gateway.storage.open import connect
from tests.kit import command, postgres
from tests.kit.gateway import settings, started

SECRET = "ghp_Credential0123456789"


def environment(folder: Path, url: str, keys: list[str], secrets: dict[str, Any]) -> dict[str, str]:
    found = {f"GATEWAY_BOOTSTRAP__{name}".upper(): value for name, value in secrets.items()}
    written = "[" + ", ".join(f'"{key}"' for key in keys) + "]"
    return found | {
        "GATEWAY_STORAGE__DATA_DIR": str(folder),
        "GATEWAY_STORAGE__URL": url,
        "GATEWAY_SECURITY__ENCRYPTION_KEYS": written,
    }


async def test_after_a_rotation_the_old_key_is_not_needed(tmp_path: Path, database_url: str) -> None:
    old, new = seal.new_key(), seal.new_key()
    async with started(settings(tmp_path, database_url, security={"encryption_keys": [old]})) as gateway:
        made = await gateway.create("github", token=SECRET)
        secrets = {name: getattr(gateway.running.config.bootstrap, name) for name in _BOOTSTRAP}
    own = environment(tmp_path, database_url, [new, old], secrets)
    done = await asyncio.to_thread(command.gateway, "rotate-keys", cwd=tmp_path, **own)
    assert done.returncode == 0, done.stderr
    assert "configuration: 2 sealed anew" in done.stdout
    assert "instance_secrets: 3 sealed anew" in done.stdout
    assert SECRET not in done.stdout + done.stderr
    again = await asyncio.to_thread(command.gateway, "rotate-keys", cwd=tmp_path, **own)
    assert "anew\n" not in again.stdout
    assert "can be taken out" in again.stdout
    alone = settings(tmp_path, database_url, security={"encryption_keys": [new]}, bootstrap=secrets)
    async with started(alone) as gateway:
        found = await gateway.running.services.index.by_id(made["id"])
        assert found is not None
        assert found.config.get("token") == SECRET
        assert (await gateway.call("GET", f"/instances/{made['id']}")).json["token"] == made["token"]


async def test_a_server_that_owns_the_file_is_not_disturbed(tmp_path: Path) -> None:
    old, new = seal.new_key(), seal.new_key()
    async with started(settings(tmp_path, "", security={"encryption_keys": [old]})) as gateway:
        secrets = {name: getattr(gateway.running.config.bootstrap, name) for name in _BOOTSTRAP}
        own = environment(tmp_path, "", [new, old], secrets)
        done = await asyncio.to_thread(command.gateway, "rotate-keys", cwd=tmp_path, **own)
    assert done.returncode == 1
    assert "owns" in done.stderr
    assert "Stop it" in done.stderr


async def test_a_key_that_is_missing_is_told_before_anything_is_changed(tmp_path: Path) -> None:
    old, new = seal.new_key(), seal.new_key()
    async with started(settings(tmp_path, "", security={"encryption_keys": [old]})) as gateway:
        await gateway.create("github", token=SECRET)
        secrets = {name: getattr(gateway.running.config.bootstrap, name) for name in _BOOTSTRAP}
    own = environment(tmp_path, "", [new], secrets)
    done = await asyncio.to_thread(command.gateway, "rotate-keys", cwd=tmp_path, **own)
    assert done.returncode == 1
    assert "security.encryption_keys" in done.stderr
    with closing(sqlite3.connect(tmp_path / "gateway.db")) as file:
        keys = {row[0] for row in file.execute("SELECT DISTINCT substr(sealed, 1, 4) FROM instance_secrets")}
    assert {key.hex() for key in keys} == {Seal((old,)).fingerprint}


def test_where_nothing_was_ever_stored_nothing_is_made(tmp_path: Path) -> None:
    own = environment(tmp_path, "", [seal.new_key()], dict.fromkeys(_BOOTSTRAP, "x" * 32))
    done = command.gateway("rotate-keys", cwd=tmp_path, **own)
    assert done.returncode == 1
    assert "nothing to seal anew" in done.stderr
    assert not (tmp_path / "gateway.db").exists()


async def test_a_rotation_that_was_broken_off_goes_on_where_it_was(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = seal.new_key(), seal.new_key()
    async with started(settings(tmp_path, database_url, security={"encryption_keys": [old]})) as gateway:
        for number in range(5):
            await gateway.create("github", token=f"{SECRET}-{number}")
    monkeypatch.setattr(sealing_key, "BATCH", 2)
    both = Seal((new, old))
    async with connect(database_url or f"sqlite:///{tmp_path / 'gateway.db'}", min_free=0) as database:
        first = sealing_key.reseal(database, both)
        assert await anext(first) == ("configuration", 2)
        await first.aclose()
        assert await sealing_key.older_keys_in_use(database, both) == 1
        counts = dict([found async for found in sealing_key.reseal(database, both)])
        assert (counts["configuration"], counts["instance_secrets"]) == (8, 15)
        assert await sealing_key.older_keys_in_use(database, both) == 0
        await sealing_key.check_fingerprint(database, Seal((new,)))


async def test_a_gateway_goes_on_while_its_postgresql_is_sealed_anew(tmp_path: Path, postgres_server: str) -> None:
    url = await postgres.fresh(postgres_server, f"test_{uuid.uuid4().hex}")
    old, new = seal.new_key(), seal.new_key()
    async with started(settings(tmp_path, url, security={"encryption_keys": [new, old]})) as gateway:
        made = [await gateway.create("github", token=f"{SECRET}-{number}") for number in range(3)]
        secrets = {name: getattr(gateway.running.config.bootstrap, name) for name in _BOOTSTRAP}
        # As another node has sealed it before the new key was put in front.
        own = environment(tmp_path, url, [old, new], secrets)
        back = await asyncio.to_thread(command.gateway, "rotate-keys", cwd=tmp_path, **own)
        assert back.returncode == 0, back.stderr
        running = asyncio.to_thread(
            command.gateway, "rotate-keys", cwd=tmp_path, **environment(tmp_path, url, [new, old], secrets)
        )
        rotating = asyncio.create_task(running)
        while not rotating.done():
            for one in made:
                gateway.running.services.index.forget(one["id"])
                found = await gateway.running.services.index.by_id(one["id"])
                assert found is not None
                body = {"configuration": {"webhook.secret": f"changed-{uuid.uuid4().hex}"}}
                assert (await gateway.call("PATCH", f"/instances/{one['id']}", json=body)).status == 200
        assert rotating.result().returncode == 0, rotating.result().stderr
    alone = settings(tmp_path, url, security={"encryption_keys": [new]}, bootstrap=secrets)
    async with started(alone) as gateway:
        assert len((await gateway.call("GET", "/instances?hydrate=true")).json) == 3


async def test_values_under_an_older_key_keep_that_key_needed(tmp_path: Path) -> None:
    old, new = seal.new_key(), seal.new_key()
    async with started(settings(tmp_path, "", security={"encryption_keys": [old]})) as gateway:
        await gateway.create("github")
    with pytest.raises(StartRefused, match="encryption_keys"):
        async with started(settings(tmp_path, "", security={"encryption_keys": [new]})):
            pass


_BOOTSTRAP = (
    "organization_secret", "user_secret", "client_id", "client_secret", "admin_username", "admin_password",
)  # fmt: skip
