"""What is measured and what it is measured against, each in a process of its own: `python -m bench.servers KIND`."""

import asyncio
import json
import re
import sys
import time
from typing import Any

import aiohttp
import uvloop
from aiohttp import web

from bench import callees
from gateway import app as gateway_app
from gateway import config, log
from gateway.accounts import store as accounts
from gateway.clock import now_ms
from gateway.events import sweep
from gateway.provisioning import draft, instances

_SEQ = re.compile(rb'"seq":(\d+)')


async def bare(_: dict[str, Any]) -> int:
    """An aiohttp handler that reads the body and answers."""

    async def handle(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(text="ok")

    return await _listen(handle)


async def naive(options: dict[str, Any]) -> int:
    """The forwarder anyone would write: it posts the body on, and answers."""
    session = aiohttp.ClientSession()
    _keep.append(session)

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        async with session.post(options["url"], data=body, headers={"Content-Type": "application/json"}) as response:
            await response.read()
        return web.Response(text="ok")

    return await _listen(handle)


async def _listen(handle: Any) -> int:
    app = web.Application()
    app.router.add_post("/{tail:.*}", handle)
    return await _served(app)


async def _served(app: web.Application) -> int:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    port: int = runner.addresses[0][1]
    return port


async def sink(_: dict[str, Any]) -> int:
    """A consumer on a bare socket: 200 to everything; `GET /seen` tells when each delivery first arrived."""
    server = await asyncio.get_running_loop().create_server(_Sink, "127.0.0.1", 0, backlog=1024)
    port: int = server.sockets[0].getsockname()[1]
    return port


class _Sink(asyncio.Protocol):
    seen: dict[int, float] = {}  # noqa: RUF012 - one sink a process

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            place = head.find(b"content-length:")
            length = int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"get /seen"):
            content = json.dumps(self.seen).encode()
        elif head.startswith(b"get /count"):
            content = str(len(self.seen)).encode()
        elif head.startswith(b"get /forget"):
            self.seen.clear()
            content = b"{}"
        elif head.startswith(b"post /hang"):
            return
        elif head.startswith(b"post /fail"):
            self._transport.write(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\n{}")
            return
        else:
            if found := _SEQ.search(body):
                self.seen.setdefault(int(found[1]), time.monotonic())
            content = b"{}"
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (len(content), content)
        )


async def gateway(options: dict[str, Any]) -> int:
    """The gateway as it ships, with one GitHub instance for each callback URL; tells their URLs and secrets."""
    context, running, made = await opened(options)
    _keep.append(context)
    secrets = running.config.bootstrap
    told = {
        "instances": made or options.get("stored", []),
        "authorization": f"User {secrets.user_secret}, Organization {secrets.organization_secret}",
        "client": {"client_id": secrets.client_id, "client_secret": secrets.client_secret},
    }
    print(json.dumps(told), file=sys.stderr, flush=True)
    if "sweep_after_s" in options:
        _keep.append(_Swept(asyncio.create_task(_sweep(running, options["sweep_after_s"]))))
    return running.port


async def _sweep(running: gateway_app.Running, after_s: float) -> None:
    await asyncio.sleep(after_s)
    retention = running.config.retention
    await sweep.sweep(running.services.runtime.database, now_ms(), retention.events.ms, retention.payloads.ms)


class _Swept:
    def __init__(self, task: "asyncio.Task[None]") -> None:
        self._task = task

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def opened(options: dict[str, Any]) -> tuple[Any, gateway_app.Running, list[dict[str, Any]]]:
    """A running gateway with its context, and its instances' paths and secrets."""
    settings = config.build(
        {
            "server": {"port": 0},
            "storage": {"data_dir": options["folder"]},
            "egress": {"allow_http": True, "allow_networks": ["127.0.0.0/8"]},
            "log": {"format": "json"},
            **options.get("config", {}),
        },
        {},
        "the benchmark",
    )
    log.configure(settings.log)
    context = gateway_app.running(settings)
    running = await context.__aenter__()
    return context, running, [await _instance(running, url) for url in options.get("callbacks", [])]


async def _instance(running: gateway_app.Running, url: str | None) -> dict[str, Any]:
    secrets, database = running.config.bootstrap, running.services.runtime.database
    who = await accounts.caller_by_secrets(database, secrets.user_secret, secrets.organization_secret)
    assert who is not None
    # Nobody listens at port 9: no vendor is asked about made-up credentials.
    values = {"token": "t", "owner": "o", "repo": "r", "base.url": "http://127.0.0.1:9"}
    wanted_values = {**values, "event.notification.enabled": True, "event.notification.callback.url": url}
    wanted = draft.Draft(connector="github", name="bench", configuration=wanted_values)
    details, shown = await instances.create(running.services, who, wanted)
    assert shown.webhook_url is not None
    path = "/in/" + shown.webhook_url.rsplit("/", 1)[-1]
    return {"id": details.instance.id, "path": path, "secret": shown.webhook_secret}


async def vendor(_: dict[str, Any]) -> int:
    """A vendor that is called."""
    return await _served(callees.vendor())


async def quiet(_: dict[str, Any]) -> int:
    """A vendor that is polled, and at which nothing happens."""

    async def handle(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({"success": True, "data": [], "additional_data": {"next_cursor": None}})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handle)
    return await _served(app)


async def forwarder(options: dict[str, Any]) -> int:
    """What anyone would write in place of the gateway."""
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    _keep.append(session)
    return await _served(callees.forwarder(session, options["url"]))


async def caller(options: dict[str, Any]) -> int:
    """The gateway with one instance of the vendor; tells how it is called."""
    context, running, _ = await opened({**options, "config": callees.write_connector(options["folder"])})
    _keep.append(context)
    await callees.instance(running, options["url"])
    return running.port


_keep: list[Any] = []
KINDS = {
    "bare": bare,
    "naive": naive,
    "sink": sink,
    "gateway": gateway,
    "vendor": vendor,
    "quiet": quiet,
    "forwarder": forwarder,
    "caller": caller,
}


async def main(kind: str, options: dict[str, Any]) -> None:
    """Serve, tell the port, and end when standard input does."""
    port = await KINDS[kind](options)
    print(json.dumps({"port": port}), file=sys.stderr, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for context in _keep:
        await context.__aexit__(None, None, None)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}))
