"""Servers for the lines about calls: a vendor, the forwarder anyone would write, a gateway with an instance of it."""

import json
import sys
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from bench import vendor as deliveries
from gateway.accounts import store as accounts
from gateway.provisioning import draft, instances

PIECE = bytes(1 << 16)
CONNECTOR = """
format = 1
key = "benchmark"
name = "Benchmark"
version = "1.0.0"

[auth.key]
type = "bearer"
token = "{config:key}"

[[config]]
key = "key"
name = "Key"
secret = true

[http]
base_url = "https://vendor.invalid"

[methods.thing_get]
request = "GET /things/{id}"

[methods.file_get]
request = "GET /files/{id}"

[resources.things]
get = "thing_get"

[resources.files]
get = "file_get"
"""


def vendor() -> web.Application:
    """Answers 1 KiB of JSON, or as many bytes as the path says."""
    body = orjson.dumps(orjson.loads(deliveries.body(1)))

    async def thing(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    async def file(request: web.Request) -> web.StreamResponse:
        size = int(request.match_info["size"])
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream", "Content-Length": str(size)})
        await response.prepare(request)
        for _ in range(size // len(PIECE)):
            await response.write(PIECE)
        return response

    app = web.Application()
    app.router.add_get("/things/{id}", thing)
    app.router.add_get("/files/{size}", file)
    return app


def forwarder(session: aiohttp.ClientSession, url: str) -> web.Application:
    """Gets with a `ClientSession`, and passes on."""

    async def handle(request: web.Request) -> web.Response:
        await request.read()
        headers = {"Authorization": "Bearer key"}
        async with session.get(url + request.path, headers=headers) as response:
            return web.Response(status=response.status, body=await response.read(), content_type=response.content_type)

    app = web.Application()
    app.router.add_get("/{tail:.*}", handle)
    app.router.add_post("/{tail:.*}", handle)
    return app


def write_connector(folder: str) -> dict[str, Any]:
    """The configuration of a gateway that knows the benchmark's connector."""
    catalogue = Path(folder) / "catalogue"
    catalogue.mkdir(parents=True)
    (catalogue / "benchmark.toml").write_text(CONNECTOR, "utf-8")
    return {"catalogue": {"paths": [str(catalogue)]}}


async def instance(running: Any, url: str) -> None:
    """Make the instance whose vendor is at `url`, and tell how it is called."""
    secrets, database = running.config.bootstrap, running.services.runtime.database
    who = await accounts.caller_by_secrets(database, secrets.user_secret, secrets.organization_secret)
    assert who is not None
    wanted = draft.Draft(connector="benchmark", name="bench", configuration={"key": "key", "base.url": url})
    details, _ = await instances.create(running.services, who, wanted)
    authorization = f"User {secrets.user_secret}, Element {details.element_token}"
    client = {"client_id": secrets.client_id, "client_secret": secrets.client_secret}
    print(json.dumps({"authorization": authorization, "client": client}), file=sys.stderr, flush=True)
