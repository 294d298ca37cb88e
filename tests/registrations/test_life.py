"""The life of a registration at a simulated Close: made, verified, restored, moved, removed."""

import json
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gateway.clock import now_ms
from tests.registrations.office import WEBHOOKS, Office, eventually, office
from tests.vendors.misbehaving import answering

EVENT = {"id": "ev_1", "object_type": "lead", "action": "created", "object_id": "lead_1", "data": {"id": "lead_1"}}


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path, database_url) as found:
        yield found


async def send(desk: Office, webhook: dict[str, Any]) -> int:
    """A delivery of the vendor's, signed with the key that it gave."""
    headers, body = desk.vendor.close.delivery(webhook, EVENT)
    url = desk.gateway.url + "/in/" + webhook["url"].rsplit("/", 1)[-1]
    return (await desk.gateway.send(url, body, headers)).status


async def test_enabling_events_registers_and_deliveries_signed_with_the_answered_key_are_accepted(desk: Office) -> None:
    made = await desk.hire()
    found = await desk.until(made, "active")
    [webhook] = desk.webhooks
    assert webhook["url"].rsplit("/", 1)[-1] == made["webhookUrl"].rsplit("/", 1)[-1]
    assert {"object_type": "lead", "action": "created"} in webhook["events"]
    assert (found["vendor_id"], found["reason"]) == (webhook["id"], None)
    shown = (await desk.gateway.call("GET", f"/instances/{made['id']}")).json["configuration"]
    assert shown["event.notification.subscription.id"] == webhook["id"]
    assert await send(desk, webhook) == 200
    assert (await desk.gateway.ledger())["accepted"] == 1
    stored = await desk.gateway.running.services.runtime.database.one(
        "SELECT value, sealed FROM configuration WHERE key = 'webhook.signature.key'"
    )
    assert stored is not None
    assert stored["value"] is None
    assert webhook["signature_key"].encode() not in bytes(stored["sealed"])


async def test_without_events_nothing_is_registered_until_they_are_enabled(desk: Office) -> None:
    made = await desk.hire(**{"event.notification.enabled": False})
    assert await desk.seen(made) is None
    assert await desk.rows() == []
    changed = {"configuration": {"event.notification.enabled": True}}
    assert (await desk.gateway.call("PATCH", f"/instances/{made['id']}", json=changed)).status == 200
    await desk.until(made, "active")
    assert len(desk.webhooks) == 1


async def test_one_that_was_deleted_at_the_vendor_is_noticed_restored_and_reported(desk: Office) -> None:
    made = await desk.hire()
    await desk.until(made, "active")
    [former] = desk.webhooks
    desk.vendor.close.rows["webhook"].clear()
    await desk.due(checked_at=1)
    await desk.tick()
    [webhook] = desk.webhooks
    found = await desk.seen(made)
    assert found["state"] == "active"
    assert found["vendor_id"] == webhook["id"] != former["id"]
    assert "gone at the vendor" in found["reason"]
    assert await send(desk, webhook) == 200
    # What was sent before it was deleted, and is tried again now.
    assert await send(desk, former) == 200
    text = (await desk.gateway.call("GET", "/metrics")).body.decode()
    assert "gateway_registrations_restored_total 1.0" in text
    assert 'gateway_registrations{state="active"} 1.0' in text


async def test_one_that_was_pointed_elsewhere_is_made_anew(desk: Office) -> None:
    made = await desk.hire()
    await desk.until(made, "active")
    [former] = desk.webhooks
    former["url"] = "https://elsewhere.example/hook"
    await desk.due(checked_at=1)
    await desk.tick()
    assert sorted(one["url"] == former["url"] for one in desk.webhooks) == [False, True]
    assert "another address" in (await desk.seen(made))["reason"]


async def test_one_that_stands_is_verified_and_left_alone(desk: Office) -> None:
    made = await desk.hire()
    await desk.until(made, "active")
    before = list(desk.webhooks)
    await desk.due(checked_at=1)
    await desk.tick()
    [row] = await desk.rows()
    assert row["checked_at"] > 1
    assert row["next_at"] > row["checked_at"] + 5 * 3_600_000
    assert desk.webhooks == before


async def test_while_the_vendor_is_down_the_instance_is_usable_and_registered_later(desk: Office) -> None:
    desk.vendor.always(answering(503), on=WEBHOOKS)
    made = await desk.hire()
    found = await desk.until(made, "failing")
    assert "503" in found["reason"]
    [row] = await desk.rows()
    assert (row["attempts"], row["lease_until"]) == (1, 0)
    assert (await desk.gateway.call("GET", f"/instances/{made['id']}")).json["configuration"]
    desk.vendor.behave()
    await desk.due()
    await desk.tick()
    assert (await desk.seen(made))["state"] == "active"
    [webhook] = desk.webhooks
    assert await send(desk, webhook) == 200


async def test_failures_are_tried_again_later_and_later_up_to_an_hour(desk: Office) -> None:
    desk.vendor.always(answering(500), on=WEBHOOKS)
    made = await desk.hire()
    await desk.until(made, "failing")
    waits = []
    for _ in range(9):
        await desk.due()
        await desk.tick()
        [row] = await desk.rows()
        waits.append(row["next_at"] - now_ms())
    assert all(one < 0.6 * after for one, after in pairwise(waits[:5]))
    assert 50_000 < waits[0] < 70_000
    assert 3_200_000 < min(waits[-3:]) <= max(waits) <= 4_000_000


@pytest.mark.parametrize("status", [401, 403])
async def test_what_the_vendor_refuses_waits_for_other_credentials(desk: Office, status: int) -> None:
    desk.vendor.always(answering(status), on=WEBHOOKS)
    made = await desk.hire()
    await desk.until(made, "refused")
    [row] = await desk.rows()
    assert row["next_at"] is None
    asked = len(desk.vendor.to(WEBHOOKS))
    await desk.tick()
    assert len(desk.vendor.to(WEBHOOKS)) == asked
    desk.vendor.behave()
    changed = {"configuration": {"password": "another"}}
    assert (await desk.gateway.call("PATCH", f"/instances/{made['id']}", json=changed)).status == 200
    await desk.until(made, "active")


async def test_a_deleted_instance_leaves_nothing_at_the_vendor_and_nothing_here(desk: Office) -> None:
    made = await desk.hire()
    await desk.until(made, "active")
    assert (await desk.gateway.call("DELETE", f"/instances/{made['id']}")).status == 200
    await desk.registered(0)

    async def is_forgotten() -> bool:
        return await desk.rows() == []

    await eventually(is_forgotten)


async def test_a_deleted_instance_is_removed_from_a_vendor_that_was_down_meanwhile(desk: Office) -> None:
    made = await desk.hire()
    await desk.until(made, "active")
    desk.vendor.always(answering(503), on=WEBHOOKS)
    await desk.gateway.call("DELETE", f"/instances/{made['id']}")

    async def was_tried() -> bool:
        return [(row["state"], row["attempts"]) for row in await desk.rows()] == [("removing", 1)]

    await eventually(was_tried)
    [row] = await desk.rows()
    assert desk.vendor.close.api_keys.isdisjoint(str(bytes(row["sealed"])).split())
    desk.vendor.behave()
    await desk.due()
    await desk.tick()
    assert desk.webhooks == []
    assert await desk.rows() == []


@pytest.mark.parametrize("way", ["events", "instance"])
async def test_switching_off_removes_it_and_switching_on_makes_another(desk: Office, way: str) -> None:
    made = await desk.hire()
    await desk.until(made, "active")
    await switch(desk, made, way, on=False)
    await desk.registered(0)

    async def is_forgotten() -> bool:
        return await desk.rows() == []

    await eventually(is_forgotten)
    assert "webhook.id" not in await desk.configuration(made)
    await switch(desk, made, way, on=True)
    await desk.until(made, "active")
    [webhook] = desk.webhooks
    assert await send(desk, webhook) == 200


async def switch(desk: Office, made: dict[str, Any], way: str, *, on: bool) -> None:
    path = f"/instances/{made['id']}"
    if way == "events":
        changed = {"configuration": {"event.notification.enabled": on}}
        answered = await desk.gateway.call("PATCH", path, json=changed)
    else:
        answered = await desk.gateway.call("PUT" if on else "DELETE", path + "/enabled")
    assert answered.status == 200, answered.body


async def test_a_rotated_url_is_registered_before_the_former_one_is_removed(desk: Office) -> None:
    made = await desk.hire()
    await desk.until(made, "active")
    [former] = desk.webhooks
    answered = await desk.gateway.call("POST", f"/api/v1/instances/{made['id']}/rotate/webhook-url")
    new = answered.json["webhookUrl"]

    async def has_moved() -> bool:
        return [one["url"] for one in desk.webhooks] == [new]

    await eventually(has_moved)
    asked = [one.method for one in desk.vendor.to(WEBHOOKS)]
    assert asked == ["POST", "POST", "DELETE"]
    assert desk.vendor.to(WEBHOOKS)[-1].path.endswith(f"/{former['id']}/")
    [webhook] = desk.webhooks
    assert await send(desk, webhook) == 200
    assert await send(desk, former) == 200


async def test_other_events_are_subscribed_to_anew(desk: Office) -> None:
    made = await desk.hire()
    await desk.until(made, "active")
    wanted = [{"object_type": "task", "action": "completed"}]
    changed = {"configuration": {"webhook.events": json.dumps(wanted)}}
    assert (await desk.gateway.call("PATCH", f"/instances/{made['id']}", json=changed)).status == 200

    async def is_so() -> bool:
        return [one["events"] for one in desk.webhooks] == [wanted]

    await eventually(is_so)


async def test_a_key_that_was_given_by_hand_is_not_replaced(desk: Office) -> None:
    made = await desk.hire(**{"webhook.signature.key": "ab" * 32})
    found = await desk.until(made, "unsupported")
    assert "webhook.signature.key" in found["reason"]
    assert desk.vendor.to(WEBHOOKS) == []


async def test_a_try_can_be_asked_for(desk: Office) -> None:
    desk.vendor.always(answering(503), on=WEBHOOKS)
    made = await desk.hire()
    await desk.until(made, "failing")
    desk.vendor.behave()
    answered = await desk.gateway.call("POST", f"/api/v1/instances/{made['id']}/registration")
    assert (answered.status, answered.json["registration"]["state"]) == (200, "active")
    desk.vendor.close.rows["webhook"].clear()
    answered = await desk.gateway.call("POST", f"/api/v1/instances/{made['id']}/registration")
    assert "gone" in answered.json["registration"]["reason"]
    assert len(desk.webhooks) == 1


async def test_a_connector_without_an_api_for_it_says_that_it_is_done_by_hand(desk: Office) -> None:
    made = await desk.gateway.create("generic")
    found = await desk.seen(made)
    assert (found["state"], "webhookUrl" in found["reason"]) == ("unsupported", True)
    answered = await desk.gateway.call("POST", f"/api/v1/instances/{made['id']}/registration")
    assert answered.status == 409
