"""What tests of custom connectors share: a definition, a vendor that says what it was sent, a second partner."""

import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.kit.gateway import Answered, Gateway

PATH = "/account/connectors/custom"
#: The vendor's host is that of no vendor: account connectors of the tests say `base.url`.
DEFINITION: dict[str, Any] = {
    "Name": "Mailer",
    "Version": "v3",
    "Description": "Sends letters.",
    "AuthType": "ApiKey",
    "AuthScheme": "X-Api-Key",
    "Parameters": [
        {"TargetType": "MergeField", "TargetName": "Dc", "DisplayName": "Data Center",
         "IsAccountConnectorProperty": True},
        {"TargetType": "HttpHeader", "TargetName": "X-Edition", "DefaultValue": "2"},
    ],
    "Methods": [
        {
            "Name": "Create List", "Category": "Lists", "MethodType": "Action", "HttpMethod": "Post",
            "DataType": "Json", "EndPoint": "https://{{Dc}}.api.mailer.example/3.0/users/{{User}}/lists",
            "Parameters": [
                {"TargetType": "MergeField", "TargetName": "User"},
                {"TargetType": "QueryString", "TargetName": "[fields]", "IsOptional": True},
                {"TargetType": "HttpHeader", "TargetName": "X-Mode", "IsOptional": "true"},
            ],
            "RequestFormat": {"Fields": [
                {"ConnectorField": "name", "SystemField": "ListName", "DisplayField": "List Name"},
                {"ConnectorField": "contact.company", "SystemField": "Company", "IsOptional": True},
                {"ConnectorField": "contact.zip", "SystemField": "Zip", "DataType": "Integer", "IsOptional": True},
                {"ConnectorField": "[emails].address", "SystemField": "Email", "IsOptional": True},
                {"ConnectorField": "visibility", "Values": [{"Value": "pub"}, {"Value": "prv"}], "IsOptional": True},
            ]},
        },
        {"Name": "Get Lists", "HttpMethod": "Get", "DataType": "Json",
         "EndPoint": "https://{{Dc}}.api.mailer.example/3.0/lists"},
    ],
}  # fmt: skip


def definition(**changes: Any) -> dict[str, Any]:
    """The definition with other members at its top."""
    return {**copy.deepcopy(DEFINITION), **changes}


@dataclass
class Echo:
    """What a vendor was sent."""

    url: str = ""
    seen: list[dict[str, Any]] = field(default_factory=list)


@asynccontextmanager
async def echo() -> AsyncIterator[Echo]:
    """A vendor that takes everything."""
    found = Echo()

    async def answer(request: web.Request) -> web.Response:
        text = await request.text()
        found.seen.append(
            {"method": request.method, "path": request.path_qs, "headers": dict(request.headers), "body": text}
        )
        return web.json_response({"id": len(found.seen)})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield found
    finally:
        await runner.cleanup()


@dataclass
class Other:
    """A second partner, on every wire."""

    gateway: Gateway
    secrets: dict[str, str]
    bearer: dict[str, str]
    account: str

    async def __call__(self, method: str, path: str, **options: Any) -> Answered:
        """Call below /v1.0 with the account's header."""
        headers = {**self.bearer, "X-Cyclr-Account": self.account}
        return await self.gateway.call(method, "/v1.0" + path, headers=headers, **options)


async def other(gateway: Gateway) -> Other:
    """Make it."""
    answered = await gateway.call("POST", "/api/v1/partners", json={"name": "Other"})
    assert answered.status == 201, answered.body
    made = answered.json
    credential = made["credential"]
    form = {
        "grant_type": "client_credentials",
        "client_id": credential["client_id"],
        "client_secret": credential["client_secret"],
    }
    token = await gateway.call("POST", "/oauth/token", data=form, headers={})
    user = f"User {made['user']['secret']}, Organization {made['organization_secret']}"
    return Other(
        gateway,
        {"Authorization": user},
        {"Authorization": f"Bearer {token.json['access_token']}"},
        made["account_id"],
    )
