"""A vendor whose lists tests fill by hand, the connector that polls it, and a gateway that knows it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from gateway import config
from gateway.clock import iso
from gateway.polling.dispatcher import Dispatcher
from gateway.storage.database import Database
from tests.kit.gateway import Gateway, settings, started
from tests.registrations.office import eventually

_POLL = """
[[poll]]
name = "{name}"
request = "GET /{name}"
query = {{ since = "{{from}}" }}
paginate = "numbered"
records = "items"
id = "id"
updated = "at"
order = "{order}"
overlap = "60s"
interval = {{ default = "1h", min = "1m", max = "4h" }}
{more}
type = "{name}.{{action}}"
object_type = "const:{name}"
object_id = "item:id"
version = "item:at"
date = "item:at"
"""
_HEAD = """
format = 1
key = "shelf"
name = "Shelf"
version = "1.0.0"
[[config]]
key = "key"
name = "Key"
secret = true
[[config]]
key = "proof"
name = "Proof"
default = "none"
choices = ["none"]
[auth.key]
type = "bearer"
token = "{config:key}"
[http]
base_url = "https://vendor.example"
[pagination.numbered]
type = "page"
param = "page"
size_param = "size"
size = 3
[webhook]
type = "{body:type}"
object_type = "const:things"
object_id = "body:id"
version = "body:at"
[[webhook.verify]]
scheme = "none"
if = { proof = "none" }
"""
SHELF = (
    _HEAD
    + _POLL.format(name="things", order="asc", more='retention = "30d"')
    + _POLL.format(name="others", order="desc", more="etag = true")
)


@dataclass
class Shelf:
    """The vendor's side."""

    url: str = ""
    rows: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {"things": {}, "others": {}})
    #: What lists are answered with instead, by name: a status, a body, headers.
    answers: dict[str, tuple[int, str, dict[str, str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    #: Answers wait for this.
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    running: int = 0
    most: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    def put(self, id_: str, at: int, name: str = "things", **more: Any) -> None:
        """Make or change a row; times in milliseconds."""
        self.rows[name][id_] = {"id": id_, "at": iso(at), **more}

    async def arrived(self, number: int) -> None:
        """Wait until so many requests wait for their answer."""

        async def are_there() -> bool:
            return self.running == number

        await eventually(are_there)

    async def answer(self, request: web.Request) -> web.Response:
        name = request.path.strip("/")
        self.asked.append(request.path_qs)
        self.keys.add(request.headers.get("Authorization", ""))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.gate.wait()
        finally:
            self.running -= 1
        if name in self.answers:
            status, body, headers = self.answers[name]
            return web.Response(status=status, text=body, headers=headers, content_type="application/json")
        return self._page(request, name)

    def _page(self, request: web.Request, name: str) -> web.Response:
        since = request.query.get("since", "")
        found = sorted((row for row in self.rows[name].values() if row["at"] >= since), key=lambda row: row["at"])
        if name == "others":
            found.reverse()
        page, size = int(request.query.get("page", "1")), int(request.query.get("size", "3"))
        body = json.dumps({"items": found[(page - 1) * size : page * size]})
        tag = f'"{hash(body)}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304)
        return web.Response(text=body, content_type="application/json", headers={"ETag": tag} if page == 1 else {})


@asynccontextmanager
async def shelf() -> AsyncIterator[Shelf]:
    """Listening on loopback."""
    found = Shelf()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", found.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield found
    finally:
        found.gate.set()
        await runner.cleanup()


@dataclass
class Room:
    """A gateway, the vendor, and the acts of tests on them."""

    gateway: Gateway
    shelf: Shelf

    @property
    def database(self) -> Database:
        return self.gateway.running.services.runtime.database

    @property
    def pollers(self) -> Dispatcher:
        return self.gateway.running.services.pollers

    async def hire(self, **values: Any) -> dict[str, Any]:
        """An instance that polls."""
        usual = {"key": "k", "event.vendor.type": "polling", "base.url": self.shelf.url}
        return await self.gateway.create("shelf", **{**usual, **values})

    async def seen(self, made: dict[str, Any], name: str = "things") -> dict[str, Any]:
        """A poller as its owner sees it."""
        answered = await self.gateway.call("GET", f"/api/v1/instances/{made['id']}")
        found: dict[str, Any] = next(one for one in answered.json["pollers"] if one["name"] == name)
        return found

    async def poll(self, made: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Poll now; what was found, by name."""
        answered = await self.gateway.call("POST", f"/api/v1/instances/{made['id']}/poll")
        assert answered.status == 200, answered.body
        return {one["name"]: one for one in answered.json["pollers"]}

    async def events(self) -> list[dict[str, Any]]:
        """All that is stored, oldest first."""
        return [dict(row) for row in await self.database.all("SELECT * FROM events ORDER BY id")]

    async def ids(self) -> list[str]:
        """Of which objects there are events."""
        return [event["object_id"] for event in await self.events()]

    async def told(self, *wanted: str) -> None:
        """Wait until there are events of just these objects."""

        async def are_told() -> bool:
            return sorted(await self.ids()) == sorted(wanted)

        await eventually(are_told)

    async def rows(self) -> dict[str, dict[str, Any]]:
        """The pollers' rows, by name."""
        return {row["name"]: dict(row) for row in await self.database.all("SELECT * FROM pollers ORDER BY name")}

    async def due(self, **columns: Any) -> None:
        """Everything is due; other columns as they are given."""
        names = {"next_due": 1, "planned_at": 1, **columns}
        sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(names, 1))
        async with self.database.transaction() as transaction:
            await transaction.execute(f"UPDATE pollers SET {sets}", *names.values())


def with_shelf(folder: Path, database_url: str, **sections: Any) -> config.Config:
    """Settings of a gateway that knows the vendor."""
    place = folder / "connectors"
    place.mkdir(exist_ok=True)
    (place / "shelf.toml").write_text(SHELF)
    return settings(folder, database_url, catalogue={"paths": [str(place)]}, **sections)


@asynccontextmanager
async def room(folder: Path, database_url: str = "", **sections: Any) -> AsyncIterator[Room]:
    """Both, side by side."""
    async with shelf() as vendor, started(with_shelf(folder, database_url, **sections)) as gateway:
        yield Room(gateway, vendor)
