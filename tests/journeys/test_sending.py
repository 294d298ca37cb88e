"""Test deliveries: signed with the instance's own secrets, over the vendor's road, new each time."""

from typing import Any

import orjson
import pytest

from tests.kit.consumer import Consumer
from tests.kit.gateway import NOWHERE, Gateway

#: With what their users enter, where the gateway makes no secret itself.
CONNECTORS: dict[str, dict[str, str]] = {
    "github": {},
    "closeio": {"webhook.signature.key": "ab" * 32},
    "generic": {},
}
OFF: dict[str, Any] = {"event.notification.enabled": False}
#: The key of an Ed25519 pair whose other half nobody has.
PUBLIC_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


async def _fixtures(gateway: Gateway, instance_id: int) -> list[dict[str, object]]:
    answered = await gateway.call("GET", f"/api/v1/instances/{instance_id}/fixtures")
    assert answered.status == 200
    assert answered.json["next"] is None
    found: list[dict[str, object]] = answered.json["items"]
    return found


async def test_a_test_delivery_becomes_a_delivered_event(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    sent = await gateway.call("POST", f"/api/v1/instances/{made['id']}/send")
    assert sent.status == 200
    assert (sent.json["outcome"], sent.json["status"]) == ("accepted", 200)
    [arrived] = await receiver.wait(1)
    assert sent.json["event_ids"] == [arrived.id]
    assert orjson.loads(arrived.body)["message"]["instance_id"] == made["id"]
    ledger = await gateway.ledger()
    assert (ledger["received"], ledger["accepted"], ledger["created"]) == (1, 1, 1)


@pytest.mark.parametrize("connector", CONNECTORS)
async def test_everything_that_can_be_sent_is_accepted_each_time(sqlite_gateway: Gateway, connector: str) -> None:
    made = await sqlite_gateway.create(connector, **CONNECTORS[connector])
    path = f"/api/v1/instances/{made['id']}"
    names = [one["name"] for one in await _fixtures(sqlite_gateway, made["id"]) if one["sendable"]]
    assert names
    for name in names * 2:
        sent = await sqlite_gateway.call("POST", f"{path}/send", json={"fixture": name})
        assert sent.json["outcome"] == "accepted", sent.json
        assert sent.json["fixture"] == name
        assert sent.json["event_ids"]
    ledger = await sqlite_gateway.ledger()
    assert (ledger["duplicate"], ledger["refused"]) == (0, 0)


async def test_an_instance_without_a_secret_says_so(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("closeio")
    sent = await sqlite_gateway.call("POST", f"/api/v1/instances/{made['id']}/send")
    assert sent.status == 409
    assert "webhook.signature.key" in sent.json["detail"]


async def test_an_instance_that_takes_no_events_says_so(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github", None, **OFF)
    sent = await sqlite_gateway.call("POST", f"/api/v1/instances/{made['id']}/send")
    assert (sent.json["outcome"], sent.json["event_ids"]) == ("ignored", [])


async def test_what_only_the_vendor_can_sign_is_told_and_not_sent(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("discord", **{"public.key": PUBLIC_KEY, "bot.token": "t", **NOWHERE})
    found = await _fixtures(sqlite_gateway, made["id"])
    assert found
    assert not any(one["sendable"] for one in found)
    sent = await sqlite_gateway.call("POST", f"/api/v1/instances/{made['id']}/send")
    assert sent.status == 409
    assert sent.json["detail"] == found[0]["problem"]
    assert (await sqlite_gateway.ledger())["received"] == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [({"fixture": "of another vendor"}, 404), ({"fixture": 7}, 400), ({"fixtures": "x"}, 400), ([], 400)],
)
async def test_a_request_that_names_nothing_is_refused(sqlite_gateway: Gateway, body: object, status: int) -> None:
    made = await sqlite_gateway.create("github")
    assert (await sqlite_gateway.call("POST", f"/api/v1/instances/{made['id']}/send", json=body)).status == status


async def test_an_instance_of_nobody_gets_nothing(sqlite_gateway: Gateway) -> None:
    assert (await sqlite_gateway.call("POST", "/api/v1/instances/4711/send")).status == 404
    assert (await sqlite_gateway.call("GET", "/api/v1/instances/4711/fixtures")).status == 404
