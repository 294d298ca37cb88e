"""A catalogue that offers other lists than before: the pollers of instances that were there already follow it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.clock import now_ms
from gateway.polling import store
from gateway.polling.alignment import Alignment
from tests.kit.gateway import started
from tests.polling.shelf import _POLL, SHELF, Room, Shelf, room, shelf, with_shelf
from tests.registrations.office import eventually

MORE = _POLL.format(name="more", order="asc", more="")
WITHOUT_OTHERS = SHELF[: SHELF.index('[[poll]]\nname = "others"')]
BOTH = {"event.vendor.type": "webhook", "event.reconcile.enabled": True}


@pytest.fixture
async def vendor() -> AsyncIterator[Shelf]:
    async with shelf() as found:
        found.rows["more"] = {}
        yield found


def says(folder: Path, text: str) -> None:
    (folder / "connectors" / "shelf.toml").write_text(text)


async def names(here: Room) -> list[str]:
    """The pollers that are switched on."""
    return [name for name, row in (await here.rows()).items() if row["enabled"]]


async def are(here: Room, *wanted: str) -> None:
    async def so() -> bool:
        return await names(here) == sorted(wanted)

    await eventually(so)


async def look(here: Room) -> int:
    services = here.gateway.running.services
    return await Alignment(services.runtime, services.polling.plans, services.pollers.poke).look()


async def is_on_record(here: Room) -> None:
    async def so() -> bool:
        return await here.database.one("SELECT 1 AS one FROM meta WHERE key = 'polling.offer:shelf'") is not None

    await eventually(so)


async def test_a_list_that_the_connector_offers_since_the_last_start_is_polled_and_old_cursors_stand(
    database_url: str, tmp_path: Path, vendor: Shelf
) -> None:
    settings = with_shelf(tmp_path, database_url)
    async with started(settings) as gateway:
        here = Room(gateway, vendor)
        made = await here.hire()
        vendor.put("a", now_ms())
        await here.poll(made)
        before = await here.rows()
        assert sorted(before) == ["others", "things"]
    says(tmp_path, SHELF + MORE)
    vendor.put("old", now_ms(), "more")
    vendor.asked.clear()
    async with started(settings) as gateway:
        here = Room(gateway, vendor)

        async def is_read() -> bool:
            rows = await here.rows()
            return "more" in rows and '"started":true' in rows["more"]["cursor"]

        await eventually(is_read)
        assert {path.partition("?")[0] for path in vendor.asked} == {"/more"}
        for name, row in before.items():
            assert (await here.rows())[name]["cursor"] == row["cursor"]
        vendor.put("new", now_ms(), "more")
        await here.poll(made)
        # What a list held before it was polled for the first time is not told.
        assert await here.ids() == ["a", "new"]


async def test_an_instance_that_is_reconciled_follows_too(tmp_path: Path, vendor: Shelf) -> None:
    settings = with_shelf(tmp_path, "")
    async with started(settings) as gateway:
        await Room(gateway, vendor).hire(**BOTH)
    says(tmp_path, SHELF + MORE)
    async with started(settings) as gateway:
        await are(Room(gateway, vendor), "more", "others", "things")


async def test_one_that_polls_nothing_gets_no_poller(tmp_path: Path, vendor: Shelf) -> None:
    settings = with_shelf(tmp_path, "")
    async with started(settings) as gateway:
        here = Room(gateway, vendor)
        await here.hire(**{**BOTH, "event.reconcile.enabled": False})
        await here.hire(**{"event.notification.enabled": False})
        stopped = await here.hire()
        assert (await gateway.call("DELETE", f"/instances/{stopped['id']}/enabled")).status == 200
    says(tmp_path, SHELF + MORE)
    async with started(settings) as gateway:
        here = Room(gateway, vendor)
        await is_on_record(here)
        assert await names(here) == []
        assert "more" not in await here.rows()


async def test_a_list_that_went_and_came_back_goes_on_where_it_stood(tmp_path: Path, vendor: Shelf) -> None:
    settings = with_shelf(tmp_path, "")
    async with started(settings) as gateway:
        here = Room(gateway, vendor)
        vendor.put("a", now_ms(), "others")
        made = await here.hire()
        before = (await here.rows())["others"]["cursor"]
    says(tmp_path, WITHOUT_OTHERS)
    async with started(settings) as gateway:
        await are(Room(gateway, vendor), "things")
    vendor.put("b", now_ms(), "others")
    says(tmp_path, SHELF)
    async with started(settings) as gateway:
        here = Room(gateway, vendor)
        await are(here, "others", "things")
        await here.poll(made)
        assert await here.ids() == ["b"]
        assert (await here.rows())["others"]["cursor"] != before


async def test_a_catalogue_that_is_loaded_while_the_gateway_runs_counts_at_once(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        here.shelf.rows["more"] = {}
        await here.hire()
        says(tmp_path, SHELF + MORE)
        await are(here, "more", "others", "things")


async def test_what_a_poller_was_stopped_for_stays_what_it_is(tmp_path: Path, vendor: Shelf) -> None:
    settings = with_shelf(tmp_path, "")
    async with started(settings) as gateway:
        here = Room(gateway, vendor)
        await here.hire()
        async with here.database.transaction() as transaction:
            await transaction.execute("UPDATE pollers SET state = 'disabled', next_due = NULL WHERE name = 'others'")
    says(tmp_path, SHELF + MORE)
    async with started(settings) as gateway:
        here = Room(gateway, vendor)
        await are(here, "more", "others", "things")
        assert (await here.rows())["others"]["state"] == "disabled"


async def test_instances_of_connectors_that_offer_the_same_are_not_looked_at(tmp_path: Path, vendor: Shelf) -> None:
    settings = with_shelf(tmp_path, "")
    async with started(settings) as gateway:
        await Room(gateway, vendor).hire()
    async with started(settings) as gateway:
        here = Room(gateway, vendor)
        await is_on_record(here)
        async with here.database.transaction() as transaction:
            await transaction.execute("DELETE FROM pollers WHERE name = 'others'")
    # How a list is asked is no other offer.
    says(tmp_path, SHELF.replace('overlap = "60s"', 'overlap = "90s"'))
    async with started(settings) as gateway:
        here = Room(gateway, vendor)
        assert await look(here) == 0
        assert await names(here) == ["things"]


async def test_what_a_node_with_an_older_catalogue_stopped_is_taken_up_by_one_that_knows_it(
    tmp_path: Path, vendor: Shelf
) -> None:
    settings = with_shelf(tmp_path, "")
    async with started(settings) as gateway:
        await Room(gateway, vendor).hire()
    async with started(settings) as gateway:
        here = Room(gateway, vendor)
        await is_on_record(here)
        # As another node would: it claims what it knows nothing of, and stops it.
        row = await store.one(here.database, (await here.rows())["others"]["instance_id"], "others")
        assert row is not None
        await gateway.running.services.polling.poll(row, None)
        assert await names(here) == ["things"]
        assert await look(here) == 1
        assert await names(here) == ["others", "things"]
