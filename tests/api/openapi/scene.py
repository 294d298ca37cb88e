"""A first partner with one of everything that an operation may name, and a second one who has nothing to do with it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from tests.api.custom import definition
from tests.api.cyclr import Cyclr, speaking
from tests.kit.gateway import Answered, Gateway
from tests.vendors import API_KEY

#: In every text of the first partner's that nobody else may read.
MARK = "first-partners-own"
VERBS = ("get", "post", "put", "patch", "delete")
_FIELDS = {
    "event.notification.enabled": True,
    "webhook.signature.key": "00ff00ff",
    "username": API_KEY,
}


@dataclass
class Scene:
    """What there is; `ids` fill places of paths, by the beginning of the path and the place's name."""

    cyclr: Cyclr
    document: Mapping[str, Any]
    #: Headers that go with an operation, by the way to say who calls.
    own: Mapping[str, dict[str, str]]
    other: Mapping[str, dict[str, str]]
    other_account: str
    ids: Mapping[tuple[str, str], object]

    @property
    def gateway(self) -> Gateway:
        return self.cyclr.gateway

    def operations(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Every operation, at each of its addresses: method, path, and how it is described."""
        base = self.document["servers"][0]["url"]
        return [
            (verb.upper(), server["url"].removeprefix(base) + path, item[verb])
            for path, item in self.document["paths"].items()
            for server in item.get("servers", self.document["servers"])
            for verb in VERBS
            if verb in item
        ]

    def filled(self, path: str) -> str:
        """The path with the first partner's ids in its places."""
        bare = path.removeprefix("/elements/api-v2") if "/elements/api-v2/" in path else path
        for (start, name), value in self.ids.items():
            if bare.startswith(start):
                path = path.replace("{" + name + "}", str(value))
        assert "{" not in path, path
        return path

    def headers(
        self, who: Mapping[str, dict[str, str]], operation: Mapping[str, Any], account: str = ""
    ) -> dict[str, str]:
        """The headers with which somebody asks for an operation, in the first partner's account or in another."""
        names = [name for way in operation["security"] for name in way]
        found = dict(who[names[0]]) if names else {}
        if any(one["name"] == "X-Cyclr-Account" for one in operation.get("parameters", ())):
            found["X-Cyclr-Account"] = account or self.cyclr.account
        return found

    async def ask(self, method: str, path: str, headers: Mapping[str, str], **options: Any) -> Answered:
        """Ask, and read what is answered; no redirection is followed."""
        options.setdefault("allow_redirects", False)
        options.setdefault("timeout", aiohttp.ClientTimeout(total=10))
        url = self.gateway.url + path
        async with self.gateway.session.request(method, url, headers=headers, **options) as response:
            body = await response.read()
            is_json = response.content_type.endswith(("/json", "+json")) and body
            return Answered(response.status, response.headers, body, orjson.loads(body) if is_json else None)


@asynccontextmanager
async def scene(folder: Path, **sections: Any) -> AsyncIterator[Scene]:
    """All of it, at a gateway of its own."""
    async with speaking(folder, **sections) as cyclr:
        gateway = cyclr.gateway
        await cyclr.allow("127.0.0.0/8")
        document = (await gateway.call("GET", "/openapi.json")).json
        instance = await _instance(cyclr, "closeio")
        # A year: it is polled where somebody says so, and never by the clock.
        asked = {"event.vendor.type": "polling", "event.poller.refresh_interval": "525600"}
        polled = await _instance(cyclr, "polled", **asked)
        ids = await _ids(cyclr, instance, polled)
        made = await ok(gateway, "POST", "/api/v1/partners", 201, json={"name": "Second"})
        own = _ways(gateway.auth, cyclr.auth, instance["token"])
        other_token = await _token(gateway, made["credential"])
        secrets = {"Authorization": f"User {made['user']['secret']}, Organization {made['organization_secret']}"}
        other = _ways(secrets, other_token, instance["token"])
        yield Scene(cyclr, document, own, other, made["account_id"], ids)


def _ways(secrets: dict[str, str], token: dict[str, str], element: str) -> dict[str, dict[str, str]]:
    user = secrets["Authorization"].partition(",")[0]
    return {
        "secrets": secrets,
        "bearer": token,
        "element": {"Authorization": f"{user}, Element {element}"},
        "client": {},
        "metrics": {},
    }


async def ok(gateway: Gateway, method: str, path: str, status: int = 200, **options: Any) -> Any:
    """The JSON of an answer that has to have this status."""
    answered = await gateway.call(method, path, **options)
    assert answered.status == status, (method, path, answered.status, answered.body)
    return answered.json


async def _instance(cyclr: Cyclr, name: str, **values: Any) -> dict[str, Any]:
    """Close, at the simulated vendor; its events go where nobody listens."""
    wanted = {**_FIELDS, "base.url": f"{cyclr.there.url}/api/v1", **values}
    wanted["event.notification.callback.url"] = "http://127.0.0.1:9/hook"
    body = {"element": {"key": "closeio"}, "name": f"{MARK} {name}", "tags": [MARK], "configuration": wanted}
    made: dict[str, Any] = await ok(cyclr.gateway, "POST", "/instances", json=body)
    return made


async def _token(gateway: Gateway, credential: Mapping[str, str]) -> dict[str, str]:
    form = {
        "grant_type": "client_credentials",
        "client_id": credential["client_id"],
        "client_secret": credential["client_secret"],
    }
    found = await ok(gateway, "POST", "/oauth/token", data=form, headers={})
    return {"Authorization": f"Bearer {found['access_token']}"}


async def _dead_letters(gateway: Gateway, number: int) -> list[dict[str, Any]]:
    for _ in range(200):
        items: list[dict[str, Any]] = (await ok(gateway, "GET", "/api/v1/dead-letters"))["items"]
        if len(items) == number:
            return items
        await asyncio.sleep(0.05)
    raise AssertionError("nothing became a dead letter")


async def _ids(cyclr: Cyclr, instance: Mapping[str, Any], polled: Mapping[str, Any]) -> dict[tuple[str, str], object]:
    gateway, number = cyclr.gateway, instance["id"]
    for _ in range(2):
        await ok(gateway, "POST", f"/api/v1/instances/{number}/send")
    await ok(gateway, "POST", f"/api/v1/instances/{polled['id']}/poll")
    element = {"Authorization": f"{gateway.auth['Authorization']}, Element {instance['token']}"}
    await ok(gateway, "GET", "/hubs/crm/accounts", headers=element)
    letter, another = await _dead_letters(gateway, 2)
    installed = await cyclr.install(Name=f"{MARK} close")
    user = await ok(gateway, "POST", "/api/v1/users", 201, json={"username": f"{MARK} user"})
    credential = await ok(gateway, "POST", "/api/v1/credentials", 201, json={"name": MARK})
    account = (await ok(gateway, "GET", "/api/v1/instances"))["items"][0]["account_id"]
    partner = (await ok(gateway, "GET", "/api/v1/partners"))["items"][0]["id"]
    replay = await ok(gateway, "POST", "/api/v1/replays", 202, json={"filter": {"object_id": "none"}})
    wanted = {"account_id": account, "object_id": "none"}
    erasure = await ok(gateway, "POST", "/api/v1/erasures", 202, json=wanted)
    records = await ok(gateway, "GET", f"/instances/{number}/configuration")
    record = next(one for one in records if one["key"] == "username")
    used = (await ok(gateway, "GET", "/elements/api-v2/usage"))[0]
    method, _ = await cyclr.numbers("List leads")
    custom = await cyclr.ok("POST", "/account/connectors/custom", definition(Name=f"{MARK} mailer"))
    third = {"name": f"{MARK} target", "url": "http://127.0.0.1:9/x/{event:id}", "fires": {"event_types": ["none"]}}
    third_party = await ok(gateway, "POST", "/api/v1/third-party-connectors", 201, json=third)
    third["name"] = f"{MARK} other target"
    another_party = await ok(gateway, "POST", "/api/v1/third-party-connectors", 201, json=third)
    found: dict[tuple[str, str], object] = {
        ("/api/v1/events", "id"): letter["event_id"],
        ("/api/v1/deliveries", "id"): letter["id"],
        ("/api/v1/dead-letters/{id}/discard", "id"): another["id"],
        ("/api/v1/dead-letters", "id"): letter["id"],
        ("/api/v1/instances", "id"): number,
        ("/api/v1/instances", "what"): "signing-secret",
        ("/api/v1/replays", "id"): replay["id"],
        ("/api/v1/third-party-connectors", "id"): third_party["id"],
        ("/api/v1/third-party-connectors", "another"): another_party["id"],
        ("/api/v1/erasures", "id"): erasure["id"],
        ("/api/v1/partners", "id"): partner,
        ("/api/v1/users", "id"): user["id"],
        ("/api/v1/credentials", "client_id"): credential["client_id"],
        ("/api/v1/tokens", "id"): (await ok(gateway, "GET", "/api/v1/tokens"))["items"][0]["id"],
        ("/api/v1/accounts", "account_id"): account,
        ("/v1.0/accounts", "id"): cyclr.account,
        ("/v1.0/account/connectors/custom", "id"): custom["Id"],
        ("/v1.0/account/connectors", "id"): installed["Id"],
        ("/v1.0/account/connectors", "pid"): installed["Properties"][0]["Id"],
        ("/v1.0/account/connectors", "methodId"): method,
        ("/v1.0/connectors", "name"): "Close",
        ("/v1.0/connectors", "version"): "v1",
        ("/v1.0/methods", "id"): method,
        ("/api/partner/accounts", "id"): cyclr.account.replace("-", ""),
        ("/instances", "id"): number,
        ("/instances", "eventId"): letter["event_id"],
        ("/instances", "configId"): record["id"],
        ("/instances", "operationId"): "accounts.list",
        ("/elements", "keyOrId"): instance["elementId"],
        ("/elements", "type"): "basic",
        ("/hubs", "hub"): "crm",
        ("/hubs", "resource"): "accounts",
        ("/usage", "requestId"): used["id"],
        ("/{resource}", "resource"): "accounts",
    }
    return found


def of(answered: Answered) -> str:
    """An answer in a line, for people."""
    return f"{answered.status} {answered.body[:300]!r}"
