"""What tests of `/api/partner` share: connectors for every way to sign in, and calls in the partner's name."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from gateway.config import Config, PricePlan
from tests.api.asking import bearer
from tests.kit.gateway import Answered, Gateway, settings, started

_ENTRY = """
[[config]]
key = "{key}"
name = "{key}"
secret = {secret}
"""
_KEY = '[auth.key]\ntype = "bearer"\ntoken = "{config:key}"\n'
_PAIR = '[auth.pair]\ntype = "basic"\nusername = "{config:user}"\npassword = "{config:pass}"\n'
_NAME_ONLY = '[auth.pair]\ntype = "basic"\nusername = "{config:key}"\npassword = ""\n'
_OAUTH = """
[auth.login]
type = "oauth2"
grant = "authorization_code"
authorize_url = "https://vendor.example/authorize"
token_url = "https://vendor.example/token"
"""
#: By key: the connector's name, the version of its API, its ways to sign in, its entries.
CONNECTORS: dict[str, tuple[str, str | None, str, tuple[str, ...]]] = {
    "keyed": ("Keyed", None, _KEY, ("key",)),
    "paired": ("Paired", None, _PAIR, ("user", "pass")),
    "named": ("Named", None, _NAME_ONLY, ("key",)),
    "either": ("Either", None, _PAIR + _KEY + _OAUTH, ("user", "pass", "key")),
    "social": ("Social", None, _OAUTH, ()),
    "open": ("Open", None, "", ()),
    "twinone": ("Twin", "v1", _KEY, ("key",)),
    "twintwo": ("Twin", "v2", _KEY, ("key",)),
}


@dataclass
class Partner:
    """The first partner, by its token."""

    gateway: Gateway
    auth: Mapping[str, str]

    async def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> Answered:
        """Call below /api/partner; a text or bytes are sent as they are."""
        if isinstance(body, bytes | str):
            options["data"] = body
        elif body is not None:
            options["json"] = body
        options.setdefault("headers", self.auth)
        return await self.gateway.call(method, "/api/partner" + path, **options)

    async def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The JSON of an answer that has to be 200."""
        answered = await self(method, path, body, **options)
        assert answered.status == 200, (method, path, answered.status, answered.body)
        assert answered.headers["X-Content-Type-Options"] == "nosniff"
        return answered.json

    async def refused(self, status: int, method: str, path: str, body: Any = None, **options: Any) -> str:
        """The message of an answer that has to have this status."""
        answered = await self(method, path, body, **options)
        assert answered.status == status, (method, path, answered.status, answered.body)
        assert set(answered.json) == {"Message"}, answered.json
        assert answered.headers["X-Content-Type-Options"] == "nosniff"
        message: str = answered.json["Message"]
        return message

    async def create(self, **body: Any) -> str:
        """The id of a new account."""
        made: str = (await self.ok("POST", "/createaccount", {"Name": "Demo Account", **body}))["Id"]
        return made

    async def account(self, id_: str) -> dict[str, Any]:
        """An account as the list shows it."""
        found = await self.ok("GET", "/accounts?pageSize=1000")
        one: dict[str, Any] = next(one for one in found if one["Id"] == id_)
        return one

    async def values(self, name: str) -> dict[str, str]:
        """What is stored of the instance with this name, secrets opened."""
        services = self.gateway.running.services
        row = await services.runtime.database.one("SELECT id FROM instances WHERE name = $1", name)
        assert row is not None
        view = await services.index.by_id(row["id"])
        assert view is not None
        return dict(view.config.values)


@asynccontextmanager
async def partner(
    folder: Path, database_url: str = "", plans: tuple[PricePlan, ...] = Config().price_plans, **sections: Any
) -> AsyncIterator[Partner]:
    """A gateway that knows the connectors, and its partner."""
    place = folder / "connectors"
    place.mkdir(exist_ok=True)
    for key, (name, version, ways, entries) in CONNECTORS.items():
        head = f'format = 1\nkey = "{key}"\nname = "{name}"\nversion = "1.0.0"\n'
        head += f'api_version = "{version}"\n' if version else ""
        listed = [_ENTRY.format(key=one, secret=str(one != "user").lower()) for one in entries]
        (place / f"{key}.toml").write_text(
            head + "".join(listed) + ways + '[http]\nbase_url = "https://vendor.example"\n'
        )
    configured = settings(folder, database_url, catalogue={"paths": [str(place)]}, **sections)
    async with started(msgspec.structs.replace(configured, price_plans=plans)) as gateway:
        yield Partner(gateway, await bearer(gateway))
