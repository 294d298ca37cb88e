"""The page on operating, done as it is printed: `python -m tests.docs.operate` writes its answers anew."""

import asyncio
import json
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from gateway.config import Config
from tests.docs.receivers import ROOT
from tests.kit import signed
from tests.kit.consumer import Arrived, Consumer, consumer
from tests.kit.gateway import Gateway, settings, started

PAGE = ROOT / "docs" / "operate.md"
FENCE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ID = "72d3162e-cc78-11e3-81ab-{}"
_FIRST = _ID.format("4c9367dc0958")
_CHANGING = (
    (re.compile(r"\b[0-9a-f]{32}\b"), "<id>"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?"), "<time>"),
    (re.compile(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT"), "<time>"),
    (re.compile(r"(Python|aiohttp)/[\w.]+"), r"\1/<version>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "<host>"),
    (re.compile(r'("(?:connect_ms|wait_ms|total_ms)": )\d+'), r"\1<n>"),
    (re.compile(r"\d+(?:\.\d+)? ms\b"), "<n> ms"),
    (re.compile(r'("bytes_(?:now|then)":)\d+'), r"\1<n>"),
    (re.compile(r"\d+ MiB are free"), "<n> MiB are free"),
    (re.compile(r"\([0-9a-f]{8}\)"), "(<key>)"),
    (re.compile(r" +"), " "),
)


def settled(text: str) -> str:
    """A page without what every run makes anew."""
    for pattern, instead in _CHANGING:
        text = pattern.sub(instead, text)
    return text


async def session(text: str) -> str:
    """The page with the answers of a gateway that had good and bad days."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with consumer() as application, consumer() as vendor, _gateway(folder) as gateway:
            vendor.answer = _registered
            await _past(gateway, application, vendor.url("").removesuffix("/"))
            event = await _event(gateway)
            environ = {"GATEWAY": gateway.url, "EVENT": event}
            shell = await _Shell.open(folder, environ)
            try:
                found = []
                for piece in FENCE.split(text)[1::2]:
                    found.append(await _answered(shell, piece))
            finally:
                await shell.close()
    filled = iter(found)
    return FENCE.sub(lambda _: "```console\n" + next(filled) + "```", text)


@asynccontextmanager
async def _gateway(folder: Path) -> AsyncIterator[Gateway]:
    config = settings(folder / "data", "", delivery={"retry_schedule": ["50ms", "100ms"], "timeout": "2s"})
    async with started(config) as gateway:
        (folder / "config.toml").write_text(config_file(config, gateway.running.port), "utf-8")
        yield gateway


def config_file(config: Config, port: int) -> str:
    """What the commands find beside them; the texts are such as JSON and TOML write alike."""
    lines = [f"[server]\nport = {port}\n[security]\nencryption_keys = {json.dumps(config.security.encryption_keys)}"]
    lines.append("[bootstrap]")
    lines += [f"{name} = {json.dumps(getattr(config.bootstrap, name))}" for name in config.bootstrap.__struct_fields__]
    return "\n".join(lines) + "\n"


async def _registered(_: Arrived) -> web.StreamResponse:
    return web.json_response({"id": 12345678, "active": True}, status=201)


async def _past(gateway: Gateway, application: Consumer, vendor: str) -> None:
    """One event for each fate."""
    failing = {"1002", "1008"}

    async def answer(one: Arrived) -> web.StreamResponse:
        object_id = str(orjson.loads(one.body)["message"]["raw"]["issue"]["id"])
        if object_id == "1003":
            return web.Response(status=503, headers={"Retry-After": "3600"}, text="a moment")
        status = 500 if object_id in failing and "Gateway-Replay-Id" not in one.headers else 200
        return web.Response(status=status, text="cannot reach the database" if status == 500 else "thank you")

    application.answer = answer
    there: dict[str, Any] = {"base.url": vendor}
    made = await gateway.create("github", application.url("/events"), **there)
    other = await gateway.create("github", application.url("/test"), **there)
    nowhere = await gateway.create("github", **there)
    off = await gateway.create("github", application.url(), **{**there, "event.notification.enabled": False})
    busy = await gateway.create("github", application.url("/busy"), **there)
    await _send(gateway, made, _FIRST, 1001)
    await _send(gateway, made, _ID.format("000000000002"), 1002)
    await _send(gateway, busy, _ID.format("000000000003"), 1003)
    await _send(gateway, made, _ID.format("000000000004"), 1004, forged=True)
    for _ in range(2):
        await _send(gateway, made, _ID.format("000000000005"), 1005)
    await _send(gateway, off, _ID.format("000000000006"), 1006)
    await _send(gateway, nowhere, _ID.format("000000000007"), 1007)
    await _send(gateway, other, _ID.format("000000000008"), 1008)
    await _until_it_is_told(gateway)


async def _send(gateway: Gateway, made: dict[str, Any], delivery: str, id_: int, *, forged: bool = False) -> None:
    body = orjson.dumps({"action": "opened", "issue": {"id": id_, "title": "Found a bug", "milestone": None}})
    secret = "somebody else's" if forged else made["webhookSecret"] or "-"
    answered = await gateway.send(made["webhookUrl"], body, signed.github(secret, body, delivery=delivery))
    assert answered.status == (401 if forged else 200), answered.body


async def _until_it_is_told(gateway: Gateway) -> None:
    """Wait until all of it is settled, and what is found out after the answer stands."""
    async with asyncio.timeout(20):
        while True:
            ledger, database = await gateway.ledger(), gateway.running.services.runtime.database
            rows = await database.all("SELECT outcome FROM refusals")
            if ledger["delivered"] == 2 and ledger["dead"] == 2 and len(rows) == 3:
                return
            await asyncio.sleep(0.05)


async def _event(gateway: Gateway) -> str:
    found = await gateway.call("GET", "/api/v1/events?object_id=1001")
    return str(found.json["items"][0]["id"])


async def _answered(shell: "_Shell", piece: str) -> str:
    commands = [line for line in piece.splitlines() if line.startswith("$ ")]
    told = []
    for command in commands:
        told.append(f"{command}\n{await shell.run(command[2:])}")
    return "".join(told)


class _Shell:
    """One shell for the whole page, so that a variable that is set stays."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def open(cls, folder: Path, environ: dict[str, str]) -> "_Shell":
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
        process = await asyncio.create_subprocess_exec(
            "bash",
            cwd=folder,
            env={**kept, **environ, "PATH": path, "COLUMNS": "160"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=1 << 22,
        )
        return cls(process)

    async def run(self, command: str) -> str:
        """What a command prints, and a line's end after it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{{ {command}; }} </dev/null; printf '\\n--- %s ---\\n' done\n".encode())
        lines: list[str] = []
        async with asyncio.timeout(60):
            while (line := (await self._process.stdout.readline()).decode()) != "--- done ---\n":
                assert line, "the shell ended"
                lines.append(line)
        text = "".join(lines).rstrip("\n")
        return text + "\n" if text else ""

    async def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


if __name__ == "__main__":
    PAGE.write_text(asyncio.run(session(PAGE.read_text("utf-8"))), "utf-8")
