"""A gateway beside a simulated Close, and what the tests of registrations look at on both sides."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.kit.gateway import Gateway, settings, started
from tests.vendors.closeio import API_KEY, BASE
from tests.vendors.simulator import Vendor, vendor

WEBHOOKS = f"{BASE}/webhook/"


@dataclass
class Office:
    """Both of them."""

    gateway: Gateway
    vendor: Vendor

    async def hire(self, **values: Any) -> dict[str, Any]:
        """A closeio instance at the simulated Close, with events on."""
        return await self.gateway.create("closeio", username=API_KEY, **{"base.url": self.vendor.url + BASE, **values})

    async def seen(self, made: dict[str, Any]) -> dict[str, Any]:
        """The registration as its owner sees it."""
        answered = await self.gateway.call("GET", f"/api/v1/instances/{made['id']}")
        found: dict[str, Any] = answered.json["registration"]
        return found

    async def until(self, made: dict[str, Any], state: str) -> dict[str, Any]:
        """The registration once it is in a state."""

        async def is_so() -> bool:
            found = await self.seen(made)
            return bool(found and found["state"] == state)

        await eventually(is_so)
        return await self.seen(made)

    async def tick(self) -> None:
        """The clock's duty, now."""
        await self.gateway.running.services.registrations.tick()

    async def due(self, **columns: int | None) -> None:
        """Everything is due; other columns as they are given."""
        names = {"next_at": 1, **columns}
        sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(names, 1))
        async with self.gateway.running.services.runtime.database.transaction() as transaction:
            await transaction.execute(f"UPDATE registrations SET {sets}", *names.values())

    async def rows(self) -> list[dict[str, Any]]:
        """All that is stored about registrations."""
        database = self.gateway.running.services.runtime.database
        return [dict(row) for row in await database.all("SELECT * FROM registrations ORDER BY instance_id")]

    @property
    def webhooks(self) -> list[dict[str, Any]]:
        """What stands at the vendor."""
        return self.vendor.close.all("webhook")

    async def registered(self, number: int) -> list[dict[str, Any]]:
        """What stands at the vendor, once it is so many."""

        async def are_so_many() -> bool:
            return len(self.webhooks) == number

        await eventually(are_so_many)
        return self.webhooks

    async def configuration(self, made: dict[str, Any]) -> dict[str, str | None]:
        """The values that are stored, opened."""
        services = self.gateway.running.services
        services.index.forget(made["id"])
        view = await services.index.by_id(made["id"])
        assert view is not None
        return dict(view.config.values)


async def eventually(holds: Callable[[], Awaitable[bool]], timeout_s: float = 20) -> None:
    """Wait until it holds; fails where it never does."""
    until = time.monotonic() + timeout_s
    while not await holds():
        assert time.monotonic() < until, "it never came to be"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def office(folder: Path, database_url: str, **sections: Any) -> AsyncIterator[Office]:
    """A gateway and a vendor, gone at the end of the block."""
    async with vendor() as found, started(settings(folder, database_url, **sections)) as gateway:
        yield Office(gateway, found)
