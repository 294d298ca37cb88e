"""The gateway as a process of its own, to be killed and started again on the same data."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from gateway import keyring
from tests.kit import postgres
from tests.kit.gateway import CREDENTIALS

CONCURRENCY = 32
#: Long enough that nothing is given up while the consumer misbehaves.
SCHEDULE = ["200ms", "500ms", *["1s"] * 120]
_SETTINGS: dict[str, dict[str, Any]] = {
    "egress": {"allow_http": True, "allow_networks": ["127.0.0.0/8"]},
    "delivery": {"retry_schedule": SCHEDULE, "timeout": "5s", "concurrency": CONCURRENCY},
    "server": {"shutdown_grace": "3s"},
    "storage": {"min_free": "1MiB"},
    "log": {"level": "warning", "format": "json"},
}


@dataclass
class Process:
    """One gateway on one set of data; at most one process at a time."""

    folder: Path
    database_url: str
    session: aiohttp.ClientSession
    port: int = field(default_factory=postgres.free_port)
    secrets: dict[str, dict[str, Any]] = field(default_factory=keyring.fresh)
    running: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def engine(self) -> str:
        return self.database_url.split(":", 1)[0]

    async def spawn(self) -> None:
        """Begin a process, without waiting for anything."""
        with (self.folder / "gateway.log").open("ab") as log:
            self.running = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gateway", "serve", env=self._environment(), stdout=log, stderr=log
            )

    async def start(self) -> float:
        """Begin a process and wait until it can store; the moment of it."""
        await self.spawn()
        return await self.ready()

    async def ready(self) -> float:
        """Wait until the process can store; the moment of it."""
        assert self.running is not None
        async with asyncio.timeout(30):
            while True:
                if self.running.returncode is not None:
                    raise RuntimeError((self.folder / "gateway.log").read_text()[-2000:])
                try:
                    async with self.session.get(self.url + "/readyz") as answer:
                        if answer.status == 200:
                            return time.monotonic()
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.02)

    def signal(self, number: signal.Signals) -> None:
        assert self.running is not None
        self.running.send_signal(number)

    async def kill(self) -> float:
        """SIGKILL; the moment of it."""
        self.signal(signal.SIGKILL)
        at = time.monotonic()
        await self.gone()
        return at

    async def terminate(self) -> float:
        """SIGTERM, and wait for the end; how long that took."""
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        code = await self.gone()
        assert code == 0, (self.folder / "gateway.log").read_text()[-2000:]
        return time.monotonic() - began

    async def gone(self) -> int:
        assert self.running is not None
        async with asyncio.timeout(60):
            return await self.running.wait()

    async def create(self, connector: str, callback: str) -> dict[str, Any]:
        """An instance with events on."""
        secrets = self.secrets["bootstrap"]
        auth = f"User {secrets['user_secret']}, Organization {secrets['organization_secret']}"
        wanted = {"event.notification.enabled": True, "event.notification.callback.url": callback}
        body = {
            "element": {"key": connector},
            "name": connector,
            "configuration": {**CREDENTIALS.get(connector, {}), **wanted},
        }
        async with self.session.post(self.url + "/instances", json=body, headers={"Authorization": auth}) as answer:
            assert answer.status == 200, await answer.text()
            made: dict[str, Any] = await answer.json()
            return made

    async def ledger(self) -> dict[str, int]:
        """The ledger as /metrics shows it."""
        async with self.session.get(self.url + "/metrics") as answer:
            text = await answer.text()
        found = {}
        for line in text.splitlines():
            if line.startswith("gateway_ledger"):
                name, value = line.rsplit(" ", 1)
                found[name.split('"')[1] if '"' in name else "pending"] = int(float(value))
        return found

    async def settled(self) -> None:
        """Wait until no delivery is pending."""
        async with asyncio.timeout(60):
            while True:
                if not (await self.ledger())["pending"]:
                    return
                await asyncio.sleep(0.05)

    def _environment(self) -> Mapping[str, str]:
        settings: dict[str, dict[str, Any]] = {name: dict(values) for name, values in _SETTINGS.items()}
        settings["server"]["port"] = self.port
        settings["storage"] |= {"data_dir": str(self.folder), "url": self.database_url}
        found = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
        for section, values in {**settings, **self.secrets}.items():
            for key, value in values.items():
                text = value if isinstance(value, str) else orjson.dumps(value).decode()
                found[f"GATEWAY_{section}__{key}".upper()] = text
        return found


@asynccontextmanager
async def process(folder: Path, database_url: str) -> AsyncIterator[Process]:
    """A gateway that is not started yet; what runs at the end of the block is killed."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        found = Process(folder, database_url, session)
        try:
            yield found
        finally:
            if found.running is not None and found.running.returncode is None:
                await found.kill()
