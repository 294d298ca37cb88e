"""Every endpoint of the wire, at the vendor's prefix and at the bare path that SAP's documents write."""

from typing import Any

import pytest

from tests.api.asking import OC, with_element
from tests.kit.gateway import NOWHERE, Gateway


@pytest.mark.parametrize("prefix", [OC, ""])
async def test_every_endpoint_answers_200_with_json(gateway: Gateway, prefix: str) -> None:
    made = await gateway.create("github")
    one = f"{prefix}/instances/{made['id']}"
    own = f"{prefix}/instances"
    [record, *_] = (await gateway.call("GET", one + "/configuration")).json
    element = made["elementId"]
    create = {"name": "x", "configuration": {"token": "t", "owner": "o", "repo": "r", **NOWHERE}}
    by_path: list[tuple[str, str, Any]] = [
        ("POST", own, {**create, "element": {"key": "github"}}),
        ("POST", f"{prefix}/elements/github/instances", create),
        ("POST", f"{prefix}/elements/{element}/instances", create),
        ("GET", own, None),
        ("GET", own + "/count", None),
        ("GET", own + "/events", None),
        ("GET", own + "/events/dispositions", None),
        ("GET", one, None),
        ("PUT", one, {"name": "y"}),
        ("PATCH", one, {"name": "z"}),
        ("GET", one + "/configuration", None),
        ("GET", f"{one}/configuration/{record['id']}", None),
        ("PATCH", f"{one}/configuration/{record['id']}", record),
        ("DELETE", one + "/enabled", None),
        ("PUT", one + "/enabled", None),
        ("GET", one + "/events", None),
        ("GET", one + "/events/dispositions", None),
        ("GET", f"{prefix}/elements", None),
        ("GET", f"{prefix}/elements/keys", None),
        ("GET", f"{prefix}/elements/github", None),
        ("GET", f"{prefix}/elements/{element}", None),
        ("GET", f"{prefix}/elements/github/instances", None),
        ("GET", f"{prefix}/elements/github/configuration", None),
        ("GET", f"{prefix}/elements/{element}/configuration", None),
        ("GET", f"{prefix}/elements/{element}/metadata", None),
    ]
    by_token: list[tuple[str, str, Any]] = [
        ("PUT", own, {"name": "y"}),
        ("PATCH", own, {"name": "z"}),
        ("GET", own + "/configuration", None),
        ("GET", f"{own}/configuration/{record['id']}", None),
        ("PATCH", f"{own}/configuration/{record['id']}", record),
        ("DELETE", own + "/enabled", None),
        ("PUT", own + "/enabled", None),
        ("GET", own + "/events", None),
        ("DELETE", own, None),
    ]
    for headers, calls in ((gateway.auth, by_path), (with_element(gateway, made["token"]), by_token)):
        for method, path, body in calls:
            answered = await gateway.call(method, path, json=body, headers=headers)
            assert answered.status == 200, (method, path, answered.body)
            assert answered.json is not None
            assert answered.headers["Elements-Request-Id"]


async def test_an_instance_as_the_gateways_own_api_shows_it(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github", "http://127.0.0.1:9/x", **{"filter.response.nulls": False})
    shown = (await sqlite_gateway.call("GET", f"/api/v1/instances/{made['id']}")).json
    assert (shown["id"], shown["connector"], shown["enabled"]) == (made["id"], "github", True)
    assert (shown["events_enabled"], shown["filter_nulls"]) == (True, False)
    assert shown["destination"]["url"] == "http://127.0.0.1:9/x"
    assert set(shown["destination"]) == {"id", "url", "state", "reason", "since"}


async def test_the_callbacks_address_is_shown_while_events_are_on(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github", "http://127.0.0.1:9/x")
    assert (made["eventsEnabled"], made["eventsNotificationCallbackUrl"]) == (True, "http://127.0.0.1:9/x")
    off = {"configuration": {"event.notification.enabled": "false"}}
    answered = await sqlite_gateway.call("PATCH", f"/instances/{made['id']}", json=off)
    assert answered.json["eventsEnabled"] is False
    assert "eventsNotificationCallbackUrl" not in answered.json
