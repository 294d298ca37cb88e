"""An instance that polls, from its creation to its end, as its owner sees it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.clock import iso, now_ms
from tests.kit.consumer import Consumer
from tests.kit.gateway import NOWHERE
from tests.polling.shelf import Room, room
from tests.registrations.office import eventually

MINUTE = 60_000


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[Room]:
    async with room(tmp_path, database_url) as found:
        yield found


@pytest.fixture
async def lite(tmp_path: Path) -> AsyncIterator[Room]:
    async with room(tmp_path) as found:
        yield found


async def test_a_change_at_the_vendor_reaches_the_consumer_and_what_was_there_before_does_not(
    here: Room, receiver: Consumer
) -> None:
    here.shelf.put("old", now_ms() - MINUTE // 2)
    made = await here.hire(**{"event.notification.callback.url": receiver.url()})
    here.shelf.put("new", now_ms())
    found = await here.poll(made)
    assert (found["things"]["outcome"], found["things"]["events"]) == ("changes", 1)
    assert found["others"] == {
        "name": "others", "outcome": "nothing", "reason": None, "records": 0, "events": 0, "duplicates": 0
    }  # fmt: skip
    [delivered] = await receiver.wait(1)
    assert b'"new"' in delivered.body
    assert (await here.poll(made))["things"]["events"] == 0
    assert [(event["object_id"], event["source"], event["type"]) for event in await here.events()] == [
        ("new", "polling", "things.updated")
    ]
    ledger = await here.gateway.ledger()
    assert ledger["received"] == ledger["accepted"] + ledger["duplicate"] == 1


async def test_a_poller_says_how_far_it_has_read_and_how_it_stands(lite: Room) -> None:
    lite.shelf.put("a", now_ms() - 1_000)
    made = await lite.hire()
    seen = await lite.seen(made)
    assert seen["state"] == "ok"
    assert seen["watermark"] == lite.shelf.rows["things"]["a"]["at"]
    assert (seen["failures"], seen["lag_ms"], seen["stuck_polls"], seen["running"]) == (0, 0, 0, False)
    assert seen["last_success_at"] is not None
    assert seen["next_run_at"] > seen["last_success_at"]


@pytest.mark.parametrize("status", [401, 403])
async def test_credentials_that_the_vendor_refuses_make_no_instance(lite: Room, status: int) -> None:
    lite.shelf.answers["things"] = (status, '{"error": "go away"}', {})
    wanted = {
        "key": "k",
        "event.notification.enabled": True,
        "event.vendor.type": "polling",
        "base.url": lite.shelf.url,
    }
    answered = await lite.gateway.call(
        "POST", "/instances", json={"element": {"key": "shelf"}, "name": "x", "configuration": wanted}
    )
    assert answered.status == 400
    assert b"refuses" in answered.body
    assert answered.json["providerMessage"].endswith("go away")
    assert await lite.rows() == {}


async def test_a_vendor_that_cannot_be_reached_is_no_reason_to_refuse_an_instance(lite: Room) -> None:
    made = await lite.hire(**NOWHERE)

    async def fails() -> bool:
        return bool((await lite.seen(made))["state"] == "failing")

    await eventually(fails)
    assert (await lite.seen(made))["failures"] >= 1


async def test_an_instance_that_polls_nothing_cannot_be_polled(lite: Room) -> None:
    made = await lite.gateway.create("shelf", key="k", **NOWHERE)
    answered = await lite.gateway.call("POST", f"/api/v1/instances/{made['id']}/poll")
    assert answered.status == 409
    assert "event.vendor.type" in answered.json["detail"]
    assert lite.shelf.asked == []


async def test_a_disabled_instance_is_polled_no_more_and_goes_on_from_where_it_stood(lite: Room) -> None:
    lite.shelf.put("a", now_ms() - 1_000)
    made = await lite.hire()
    answered = await lite.gateway.call("DELETE", f"/instances/{made['id']}/enabled")
    assert answered.status == 200
    asked = len(lite.shelf.asked)
    await lite.due()
    assert await lite.pollers.tick() == 0
    assert (await lite.seen(made))["state"] == "paused"
    lite.shelf.put("b", now_ms())
    await lite.gateway.call("PUT", f"/instances/{made['id']}/enabled")
    await lite.told("b")
    assert len(lite.shelf.asked) > asked
    assert (await lite.seen(made))["state"] == "ok"


async def test_an_edit_of_what_is_asked_takes_effect_at_once_and_one_of_the_name_asks_nothing(lite: Room) -> None:
    made = await lite.hire()
    await lite.pollers.idle()
    asked = len(lite.shelf.asked)
    await lite.gateway.call("PATCH", f"/instances/{made['id']}", json={"name": "other"})
    assert await lite.pollers.tick() == 0
    assert len(lite.shelf.asked) == asked
    before = (await lite.rows())["things"]
    configuration = {"event.poller.refresh_interval": 2}
    await lite.gateway.call("PATCH", f"/instances/{made['id']}", json={"configuration": configuration})

    async def is_sooner() -> bool:
        row = (await lite.rows())["things"]
        return bool(row["epoch"] > before["epoch"] and 0 < row["planned_at"] - now_ms() <= 2 * MINUTE)

    await eventually(is_sooner)
    assert len(lite.shelf.asked) > asked


async def test_only_on_demand_means_that_nothing_polls_by_itself(lite: Room) -> None:
    made = await lite.hire(**{"event.poller.refresh_interval": 999999999})
    assert {row["next_due"] for row in (await lite.rows()).values()} == {None}
    lite.shelf.put("a", now_ms())
    assert (await lite.poll(made))["things"]["events"] == 1
    assert {row["next_due"] for row in (await lite.rows()).values()} == {None}


async def test_a_deleted_instance_has_no_pollers_and_its_poll_under_way_stores_nothing(lite: Room) -> None:
    made = await lite.hire()
    lite.shelf.put("a", now_ms())
    lite.shelf.gate.clear()
    await lite.due()
    assert await lite.pollers.tick() == 2
    await lite.shelf.arrived(2)
    await lite.gateway.call("DELETE", f"/instances/{made['id']}")
    lite.shelf.gate.set()
    await lite.pollers.idle()
    assert await lite.rows() == {}
    assert await lite.events() == []


async def test_credentials_that_are_refused_later_stop_the_poller_until_others_are_there(lite: Room) -> None:
    made = await lite.hire()
    lite.shelf.answers["things"] = (401, '{"error": "expired"}', {})
    assert (await lite.poll(made))["things"]["outcome"] == "reauth"
    seen = await lite.seen(made)
    assert (seen["state"], seen["next_run_at"]) == ("reauth", None)
    assert "expired" in seen["reason"]
    assert (await lite.seen(made, "others"))["state"] == "ok"
    lite.shelf.answers.clear()
    lite.shelf.put("a", now_ms())
    await lite.gateway.call("PATCH", f"/instances/{made['id']}", json={"configuration": {"key": "k2"}})
    await lite.told("a")
    assert "Bearer k2" in lite.shelf.keys


async def test_what_stopped_goes_on_when_it_is_resumed(lite: Room) -> None:
    made = await lite.hire()
    await lite.due(state="disabled", failures=100, next_due=None, reason="500")
    lite.shelf.put("a", now_ms())
    assert await lite.pollers.tick() == 0
    answered = await lite.gateway.call("POST", f"/api/v1/instances/{made['id']}/pollers/resume")
    assert answered.status == 200
    assert {one["state"] for one in answered.json["pollers"]} == {"ok"}
    await lite.told("a")


async def test_a_limit_of_the_vendor_is_waited_for_and_seen(lite: Room) -> None:
    made = await lite.hire()
    lite.shelf.answers["things"] = (429, "{}", {"Retry-After": "600"})
    before = now_ms()
    assert (await lite.poll(made))["things"]["outcome"] == "rate_limited"
    assert (await lite.rows())["things"]["next_due"] >= before + 600_000
    assert (await lite.seen(made))["state"] == "failing"


@pytest.mark.parametrize(
    ("body", "outcome", "reason"),
    [
        ("<html>", "malformed", "no JSON"),
        ('{"items": {"id": 1}}', "malformed", "no list"),
        ('{"rows": [{"id": 1}]}', "malformed", "a list at 'rows'"),
        ('{"items": [{"at": "2026-01-01T00:00:00Z"}]}', "configuration", "no record has an id"),
        ('{"items": [{"id": 1, "at": "yesterday"}]}', "configuration", "cannot be read"),
        ("[" * 600 + "]" * 600, "malformed", "nested too deep"),
    ],
)
async def test_an_answer_that_cannot_be_used_is_told_and_never_breaks_anything(
    lite: Room, body: str, outcome: str, reason: str
) -> None:
    made = await lite.hire()
    lite.shelf.answers["things"] = (200, body, {})
    found = (await lite.poll(made))["things"]
    assert found["outcome"] == outcome
    assert reason in found["reason"]
    seen = await lite.seen(made)
    assert (seen["state"], seen["failures"]) == ("failing", 1)


async def test_a_page_that_repeats_for_ever_ends(lite: Room) -> None:
    made = await lite.hire()
    row = {"id": "x", "at": "2026-01-01T00:00:00Z"}
    full = str([row, {**row, "id": "y"}, {**row, "id": "z"}]).replace("'", '"')
    lite.shelf.answers["things"] = (200, f'{{"items": {full}}}', {})
    asked = len(lite.shelf.asked)
    found = (await lite.poll(made))["things"]
    assert found["outcome"] == "malformed"
    assert "again and again" in found["reason"]
    assert len([one for one in lite.shelf.asked[asked:] if one.startswith("/things")]) < 10


async def test_pages_are_walked_to_their_end_in_both_orders(lite: Room) -> None:
    made = await lite.hire()
    now = now_ms()
    for number in range(25):
        lite.shelf.put(f"t{number:02}", now + (number // 4) * 1_000)
        lite.shelf.put(f"o{number:02}", now + (number // 4) * 1_000, "others")
    found = await lite.poll(made)
    assert (found["things"]["events"], found["others"]["events"]) == (25, 25)
    assert sorted(await lite.ids()) == sorted([*lite.shelf.rows["things"], *lite.shelf.rows["others"]])
    await lite.poll(made)
    assert len(await lite.ids()) == 50


async def test_nothing_new_is_told_by_a_304(lite: Room) -> None:
    lite.shelf.put("o", now_ms(), "others")
    made = await lite.hire()
    watermark = (await lite.seen(made, "others"))["watermark"]
    assert (await lite.poll(made))["others"] == {
        "name": "others", "outcome": "nothing", "reason": None, "records": 0, "events": 0, "duplicates": 0
    }  # fmt: skip
    seen = await lite.seen(made, "others")
    assert (seen["state"], seen["watermark"]) == ("ok", watermark)


async def test_many_records_are_stored_once_each_however_many_commits_they_take(here: Room) -> None:
    made = await here.hire()
    now = now_ms()
    here.shelf.answers["things"] = (200, _listed(now, 1_700), {})
    # The list ignores the page that is asked for, so its second page is its first: what was read counts.
    found = (await here.poll(made))["things"]
    assert found["events"] == 1_700
    assert len(set(await here.ids())) == len(await here.ids()) == 1_700


async def test_metrics_tell_of_polls_by_connector(lite: Room) -> None:
    made = await lite.hire()
    lite.shelf.put("a", now_ms())
    await lite.poll(made)
    text = (await lite.gateway.call("GET", "/metrics")).body.decode()
    assert 'gateway_polls_total{connector="shelf",outcome="changes"} 1.0' in text
    assert 'gateway_poll_events_total{connector="shelf"} 1.0' in text
    assert "gateway_polls_overdue" in text


def _listed(now: int, number: int) -> str:
    rows = ", ".join(f'{{"id": "n{one}", "at": "{iso(now)}"}}' for one in range(number))
    return f'{{"items": [{rows}]}}'
