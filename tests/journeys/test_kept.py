"""Whatever arrives and becomes no event has a row that says what became of it, under what its vendor calls it."""

import asyncio
import json
from typing import Any

from gateway.events.refusal import KEPT_PER_SECOND, MOST_ROWS
from gateway.ids import body_hash
from gateway.inbound.refusing import MOST_AT_ONCE
from tests.kit import signed
from tests.kit.consumer import Consumer
from tests.kit.gateway import Answered, Gateway

OFF: dict[str, Any] = {"event.notification.enabled": False}
BODY = b'{"action":"opened","issue":{"id":7,"updated_at":"2026-01-02T03:04:05Z"}}'


async def send(gateway: Gateway, made: dict[str, Any], body: bytes, delivery: str, secret: str = "") -> Answered:
    headers = signed.github(secret or made["webhookSecret"], body, delivery=delivery)
    return await gateway.send(made["webhookUrl"], body, headers)


async def rows(gateway: Gateway, number: int, outcome: str) -> list[dict[str, Any]]:
    """What is kept of an outcome, once there are so many."""
    async with asyncio.timeout(10):
        while True:
            found = await gateway.running.services.runtime.database.all(
                "SELECT * FROM refusals WHERE outcome = $1 ORDER BY id", outcome
            )
            if len(found) >= number:
                return [dict(row) for row in found]
            await asyncio.sleep(0.02)


async def only_event(gateway: Gateway) -> dict[str, Any]:
    [row] = await gateway.running.services.runtime.database.all("SELECT * FROM events")
    return dict(row)


async def test_a_duplicate_has_a_row_that_names_the_event_and_its_own_delivery(gateway: Gateway) -> None:
    made = await gateway.create("github")
    assert (await send(gateway, made, BODY, "first")).status == 200
    assert (await send(gateway, made, BODY, "first")).status == 200
    [row] = await rows(gateway, 1, "duplicate")
    event = await only_event(gateway)
    assert (row["event_id"], row["vendor_event_id"], row["object_id"]) == (event["id"], "first", event["object_id"])
    assert (row["failed_check"], row["body_hash"], row["body_hash"]) == (
        "duplicate", body_hash(BODY), event["body_hash"],
    )  # fmt: skip
    assert (await gateway.ledger())["duplicate"] == 1


async def test_a_duplicate_that_is_known_by_its_body_alone_names_its_event_too(gateway: Gateway) -> None:
    made = await gateway.create("generic", **{"authentication.type": "none"})
    for message in ("msg_a", "msg_a"):
        headers = signed.standard(made["webhookSecret"], b'{"a":1}', message_id=message)
        assert (await gateway.send(made["webhookUrl"], b'{"a":1}', headers)).status == 200
    [row] = await rows(gateway, 1, "duplicate")
    assert row["event_id"] == (await only_event(gateway))["id"]


async def test_what_an_instance_does_not_take_has_a_row_that_says_why(gateway: Gateway) -> None:
    off = await gateway.create("github", None, **OFF)
    assert (await send(gateway, off, BODY, "unwanted")).status == 200
    [row] = await rows(gateway, 1, "ignored")
    assert (row["instance_id"], row["failed_check"], row["vendor_event_id"]) == (off["id"], "events_off", "unwanted")
    made = await gateway.create("github")
    disabled = await gateway.call(
        "DELETE", "/instances/enabled", headers={**gateway.auth, "Authorization": authorized(gateway, made)}
    )
    assert disabled.status == 200, disabled.body
    assert (await send(gateway, made, BODY, "asleep")).status == 200
    found = await rows(gateway, 2, "ignored")
    assert found[1]["failed_check"] == "instance_disabled"


def authorized(gateway: Gateway, made: dict[str, Any]) -> str:
    return f"{gateway.auth['Authorization']}, Element {made['token']}"


async def test_a_refused_request_is_found_under_what_its_sender_calls_it(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    assert (await send(gateway, made, BODY, "forged", secret="nobody's")).status == 401
    [row] = await rows(gateway, 1, "refused")
    assert (row["vendor_event_id"], row["event_id"]) == ("forged", None)
    assert row["object_id"] == "7"
    assert row["body_hash"] == body_hash(BODY)
    ledger = await gateway.ledger()
    assert (ledger["refused"], ledger["accepted"]) == (1, 0)


async def test_a_refused_batch_counts_once_and_has_a_row_for_each_change_up_to_a_limit(gateway: Gateway) -> None:
    made = await gateway.create("hubspot", **CREDENTIALS)
    body = json.dumps([
        {"eventId": number, "subscriptionType": "contact.creation", "objectId": number, "occurredAt": 1}
        for number in range(3 * MOST_ROWS)
    ]).encode()  # fmt: skip
    answered = await gateway.send(made["webhookUrl"], body, {"Content-Type": "application/json"})
    assert answered.status == 401
    found = await rows(gateway, MOST_ROWS, "refused")
    assert len(found) == MOST_ROWS
    assert len({row["object_id"] for row in found}) == MOST_ROWS
    assert (await gateway.ledger())["refused"] == 1


CREDENTIALS = {
    **{"app.client.secret": "k" * 20, "oauth.user.token": "brought", "base.url": "http://127.0.0.1:9"},
    **{"oauth.api.key": "client", "oauth.api.secret": "s" * 20},
}


async def test_what_cannot_be_read_is_refused_with_a_row_that_knows_no_name(gateway: Gateway) -> None:
    made = await gateway.create("github")
    for body in (b"", b"{", b"[" * 10_000, b"\x00\xff", b'{"issue":{"id":"\\u0000x"}}'):
        assert (await gateway.send(made["webhookUrl"], body, {"Content-Type": "application/json"})).status == 401
    found = await rows(gateway, 5, "refused")
    assert {row["vendor_event_id"] for row in found} == {None}


async def test_a_flood_is_sampled_and_all_of_it_is_counted(gateway: Gateway) -> None:
    made = await gateway.create("github")
    assert (await send(gateway, made, BODY, "same")).status == 200
    answers = await asyncio.gather(*(send(gateway, made, BODY, "same") for _ in range(150)))
    refused = await asyncio.gather(*(send(gateway, made, BODY, f"f{n}", secret="x") for n in range(150)))
    assert {one.status for one in answers} == {200}
    assert {one.status for one in refused} == {401}
    await asyncio.sleep(0.3)
    ledger = await gateway.ledger()
    assert (ledger["duplicate"], ledger["refused"]) == (150, 150)
    seconds = 10
    for outcome in ("duplicate", "refused"):
        found = await rows(gateway, 1, outcome)
        per_second: dict[int, int] = {}
        for row in found:
            per_second[row["at"] // 1000] = per_second.get(row["at"] // 1000, 0) + 1
        assert len(per_second) < seconds
        assert max(per_second.values()) <= KEPT_PER_SECOND
    assert MOST_AT_ONCE < KEPT_PER_SECOND
