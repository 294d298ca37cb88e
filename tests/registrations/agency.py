"""Vendors that exist in tests alone: one that shakes hands while it is asked, one whose registrations end."""

import asyncio
import hashlib
import hmac
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from gateway import config
from tests.kit.gateway import settings

_HEAD = """
format = 1
key = "{key}"
name = "{key}"
version = "1.0.0"
[[config]]
key = "hook.secret"
name = "Hook secret"
secret = true
{entries}
[auth.none]
type = "none"
[http]
base_url = "https://vendor.example"
[webhook]
type = "{{body:type}}"
object_type = "const:thing"
object_id = "body:id"
dedupe = "{{body:id}}"
[[webhook.verify]]
scheme = "hmac"
hash = "sha256"
secret = "config:hook.secret"
signature = "header:x-sig"
signed = "{{raw}}"
"""
#: Hands its secret over while the request for the registration is open.
SHAKES = (
    _HEAD.format(key="shakes", entries="")
    + """
[[webhook.handshake]]
when = { header = { x-hook-secret = "*" } }
save_once = { "hook.secret" = "header:x-hook-secret" }
respond = { headers = { X-Hook-Secret = "{header:x-hook-secret}" } }
[webhook.subscribe]
request = "POST /hooks?shake=1"
body = { url = "{callback_url}" }
save = { "webhook.id" = "body:id" }
check = "GET /hooks/{config:webhook.id}"
check_url = "body:url"
list = "GET /hooks"
list_items = "body:"
list_id = "item:id"
list_url = "item:url"
delete = "DELETE /hooks/{config:webhook.id}"
"""
)
#: Registrations that end, and are prolonged; the secret is told when it is asked for once more.
ENDS = (
    _HEAD.format(key="ends", entries='[[config]]\nkey = "kinds"\nname = "Kinds"\ntype = "json"\ndefault = ["a"]')
    + """
[webhook.subscribe]
request = "POST /hooks"
body = { url = "{callback_url}", until = "{expires_at}", kinds = "{config:kinds}", all = "{config:kinds}!" }
save = { "webhook.id" = "body:id" }
after = { request = "GET /hooks/{config:webhook.id}/secret", save = { "hook.secret" = "body:secret" } }
lifetime = "1h"
expires = "body:until"
expires_format = "epoch_ms"
renew = "PATCH /hooks/{config:webhook.id}"
renew_body = { until = "{expires_at}" }
delete = "DELETE /hooks/{config:webhook.id}"
"""
)
#: Registrations that end, and have to be made again; their ids are ours.
OURS = (
    _HEAD.format(key="ours", entries="")
    + """
[webhook.subscribe]
request = "POST /hooks"
body = { id = "{uuid}", url = "{callback_url}", until = "{expires_at}" }
save = { "webhook.id" = "body:id", "hook.secret" = "body:secret" }
lifetime = "1h"
delete = "POST /hooks/stop"
delete_body = { id = "{config:webhook.id}" }
"""
)
#: Signs with the key that it answers, or with the app's own.
APPS = (
    _HEAD.format(key="apps", entries='[[config]]\nkey = "app.secret"\nname = "App secret"\nsecret = true').replace(
        'secret = "config:hook.secret"', 'secret = ["config:hook.secret", "config:app.secret"]'
    )
    + """
[webhook.subscribe]
request = "POST /hooks"
body = { url = "{callback_url}" }
save = { "webhook.id" = "body:id", "hook.secret" = "body:secret" }
delete = "DELETE /hooks/{config:webhook.id}"
"""
)


@dataclass
class Agency:
    """The vendor's side."""

    url: str = ""
    hooks: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    #: The answer to a new registration waits for this.
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    #: Whether there may be only one for an address.
    jealous: bool = False
    #: Whether it keeps the secret of a registration to itself.
    tells: bool = True
    made: asyncio.Event = field(default_factory=asyncio.Event)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.gate.set()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path}")
        body = json.loads(await request.read() or b"{}")
        self.bodies.append(body)
        if request.path == "/hooks/stop":
            return self._gone(body["id"])
        if request.path == "/hooks" and request.method == "GET":
            return web.json_response(list(self.hooks.values()))
        if request.path == "/hooks":
            return await self._new(request, body)
        return self._one(request, body)

    async def _new(self, request: web.Request, body: dict[str, Any]) -> web.Response:
        if self.jealous and any(hook["url"] == body["url"] for hook in self.hooks.values()):
            return web.json_response({"error": "there is one already"}, status=422)
        number = next(self._numbers)
        hook = {"secret": f"secret-{number}", **body, "id": body.get("id", f"hook-{number}")}
        if "shake" in request.query:
            headers = {"X-Hook-Secret": hook["secret"]}
            async with aiohttp.ClientSession() as session, session.post(body["url"], headers=headers) as shaken:
                if shaken.status != 200 or shaken.headers.get("X-Hook-Secret") != hook["secret"]:
                    return web.json_response({"error": "no handshake"}, status=400)
        self.hooks[hook["id"]] = hook
        self.made.set()
        await self.gate.wait()
        return web.json_response({name: value for name, value in hook.items() if self.tells or name != "secret"})

    def _one(self, request: web.Request, body: dict[str, Any]) -> web.Response:
        id_ = request.path.split("/")[2]
        if request.method == "DELETE":
            return self._gone(id_)
        if id_ not in self.hooks:
            return web.json_response({"error": "unknown"}, status=404)
        self.hooks[id_].update(body)
        return web.json_response(self.hooks[id_])

    def _gone(self, id_: str) -> web.Response:
        return web.Response(status=204 if self.hooks.pop(id_, None) else 404)


@asynccontextmanager
async def agency() -> AsyncIterator[Agency]:
    """Listening on loopback."""
    found = Agency()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", found.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield found
    finally:
        await runner.cleanup()


def with_agencies(folder: Path, database_url: str, **sections: Any) -> config.Config:
    """Settings of a gateway that knows these vendors."""
    place = folder / "connectors"
    place.mkdir(exist_ok=True)
    for key, text in {"shakes": SHAKES, "ends": ENDS, "ours": OURS, "apps": APPS}.items():
        (place / f"{key}.toml").write_text(text)
    return settings(folder, database_url, catalogue={"paths": [str(place)]}, **sections)


def delivery(hook: dict[str, Any], id_: str = "1") -> tuple[bytes, dict[str, str]]:
    """A delivery of a registration."""
    body = json.dumps({"type": "t", "id": id_}).encode()
    return body, {"x-sig": hmac.new(hook["secret"].encode(), body, hashlib.sha256).hexdigest()}
