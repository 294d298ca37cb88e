"""Where is my event? One through each fate, asked for by the name that its vendor gave it."""

import hashlib
from typing import Any

from aiohttp import web

from tests.api.asking import eventually
from tests.delivery.road import patch
from tests.kit import signed
from tests.kit.consumer import Arrived, Consumer
from tests.kit.gateway import Answered, Gateway


def body(number: int) -> bytes:
    return b'{"action":"opened","issue":{"id":%d,"title":null,"updated_at":"2026-01-02T03:04:05Z"}}' % number


async def send(gateway: Gateway, made: dict[str, Any], number: int, name: str, secret: str = "") -> Answered:
    """A delivery of the vendor under a name."""
    headers = signed.github(secret or made["webhookSecret"], body(number), delivery=name)
    return await gateway.send(made["webhookUrl"], body(number), headers)


async def fates(gateway: Gateway, query: str) -> list[dict[str, Any]]:
    answered = await gateway.call("GET", f"/api/v1/fate?{query}")
    assert answered.status == 200, answered.body
    found: list[dict[str, Any]] = answered.json["items"]
    return found


async def until(gateway: Gateway, query: str, *statuses: str) -> list[dict[str, Any]]:
    """The fates of what is asked for, newest first, once they are these."""
    return await eventually(
        lambda: fates(gateway, query), lambda found: [one["status"] for one in found] == list(statuses)
    )


async def test_every_event_is_found_by_its_vendors_id_with_its_fate_and_the_reason(
    gateway: Gateway, receiver: Consumer
) -> None:
    async def by_path(arrived: Arrived) -> web.StreamResponse:
        statuses = {"/good": 200, "/bad": 500, "/later": 503}
        return web.Response(status=statuses[arrived.path], text="sorry", headers={"Retry-After": "3600"} if
                            arrived.path == "/later" else {})  # fmt: skip

    receiver.answer = by_path
    good, bad, later, gone = [
        await gateway.create("github", receiver.url(path)) for path in ("/good", "/bad", "/later", "/later")
    ]
    nowhere = await gateway.create("github")
    off = await gateway.create("github", receiver.url("/good"), **{"event.notification.enabled": False})

    assert (await send(gateway, good, 1, "delivered")).status == 200
    [delivered] = await until(gateway, "vendor_event_id=delivered", "delivered")
    assert delivered["event_id"] == receiver.ids[0]
    assert delivered["destination"]["url"] == receiver.url("/good")
    assert delivered["at"] >= delivered["received_at"]

    assert (await send(gateway, good, 1, "delivered")).status == 200
    duplicate, _ = await until(gateway, "vendor_event_id=delivered", "duplicate", "delivered")
    assert duplicate["event_id"] == delivered["event_id"]

    assert (await send(gateway, good, 2, "refused", secret="wrong")).status == 401
    [refused] = await until(gateway, "vendor_event_id=refused", "refused")
    assert refused["reason"] == "signature_mismatch"
    assert refused["event_id"] is None

    assert (await send(gateway, off, 3, "ignored")).status == 200
    [ignored] = await until(gateway, "vendor_event_id=ignored", "ignored")
    assert ignored["reason"] == "events_off"

    assert (await send(gateway, nowhere, 4, "unrouted")).status == 200
    [unrouted] = await until(gateway, "vendor_event_id=unrouted", "unrouted")
    assert (unrouted["reason"], unrouted["destination"]) == ("no destination", None)

    assert (await send(gateway, later, 5, "pending")).status == 200
    [pending] = await eventually(
        lambda: fates(gateway, "vendor_event_id=pending"), lambda found: bool(found and found[0]["attempts_made"])
    )
    assert pending["status"] == "pending"
    assert pending["next_attempt_at"] > pending["received_at"]
    assert pending["reason"] == "status 503"

    assert (await send(gateway, bad, 6, "dead")).status == 200
    [dead] = await until(gateway, "vendor_event_id=dead", "dead")
    assert (dead["reason"], dead["attempts_made"]) == ("schedule used up; last: status 500", 4)

    assert (await send(gateway, gone, 7, "cancelled")).status == 200
    await patch(gateway, gone, None)
    [cancelled] = await until(gateway, "vendor_event_id=cancelled", "cancelled")
    assert cancelled["reason"] == "callback URL removed"

    assert await fates(gateway, "vendor_event_id=nobody+has+sent+it") == []
    await _other_names_find_the_same(gateway, dead)
    await _the_ledger_has_counted_each(gateway)


async def _other_names_find_the_same(gateway: Gateway, dead: dict[str, Any]) -> None:
    digest = hashlib.sha256(body(6)).hexdigest()
    for query in (f"body_hash={digest}", f"body_hash={digest[:32]}", "object_id=6", f"event_id={dead['event_id']}"):
        assert await fates(gateway, query) == [dead], query
    told = (await gateway.call("GET", f"/api/v1/events/{dead['event_id']}")).json
    assert (told["status"], told["payload"], told["vendor_event_id"]) == ("dead", body(6).decode(), "dead")
    assert told["removed_nulls"] == {"count": 1, "pointers": ["/issue/title"]}
    [delivery] = told["deliveries"]
    assert [(one["number"], one["status"], one["answer"]) for one in delivery["attempts"]] == [
        (number, 500, "sorry") for number in (1, 2, 3, 4)
    ]


async def _the_ledger_has_counted_each(gateway: Gateway) -> None:
    ledger = (await gateway.call("GET", "/api/v1/ledger")).json
    assert ledger == {
        **{"received": 8, "accepted": 5, "duplicate": 1, "refused": 1, "ignored": 1, "routed": 4, "unrouted": 1},
        "deliveries": {"created": 4, "delivered": 1, "pending": 1, "dead": 1, "cancelled": 1},
    }
