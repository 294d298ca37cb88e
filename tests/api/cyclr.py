"""What tests of the Cyclr wire share: a partner's token, an account, and calls with both."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.api.asking import bearer
from tests.kit.gateway import Answered, Gateway, settings, started
from tests.vendors import API_KEY, Vendor, vendor


@dataclass
class Cyclr:
    """Whoever speaks this wire in the name of the first partner, for one of its accounts."""

    gateway: Gateway
    there: Vendor
    auth: dict[str, str]
    account: str

    async def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> Answered:
        """Call below /v1.0 with the account's header."""
        headers = {**self.auth, "X-Cyclr-Account": self.account, **options.pop("headers", {})}
        if isinstance(body, bytes | str):
            options["data"] = body
        elif body is not None:
            options["json"] = body
        return await self.gateway.call(method, "/v1.0" + path, headers=headers, **options)

    async def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The JSON of an answer that has to be 200."""
        answered = await self(method, path, body, **options)
        assert answered.status == 200, (method, path, answered.status, answered.body)
        return answered.json

    async def refused(self, status: int, method: str, path: str, body: Any = None, **options: Any) -> str:
        """The message of an answer that has to have this status."""
        answered = await self(method, path, body, **options)
        assert answered.status == status, (method, path, answered.status, answered.body)
        assert set(answered.json) == {"Message"}, answered.json
        assert answered.headers["X-Content-Type-Options"] == "nosniff"
        message: str = answered.json["Message"]
        return message

    async def install(self, **body: Any) -> dict[str, Any]:
        """Close, at the simulated vendor."""
        properties = [{"Name": "base.url", "Value": f"{self.there.url}/api/v1"}]
        wanted = {"Properties": properties, "AuthValue": API_KEY, **body}
        found: dict[str, Any] = await self.ok("POST", "/connectors/close/install", wanted)
        return found

    async def allow(self, *addresses: str, list_: str = "calls") -> None:
        """Let calls come from these addresses, and from nowhere else."""
        body = {"list": list_, "entries": list(addresses)}
        answered = await self.gateway.call("PUT", "/api/v1/ip-allow-list", json=body)
        assert answered.status == 200, answered.body

    async def numbers(self, method_name: str) -> tuple[int, dict[str, int]]:
        """The id of one of Close's methods, and those of what it takes, by name."""
        for one in await self.ok("GET", "/connectors/Close/methods?pageSize=1000"):
            if one["Name"] == method_name:
                inputs = [*one["Parameters"], *one["RequestFormat"]["Fields"]]
                return one["Id"], {given["Name"]: given["Id"] for given in inputs}
        raise AssertionError(method_name)


@asynccontextmanager
async def speaking(folder: Path, database_url: str = "", **sections: Any) -> AsyncIterator[Cyclr]:
    """A gateway, a vendor, and an account of the first partner."""
    async with vendor() as there, started(settings(folder, database_url, **sections)) as gateway:
        auth = await bearer(gateway)
        made = await gateway.call("POST", "/v1.0/accounts", headers=auth, json={"Name": "Demo Account"})
        assert made.status == 200, made.body
        yield Cyclr(gateway, there, auth, made.json["Id"])
