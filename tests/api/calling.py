"""What tests of calls share: a gateway with an instance of the simulated Close, and the calls through it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.api.asking import OC, with_element
from tests.kit.gateway import Answered, Gateway, settings, started
from tests.vendors import API_KEY, Vendor, vendor


@dataclass
class Caller:
    """An instance of closeio at the simulated vendor, and whoever calls through it."""

    gateway: Gateway
    there: Vendor
    made: dict[str, Any]

    @property
    def headers(self) -> dict[str, str]:
        return with_element(self.gateway, self.made["token"], organization=False)

    @property
    def id(self) -> int:
        found: int = self.made["id"]
        return found

    async def __call__(self, method: str, path: str, **options: Any) -> Answered:
        """Call a resource below /hubs/crm/, or whatever path begins with a slash."""
        options["headers"] = {**self.headers, **options.pop("headers", {})}
        url = path if path.startswith("/") else f"{OC}/hubs/crm/{path}"
        return await self.gateway.call(method, url, **options)

    async def set(self, **values: Any) -> None:
        """Change the instance's configuration."""
        named = {name.replace("_", "."): value for name, value in values.items()}
        body = {"configuration": named}
        answered = await self.gateway.call("PATCH", f"/instances/{self.id}", json=body)
        assert answered.status == 200, answered.body


@asynccontextmanager
async def calling(folder: Path, database_url: str = "", **sections: Any) -> AsyncIterator[Caller]:
    """A gateway, a vendor, and an instance between them."""
    async with vendor() as there, started(settings(folder, database_url, **sections)) as gateway:
        values: dict[str, Any] = {
            "username": API_KEY,
            "base.url": f"{there.url}/api/v1",
            "event.notification.enabled": False,
        }
        yield Caller(gateway, there, await gateway.create("closeio", **values))
