"""A real gateway in this process, listening on loopback, and the calls that tests make to it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from gateway import app, config, keyring

PASSWORD = "$argon2id$v=19$m=1024,t=1,p=1$0DDXps3qVurvBcUe+K0d9g$ZhOKJiec6Tbs5i1Fdc26/SHiHo7x2LpNSSYvPcI+NGc"
OPEN = {"allow_http": True, "allow_networks": ["127.0.0.0/8", "::1/128"]}


@dataclass(frozen=True)
class Answered:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    json: Any


@dataclass
class Gateway:
    """A running gateway and a session to call it with."""

    running: app.Running
    session: aiohttp.ClientSession

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.running.port}"

    @property
    def auth(self) -> dict[str, str]:
        """The header of the first partner's administrator."""
        secrets = self.running.config.bootstrap
        return {"Authorization": f"User {secrets.user_secret}, Organization {secrets.organization_secret}"}

    async def call(self, method: str, path: str, **options: Any) -> Answered:
        """Call with the administrator's header, or with the headers that are given."""
        options.setdefault("headers", self.auth)
        url = path if path.startswith("http") else self.url + path
        async with self.session.request(method, url, **options) as response:
            body = await response.read()
            is_json = "json" in response.content_type and body
            return Answered(
                response.status, response.headers, body, await response.json(content_type=None) if is_json else None
            )

    async def create(self, connector: str, callback: str | None = None, **values: Any) -> dict[str, Any]:
        """An instance with events on; fails where the answer is not 200."""
        wanted = {**CREDENTIALS.get(connector, {}), "event.notification.enabled": True, **values}
        if callback is not None:
            wanted["event.notification.callback.url"] = callback
        answered = await self.call(
            "POST", "/instances", json={"element": {"key": connector}, "name": connector, "configuration": wanted}
        )
        assert answered.status == 200, answered.body
        made: dict[str, Any] = answered.json
        # The public URL was settled before the port was known.
        made["webhookUrl"] = f"{self.url}/in/{made['webhookUrl'].rsplit('/', 1)[-1]}"
        return made

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answered:
        """Send as a vendor does."""
        return await self.call("POST", url, data=body, headers=dict(headers))

    async def ledger(self) -> dict[str, int]:
        """The ledger as /metrics shows it."""
        text = (await self.call("GET", "/metrics")).body.decode()
        found = {}
        for line in text.splitlines():
            if line.startswith("gateway_ledger"):
                name, value = line.rsplit(" ", 1)
                found[name.split('"')[1] if '"' in name else "pending"] = int(float(value))
        return found


#: Nobody listens at port 9: no test asks a real vendor about credentials.
NOWHERE = {"base.url": "http://127.0.0.1:9"}
CREDENTIALS: dict[str, dict[str, Any]] = {
    "github": {"token": "t", "owner": "octo", "repo": "hello", **NOWHERE},
    "closeio": {"username": "api_key", **NOWHERE},
    "generic": {},
}


def settings(folder: Path, database_url: str, **sections: Mapping[str, Any]) -> config.Config:
    """A configuration for one test; secrets are made, retries are quick."""
    content: dict[str, Any] = {
        "server": {"port": 0, "shutdown_grace": "1s"},
        "storage": {"data_dir": str(folder), "url": database_url, "min_free": "0"},
        "egress": dict(OPEN),
        "delivery": {"retry_schedule": ["50ms", "100ms", "200ms"], "timeout": "2s"},
        **keyring.fresh(),
    }
    # Hashing it anew for every gateway would take longer than most tests.
    content["bootstrap"]["admin_password"] = PASSWORD
    for name, values in sections.items():
        content[name] = {**content.get(name, {}), **values}
    return config.build(content, {}, "the test")


@asynccontextmanager
async def started(settings: config.Config) -> AsyncIterator[Gateway]:
    """Start it, and stop it at the end of the block."""
    async with app.running(settings) as running, aiohttp.ClientSession() as session:
        yield Gateway(running, session)
