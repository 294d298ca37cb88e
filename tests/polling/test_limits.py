"""Bounds that a poll declares for itself: one allowance for all pollers with the same credentials."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.clock import now_ms
from tests.kit.gateway import started
from tests.polling.shelf import SHELF, Room, shelf, with_shelf
from tests.registrations.office import eventually


@asynccontextmanager
async def limited(folder: Path, limits: str) -> AsyncIterator[Room]:
    """A gateway beside a vendor that allows only so much for its list of things."""
    async with shelf() as vendor:
        config = with_shelf(folder, "")
        text = SHELF.replace('retention = "30d"', f'retention = "30d"\nlimits = {limits}')
        (folder / "connectors" / "shelf.toml").write_text(text)
        async with started(config) as gateway:
            yield Room(gateway, vendor)


def asked(here: Room) -> int:
    """How often the vendor was asked for its things."""
    return sum(one.startswith("/things") for one in here.shelf.asked)


async def poller_of(here: Room, made: dict[str, Any]) -> dict[str, Any]:
    row = await here.database.one("SELECT * FROM pollers WHERE instance_id = $1 AND name = 'things'", made["id"])
    assert row is not None
    return dict(row)


async def test_pollers_with_the_same_credentials_share_the_allowance_and_waiting_for_it_is_no_failure(
    tmp_path: Path,
) -> None:
    async with limited(tmp_path, '{ requests = 1, per = "60s" }') as here:
        first = await here.hire()
        second = await here.hire()

        async def was_tried() -> bool:
            return bool((await poller_of(here, second))["next_due"] > now_ms() + 1_000)

        await eventually(was_tried)
        assert asked(here) == 1
        for made in (first, second):
            found = (await here.poll(made))["things"]
            assert (found["outcome"], found["reason"]) == ("waits", "the vendor's limit is reached")
            seen = await here.seen(made)
            assert (seen["state"], seen["failures"]) == ("ok", 0)
            assert now_ms() < (await poller_of(here, made))["next_due"] <= now_ms() + 60_000
        assert asked(here) == 1
        await here.hire(key="another")
        assert asked(here) == 2


async def test_other_lists_of_the_vendor_are_not_held_up_by_it(tmp_path: Path) -> None:
    async with limited(tmp_path, '{ requests = 1, per = "60s" }') as here:
        made = await here.hire()
        here.shelf.put("o", now_ms(), "others")
        found = await here.poll(made)
        assert (found["things"]["outcome"], found["others"]["events"]) == ("waits", 1)


async def test_pages_are_asked_for_no_faster_than_the_allowance_lets_them(tmp_path: Path) -> None:
    async with limited(tmp_path, '{ requests = 1, per = "200ms" }') as here:
        made = await here.hire()
        for number in range(9):
            here.shelf.put(f"t{number}", now_ms() + 1_000 * number)
        before, began = asked(here), time.monotonic()
        assert (await here.poll(made))["things"]["events"] == 9
        pages = asked(here) - before
        assert pages >= 3
        assert time.monotonic() - began >= 0.2 * (pages - 1)


async def test_what_was_read_before_the_allowance_was_spent_is_kept_and_the_rest_comes_later(tmp_path: Path) -> None:
    async with limited(tmp_path, '{ requests = 2, per = "60s" }') as here:
        made = await here.hire()
        for number in range(9):
            here.shelf.put(f"t{number}", now_ms() + 1_000 * number)
        found = (await here.poll(made))["things"]
        assert (found["outcome"], found["events"], asked(here)) == ("waits", 3, 2)
        assert sorted(await here.ids()) == ["t0", "t1", "t2"]
        seen = await here.seen(made)
        assert (seen["state"], seen["failures"]) == ("ok", 0)
        assert (await poller_of(here, made))["next_due"] <= now_ms() + 60_000
