"""What is charged: calls and requests of polls that were really sent, accepted events, and the most event flows."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.clock import now_ms
from gateway.provisioning import billing
from tests.api.asking import OC, bearer, eventually, is_problem, stranger
from tests.api.calling import calling
from tests.kit import signed
from tests.kit.gateway import Gateway
from tests.polling.shelf import room

OFF: dict[str, Any] = {"event.notification.enabled": False}
BODY = json.dumps({"any": "thing"}).encode()


async def usage(gateway: Gateway, query: str = "") -> dict[str, Any]:
    answered = await gateway.call("GET", f"/api/v1/usage{query}")
    assert answered.status == 200, answered.body
    found: dict[str, Any] = answered.json
    return found


async def charged(gateway: Gateway, **wanted: int) -> None:
    """Wait until just so much is charged."""

    async def look() -> dict[str, int]:
        found = await usage(gateway)
        return {name: found[name] for name in ("calls", "polls", "events")}

    expected = {"calls": 0, "polls": 0, "events": 0, **wanted}
    assert await eventually(look, lambda found: found == expected) == expected


async def received(gateway: Gateway, made: dict[str, Any], delivery: str) -> int:
    headers = signed.github(made["webhookSecret"], BODY, delivery=delivery)
    return (await gateway.send(made["webhookUrl"], BODY, headers)).status


async def rows_of_calls(gateway: Gateway, number: int) -> None:
    """Wait until so many calls are in the log, so that what is charged for them is there too."""

    async def look() -> int:
        answered = await gateway.call("GET", f"{OC}/usage")
        return len(answered.json) if answered.status == 200 else 0

    await eventually(look, lambda found: found == number)


# Calls


async def test_calls_that_reached_the_vendor_are_charged_and_those_that_were_never_sent_are_not(
    tmp_path: Path, database_url: str
) -> None:
    async with calling(tmp_path, database_url) as call:
        assert (await call("GET", "accounts")).status == 200
        assert (await call("PATCH", "accounts/none", json={"name": "x"})).status == 404
        assert (await call("GET", "nothing")).status == 404
        assert (await call("GET", "accounts?pageSize=0")).status == 400
        await rows_of_calls(call.gateway, 4)
        # The first two were the vendor's to answer.
        await charged(call.gateway, calls=2)


async def test_a_vendor_that_cannot_be_dialled_was_not_sent_anything(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:
        await call.set(base_url="http://127.0.0.1:9/api/v1")
        assert (await call("GET", "accounts")).status == 502
        await rows_of_calls(call.gateway, 1)
        await charged(call.gateway)


async def test_a_page_that_is_walked_to_is_one_call(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:
        for number in range(5):
            call.there.close.add("lead", name=f"Lead {number}")
        assert (await call("GET", "accounts?pageSize=2&page=3")).status == 200
        await rows_of_calls(call.gateway, 1)
        await charged(call.gateway, calls=1)


# Events and polls


async def test_an_event_is_charged_once_and_a_duplicate_or_a_refusal_never(gateway: Gateway) -> None:
    made = await gateway.create("github")
    for delivery in ("one", "one", "two"):
        assert await received(gateway, made, delivery) == 200
    assert (await gateway.send(made["webhookUrl"], BODY, {})).status == 401
    await charged(gateway, events=2)
    ledger = await gateway.ledger()
    assert (ledger["accepted"], ledger["duplicate"]) == (2, 1)


async def test_every_request_of_a_poll_is_charged_whatever_comes_of_it(tmp_path: Path, database_url: str) -> None:
    async with room(tmp_path, database_url) as found:
        made = await found.hire()
        # What is asked while an instance is made counts nothing.
        asked = len(found.shelf.asked)
        await charged(found.gateway)
        for number in range(4):
            found.shelf.put(str(number), now_ms() + number)
        await found.poll(made)
        first = len(found.shelf.asked) - asked
        assert first > 2, found.shelf.asked
        await charged(found.gateway, polls=first, events=4)
        found.shelf.answers["things"] = (500, "{}", {})
        await found.poll(made)
        await charged(found.gateway, polls=len(found.shelf.asked) - asked, events=4)


# Event flows


async def test_the_most_instances_with_events_on_count_even_after_they_are_gone(gateway: Gateway) -> None:
    assert (await usage(gateway))["flows"] == 0
    first = await gateway.create("github")
    await gateway.create("github", **OFF)
    assert (await usage(gateway))["flows"] == 1
    second = await gateway.create("github")
    assert (await usage(gateway))["flows"] == 2
    assert (await gateway.call("DELETE", f"/instances/{first['id']}")).status == 200
    assert (await gateway.call("DELETE", f"/instances/{second['id']}/enabled")).status == 200
    assert (await usage(gateway))["flows"] == 2
    # Of the next hours none is left.
    later = "2999-01-01T00:00:00Z"
    assert (await usage(gateway, f"?from={later}&to=2999-01-02T00:00:00Z"))["flows"] == 0


async def test_events_that_are_switched_on_and_off_again_have_been_a_flow(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github", **OFF)
    for value, flows in (("true", 1), ("false", 1)):
        body = {"configuration": {"event.notification.enabled": value}}
        assert (await sqlite_gateway.call("PATCH", f"/instances/{made['id']}", json=body)).status == 200
        assert (await usage(sqlite_gateway))["flows"] == flows


async def test_of_instances_that_are_enabled_at_once_none_is_overlooked(gateway: Gateway) -> None:
    paths = [f"/instances/{(await gateway.create('github'))['id']}/enabled" for _ in range(6)]
    for path in paths:
        assert (await gateway.call("DELETE", path)).status == 200
    async with gateway.running.services.runtime.database.transaction() as transaction:
        await transaction.execute("DELETE FROM flows")
    await asyncio.gather(*(gateway.call("PUT", path) for path in paths))
    assert (await usage(gateway))["flows"] == 6


# The duty


async def test_a_period_that_is_over_is_followed_by_the_next_with_its_flows(gateway: Gateway) -> None:
    runtime = gateway.running.services.runtime
    assert await billing.roll(runtime) == 1
    assert await billing.roll(runtime) == 0
    await gateway.create("github")
    async with runtime.database.transaction() as transaction:
        await transaction.execute("UPDATE accounts SET last_bill_at = 1, next_bill_at = 2, billing_day = 1")
        await transaction.execute("DELETE FROM flows")
    assert await billing.roll(runtime) == 1
    row = await runtime.database.one("SELECT * FROM accounts")
    assert row is not None
    assert row["last_bill_at"] <= now_ms() < row["next_bill_at"]
    assert (await usage(gateway))["flows"] == 1


# Whose usage it is


async def test_usage_is_of_the_callers_account_and_of_nobody_elses(sqlite_gateway: Gateway) -> None:
    found = await usage(sqlite_gateway)
    other = await stranger(sqlite_gateway)
    theirs = await sqlite_gateway.call("GET", f"/api/v1/usage?account_id={found['account_id']}", headers=other)
    assert "No account found" in is_problem(theirs, 404)
    own = await sqlite_gateway.call("GET", "/api/v1/usage", headers=other)
    assert own.json["account_id"] != found["account_id"]


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "to=2017-02-30",
        "from=2026-01-02&to=2026-01-01",
        "from=2026-01-01&to=2026-01-01",
        "from=0001-01-01T00:00:00%2B14:00",
        "from=9999-12-31",
        "since=2026-01-01",
        "account_id=x&account_id=y",
    ],
)
async def test_a_stretch_of_time_that_is_none_is_a_400(sqlite_gateway: Gateway, query: str) -> None:
    is_problem(await sqlite_gateway.call("GET", f"/api/v1/usage?{query}"), 400)


async def test_a_stretch_of_time_is_told_in_whole_hours(sqlite_gateway: Gateway) -> None:
    found = await usage(sqlite_gateway, "?from=2026-01-01T10:20:00Z&to=2026-01-01T12:40:00Z")
    assert (found["from"], found["to"]) == ("2026-01-01T10:00:00.000Z", "2026-01-01T12:00:00.000Z")


async def test_the_partners_token_and_an_instance_of_the_default_account_meet_in_one_number(
    sqlite_gateway: Gateway,
) -> None:
    made = await sqlite_gateway.create("github")
    assert await received(sqlite_gateway, made, "one") == 200
    token = await bearer(sqlite_gateway)
    accounts = (await sqlite_gateway.call("GET", "/api/partner/accounts", headers=token)).json
    [account] = [one["Id"] for one in accounts]
    told = await sqlite_gateway.call("GET", f"/api/partner/accounts/{account}/billing", headers=token)
    assert (told.json["TaskCount"], told.json["CycleCount"]) == (1, 1)
    found = await usage(sqlite_gateway, f"?account_id={account}")
    assert (found["tasks"], found["flows"]) == (1, 1)
