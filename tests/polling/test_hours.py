"""Hours of a vendor's life, polled by a running gateway: no object's last state is missed, and nothing is doubled."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.delivery.nodes import shift
from tests.polling.world import BASE, CLOSE, World, doubled, world
from tests.vendors.life import Write, usual_lag
from tests.vendors.misbehaving import Act, answering, half, html, too_many, wrong_json


def trouble(minute: int) -> Act | None:
    """What goes wrong every now and then."""
    acts: dict[int, Act] = {
        3: too_many({"RateLimit": "limit=100, remaining=0, reset=0.01"}),
        7: answering(503, '{"error": "unavailable"}'),
        11: html(),
        13: wrong_json(),
        17: half(),
    }
    return acts.get(minute % 20)


def in_a_log(write: Write) -> tuple[str, int | str]:
    return (write.thing, "gone") if write.action == "deleted" else (write.thing, write.state)


def in_a_list(write: Write) -> tuple[str, int | str] | None:
    """Who is deleted is no longer listed."""
    return None if write.action == "deleted" else (str(int(write.thing.rpartition("_")[2])), write.state)


def among_things(write: Write) -> tuple[str, int | str]:
    return write.thing, write.state


async def close(there: World, **values: Any) -> None:
    """Close with some leads, its log, and an index that lags."""
    life = there.vendor.life
    life.lag = usual_lag
    life.random = Random(11)
    there.vendor.log.follow(life)
    for _ in range(500):
        life.create()
    life.clock.advance(600)
    await there.hire("closeio", BASE, **CLOSE, **values)


@pytest.mark.parametrize("consolidates_s", [0, 40])
async def test_two_hours_of_close_s_event_log(database_url: str, tmp_path: Path, consolidates_s: int) -> None:
    async with world(tmp_path, database_url) as there:
        there.vendor.log.consolidates_s = consolidates_s
        await close(there)
        assert await there.events() == []
        await there.live(120, rate=1.0, trouble=trouble)
        await there.rest()
        told = await there.told()
        assert there.missed(told, in_a_log) == {}
        assert doubled(told) == {}
        assert len(told) > 5000
        sources = {event["source"] for event in await there.events()}
        assert sources == {"polling"}


@pytest.mark.parametrize("skew", [-40.0, 3.0, 40.0])
async def test_a_log_whose_dates_and_head_disagree(tmp_path: Path, skew: float) -> None:
    async with world(tmp_path, "") as there:
        there.vendor.clock.skew = skew
        await close(there)
        await there.live(40, rate=1.0)
        await there.rest()
        told = await there.told()
        assert there.missed(told, in_a_log) == {}
        assert doubled(told) == {}


@pytest.mark.parametrize("ahead_s", [-7200.0, 7200.0])
async def test_a_vendor_whose_clock_is_hours_away(tmp_path: Path, ahead_s: float) -> None:
    async with world(tmp_path, "") as there:
        there.vendor.clock.advance(ahead_s)
        await close(there)
        assert await there.events() == []
        await there.live(40, rate=1.0)
        await there.rest()
        told = await there.told()
        assert there.missed(told, in_a_log) == {}
        assert doubled(told) == {}


async def test_two_hours_of_a_list_whose_pages_slide_while_they_are_read(database_url: str, tmp_path: Path) -> None:
    async with world(tmp_path, database_url) as there:
        life, lists = there.vendor.life, there.vendor.lists
        life.lag, life.random = usual_lag, Random(12)
        for _ in range(800):
            life.create()
        life.clock.advance(600)
        await there.hire("github")
        assert await there.events() == []
        lists.meanwhile = lambda seconds: life.go_on(seconds, rate=4.0)
        await there.live(120, rate=1.5, trouble=trouble)
        lists.meanwhile = None
        await there.rest()
        told = await there.told()
        assert there.missed(told, in_a_list) == {}
        assert doubled(told) == {}
        assert len(told) > 5000


async def test_two_hours_of_a_list_by_id_in_which_things_come_and_go(tmp_path: Path) -> None:
    async with world(tmp_path, "") as there:
        life, lists = there.vendor.life, there.vendor.lists
        life.lag, life.random = usual_lag, Random(13)
        for _ in range(800):
            life.create()
        life.clock.advance(600)
        await there.hire("generic", **{"poll.path": "things"})
        assert await there.events() == []
        lists.meanwhile = lambda seconds: life.go_on(seconds, rate=4.0, deletes=0.1)
        await there.live(120, rate=1.0, trouble=trouble)
        lists.meanwhile = None
        await there.rest()
        told = await there.told()
        assert there.missed(told, among_things) == {}
        assert doubled(told) == {}


async def test_a_poller_that_was_away_for_longer_than_the_log_goes_back_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path, "") as there:
        await close(there)
        await there.live(3, rate=0.5)
        assert [event for event in await there.events() if event["type"] == "polling.gap"] == []
        before = len(await there.events())
        away_s = 35 * 86_400
        there.vendor.life.go_on(600, rate=0.5)  # what nobody will ever know
        there.begun = there.newest
        there.vendor.life.go_on(away_s)
        there.vendor.life.go_on(600, rate=0.5)
        shift(monkeypatch, 1000 * (away_s + 1200))
        await there.poll()
        await there.rest(2)
        found = await there.events()
        assert len([event for event in found if event["type"] == "polling.gap"]) == 1
        assert len(found) > before + 100
        told = await there.told()
        assert there.missed(told, in_a_log) == {}
        assert doubled(told) == {}
