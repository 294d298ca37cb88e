"""The page of one event: the road it took, what came beside what was sent, every attempt, and sending it again."""

import asyncio
import json
import re
import time
from dataclasses import replace
from typing import Any

import pytest

from gateway.console.events import one
from gateway.console.events.phases import phases
from gateway.history.model import AttemptRecord
from tests.console.parts import send
from tests.console.person import Person, signed_in
from tests.console.test_events_list import ids
from tests.delivery.road import until
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway

BODY = b'{"action":"opened", "issue":{"id":7,"milestone":null,"price":1.10},"sender":null}'


async def only(person: Person) -> str:
    [event_id] = ids(await person.get("/console/events"))
    return event_id


async def settled(gateway: Gateway, state: str, number: int = 1) -> None:
    """Wait until so many deliveries are of a state."""
    database = gateway.running.services.runtime.database
    async with asyncio.timeout(10):
        while True:
            row = await database.one("SELECT count(*) AS number FROM deliveries WHERE state = $1", state)
            if row is not None and row["number"] >= number:
                return
            await asyncio.sleep(0.02)


async def arrived(gateway: Gateway, callback: str | None, body: bytes | dict[str, Any] = BODY) -> dict[str, Any]:
    made = await gateway.create("github", callback)
    assert (await send(gateway, made, body, delivery="vendor-1")).status == 200
    return made


async def test_the_road_the_facts_and_the_request_are_told(gateway: Gateway, receiver: Consumer) -> None:
    made = await arrived(gateway, receiver.url("/hook?key=s3cr3t-key"))
    await send(gateway, made, BODY, delivery="vendor-1")
    await until(gateway, delivered=1, duplicate=1)
    async with signed_in(gateway, "end_user") as person:
        page = await person.get(f"/console/events/{await only(person)}")
    for words in (
        "Received, verified and stored", "Queued for github", "Delivered to github: answer 200, attempt 1",
        "Arrived again, and was recognised as a duplicate", "vendor-1", "x-github-event", "issues.opened",
        "/hook", "webhook-signature", "[redacted]", "Attempt 1",
    ):  # fmt: skip
        assert words in page.shown, words
    assert "s3cr3t-key" not in page.text
    assert page.shown.index("Received, verified") < page.shown.index("Queued for") < page.shown.index("Delivered to")


async def test_what_the_null_filter_took_out_is_struck_through_beside_what_was_sent(
    sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    await arrived(sqlite_gateway, receiver.url())
    [sent] = await receiver.wait(1)
    async with signed_in(sqlite_gateway) as person:
        event_id = await only(person)
        page = await person.get(f"/console/events/{event_id}")
        assert re.findall(r"<del>(.*?)</del>", page.text) == ['<b>"milestone"</b>: null,', '<b>"sender"</b>: null']
        assert "removed 2 members" in page.shown
        assert "/issue/milestone" in page.shown
        assert '<b>"price"</b>: 1.10' in page.text
        received = await person.session.get(f"{sqlite_gateway.url}/console/events/{event_id}/payload")
        assert await received.read() == BODY
        assert received.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert received.headers["Content-Disposition"].startswith("attachment")
        assert received.headers["X-Content-Type-Options"] == "nosniff"
        told = await person.session.get(f"{sqlite_gateway.url}/console/events/{event_id}/notification")
        assert await told.read() == sent.body


async def test_a_failed_delivery_shows_each_attempt_with_its_answer(
    sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    receiver.status = 503
    await arrived(sqlite_gateway, receiver.url())
    await settled(sqlite_gateway, "dead")
    async with signed_in(sqlite_gateway) as person:
        page = await person.get(f"/console/events/{await only(person)}")
    assert page.shown.count("Headers of the answer") == 4
    assert "Attempt 4 at github: answer 503" in page.shown
    assert "Given up: github" in page.shown
    assert "schedule used up" in page.shown
    assert page.text.count('class="attempt-bar"') == 4
    assert "Send again" in page.shown


def test_a_bar_shows_each_phase_of_an_attempt_beside_the_slowest() -> None:
    attempt = AttemptRecord(
        delivery_id="", number=1, at=0, duration_ms=50, status=200, reason=None, connect_ms=10, head_ms=40, answer=None,
        headers=None,
    )  # fmt: skip
    drawn = phases(attempt, 100)
    assert [(one.name, one.ms) for one in drawn] == [("connect", 10), ("wait", 30), ("read", 10)]
    assert [(one.x, one.width) for one in drawn] == [(0, 16), (16, 48), (64, 16)]
    assert phases(replace(attempt, duration_ms=0, connect_ms=None, head_ms=None), 0) == []


async def test_a_dead_delivery_sent_again_from_the_page_arrives(gateway: Gateway, receiver: Consumer) -> None:
    receiver.status = 500
    await arrived(gateway, receiver.url())
    await settled(gateway, "dead")
    receiver.status = 200
    async with signed_in(gateway, "limited_power_user") as person:
        event_id = await only(person)
        page = await person.get(f"/console/events/{event_id}")
        match = re.search(r'action="([^"]*/again)"', page.text)
        assert match is not None
        back = await person.post(match[1])
        assert back.path == f"/console/events/{event_id}"
        assert "on its way again" in back.shown
        await receiver.wait(5)
        assert receiver.ids == [event_id] * 5
        await settled(gateway, "delivered")
        again = await person.post(match[1])
        assert again.status == 409
        assert "no dead letter any more" in again.shown
        assert "Sent again since." in again.shown


async def test_a_replay_from_the_page_arrives_where_it_was_wanted(gateway: Gateway, receiver: Consumer) -> None:
    await arrived(gateway, receiver.url("/first"))
    other = await gateway.create("generic", receiver.url("/second"), **{"authentication.type": "none"})
    await settled(gateway, "delivered")
    async with signed_in(gateway, "power_user") as person:
        event_id = await only(person)
        page = await person.get(f"/console/events/{event_id}/replay")
        places = dict(re.findall(r'<option value="(\d+)">\s*(\w+)', page.text))
        [second] = [number for number, name in places.items() if name == "generic"]
        assert (await person.post(f"/console/events/{event_id}/replay", {"destination_id": ""})).status == 200
        assert (await receiver.wait(2))[-1].path == "/first"
        await person.post(f"/console/events/{event_id}/replay", {"destination_id": second})
        assert (await receiver.wait(3))[-1].path == "/second"
        assert receiver.ids == [event_id] * 3
        log = (await person.get("/console/settings/audit")).shown
    assert other["id"]
    assert log.count("Sent an event again") == 3, "twice, and once where acts are chosen"


async def test_a_third_party_connector_that_fired_is_called_by_its_name(gateway: Gateway, receiver: Consumer) -> None:
    wanted = {"name": "Ledger of <b>acme</b>", "url": receiver.url("/ledger?key=s3cr3t-key"), "type": "JSON"}
    answered = await gateway.call("POST", "/api/v1/third-party-connectors", json=wanted)
    assert answered.status == 201, answered.body
    await arrived(gateway, None)
    await settled(gateway, "delivered")
    async with signed_in(gateway) as person:
        event_id = await only(person)
        page = await person.get(f"/console/events/{event_id}")
        assert "Delivered to Ledger of <b>acme</b>: answer 200" in page.shown
        assert f"/console/settings/third-party-connectors/{answered.json['id']}" in page.text
        assert "Ledger of <b>acme</b>" in (await person.get(f"/console/events/{event_id}/replay")).shown
    assert "s3cr3t-key" not in page.text


@pytest.mark.parametrize(
    ("given", "status", "words"),
    [
        ("x", 400, "Choose one of the destinations"),
        ("999999", 409, "No destination found"),
        ("", 409, "no callback URL"),
    ],
)
async def test_a_replay_to_nowhere_is_refused_at_the_field(
    sqlite_gateway: Gateway, given: str, status: int, words: str
) -> None:
    await arrived(sqlite_gateway, None)
    async with signed_in(sqlite_gateway) as person:
        page = await person.post(f"/console/events/{await only(person)}/replay", {"destination_id": given})
    assert page.status == status
    assert words in page.shown
    assert 'id="destination_id-problem"' in page.text


async def test_who_only_reads_is_shown_no_replay_and_gets_none(sqlite_gateway: Gateway, receiver: Consumer) -> None:
    await arrived(sqlite_gateway, receiver.url())
    await receiver.wait(1)
    async with signed_in(sqlite_gateway, "end_user") as person:
        event_id = await only(person)
        assert "/replay" not in (await person.get(f"/console/events/{event_id}")).text.replace("/console/replays", "")
        assert (await person.get(f"/console/events/{event_id}/replay")).status == 403
        assert (await person.post(f"/console/events/{event_id}/replay")).status == 403
        assert (await person.post(f"/console/events/{event_id}/deliveries/{'0' * 32}/again")).status == 403


async def test_a_delivery_of_another_event_is_none_of_this_one(sqlite_gateway: Gateway, receiver: Consumer) -> None:
    receiver.status = 500
    made = await arrived(sqlite_gateway, receiver.url())
    await settled(sqlite_gateway, "dead")
    await send(sqlite_gateway, made, {"action": "closed"})
    row = await sqlite_gateway.running.services.runtime.database.one("SELECT id FROM deliveries WHERE state = 'dead'")
    assert row is not None
    async with signed_in(sqlite_gateway) as person:
        other = ids(await person.get("/console/events"))[0]
        assert (await person.post(f"/console/events/{other}/deliveries/{row['id']}/again")).status == 404
        assert (await person.post(f"/console/events/{other}/deliveries/%00/again")).status == 404


async def test_a_payload_of_five_mebibytes_makes_a_small_page_soon(sqlite_gateway: Gateway, receiver: Consumer) -> None:
    items = [{"id": number, "name": "<b>" + "x" * 40, "gone": None} for number in range(60_000)]
    body = json.dumps({"action": "opened", "issue": {"id": 1}, "items": items}).encode()
    assert 4 << 20 < len(body) < 5 << 20
    await arrived(sqlite_gateway, receiver.url(), body)
    await settled(sqlite_gateway, "delivered")
    async with signed_in(sqlite_gateway) as person:
        event_id = await only(person)
        await person.get("/console/events")
        began = time.perf_counter()
        page = await person.get(f"/console/events/{event_id}")
        assert time.perf_counter() - began < 6
        assert len(page.text) < 400_000
        assert page.text.count("Only the beginning is shown") == 2
        assert "removed 60000 members" in page.shown
        received = await person.session.get(f"{sqlite_gateway.url}/console/events/{event_id}/payload")
        assert await received.read() == body


async def test_a_deep_payload_is_shown(sqlite_gateway: Gateway) -> None:
    await arrived(sqlite_gateway, None, b'{"action":"opened","deep":' + b"[" * 500 + b"]" * 500 + b"}")
    async with signed_in(sqlite_gateway) as person:
        page = await person.get(f"/console/events/{await only(person)}")
    assert page.status == 200
    assert "It was not sent anywhere" in page.shown


async def test_a_payload_that_retention_took_is_told_to_be_gone(sqlite_gateway: Gateway, receiver: Consumer) -> None:
    await arrived(sqlite_gateway, receiver.url())
    await settled(sqlite_gateway, "delivered")
    async with sqlite_gateway.running.services.runtime.database.transaction() as transaction:
        await transaction.execute("UPDATE events SET payload = $1, request = NULL, emptied_at = 1700000000000", b"")
    async with signed_in(sqlite_gateway) as person:
        event_id = await only(person)
        page = await person.get(f"/console/events/{event_id}")
        assert "The payload was removed by retention." in page.shown
        assert f"{event_id}/replay" not in page.text
        assert (await person.get(f"/console/events/{event_id}/payload")).status == 404
        assert (await person.post(f"/console/events/{event_id}/replay")).status == 409


async def test_of_many_deliveries_only_the_newest_are_shown(
    sqlite_gateway: Gateway, receiver: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await arrived(sqlite_gateway, receiver.url())
    await settled(sqlite_gateway, "delivered")
    monkeypatch.setattr(one, "MOST_DELIVERIES", 1)
    async with signed_in(sqlite_gateway) as person:
        event_id = await only(person)
        await person.post(f"/console/events/{event_id}/replay")
        await settled(sqlite_gateway, "delivered", 2)
        page = await person.get(f"/console/events/{event_id}")
    assert page.text.count('<article class="delivery"') == 1
    assert "Only the newest 1 are shown." in page.shown
    assert "Sent by a replay." in page.shown


@pytest.mark.parametrize("path", ["x", "0" * 32, "0" * 31 + "G", "%00", "..%2f", "é" * 32])
async def test_an_id_of_nothing_is_no_page(sqlite_gateway: Gateway, path: str) -> None:
    async with signed_in(sqlite_gateway) as person:
        assert (await person.get(f"/console/events/{path}")).status == 404
