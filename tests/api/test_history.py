"""Where an event is: the history of the Open Connectors wire, by real scenarios."""

import asyncio
import json
from typing import Any

import orjson
import pytest
from aiohttp import web

from tests.api.asking import OC, colleague, eventually, is_platform_error, stranger, with_element
from tests.kit import signed
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway


def body(number: int) -> bytes:
    return b'{"action":"opened","issue":{"id":%d,"body":null}}' % number


async def send(gateway: Gateway, made: dict[str, Any], *numbers: int) -> None:
    for number in numbers:
        content = body(number)
        headers = signed.github(made["webhookSecret"], content)
        assert (await gateway.send(made["webhookUrl"], content, headers)).status == 200


async def history(gateway: Gateway, made: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    answered = await gateway.call("GET", f"/instances/{made['id']}/events{query}")
    assert answered.status == 200, answered.body
    found: list[dict[str, Any]] = answered.json
    return found


async def until(gateway: Gateway, made: dict[str, Any], status: str) -> dict[str, Any]:
    """The newest event, once it has the status."""

    async def newest() -> dict[str, Any]:
        return (await history(gateway, made))[0]

    return await eventually(newest, lambda found: bool(found["status"] == status))


async def test_a_delivered_event_is_notified_and_shows_what_was_received_and_sent(
    gateway: Gateway, receiver: Consumer
) -> None:
    made = await gateway.create("github", receiver.url())
    await send(gateway, made, 7)
    found = await until(gateway, made, "NOTIFIED")
    [arrived] = receiver.arrived
    assert found["id"] == arrived.id
    assert found["providerData"] == body(7).decode()
    assert (found["eventType"], found["objectType"], found["objectId"]) == ("CREATED", "issues", "7")
    for path in (f"/instances/{made['id']}/events/{arrived.id}", f"{OC}/instances/events/{arrived.id}"):
        one = (await gateway.call("GET", path)).json
        assert [text.encode() for text in one["notifiedData"]] == [arrived.body]
        assert one["status"] == "NOTIFIED"


async def test_an_event_without_destination_is_consumed(gateway: Gateway) -> None:
    made = await gateway.create("github")
    await send(gateway, made, 1)
    assert (await until(gateway, made, "CONSUMED"))["id"]
    [told] = (await gateway.call("GET", f"/instances/{made['id']}/events/dispositions")).json
    assert told["notificationData"][0]["message"] == "Stored; no destination"


async def test_an_event_under_way_is_received_then_dispatched_and_stays_so_when_dead(
    gateway: Gateway, receiver: Consumer
) -> None:
    made = await gateway.create("github", receiver.url())
    release = asyncio.Event()

    async def answer(_: object) -> Any:
        await release.wait()
        return web.Response(status=500)

    receiver.answer = answer
    await send(gateway, made, 1)
    await receiver.wait(1)
    assert (await history(gateway, made))[0]["status"] == "RECEIVED"
    release.set()
    await until(gateway, made, "DISPATCHED")
    await receiver.wait(4)
    path = f"/instances/{made['id']}/events/dispositions"

    async def dispositions() -> Any:
        return (await gateway.call("GET", path)).json[0]

    told = await eventually(dispositions, lambda found: "Gave up" in found["notificationData"][-1]["message"])
    assert (await history(gateway, made))[0]["status"] == "DISPATCHED"
    messages = [one["message"] for one in told["notificationData"]]
    assert [message.startswith("Error delivering event at attempt") for message in messages[:-1]] == [True] * 4


async def test_a_pending_delivery_whose_instance_was_deleted_is_consumed(gateway: Gateway, receiver: Consumer) -> None:
    receiver.status = 500
    made = await gateway.create("github", receiver.url())
    await send(gateway, made, 1)
    await receiver.wait(1)
    await gateway.call("DELETE", f"/instances/{made['id']}")

    async def status() -> Any:
        return (await gateway.call("GET", "/instances/events")).json[0]["status"]

    await eventually(status, lambda found: bool(found == "CONSUMED"))
    assert (await gateway.ledger())["cancelled"] == 1


async def test_history_is_paged_newest_first(gateway: Gateway) -> None:
    made = await gateway.create("github")
    await send(gateway, made, 1, 2, 3, 4, 5)
    for path in (f"/instances/{made['id']}/events", OC + "/instances/events", "/instances/events/dispositions"):
        found: list[str] = []
        token: str | None = ""
        while token is not None:
            answered = await gateway.call("GET", f"{path}?pageSize=2&nextPage={token}")
            assert len(answered.json) <= 2
            found += [one.get("id") or one["eventId"] for one in answered.json]
            token = answered.headers.get("Elements-Next-Page-Token")
        assert found == sorted(found, reverse=True)
        assert len(found) == 5


async def test_the_element_token_narrows_the_history_to_its_instance(sqlite_gateway: Gateway) -> None:
    first, second = await sqlite_gateway.create("github"), await sqlite_gateway.create("github")
    await send(sqlite_gateway, first, 1)
    await send(sqlite_gateway, second, 2)
    every = await sqlite_gateway.call("GET", "/instances/events")
    assert len(every.json) == 2
    for organization in (True, False):
        headers = with_element(sqlite_gateway, second["token"], organization=organization)
        [one] = (await sqlite_gateway.call("GET", "/instances/events", headers=headers)).json
        assert one["instanceId"] == second["id"]
        other = every.json[-1]["id"]
        is_platform_error(await sqlite_gateway.call("GET", f"/instances/events/{other}", headers=headers), 404)


async def test_from_and_to_bound_the_history(gateway: Gateway) -> None:
    made = await gateway.create("github")
    await send(gateway, made, 1)
    count = [
        len(await history(gateway, made, query))
        for query in (
            "?from=2020-01-01T00:00:00Z", "?from=2999-01-01", "?to=2020-01-01", "?to=2999-01-01T00:00:00+02:00",
            "?from=2020-01-01&to=2999-01-01", "?from=0001-01-01&to=9999-12-31T23:59:59Z",
        )
    ]  # fmt: skip
    assert count == [1, 0, 0, 1, 1, 1]
    for query in ("from=x", "to=2026-13-01", "from=2026-01-02&to=2026-01-01", "from=", "pageSize=0", "nextPage=x"):
        answered = await gateway.call("GET", f"/instances/{made['id']}/events/dispositions?{query}")
        is_platform_error(answered, 400)


@pytest.mark.parametrize("event_id", ["x", "0" * 32, "0" * 31, "Z" * 32, "%00", "1"])
async def test_an_event_that_is_none_is_404(sqlite_gateway: Gateway, event_id: str) -> None:
    made = await sqlite_gateway.create("github")
    for path in (f"/instances/{made['id']}/events/{event_id}", f"/instances/events/{event_id}"):
        assert is_platform_error(await sqlite_gateway.call("GET", path), 404).startswith("No event found")


async def test_events_of_another_account_are_not_shown(gateway: Gateway) -> None:
    made = await gateway.create("github")
    await send(gateway, made, 1)
    [event] = await history(gateway, made)
    for headers in (await stranger(gateway), await colleague(gateway, same_account=False)):
        is_platform_error(await gateway.call("GET", f"/instances/events/{event['id']}", headers=headers), 404)
        assert (await gateway.call("GET", "/instances/events/dispositions", headers=headers)).json == []


async def test_an_odd_payload_is_shown_as_it_came(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    odd = b'{"n":123456789012345678901234567890,"s":"\\ud800\\u0000","a":1,"a":2}'
    headers = signed.github(made["webhookSecret"], odd)
    assert (await gateway.send(made["webhookUrl"], odd, headers)).status == 200
    found = await until(gateway, made, "NOTIFIED")
    assert found["providerData"].encode() == odd
    one = (await gateway.call("GET", f"/instances/events/{found['id']}")).json
    assert json.loads(one["notifiedData"][0])["message"]["eventId"] == found["id"]
    assert orjson.dumps(one)
