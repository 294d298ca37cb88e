"""The simulated life: what a vendor's lists show of it, and how they mislead."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random
from typing import Any

import aiohttp
import pytest

from tests.vendors import API_KEY, Vendor, vendor
from tests.vendors.event_log import PATH
from tests.vendors.life import Life, usual_lag
from tests.vendors.lists import ISSUES, THINGS, Fault

NOON = 1_780_000_000.0


@pytest.fixture
async def there() -> AsyncIterator[Vendor]:
    async with vendor() as found:
        found.clock.stop(NOON)
        yield found


@pytest.fixture
async def session(there: Vendor) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": aiohttp.encode_basic_auth(API_KEY, "")}
    async with aiohttp.ClientSession(there.url, headers=headers) as found:
        yield found


async def get(session: aiohttp.ClientSession, path: str, **query: str) -> Any:
    async with session.get(path, params=query) as answer:
        return await answer.json()


async def walked(session: aiohttp.ClientSession, **query: str) -> list[dict[str, Any]]:
    """The event log to its end."""
    found, asked = [], query
    while True:
        page = await get(session, PATH, **asked)
        found += page["data"]
        if page["cursor_next"] is None:
            return found
        asked = {"_cursor": page["cursor_next"]}


def test_a_write_is_shown_when_the_index_learns_of_it_and_under_the_date_when_it_was_made() -> None:
    life = Life(lag=lambda _random: 10.0)
    life.clock.stop(NOON)
    life.create("thing_1")
    assert life.listed() == []
    life.clock.advance(9.0)
    assert life.listed() == []
    life.clock.advance(1.0)
    assert [write.at for write in life.listed()] == [NOON]


def test_a_late_state_does_not_replace_a_newer_one() -> None:
    lags = [0.0, 20.0, 1.0]
    life = Life(lag=lambda _random: lags.pop(0))
    life.clock.stop(NOON)
    life.create("thing_1")
    life.clock.advance(5)
    life.change("thing_1")
    life.clock.advance(5)
    last = life.change("thing_1")
    life.clock.advance(60)
    assert life.listed() == [last]
    assert life.final() == {"thing_1": last}


def test_many_things_change_in_one_second_and_share_their_date() -> None:
    life = Life()
    life.clock.stop(NOON + 0.7)
    for number in range(400):
        life.create(f"thing_{number}")
    life.clock.advance(100)
    life.bulk(350)
    assert sorted({write.at for write in life.listed()}) == [NOON, NOON + 100]
    assert sum(write.at == NOON + 100 for write in life.listed()) == 350


def test_hours_pass_in_no_time_and_always_in_the_same_way() -> None:
    lives = []
    for _ in range(2):
        life = Life(lag=usual_lag, random=Random(3))
        life.clock.stop(NOON)
        life.go_on(7200, rate=1.0, deletes=0.05)
        lives.append(life)
    one, other = lives
    assert one.history == other.history
    assert one.clock.now() == NOON + 7200
    assert 6500 < sum(map(len, one.history.values())) < 7500
    assert one.listed() != sorted(one.final().values())
    one.settle()
    assert one.listed(deleted=True) == sorted(one.final().values())


async def test_the_log_is_newest_first_in_pages_of_fifty(there: Vendor, session: aiohttp.ClientSession) -> None:
    there.log.follow(there.life)
    there.life.go_on(300, rate=0.4)
    page = await get(session, PATH)
    dates = [entry["date_updated"] for entry in page["data"]]
    assert len(dates) == 50
    assert dates == sorted(dates, reverse=True)
    assert datetime.fromisoformat(dates[0]).tzinfo is None
    found = await walked(session)
    assert len(found) == sum(map(len, there.life.history.values())) > 100
    since = found[60]["date_updated"]
    later = await walked(session, date_updated__gte=since)
    assert [entry["id"] for entry in later] == [entry["id"] for entry in found if entry["date_updated"] >= since]


async def test_what_comes_in_while_somebody_reads_moves_nothing_of_what_is_left(
    there: Vendor, session: aiohttp.ClientSession
) -> None:
    there.log.follow(there.life)
    there.life.go_on(300, rate=0.4)
    former = {entry["id"] for entry in await walked(session)}
    page = await get(session, PATH)
    there.life.go_on(60, rate=1.0)
    found = [*page["data"]]
    while page["cursor_next"]:
        page = await get(session, PATH, _cursor=page["cursor_next"])
        found += page["data"]
    assert sorted(entry["id"] for entry in found) == sorted(former)


async def test_a_cursor_stands_alone(session: aiohttp.ClientSession, there: Vendor) -> None:
    there.log.follow(there.life)
    there.life.go_on(300, rate=0.4)
    page = await get(session, PATH)
    asked = {"_cursor": page["cursor_next"], "date_updated__gte": "2026-01-01T00:00:00+00:00"}
    async with session.get(PATH, params=asked) as answer:
        assert answer.status == 400


async def test_a_soon_change_goes_into_the_entry_that_is_there_and_moves_its_date(
    there: Vendor, session: aiohttp.ClientSession
) -> None:
    there.log.consolidates_s = 30
    first = dict(there.log.add("lead", "updated", {"id": "lead_1", "state": 1}))
    there.clock.advance(10)
    there.log.add("lead", "updated", {"id": "lead_1", "state": 2})
    there.clock.advance(60)
    there.log.add("lead", "updated", {"id": "lead_1", "state": 3})
    newest, moved = (await get(session, PATH))["data"]
    assert (moved["id"], moved["data"]["state"]) == (first["id"], 2)
    assert moved["date_created"] == first["date_created"] < moved["date_updated"]
    assert newest["id"] != first["id"]


async def test_the_log_forgets_after_thirty_days(there: Vendor, session: aiohttp.ClientSession) -> None:
    there.log.add("lead", "created", {"id": "lead_1"})
    there.clock.advance(30 * 86_400 - 1)
    assert len((await get(session, PATH))["data"]) == 1
    there.clock.advance(2)
    assert (await get(session, PATH))["data"] == []


async def test_what_people_do_at_close_is_in_its_log(there: Vendor, session: aiohttp.ClientSession) -> None:
    made = await (await session.post("/api/v1/lead/", json={"name": "Acme"})).json()
    there.clock.advance(1)
    await session.put(f"/api/v1/lead/{made['id']}/", json={"name": "Acme Ltd"})
    there.clock.advance(1)
    await session.delete(f"/api/v1/lead/{made['id']}/")
    found = (await get(session, PATH))["data"]
    assert [(entry["action"], entry["object_id"]) for entry in found] == [
        ("deleted", made["id"]),
        ("updated", made["id"]),
        ("created", made["id"]),
    ]
    assert found[2]["data"]["name"] == "Acme"


async def test_the_log_is_for_those_who_have_a_key(there: Vendor) -> None:
    async with aiohttp.ClientSession(there.url) as stranger, stranger.get(PATH) as answer:
        assert answer.status == 401


async def test_the_head_tells_the_vendor_s_time_and_its_dates_may_be_ahead_of_it(
    there: Vendor, session: aiohttp.ClientSession
) -> None:
    there.clock.skew = 3.0
    there.log.add("lead", "created", {"id": "lead_1"})
    async with session.get(PATH) as answer:
        assert parsedate_to_datetime(answer.headers["Date"]).timestamp() == NOON
        [entry] = (await answer.json())["data"]
    assert datetime.fromisoformat(entry["date_updated"]).replace(tzinfo=UTC).timestamp() == NOON + 3


async def test_pages_by_number_lose_what_moves_and_a_list_from_a_date_on_is_inclusive(
    there: Vendor, session: aiohttp.ClientSession
) -> None:
    for number in range(150):
        there.life.create(f"thing_{number}")
        there.clock.advance(1)
    there.lists.meanwhile = lambda _seconds: there.life.change("thing_3")
    seen = []
    for number in (1, 2):
        rows = await get(session, ISSUES, direction="asc", per_page="100", page=str(number))
        seen += [row["id"] for row in rows]
    # One that was read moved to the end, so the first of the second page slid into the first.
    assert 100 not in seen
    assert seen.count(3) == 2
    there.lists.meanwhile = None
    last = (await get(session, ISSUES, direction="desc"))[0]["updated_at"]
    assert await get(session, ISSUES, since=last)


async def test_a_list_that_did_not_change_is_a_304(there: Vendor, session: aiohttp.ClientSession) -> None:
    there.life.create()
    async with session.get(ISSUES) as answer:
        etag = answer.headers["ETag"]
    async with session.get(ISSUES, headers={"If-None-Match": etag}) as answer:
        assert answer.status == 304
    there.life.create()
    async with session.get(ISSUES, headers={"If-None-Match": etag}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("fault", ["no_id", "no_date", "wrong_zone", "repeats", "goes_in_circles", "never_ends"])
async def test_faults_are_there_when_they_are_asked_for(
    there: Vendor, session: aiohttp.ClientSession, fault: Fault
) -> None:
    for _ in range(3):
        there.life.create()
    good = await get(session, THINGS)
    there.lists.fault = fault
    async with session.get(THINGS) as answer:
        [first, *_] = await answer.json()
        link = answer.headers.get("Link", "")
    assert ("id" not in first) == (fault == "no_id")
    assert (first.get("updated_at") is None) == (fault == "no_date")
    assert (first["updated_at"] not in (None, good[0]["updated_at"])) == (fault == "wrong_zone")
    following = {"repeats": "page=1", "goes_in_circles": "page=2", "never_ends": "page=2"}
    assert following.get(fault, "") in link
    assert bool(link) == (fault in following)


async def test_half_a_list_looks_like_a_whole_one(there: Vendor, session: aiohttp.ClientSession) -> None:
    for _ in range(40):
        there.life.create()
    there.lists.fault = "half"
    assert len(await get(session, THINGS)) == 10
