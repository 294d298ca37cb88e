"""Who polls what when: claimed once, fenced, bounded, given back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.clock import now_ms
from gateway.polling.dispatcher import LEASE_MS, PER_CREDENTIAL, Dispatcher
from tests.kit.gateway import started
from tests.polling.shelf import Room, room, shelf, with_shelf
from tests.registrations.office import eventually


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[Room]:
    async with room(tmp_path, database_url) as found:
        yield found


@pytest.fixture
async def lite(tmp_path: Path) -> AsyncIterator[Room]:
    async with room(tmp_path) as found:
        yield found


def second(here: Room, **options: Any) -> Dispatcher:
    """Another dispatcher on the same store, as another node has it."""
    services = here.gateway.running.services
    return Dispatcher(services.runtime, services.polling, **options)


async def test_two_dispatchers_never_poll_the_same_thing_twice(here: Room) -> None:
    for _ in range(3):
        await here.hire()
    await here.pollers.idle()
    other = second(here)
    here.shelf.asked.clear()
    await here.due()
    begun = await asyncio.gather(here.pollers.tick(), other.tick(), here.pollers.tick(), other.tick())
    await here.pollers.idle()
    await other.idle()
    assert sum(begun) <= 6
    await eventually(lambda: _are_asked(here, 6))
    assert all(row["lease_owner"] is None for row in (await here.rows()).values())


async def _are_asked(here: Room, number: int) -> bool:
    return len(here.shelf.asked) == number


async def test_what_somebody_else_has_taken_over_meanwhile_is_not_stored(here: Room) -> None:
    await here.hire()
    here.shelf.put("a", now_ms())
    here.shelf.gate.clear()
    await here.due()
    await here.pollers.tick()
    await here.shelf.arrived(2)
    async with here.database.transaction() as transaction:
        await transaction.execute("UPDATE pollers SET epoch = epoch + 1, cursor = $1", '{"started": true}')
    here.shelf.gate.set()
    await here.pollers.idle()
    assert await here.events() == []
    assert {row["cursor"] for row in (await here.rows()).values()} == {'{"started": true}'}
    text = (await here.gateway.call("GET", "/metrics")).body.decode()
    assert 'gateway_polls_total{connector="shelf",outcome="fenced"} 2.0' in text


async def test_one_poller_is_polled_by_one_at_a_time(lite: Room) -> None:
    made = await lite.hire()
    lite.shelf.gate.clear()
    lite.shelf.asked.clear()
    asking = [asyncio.create_task(lite.poll(made)) for _ in range(5)]
    await lite.shelf.arrived(2)
    await lite.due(next_due=1)
    assert await lite.pollers.tick() == 0
    lite.shelf.gate.set()
    await asyncio.gather(*asking)
    assert lite.shelf.most == 2


async def test_one_credential_is_never_used_by_more_than_eight_polls_at_once(lite: Room) -> None:
    number = PER_CREDENTIAL
    for _ in range(number):
        await lite.hire()
    await lite.pollers.idle()
    lite.shelf.asked.clear()
    lite.shelf.most = 0
    lite.shelf.gate.clear()
    await lite.due()
    await lite.pollers.tick()
    await lite.shelf.arrived(number)
    lite.shelf.gate.set()
    await eventually(lambda: _are_asked(lite, 2 * number))
    assert lite.shelf.most == number


async def test_no_more_run_at_once_than_there_are_slots_and_all_have_their_turn(lite: Room) -> None:
    for number in range(4):
        await lite.hire(key=f"k{number}")
    await lite.pollers.idle()
    few = second(lite, at_once=3)
    lite.shelf.asked.clear()
    lite.shelf.most = 0
    lite.shelf.gate.clear()
    async with few.running(1):
        async with lite.database.transaction() as transaction:
            await transaction.execute("UPDATE pollers SET next_due = 1")
        assert await few.tick() + len(lite.shelf.asked) <= 8
        await eventually(lambda: _at_least(lite, 3))
        lite.shelf.gate.set()
        await eventually(lambda: _at_least_asked(lite, 8))


async def _at_least(lite: Room, number: int) -> bool:
    return lite.shelf.running >= number


async def _at_least_asked(lite: Room, number: int) -> bool:
    return len(lite.shelf.asked) >= number


async def test_leaving_gives_back_what_runs_and_the_next_start_goes_on(tmp_path: Path, database_url: str) -> None:
    async with shelf() as vendor:
        config = with_shelf(tmp_path, database_url)
        async with started(config) as gateway:
            before = Room(gateway, vendor)
            made = await before.hire()
            vendor.put("a", now_ms())
            vendor.gate.clear()
            await before.due()
            await before.pollers.tick()
            await vendor.arrived(2)
        vendor.gate.set()
        vendor.asked.clear()
        async with started(config) as gateway:
            after = Room(gateway, vendor)
            await after.told("a")
            assert (await after.seen(made))["state"] == "ok"


async def test_a_lease_that_a_killed_process_left_on_sqlite_counts_for_nothing(tmp_path: Path) -> None:
    async with shelf() as vendor:
        config = with_shelf(tmp_path, "")
        async with started(config) as gateway:
            made = await Room(gateway, vendor).hire()
            vendor.put("a", now_ms())
            left = {"lease_owner": "dead", "lease_until": now_ms() + 3_600_000, "next_due": now_ms() + 3_600_000}
            await Room(gateway, vendor).due(**left)
        async with started(config) as gateway:
            await Room(gateway, vendor).told("a")
            assert (await Room(gateway, vendor).seen(made))["running"] is False


async def test_a_lease_that_ended_is_taken_up_by_another_node(here: Room) -> None:
    await here.hire()
    here.shelf.put("a", now_ms())
    await here.due(lease_owner="dead", lease_until=now_ms() - 1, next_due=now_ms() - 1)
    other = second(here)
    await other.tick()
    await other.idle()
    await here.pollers.idle()
    await here.told("a")


async def test_a_long_poll_keeps_its_lease_and_one_that_lost_it_is_given_up(lite: Room) -> None:
    await lite.hire()
    lite.shelf.gate.clear()
    await lite.due()
    await lite.pollers.tick()
    await lite.shelf.arrived(2)
    async with lite.database.transaction() as transaction:
        await transaction.execute("UPDATE pollers SET lease_until = 5 WHERE name = 'things'")
        await transaction.execute("UPDATE pollers SET epoch = epoch + 1 WHERE name = 'others'")
    await lite.pollers.keep_up()
    await lite.shelf.arrived(1)
    assert (await lite.rows())["things"]["lease_until"] > now_ms() + LEASE_MS // 2


async def test_a_failure_is_waited_out_and_the_next_success_clears_it(lite: Room) -> None:
    await lite.hire()
    lite.shelf.put("a", now_ms())
    lite.shelf.answers["things"] = (500, "{}", {})
    await lite.due()
    await lite.pollers.tick()
    await lite.pollers.idle()
    row = (await lite.rows())["things"]
    assert (row["state"], row["lease_owner"], row["failures"]) == ("failing", None, 1)
    assert now_ms() < row["next_due"] + 1_000 <= now_ms() + 6_000
    lite.shelf.answers.clear()
    await lite.due()
    await lite.pollers.tick()
    await lite.told("a")
    assert (await lite.rows())["things"]["failures"] == 0


async def test_polls_that_are_asked_for_do_not_put_off_the_schedule(lite: Room) -> None:
    made = await lite.hire(**{"event.poller.refresh_interval": 60})
    planned = (await lite.rows())["things"]["planned_at"]
    for _ in range(3):
        await lite.poll(made)
    assert (await lite.rows())["things"]["planned_at"] == planned


async def test_a_hundred_failures_stop_one_poller_and_not_the_other(lite: Room) -> None:
    made = await lite.hire()
    await lite.due(failures=99)
    lite.shelf.answers["things"] = (500, "{}", {})
    await lite.pollers.tick()
    await lite.pollers.idle()
    assert ((await lite.seen(made))["state"], (await lite.seen(made))["next_run_at"]) == ("disabled", None)
    assert (await lite.seen(made, "others"))["state"] == "ok"


async def test_overdue_pollers_are_counted(lite: Room) -> None:
    await lite.hire()
    await lite.pollers.idle()
    async with lite.database.transaction() as transaction:
        await transaction.execute("UPDATE pollers SET next_due = $1, lease_until = $2", now_ms() - 120_000, 2**60)
    await lite.pollers.report()
    text = (await lite.gateway.call("GET", "/metrics")).body.decode()
    assert "gateway_polls_overdue 2.0" in text
