"""Listens for one real delivery, answers as the gateway would, and keeps what came as a fixture."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.model import Connector
from gateway.contracts.disguise import Disguise, Unrecordable
from gateway.contracts.judging import MAX_BODY, explained, said
from gateway.contracts.recording import recorded
from gateway.inbound.handshake import Reply, acknowledgement, handshake
from gateway.proofs.fixtures import SOMEWHERE, KnownKeys
from gateway.proofs.proof import KeySource, Verdict, Verified, Wanted
from gateway.proofs.received import Received
from gateway.proofs.verify import verify

PATH = "/in/recording"
_MOST_KEYS = 4
_TEXT = (("content-type", "text/plain; charset=utf-8"),)
_REFUSED = Reply(401, _TEXT, b"unauthorized")

Fetch = Callable[[KeySource], Awaitable[bytes | None]]


class Recorder:
    """One recording: the secrets known so far, and the fixtures made so far."""

    def __init__(
        self,
        connector: Connector,
        values: Mapping[str, str],
        keys: Mapping[str, str],
        *,
        name: str,
        say: Callable[[str], None],
        fetch: Fetch,
    ) -> None:
        self.connector = connector
        self.values = dict(values)
        self.keys = dict(keys)
        self.name = name
        self.say = say
        self.public_url = ""
        self.fixtures: list[dict[str, Any]] = []
        self.done = asyncio.Event()
        self._fetch = fetch
        self._disguise = Disguise()

    async def answer(self, received: Received) -> Reply:
        """What the vendor is answered; a delivery that is verified ends the recording."""
        now_s = round(time.time(), 3)
        early = handshake(self.connector, ConfigView(self.values), received, verified=False)
        if early is not None:
            return self._shaken(early, received, now_s)
        verdict = await self._verdict(received, now_s)
        if not isinstance(verdict, Verified):
            found = explained(self.connector, ConfigView(self.values), received, now_s, verdict)
            self.say(f"Refused a request: {said(found)}. It is not kept; still waiting.")
            return _REFUSED
        reply = handshake(self.connector, ConfigView(self.values), received, verified=True)
        if reply is not None:
            return self._shaken(reply, received, now_s)
        self._keep(received, now_s, self.name)
        self.done.set()
        return acknowledgement(self.connector, ConfigView(self.values), received)

    def _shaken(self, reply: Reply, received: Received, now_s: float) -> Reply:
        if reply.status < 300:
            self._keep(received, now_s, f"{self.name}: handshake")
        for key, value in reply.saves:
            if not self.values.get(key):
                self.values[key] = value
                self.say(f"The handshake brought {key}; it is used for verification and replaced in the file.")
        if reply.confirm is not None:
            self.say(f"The vendor waits for somebody to open this address: {reply.confirm}")
        self.say(f"Answered a handshake with {reply.status}; still waiting for a delivery.")
        return reply

    async def _verdict(self, received: Received, now_s: float) -> Verdict:
        for _ in range(_MOST_KEYS):
            known = KnownKeys(self.keys)
            verdict = verify(self.connector, ConfigView(self.values), received, now_s, known)
            if not isinstance(verdict, Wanted) or verdict.source.where in self.keys:
                return verdict
            text = await self._fetch(verdict.source)
            if text is None:
                return verdict
            self.keys[verdict.source.where] = text.decode("utf-8", "replace")
        return verdict

    def _keep(self, received: Received, now_s: float, name: str) -> None:
        made = recorded(self.connector, self.values, received, now_s, KnownKeys(self.keys), self._disguise, name)
        if isinstance(made, Unrecordable):
            self.say(f"A request was taken, and cannot be kept: {made.reason}.")
        else:
            self.fixtures.append(made)


@asynccontextmanager
async def listening(recorder: Recorder, host: str, port: int, public_url: str | None) -> AsyncIterator[str]:
    """The recorder's address, until the block is left; OSError where it cannot listen there."""
    app = web.Application(client_max_size=MAX_BODY)

    async def receive(request: web.Request) -> web.Response:
        reply = await recorder.answer(await _received(request, recorder.public_url))
        return web.Response(status=reply.status, body=reply.body, headers=dict(reply.headers))

    app.router.add_route("*", "/{path:.*}", receive)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        shown = f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{runner.addresses[0][1]}"
        recorder.public_url = public_url or address
        yield address
    finally:
        await runner.cleanup()


async def _received(request: web.Request, public_url: str) -> Received:
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        lower = name.lower()
        headers[lower] = f"{headers[lower]}, {value}" if lower in headers else value
    target = request.raw_path
    return Received(
        method=request.method,
        url=public_url + target,
        query=target.partition("?")[2],
        headers=headers,
        body=await request.read(),
        remote=request.remote or SOMEWHERE,
    )
