"""Lists that are wrong in every way: each is bounded, shown on the poller, and never moves the watermark."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.polling.world import BASE, CLOSE, World, doubled, world
from tests.vendors.lists import THINGS, Fault


async def things(there: World, number: int = 250, **values: Any) -> None:
    """A plain API with things in it, polled to its end."""
    life = there.vendor.life
    for _ in range(number):
        life.create()
    life.clock.advance(600)
    await there.hire("generic", **{"poll.path": "things", **values})
    there.vendor.requests.clear()


async def poller(there: World) -> dict[str, Any]:
    answered = await there.gateway.call("GET", f"/api/v1/instances/{there.made['id']}")
    [found] = answered.json["pollers"]
    return dict(found)


@pytest.mark.parametrize(
    ("fault", "outcome", "said"),
    [
        ("no_id", "configuration", "no record has an id at"),
        ("no_date", "configuration", "no record has a date at"),
        ("repeats", "malformed", "again and again"),
        ("goes_in_circles", "malformed", "again and again"),
        ("never_ends", "malformed", "again and again"),
    ],
)
async def test_a_faulty_list_is_shown_on_its_poller_and_ends_after_few_requests(
    tmp_path: Path, fault: Fault, outcome: str, said: str
) -> None:
    async with world(tmp_path, "") as there:
        await things(there)
        there.vendor.life.bulk(250)
        before = await poller(there)
        there.vendor.lists.fault = fault
        [found] = (await there.poll()).json["pollers"]
        assert found["outcome"] == outcome
        assert said in found["reason"]
        now = await poller(there)
        assert (now["state"], now["watermark"]) == ("failing", before["watermark"])
        assert said in now["reason"]
        assert len(there.vendor.to(THINGS)) <= 5
        there.vendor.lists.fault = ""
        await there.poll()
        assert (await poller(there))["state"] == "ok"
        assert len(await there.told()) == 250


async def test_a_list_that_grows_faster_than_it_is_read_is_read_in_pieces(tmp_path: Path) -> None:
    async with world(tmp_path, "") as there:
        await things(there, 20)
        life, lists = there.vendor.life, there.vendor.lists
        lists.largest_page = 1
        # Each page makes another thing, which stands on a page of its own behind all others.
        lists.meanwhile = lambda _seconds: life.create() if len(life.alive) < 350 else None
        life.create()
        await there.poll()
        await there.rest(3)
        metrics = (await there.gateway.call("GET", "/metrics")).body.decode()
        [partial] = re.findall(r'gateway_polls_total\{connector="generic",outcome="partial"\} (\d+)', metrics)
        assert int(partial) >= 3  # a hundred pages each
        told = await there.told()
        assert there.missed(told, lambda write: (write.thing, write.state)) == {}
        assert doubled(told) == {}


@pytest.mark.parametrize("interval", [0, -1, "often", 0.5])
async def test_an_interval_that_is_none_is_refused(tmp_path: Path, interval: object) -> None:
    async with world(tmp_path, "") as there:
        configuration = {
            "poll.path": "things",
            "base.url": there.vendor.url,
            "event.vendor.type": "polling",
            "event.notification.enabled": True,
            "event.poller.refresh_interval": interval,
        }
        body = {"element": {"key": "generic"}, "name": "x", "configuration": configuration}
        answered = await there.gateway.call("POST", "/instances", json=body)
        assert answered.status == 400, answered.body
        assert "event.poller.refresh_interval" in answered.body.decode()


async def test_a_huge_interval_means_on_demand(tmp_path: Path) -> None:
    async with world(tmp_path, "") as there:
        await things(there, 3, **{"event.poller.refresh_interval": 999_999_999})
        assert (await poller(there))["next_run_at"] is None
        there.vendor.life.create()
        [found] = (await there.poll()).json["pollers"]
        assert (found["outcome"], found["events"]) == ("changes", 1)
        assert (await poller(there))["next_run_at"] is None


async def test_dates_of_another_zone_are_warned_of(tmp_path: Path) -> None:
    async with world(tmp_path, "") as there:
        await things(there, 30)
        there.vendor.lists.fault = "wrong_zone"
        there.vendor.life.bulk(30)
        [found] = (await there.poll()).json["pollers"]
        assert "time zone" in (found["reason"] or "")
        assert found["events"] == 30


async def test_what_people_do_at_close_becomes_events_without_a_webhook(database_url: str, tmp_path: Path) -> None:
    async with world(tmp_path, database_url) as there:
        await there.hire("closeio", BASE, **CLOSE)
        there.vendor.clock.advance(5)
        made = there.vendor.close.add("lead", name="Acme")
        [found] = (await there.poll()).json["pollers"]
        assert (found["outcome"], found["events"]) == ("changes", 1)
        [event] = await there.events()
        assert (event["type"], event["action"], event["object_id"]) == ("lead.created", "CREATED", made["id"])
        assert event["source"] == "polling"
        assert there.vendor.close.all("webhook") == []
