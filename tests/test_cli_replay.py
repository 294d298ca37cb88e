"""`gateway replay` and `gateway dead-letters`, asked of a gateway that runs."""

import asyncio
import json
import subprocess
from pathlib import Path

import msgspec
import orjson
from aiohttp import web

from tests.api.asking import eventually
from tests.delivery.road import until
from tests.kit.command import gateway as command
from tests.kit.consumer import Arrived, Consumer
from tests.kit.gateway import Gateway
from tests.replays.parts import begun, call, deliveries_of, listed, send


async def said(gateway: Gateway, folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """What the command answers, with the configuration of the gateway."""
    config = gateway.running.config
    environ = {"GATEWAY_SERVER__PORT": str(gateway.running.port), "GATEWAY_STORAGE__DATA_DIR": str(folder)}
    for section in ("bootstrap", "security"):
        for key, value in msgspec.to_builtins(getattr(config, section)).items():
            text = value if isinstance(value, str) else orjson.dumps(value).decode()
            environ[f"GATEWAY_{section}__{key}".upper()] = text
    return await asyncio.to_thread(lambda: command(*words, cwd=folder, **environ))


async def test_a_replay_is_shown_first_and_then_followed_to_its_end(
    sqlite_gateway: Gateway, receiver: Consumer, tmp_path: Path
) -> None:
    made = await sqlite_gateway.create("github", receiver.url())
    ids = await send(sqlite_gateway, made, 1, 2, 3)
    await until(sqlite_gateway, delivered=3)
    dry = await said(sqlite_gateway, tmp_path, "replay", "--since", "1h", "--dry-run")
    assert (dry.returncode, "3 found." in dry.stderr) == (0, True), dry.stderr
    assert all(one in dry.stderr for one in ids)
    assert len(receiver.arrived) == 3
    done = await said(sqlite_gateway, tmp_path, "replay", "--instance", str(made["id"]), "--rate", "500", "--yes")
    assert (done.returncode, done.stdout) == (0, "done. 3 seen, 3 done.\n"), done.stderr
    await until(sqlite_gateway, delivered=6)


async def test_without_a_yes_nothing_is_sent(sqlite_gateway: Gateway, receiver: Consumer, tmp_path: Path) -> None:
    made = await sqlite_gateway.create("github", receiver.url())
    await send(sqlite_gateway, made, 1)
    await until(sqlite_gateway, delivered=1)
    asked = await said(sqlite_gateway, tmp_path, "replay", "--type", "issues.opened")
    assert asked.returncode == 1
    assert "Traceback" not in asked.stderr
    assert await listed(sqlite_gateway, "/replays") == []


async def test_one_event_is_sent_again_at_once(sqlite_gateway: Gateway, receiver: Consumer, tmp_path: Path) -> None:
    made = await sqlite_gateway.create("github", receiver.url())
    [event_id] = await send(sqlite_gateway, made, 1)
    await until(sqlite_gateway, delivered=1)
    done = await said(sqlite_gateway, tmp_path, "replay", "--event", event_id)
    assert (done.returncode, "On its way to" in done.stdout) == (0, True), done.stderr
    await until(sqlite_gateway, delivered=2)


async def test_a_replay_that_runs_is_cancelled_by_its_id(
    sqlite_gateway: Gateway, receiver: Consumer, tmp_path: Path
) -> None:
    made = await sqlite_gateway.create("github", receiver.url())
    await send(sqlite_gateway, made, *range(60))
    await until(sqlite_gateway, delivered=60)
    job_id = await begun(sqlite_gateway, "/replays", {"filter": {"instance_id": made["id"]}, "rate": 2})
    done = await said(sqlite_gateway, tmp_path, "replay", "--cancel", job_id)
    assert (done.returncode, done.stdout.startswith("cancelled.")) == (1, True), done.stderr
    assert (await call(sqlite_gateway, "GET", f"/replays/{job_id}")).json["state"] == "cancelled"


async def test_what_cannot_be_is_one_line_and_exit_code_1(sqlite_gateway: Gateway, tmp_path: Path) -> None:
    for words in (
        ("replay",),
        ("replay", "--since", "yesterday", "--yes"),
        ("replay", "--event", "0" * 32),
        ("replay", "--resume", "0" * 32),
        ("dead-letters", "replay", "--yes"),
        ("dead-letters", "export", "--destination", "99"),
        ("dead-letters", "discard", "0" * 32, "--reason", "x"),
    ):
        found = await said(sqlite_gateway, tmp_path, *words)
        assert (found.returncode, found.stdout) == (1, ""), words
        assert found.stderr.startswith("Error: "), words
        assert found.stderr.count("\n") == 1, words


async def test_dead_letters_are_listed_exported_sent_again_and_laid_down(
    sqlite_gateway: Gateway, receiver: Consumer, tmp_path: Path
) -> None:
    receiver.status = 500
    made = await sqlite_gateway.create("github", receiver.url())
    ids = await send(sqlite_gateway, made, 1, 2, 3)
    await until(sqlite_gateway, dead=3)
    receiver.status = 200
    letters = [(await deliveries_of(sqlite_gateway, one))[0]["id"] for one in ids]
    shown = await said(sqlite_gateway, tmp_path, "dead-letters", "list", "--json")
    assert [json.loads(line)["id"] for line in shown.stdout.splitlines()] == letters[::-1], shown.stderr
    exported = await said(sqlite_gateway, tmp_path, "dead-letters", "export", "--output", "letters.ndjson")
    assert (exported.returncode, exported.stderr) == (0, "3 exported.\n")
    assert len((tmp_path / "letters.ndjson").read_text().splitlines()) == 4
    one = await said(sqlite_gateway, tmp_path, "dead-letters", "replay", letters[0])
    assert (one.returncode, "is on its way" in one.stdout) == (0, True), one.stderr
    down = await said(sqlite_gateway, tmp_path, "dead-letters", "discard", letters[1], "--reason", "old")
    assert (down.returncode, down.stdout) == (0, f"{letters[1]} is laid down.\n")
    words = ("dead-letters", "replay", "--instance", str(made["id"]), "--yes", "--rate", "500")
    rest = await said(sqlite_gateway, tmp_path, *words)
    assert (rest.returncode, rest.stdout) == (0, "done. 1 seen, 1 done.\n"), rest.stderr
    assert await eventually(lambda: listed(sqlite_gateway, "/dead-letters"), lambda found: found == []) == []
    await until(sqlite_gateway, dead=2, cancelled=1, delivered=2)


async def test_an_export_that_is_cut_is_told(sqlite_gateway: Gateway, receiver: Consumer, tmp_path: Path) -> None:
    async def cut(_: Arrived) -> web.StreamResponse:
        return web.Response(body=b'{"id":"1"}\n', content_type="application/x-ndjson")

    receiver.answer = cut
    found = await said(sqlite_gateway, tmp_path, "dead-letters", "export", "--url", receiver.url(""))
    assert (found.returncode, found.stdout) == (1, '{"id":"1"}\n')
    assert "was cut" in found.stderr
