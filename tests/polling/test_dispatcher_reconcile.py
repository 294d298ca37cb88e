"""Polling beside a webhook, the alarm, and what was lost: the parts of a poll that look at more than one read."""

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from gateway.clock import iso, now_ms
from tests.polling.shelf import Room, room

HOUR = 3_600_000


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Room]:
    async with room(tmp_path) as found:
        yield found


BOTH = {"event.vendor.type": "webhook", "event.reconcile.enabled": True}


async def planned_in(here: Room) -> int:
    """How far away the next slot is."""
    return int((await here.rows())["things"]["planned_at"]) - now_ms()


async def test_only_what_the_webhook_did_not_bring_is_emitted(here: Room) -> None:
    made = await here.hire(**BOTH)
    now = now_ms()
    here.shelf.put("a", now)
    here.shelf.put("b", now)
    sent = await here.gateway.send(
        made["webhookUrl"], orjson.dumps({"type": "t", "id": "a", "at": iso(now)}), {"Content-Type": "application/json"}
    )
    assert sent.status == 200
    found = (await here.poll(made))["things"]
    assert (found["events"], found["duplicates"]) == (1, 1)
    assert [(event["object_id"], event["source"]) for event in await here.events()] == [
        ("a", "webhook"),
        ("b", "reconcile"),
    ]


async def test_without_the_wish_for_it_nothing_is_polled_beside_a_webhook(here: Room) -> None:
    await here.hire(**{**BOTH, "event.reconcile.enabled": False})
    assert await here.rows() == {}
    assert here.shelf.asked == []


async def test_it_is_seldom_while_the_webhook_can_be_relied_on(here: Room) -> None:
    made = await here.hire(**BOTH)
    # A poll before its time would keep its slot, which may be near.
    await here.due(planned_at=now_ms())
    await here.poll(made)
    assert HOUR < await planned_in(here) <= 4 * HOUR


async def test_it_is_the_only_source_while_the_webhook_is_silent_and_a_word_from_it_resets_that(here: Room) -> None:
    made = await here.hire(**BOTH)
    async with here.database.transaction() as transaction:
        await transaction.execute("UPDATE instances SET created_at = $1", now_ms() - 13 * HOUR)
    here.gateway.running.services.index.forget(made["id"])
    await here.due()
    await here.poll(made)
    assert 0 < await planned_in(here) <= HOUR
    body = orjson.dumps({"type": "t", "id": "x", "at": iso(now_ms())})
    await here.gateway.send(made["webhookUrl"], body, {"Content-Type": "application/json"})
    await here.due(planned_at=now_ms())
    await here.poll(made)
    assert HOUR < await planned_in(here) <= 4 * HOUR


@pytest.mark.parametrize("state", ["failing", "refused"])
async def test_a_registration_that_does_not_stand_is_not_relied_on(here: Room, state: str) -> None:
    made = await here.hire(**BOTH)
    async with here.database.transaction() as transaction:
        await transaction.execute(
            "INSERT INTO registrations (instance_id, state, since, attempts, wishes, lease_until, epoch) "
            "VALUES ($1, $2, 0, 0, 0, 0, 0)",
            made["id"],
            state,
        )
    await here.due()
    await here.poll(made)
    assert 0 < await planned_in(here) <= HOUR


async def test_a_watermark_that_stands_still_while_records_come_raises_the_alarm(here: Room) -> None:
    made = await here.hire()
    ahead = now_ms() + HOUR
    for number in range(10):
        here.shelf.put(f"n{number}", ahead)
        assert (await here.poll(made))["things"]["events"] == 1
    assert (await here.seen(made))["stuck_polls"] == 10
    text = (await here.gateway.call("GET", "/metrics")).body.decode()
    assert 'gateway_poll_stuck_total{connector="shelf"} 1.0' in text


async def test_more_time_than_the_vendor_remembers_is_a_gap_that_the_consumer_sees(here: Room) -> None:
    made = await here.hire()
    old = now_ms() - 40 * 24 * HOUR
    cursor = {"started": True, "watermark": iso(old), "watermark_ms": old, "last_ok": old, "last_complete": old}
    await here.due(cursor=orjson.dumps(cursor).decode())
    here.shelf.put("a", now_ms())
    assert (await here.poll(made))["things"]["outcome"] == "changes"
    [change, gap] = sorted(await here.events(), key=lambda event: str(event["type"]), reverse=True)
    assert (change["object_id"], gap["type"]) == ("a", "polling.gap")
    assert orjson.loads(gap["payload"])["poller"] == "things"
    await here.poll(made)
    assert len(await here.events()) == 2
