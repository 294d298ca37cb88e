"""A process that is killed the moment its new token is first used has stored the refresh token that belongs to it."""

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from gateway import keyring
from gateway.access.logins import OAUTH_REFRESH
from tests.kit.command import ENVIRONMENT
from tests.kit.gateway import settings, started
from tests.kit.logins import brought, connectors, view
from tests.vendors import vendor


async def test_the_next_refresh_token_is_on_disk_before_its_access_token_is_used(tmp_path: Path) -> None:
    secrets = keyring.fresh()
    own: dict[str, Any] = {"catalogue": {"paths": [str(connectors(tmp_path))]}, **secrets}
    config = settings(tmp_path, "", **own)
    (tmp_path / "settings.json").write_bytes(orjson.dumps(own))
    async with vendor() as there:
        async with started(config) as gateway:
            made = await brought(gateway, there)
            first = (await view(gateway, made)).config.get(OAUTH_REFRESH)
        there.oauth.expire()
        there.requests.clear()
        process: list[asyncio.subprocess.Process] = []

        async def kill(request: web.Request) -> web.StreamResponse:
            """The first call with the new token: the caller dies before it hears anything."""
            if there.oauth.is_valid(request.headers["Authorization"].removeprefix("Bearer ")):
                process[0].send_signal(signal.SIGKILL)
                return web.Response(status=500)
            return web.Response(status=401)

        there.always(kill, on="/api/v1/me/")
        words = [sys.executable, "-m", "tests.access.caller", str(tmp_path), str(made)]
        process.append(await asyncio.create_subprocess_exec(*words, env=ENVIRONMENT, stdout=DEVNULL, stderr=PIPE))
        _, said = await asyncio.wait_for(process[0].communicate(), 60)
        assert process[0].returncode == -signal.SIGKILL, said.decode()
        assert there.oauth.given == {"refresh_token": 1}
        there.behave()
        there.oauth.expire()
        async with started(config) as gateway:
            stored = await view(gateway, made)
            assert stored.config.get(OAUTH_REFRESH) != first
            access = await gateway.running.services.vendors.tokens.access(
                stored, failed=stored.config.get("oauth.user.token")
            )
            assert getattr(access, "token", None), access
            assert there.oauth.given == {"refresh_token": 2}
