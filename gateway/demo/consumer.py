"""The consumer: an application that verifies what it gets, with code that shares nothing with the gateway's."""

import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

TOLERANCE_S = 300
MAX_BODY = 64 << 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the consumer found out about one notification; None: it has no key to check with."""

    standard: bool | None
    elements: bool
    #: Paths of object members that are null though they should have been taken out.
    nulls: tuple[str, ...]
    status: int

    @property
    def good(self) -> bool:
        return self.standard is not False and self.elements and not self.nulls


@dataclass
class Consumer:
    """Knows its keys and keeps its verdicts by event id; the newest attempt counts."""

    elements_key: str
    #: Object types whose first notification is answered 500, so that a retry is seen.
    stumbles_at: set[str] = field(default_factory=set)
    secrets: dict[int, str] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def receive(self, request: web.Request) -> web.Response:
        """Take one notification: 2xx only for one that is verified."""
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        message = orjson.loads(body)["message"]
        secret = self.secrets.get(message["instance_id"])
        standard = None if secret is None else verify_standard(secret, headers, body)
        elements = verify_elements(self.elements_key, headers, body)
        status = 401 if standard is False or not elements else self._mood(message)
        nulls = tuple(nulls_in(message["raw"], "raw"))
        self.verdicts[headers.get("webhook-id", "")] = Verdict(standard, elements, nulls, status)
        return web.Response(status=status, text="{}")

    def _mood(self, message: dict[str, Any]) -> int:
        kind = message["events"][0]["objectType"]
        if kind in self.stumbles_at:
            self.stumbles_at.remove(kind)
            return 500
        return 200


def verify_standard(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Standard Webhooks: `v1,` and the base64 HMAC-SHA256 of id, timestamp and body; any one entry may match."""
    stamp = headers.get("webhook-timestamp", "")
    if not stamp.isdecimal() or abs(time.time() - int(stamp)) > TOLERANCE_S:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers.get('webhook-id', '')}.{stamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(expected, given) for given in headers.get("webhook-signature", "").split(" "))


def verify_elements(key: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Elements: `sha256=` and the base64 HMAC-SHA256 of the body under the key that the consumer chose."""
    digest = hmac.new(key.encode(), body, hashlib.sha256).digest()
    expected = "sha256=" + base64.b64encode(digest).decode()
    return hmac.compare_digest(expected, headers.get("elements-webhook-signature", ""))


def nulls_in(value: Any, path: str) -> list[str]:
    """The paths of all object members that are null; nulls in lists keep their place and do not count."""
    if isinstance(value, list):
        return [found for number, one in enumerate(value) for found in nulls_in(one, f"{path}[{number}]")]
    if not isinstance(value, dict):
        return []
    here = [f"{path}.{name}" for name, one in value.items() if one is None]
    return here + [found for name, one in value.items() for found in nulls_in(one, f"{path}.{name}")]


@asynccontextmanager
async def consuming(consumer: Consumer) -> AsyncIterator[Consumer]:
    """The consumer, listening on loopback until left."""
    app = web.Application(client_max_size=MAX_BODY)
    app.router.add_post("/hook", consumer.receive)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        consumer.port = runner.addresses[0][1]
        yield consumer
    finally:
        await runner.cleanup()
