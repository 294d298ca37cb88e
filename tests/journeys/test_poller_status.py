"""What owners and operators see of a poller: in its instance, and among the metrics."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.clock import iso, now_ms
from tests.polling.shelf import Room, room

HOUR = 3_600_000


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Room]:
    async with room(tmp_path) as found:
        yield found


async def metric(here: Room, name: str) -> float:
    """The value of a line of /metrics; 0 where there is none."""
    text = (await here.gateway.call("GET", "/metrics")).body.decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_a_poll_that_succeeds_moves_every_figure_of_its_poller(here: Room) -> None:
    here.shelf.put("a", now_ms() - 30_000)
    made = await here.hire()
    before = await here.seen(made)
    assert before["watermark"] == here.shelf.rows["things"]["a"]["at"]
    here.shelf.put("b", now_ms() - 10_000)
    assert (await here.poll(made))["things"]["events"] == 1
    seen = await here.seen(made)
    assert seen["watermark"] == here.shelf.rows["things"]["b"]["at"]
    assert seen["last_success_at"] > before["last_success_at"]
    assert seen["records"] > before["records"]
    assert (seen["state"], seen["failures"], seen["lag_ms"], seen["running"]) == ("ok", 0, 0, False)
    assert iso(now_ms()) < seen["next_run_at"] < iso(now_ms() + 2 * HOUR)
    assert await metric(here, 'gateway_poll_records_total{connector="shelf"}') >= 1
    assert await metric(here, 'gateway_poll_source_lag_seconds_count{connector="shelf"}') >= 1


async def test_a_poll_that_fails_leaves_what_was_known_and_says_why_and_how_often(here: Room) -> None:
    here.shelf.put("a", now_ms() - 30_000)
    made = await here.hire()
    before = await here.seen(made)
    here.shelf.answers["things"] = (500, '{"error": "down"}', {})
    for number in (1, 2):
        assert (await here.poll(made))["things"]["outcome"] == "unavailable"
        seen = await here.seen(made)
        assert (seen["state"], seen["failures"]) == ("failing", number)
    assert "down" in seen["reason"]
    kept = ("watermark", "last_success_at", "records")
    assert [seen[name] for name in kept] == [before[name] for name in kept]
    assert await metric(here, 'gateway_polls_total{connector="shelf",outcome="unavailable"}') == 2


async def test_a_poll_under_way_is_seen_running(here: Room) -> None:
    made = await here.hire()
    await here.pollers.idle()
    here.shelf.gate.clear()
    await here.due()
    await here.pollers.tick()
    await here.shelf.arrived(2)
    assert (await here.seen(made))["running"] is True
    assert (await here.seen(made))["next_run_at"] is None
    assert await metric(here, "gateway_polls_running") == 2
    here.shelf.gate.set()
    await here.pollers.idle()
    assert (await here.seen(made))["running"] is False
    assert await metric(here, "gateway_polls_running") == 0


async def test_operators_see_the_last_success_and_how_many_pollers_do_not_succeed(here: Room) -> None:
    made = await here.hire()
    await here.poll(made)
    last = await metric(here, 'gateway_poll_last_success_timestamp_seconds{connector="shelf"}')
    assert abs(last - now_ms() / 1000) < 30
    here.shelf.answers["things"] = (401, "{}", {})
    here.shelf.answers["others"] = (500, "{}", {})
    await here.poll(made)
    await here.pollers.report()
    states = ("reauth", "failing", "disabled")
    assert [await metric(here, f'gateway_pollers_not_ok{{state="{one}"}}') for one in states] == [1, 1, 0]
    here.shelf.answers.clear()
    await here.gateway.call("POST", f"/api/v1/instances/{made['id']}/pollers/resume")
    await here.pollers.idle()
    await here.poll(made)
    await here.pollers.report()
    assert await metric(here, 'gateway_pollers_not_ok{state="reauth"}') == 0
