"""What becomes of deliveries whose destination goes, moves or changes."""

from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from tests.delivery.road import body, deliveries, destination, patch, send, until
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway

# 410


async def test_410_switches_the_callback_off_and_what_is_pending_is_dead(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    receiver.status, receiver.headers = 500, {"Retry-After": "3600"}
    await send(gateway, made, 1)
    await receiver.wait(1)
    receiver.status, receiver.headers = 410, {}
    await send(gateway, made, 2)
    await until(gateway, dead=2, pending=0)
    assert {one["reason"] for one in await deliveries(gateway)} == {"gone"}
    found = await destination(gateway, made)
    assert (found["state"], found["reason"]) == ("off", "gone")
    assert found["since"]
    number = len(receiver.arrived)
    await send(gateway, made, 3)
    assert (await until(gateway, unrouted=1))["created"] == 2
    assert len(receiver.arrived) == number


@pytest.mark.parametrize("how", ["enable", "patch"])
async def test_a_callback_that_was_switched_off_can_be_switched_on(
    gateway: Gateway, receiver: Consumer, how: str
) -> None:
    made = await gateway.create("github", receiver.url())
    receiver.status = 410
    await send(gateway, made, 1)
    await until(gateway, dead=1)
    receiver.status = 200
    if how == "enable":
        answered = await gateway.call("POST", f"/api/v1/instances/{made['id']}/destination/enable")
    else:
        answered = await patch(gateway, made, receiver.url("/again"))
    assert answered.status == 200
    assert (await destination(gateway, made))["state"] == "active"
    await send(gateway, made, 2)
    await until(gateway, delivered=1)
    assert receiver.arrived[-1].path == ("/hook" if how == "enable" else "/again")


# What is changed in mid-retry


async def retrying(gateway: Gateway, receiver: Consumer) -> dict[str, Any]:
    """An instance with one delivery that has failed and waits for its next attempt."""
    receiver.status, receiver.headers = 500, {"Retry-After": "2"}
    made = await gateway.create("github", receiver.url("/before"))
    await send(gateway, made)
    await receiver.wait(1)
    return made


async def test_a_callback_that_is_moved_gets_the_next_attempt(gateway: Gateway, receiver: Consumer) -> None:
    made = await retrying(gateway, receiver)
    assert (await patch(gateway, made, receiver.url("/after"))).status == 200
    receiver.status = 200
    await until(gateway, delivered=1)
    assert [one.path for one in receiver.arrived] == ["/before", "/after"]
    assert len(set(receiver.ids)) == 1


async def test_a_callback_that_is_removed_gets_no_further_attempt(gateway: Gateway, receiver: Consumer) -> None:
    made = await retrying(gateway, receiver)
    assert (await patch(gateway, made, None)).status == 200
    await until(gateway, cancelled=1, pending=0)
    assert (await deliveries(gateway))[0]["reason"] == "callback URL removed"
    await send(gateway, made, 2)
    await until(gateway, unrouted=1)
    assert len(receiver.arrived) == 1


async def test_what_is_pending_for_a_deleted_instance_is_cancelled(gateway: Gateway, receiver: Consumer) -> None:
    made = await retrying(gateway, receiver)
    assert (await gateway.call("DELETE", f"/instances/{made['id']}")).status == 200
    await until(gateway, cancelled=1, pending=0)
    assert (await deliveries(gateway))[0]["reason"] == "instance deleted"
    assert len(receiver.arrived) == 1


async def test_the_filter_is_that_of_the_moment_of_acceptance(gateway: Gateway, receiver: Consumer) -> None:
    made = await retrying(gateway, receiver)
    change = {"configuration": {"filter.response.nulls": False}}
    assert (await gateway.call("PATCH", f"/instances/{made['id']}", json=change)).status == 200
    receiver.status = 200
    await send(gateway, made, 2)
    await until(gateway, delivered=2)
    raw = {one.body[one.body.index(b'"raw"') :] for one in receiver.arrived}
    assert raw == {b'"raw":{"action":"opened","issue":{"id":1}}}}', b'"raw":' + body(2) + b"}}"}


async def test_during_the_overlap_of_a_rotation_both_secrets_sign(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    rotate = f"/api/v1/instances/{made['id']}/rotate/signing-secret"
    rotated = (await gateway.call("POST", rotate, json={"overlap": "1h"})).json["signingSecret"]
    await send(gateway, made)
    [one] = await receiver.wait(1)
    assert len(one.headers["webhook-signature"].split(" ")) == 2
    for secret in (made["signingSecret"], rotated):
        assert Webhook(secret).verify(one.body, dict(one.headers))
    latest = (await gateway.call("POST", rotate, json={"overlap": "0s"})).json["signingSecret"]
    await send(gateway, made, 2)
    [_, two] = await receiver.wait(2)
    assert Webhook(latest).verify(two.body, dict(two.headers))
    assert len(two.headers["webhook-signature"].split(" ")) == 1
