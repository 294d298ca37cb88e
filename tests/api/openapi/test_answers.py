"""What the gateway answers is what the description says that it does, field by field."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs

from tests.api.openapi.scene import Scene, of, scene
from tests.kit.gateway import Answered
from tests.vendors import API_KEY

#: It does not end by itself; the journeys follow it.
ENDLESS = "followEvents"
_LOGIN = "?apiKey=id&callbackUrl=https://app.example/back"
_QUERY = {
    "findFate": "?object_id=none",
    "signIn": "?token=none",
    "getLoginAddress": _LOGIN,
    "postLoginAddress": _LOGIN,
    "removeFromAllowList": "?list=calls&address=192.0.2.0/24",
}
_STATUS = {"signIn": 400, "cyclrGetConnectorVersion": 200, "cyclrListVersionMethods": 404}


def closed(schema: Any) -> Any:
    """The schema without room for what is not described."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(one) for name, one in schema.items()}
    if isinstance(found.get("properties"), dict) and found.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found


def problems(document: Mapping[str, Any], operation: Mapping[str, Any], answered: Answered) -> Iterator[str]:
    """Everything about an answer that the description does not say."""
    told = operation["responses"].get(str(answered.status))
    if told is None:
        yield f"the status {of(answered)} is not described"
        return
    if "$ref" in told:
        told = document["components"]["responses"][told["$ref"].rsplit("/", 1)[-1]]
    media = answered.headers.get("Content-Type", "").partition(";")[0]
    content = told.get("content", {})
    if not content:
        yield from [f"there is a body: {of(answered)}"] if answered.body else []
        return
    if media not in content and "*/*" not in content:
        yield f"its type is {media!r}"
        return
    schema = content.get(media, content.get("*/*"))["schema"]
    if media.endswith(("/json", "+json")) and schema:
        whole = {**closed(schema), "components": closed({"schemas": document["components"]["schemas"]})}
        checked = jsonschema_rs.Draft202012Validator(whole)
        yield from (f"{one.message} at {list(one.instance_path)}" for one in checked.iter_errors(answered.json))


async def _asked(there: Scene, method: str, path: str, operation: Mapping[str, Any]) -> Answered:
    where = there.filled(path) + _QUERY.get(operation["operationId"], "")
    return await there.ask(method, where, there.headers(there.own, operation))


async def test_every_read_is_answered_as_described(tmp_path: Path) -> None:
    wrong: dict[str, list[str]] = {}
    async with scene(tmp_path) as there:
        for method, path, operation in there.operations():
            name = operation["operationId"]
            if method != "GET" or name == ENDLESS:
                continue
            answered = await _asked(there, method, path, operation)
            found = list(problems(there.document, operation, answered))
            if answered.status != _STATUS.get(name, 200):
                found.append(of(answered))
            if found:
                wrong[f"{method} {path}"] = found
    assert not wrong, "\n".join(f"{place}: {found}" for place, found in wrong.items())


#: Where the scene has nothing that the operation could be done to.
_REFUSED = {
    "cyclrInstallVersion": 404,
    "register": 409,
    "pollNow": 409,
    "replayDelivery": 409,
    "replayEvent": 409,
    "cancelReplay": 409,
    "resumeReplay": 409,
    "cancelErasure": 409,
    "resumeErasure": 409,
    "revokePartner": 409,
    "deleteMyInstance": 401,
    "deleteInstance": 404,
    "callReplace": 405,
    "callUpdate": 405,
    "hubReplace": 405,
    "hubUpdate": 405,
    "callDelete": 405,
    "hubDelete": 405,
}


async def test_every_write_is_answered_as_described(tmp_path: Path) -> None:
    wrong: dict[str, list[str]] = {}
    async with scene(tmp_path) as there:
        for method, path, operation in sorted(there.operations(), key=_last):
            name, given = operation["operationId"], bodies(there)
            if method == "GET" or name in wrong or path.startswith("/elements/api-v2/hubs"):
                continue
            if path.startswith("/elements/api-v2/") and "{resource}" not in path:
                continue
            answered = await _written(there, method, path, operation, given.get(name))
            found = list(problems(there.document, operation, answered))
            if not 200 <= answered.status < 300 and answered.status != _REFUSED.get(name):
                found.append(of(answered))
            if found:
                wrong[name] = found
    assert not wrong, "\n".join(f"{place}: {found}" for place, found in wrong.items())


def _last(one: tuple[str, str, dict[str, Any]]) -> tuple[int, int]:
    """What takes away is done last, the smaller before the larger, and what takes away who calls at the very end."""
    method, path, operation = one
    if path.startswith(("/api/v1/partners", "/api/v1/tokens")):
        return 9, 0
    if operation["operationId"] == "replayDeadLetter":
        return -1, 0  # Sent again as an event, it would be none any more.
    takes = method == "DELETE" or "deauthenticate" in path or operation["operationId"] == "erase"
    if takes and path.endswith("/enabled"):
        return 7, 0
    if takes and path in ("/instances", "/instances/{id}", "/v1.0/accounts/{id}"):
        return 8, 0
    return int(takes), -len(path) if takes else 0


def bodies(there: Scene) -> dict[str, Any]:
    """Where the example is about something that the scene does not have."""
    vendor, account = f"{there.cyclr.there.url}/api/v1", there.cyclr.account
    secrets = there.gateway.running.config.bootstrap
    base = {"Name": "base.url", "Value": vendor}
    third_parties = "/api/v1/third-party-connectors"
    return {
        "activateThirdPartyConnectors": {"ids": [there.ids[third_parties, "id"]]},
        "disableThirdPartyConnectors": {"ids": [there.ids[third_parties, "another"]]},
        "token": {
            "grant_type": "client_credentials",
            "client_id": secrets.client_id,
            "client_secret": secrets.client_secret,
        },
        "cyclrInstall": {"Name": "Another", "Properties": [base]},
        "cyclrChangeAccountConnector": {"Name": "Yet another", "Properties": [base]},
        "cyclrAddProperty": base,
        "cyclrChangeProperty": base,
        "cyclrCall": {},
        "cyclrTest": {},
        "partnerSignInToken": {"AccountId": account, "Username": "ann@acme.example"},
        "partnerInstall": {"AccountId": account, "ConnectorName": "Close", "ApiKey": API_KEY},
        "addUser": {"username": "another@acme.example"},
        "erase": {"account_id": there.ids["/api/v1/accounts", "account_id"], "object_id": "none"},
        "createInstance": {"element": {"key": "closeio"}, "configuration": {"username": API_KEY, "base.url": vendor}},
        "createInstanceOf": {"configuration": {"username": API_KEY, "base.url": vendor}},
        "changeConfiguration": {"propertyValue": API_KEY},
        "changeMyConfiguration": {"propertyValue": API_KEY},
        "hubCreate": {"name": "Acme"},
        "callCreate": {"name": "Acme"},
    }


async def _written(there: Scene, method: str, path: str, operation: Mapping[str, Any], body: Any) -> Answered:
    where = there.filled(path) + _QUERY.get(operation["operationId"], "")
    headers = there.headers(there.own, operation)
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return await there.ask(method, where, headers)
    media = next(iter(content))
    given = content[media].get("example", {}) if body is None else body
    if media == "application/x-www-form-urlencoded":
        return await there.ask(method, where, headers, data=given)
    return await there.ask(method, where, headers, json=given)
