"""A gateway that polls a simulated vendor for hours of the vendor's life, and what became of every change."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tests.kit.gateway import Answered, Gateway, settings, started
from tests.vendors.closeio import API_KEY, BASE
from tests.vendors.life import Write
from tests.vendors.misbehaving import Act
from tests.vendors.simulator import Vendor, vendor

#: What one sees of a thing: one of its states, or its end.
Told = tuple[str, int | str]


@dataclass
class World:
    """The gateway, the vendor, and the instance that polls there."""

    gateway: Gateway
    vendor: Vendor
    made: dict[str, Any] = field(default_factory=dict)
    #: From which state on everything must be told: what was there before the first poll need not be.
    begun: int = 0

    async def hire(self, connector: str, base: str = "", **values: Any) -> None:
        """An instance that polls, and has polled for the first time."""
        wanted = {"event.vendor.type": "polling", "base.url": self.vendor.url + base, **values}
        self.vendor.life.settle()
        self.made = await self.gateway.create(connector, **wanted)
        await self.poll()
        self.begun = self.newest

    @property
    def newest(self) -> int:
        """The newest state of all."""
        return max((writes[-1].state for writes in self.vendor.life.history.values()), default=0)

    async def poll(self) -> Answered:
        """Poll now, until there is no more to be had at once."""
        return await self.gateway.call("POST", f"/api/v1/instances/{self.made['id']}/poll")

    async def live(self, minutes: int, *, rate: float, trouble: Callable[[int], Act | None] = lambda _: None) -> None:
        """So many minutes with so many writes a second, and a poll in each; every now and then much changes at once."""
        for minute in range(minutes):
            self.vendor.life.go_on(60, rate=rate, deletes=0.02)
            if minute % 9 == 4:
                self.vendor.life.bulk(350)
            act = trouble(minute)
            if act is not None:
                self.vendor.next(act)
            await self.poll()

    async def rest(self, minutes: int = 6) -> None:
        """Nothing happens any more, and polling goes on for a while."""
        self.vendor.behave()
        for _ in range(minutes):
            self.vendor.life.go_on(60)
            await self.poll()

    async def events(self) -> list[dict[str, Any]]:
        """All that is stored of the instance."""
        database = self.gateway.running.services.runtime.database
        sql = "SELECT * FROM events WHERE instance_id = $1 ORDER BY id"
        return [dict(row) for row in await database.all(sql, self.made["id"])]

    async def told(self) -> Counter[Told]:
        """How often each state of each thing became an event."""
        return Counter(_told(event) for event in await self.events() if event["object_id"] is not None)

    def missed(self, told: Counter[Told], seen: Callable[[Write], Told | None]) -> dict[str, Write]:
        """The things whose last state was never told."""
        late = {thing: write for thing, write in self.vendor.life.final().items() if write.state > self.begun}
        wanted = {thing: (seen(write), write) for thing, write in late.items()}
        return {thing: write for thing, (one, write) in wanted.items() if one is not None and one not in told}


def _told(event: dict[str, Any]) -> Told:
    value = orjson.loads(event["payload"])
    value = value["event"]["data"] if "event" in value else value.get("issue", value)
    if event["action"] == "DELETED" or "state" not in value:
        return event["object_id"], "gone"
    title = value.get("title")
    return event["object_id"], int(title.removeprefix("state ")) if title else int(value["state"])


def doubled(told: Counter[Told]) -> dict[Told, int]:
    """What was told more than once."""
    return {one: number for one, number in told.items() if number > 1}


@asynccontextmanager
async def world(folder: Path, database_url: str, **sections: Any) -> AsyncIterator[World]:
    """Both of them, gone at the end of the block; the vendor's clock goes on by itself only when it is told to."""
    async with vendor() as found, started(settings(folder, database_url, **sections)) as gateway:
        found.clock.stop()
        yield World(gateway, found)


CLOSE = {"username": API_KEY}
__all__ = ["BASE", "CLOSE", "World", "doubled", "world"]
