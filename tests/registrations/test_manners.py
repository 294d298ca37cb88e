"""Registrations with manners of their own: handshakes in the middle, ends, ids of ours, secrets that follow."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.clock import now_ms
from tests.kit.gateway import Gateway, started
from tests.registrations.agency import Agency, agency, delivery, with_agencies
from tests.registrations.office import eventually

HOUR_MS = 3_600_000


@pytest.fixture
async def vendor() -> AsyncIterator[Agency]:
    async with agency() as found:
        yield found


@pytest.fixture
async def gateway(vendor: Agency, database_url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    del vendor  # it is there before, and goes after
    async with started(with_agencies(tmp_path, database_url)) as found:
        yield found


async def row(gateway: Gateway) -> dict[str, Any]:
    found = await gateway.running.services.runtime.database.one("SELECT * FROM registrations")
    return {} if found is None else dict(found)


async def until(gateway: Gateway, state: str) -> dict[str, Any]:
    async def is_so() -> bool:
        return (await row(gateway)).get("state") == state

    await eventually(is_so)
    return await row(gateway)


async def due(gateway: Gateway, **columns: int) -> None:
    sets = ", ".join(f"{name} = {value}" for name, value in {"next_at": 1, **columns}.items())
    async with gateway.running.services.runtime.database.transaction() as transaction:
        await transaction.execute(f"UPDATE registrations SET {sets}")
    await gateway.running.services.registrations.tick()


async def test_a_vendor_that_shakes_hands_while_it_is_asked_is_answered(gateway: Gateway, vendor: Agency) -> None:
    made = await gateway.create("shakes", **{"base.url": vendor.url})
    await until(gateway, "active")
    [hook] = vendor.hooks.values()
    body, headers = delivery(hook)
    assert (await gateway.send(made["webhookUrl"], body, headers)).status == 200


async def test_a_restored_one_shakes_hands_again_and_the_former_secret_counts_for_a_while(
    gateway: Gateway, vendor: Agency
) -> None:
    made = await gateway.create("shakes", **{"base.url": vendor.url})
    await until(gateway, "active")
    [former] = vendor.hooks.values()
    vendor.hooks.clear()
    await due(gateway, checked_at=1)
    [hook] = vendor.hooks.values()
    assert hook["secret"] != former["secret"]
    for number, one in enumerate((hook, former)):
        body, headers = delivery(one, str(number))
        assert (await gateway.send(made["webhookUrl"], body, headers)).status == 200
    assert (await row(gateway))["state"] == "active"


async def test_one_that_ends_is_renewed_after_three_quarters_of_its_life(gateway: Gateway, vendor: Agency) -> None:
    await gateway.create("ends", **{"base.url": vendor.url})
    before = await until(gateway, "active")
    [hook] = vendor.hooks.values()
    assert before["expires_at"] == int(hook["until"])
    assert before["next_at"] == before["renew_at"]
    assert abs(before["renew_at"] - now_ms() - 0.75 * HOUR_MS) < 30_000
    hook["until"] = "1"
    await due(gateway, renew_at=1)
    after = await row(gateway)
    assert vendor.asked[-1] == f"PATCH /hooks/{hook['id']}"
    assert int(hook["until"]) > now_ms() + HOUR_MS - 30_000
    assert after["expires_at"] == int(hook["until"])
    assert after["renew_at"] > now_ms()


async def test_one_that_was_gone_when_it_was_renewed_is_made_anew(gateway: Gateway, vendor: Agency) -> None:
    await gateway.create("ends", **{"base.url": vendor.url})
    await until(gateway, "active")
    vendor.hooks.clear()
    await due(gateway, renew_at=1)
    assert len(vendor.hooks) == 1
    found = await row(gateway)
    assert found["vendor_id"] in vendor.hooks
    assert "gone" in found["reason"]


async def test_what_follows_the_registration_is_kept_and_json_entries_are_sent_as_json(
    gateway: Gateway, vendor: Agency
) -> None:
    own: dict[str, Any] = {"base.url": vendor.url, "kinds": ["a", {"b": 1}]}
    made = await gateway.create("ends", **own)
    await until(gateway, "active")
    [hook] = vendor.hooks.values()
    assert (hook["kinds"], hook["all"]) == (["a", {"b": 1}], '["a",{"b":1}]!')
    body, headers = delivery(hook)
    assert (await gateway.send(made["webhookUrl"], body, headers)).status == 200


async def test_one_that_cannot_be_renewed_is_replaced_before_it_ends(gateway: Gateway, vendor: Agency) -> None:
    await gateway.create("ours", **{"base.url": vendor.url})
    await until(gateway, "active")
    [former] = vendor.hooks
    await due(gateway, renew_at=1)
    await due(gateway)
    [new] = vendor.hooks
    assert new != former
    assert vendor.asked == ["POST /hooks", "POST /hooks", "POST /hooks/stop"]
    assert (await row(gateway))["vendor_id"] == new


@pytest.mark.parametrize("connector", ["shakes", "ours"])
async def test_a_node_that_dies_between_answer_and_commit_leaves_no_stray_one(
    vendor: Agency, database_url: str, tmp_path: Path, connector: str
) -> None:
    vendor.gate.clear()
    config = with_agencies(tmp_path, database_url)
    async with started(config) as gateway:
        made = await gateway.create(connector, **{"base.url": vendor.url})
        await vendor.made.wait()
        [stray] = vendor.hooks
    # It was cut off while the vendor had it already.
    vendor.gate.set()
    async with started(config) as gateway:
        found = await row(gateway)
        assert (found["state"], found["vendor_id"]) == ("wanted", None)
        await due(gateway)
        assert (await row(gateway))["state"] == "active"
        [hook] = vendor.hooks.values()
        assert hook["id"] != stray
        body, headers = delivery(hook)
        token = made["webhookUrl"].rsplit("/", 1)[-1]
        assert (await gateway.send(f"{gateway.url}/in/{token}", body, headers)).status == 200


async def test_an_instance_deleted_while_it_is_registered_leaves_nothing(gateway: Gateway, vendor: Agency) -> None:
    vendor.gate.clear()
    made = await gateway.create("ours", **{"base.url": vendor.url})
    await vendor.made.wait()
    assert (await gateway.call("DELETE", f"/instances/{made['id']}")).status == 200
    vendor.gate.set()

    async def is_gone() -> bool:
        return not vendor.hooks and not await row(gateway)

    await eventually(is_gone)


async def test_a_vendor_that_takes_one_for_an_address_gets_the_new_one_after_the_former_is_gone(
    gateway: Gateway, vendor: Agency
) -> None:
    vendor.jealous = True
    made = await gateway.create("ends", **{"base.url": vendor.url})
    await until(gateway, "active")
    [former] = vendor.hooks
    changed = {"configuration": {"kinds": ["other"]}}
    assert (await gateway.call("PATCH", f"/instances/{made['id']}", json=changed)).status == 200

    async def is_so() -> bool:
        stands = [hook["kinds"] for hook in vendor.hooks.values()] == [["other"]] and former not in vendor.hooks
        # The vendor has it a moment before the gateway has written down that it does.
        return stands and (await until(gateway, "active"))["vendor_id"] in vendor.hooks

    await eventually(is_so)


async def test_a_change_that_the_vendor_rejects_leaves_the_secret_of_the_one_that_stands(
    gateway: Gateway, vendor: Agency
) -> None:
    made = await gateway.create("shakes", **{"base.url": vendor.url})
    await until(gateway, "active")
    [hook] = vendor.hooks.values()
    vendor.hooks.clear()
    vendor.hooks["kept"] = {**hook, "id": "kept"}
    vendor.jealous = True
    await due(gateway, checked_at=1)
    found = await row(gateway)
    assert (found["state"], found["next_at"] > now_ms()) == ("failing", True)
    assert "there is one already" in found["reason"]
    body, headers = delivery(hook)
    assert (await gateway.send(made["webhookUrl"], body, headers)).status == 200


async def test_no_secret_is_asked_of_a_vendor_that_signs_with_one_that_is_known(
    gateway: Gateway, vendor: Agency
) -> None:
    vendor.tells = False
    made = await gateway.create("apps", **{"base.url": vendor.url, "app.secret": "the-apps-own"})
    await until(gateway, "active")
    body, headers = delivery({"secret": "the-apps-own"})
    assert (await gateway.send(made["webhookUrl"], body, headers)).status == 200


async def test_without_any_secret_a_registration_is_taken_back_and_called_incomplete(
    gateway: Gateway, vendor: Agency
) -> None:
    vendor.tells = False
    await gateway.create("apps", **{"base.url": vendor.url})
    assert "hook.secret" in (await until(gateway, "failing"))["reason"]
    assert vendor.hooks == {}
