"""GitHub's webhook gives no version: beside it, polling brings what it lost, and nothing twice."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web

from gateway.clock import iso, now_ms
from gateway.ids import first_at
from tests.kit.gateway import Gateway, settings, started
from tests.kit.signed import github
from tests.vendors import Vendor, vendor
from tests.vendors.misbehaving import answering

LIST = "/repos/octo/hello/issues"
HOOKS = "/repos/octo/hello/hooks"
SECRET = "it's a secret to everybody"
MINUTE = 60_000


@dataclass
class Repository:
    """Issues at a GitHub whose clock stands still until it is told to go on."""

    gateway: Gateway
    vendor: Vendor
    made: dict[str, Any] = field(default_factory=dict)
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def now(self) -> int:
        return int(self.vendor.clock.now() * 1000)

    def write(self, number: int, **more: Any) -> dict[str, Any]:
        """Make or change an issue, now."""
        self.issues[number] = {"id": number, "created_at": iso(0), "updated_at": iso(self.now), **more}
        return dict(self.issues[number])

    async def hook(self, issue: dict[str, Any], action: str = "edited") -> None:
        """Send what became of an issue."""
        body = orjson.dumps({"action": action, "issue": issue})
        answered = await self.gateway.send(self.made["webhookUrl"], body, github(SECRET, body))
        assert answered.status == 200, answered.body

    async def poll(self) -> dict[str, Any]:
        answered = await self.gateway.call("POST", f"/api/v1/instances/{self.made['id']}/poll")
        assert answered.status == 200, answered.body
        [found] = [one for one in answered.json["pollers"] if one["name"] == "issues"]
        return dict(found)

    async def told(self) -> list[tuple[str, str, str]]:
        """Of which issue there are events, in which state, by which road."""
        database = self.gateway.running.services.runtime.database
        rows = await database.all("SELECT * FROM events ORDER BY id")
        return [(row["object_id"], _title(orjson.loads(row["payload"])), row["source"]) for row in rows]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        since = request.query.get("since", "")
        found = sorted(self.issues.values(), key=lambda issue: str(issue["updated_at"]))
        return web.json_response([issue for issue in found if str(issue["updated_at"]) >= since])


def _title(payload: dict[str, Any]) -> str:
    return str(payload.get("issue", payload).get("title", ""))


@pytest.fixture
async def here(database_url: str, tmp_path: Path) -> AsyncIterator[Repository]:
    """An instance that has polled for the first time."""
    async with vendor() as found, started(settings(tmp_path, database_url)) as gateway:
        found.clock.stop()
        repository = Repository(gateway, found)
        found.always(repository.answer, on=LIST)
        found.always(answering(201, '{"id": 1}'), on=HOOKS)
        values: dict[str, Any] = {"base.url": found.url, "webhook.secret": SECRET}
        both: dict[str, Any] = {"event.vendor.type": "webhook", "event.reconcile.enabled": True}
        repository.made = await gateway.create("github", **values, **both)
        yield repository


async def test_what_the_webhook_brought_is_one_event(here: Repository) -> None:
    here.vendor.clock.advance(60)
    await here.hook(here.write(1, title="a"))
    here.vendor.clock.advance(600)
    found = await here.poll()
    assert (found["records"], found["events"], found["duplicates"]) == (1, 0, 1)
    assert await here.told() == [("1", "a", "webhook")]


async def test_a_webhook_that_was_lost_is_made_up_for_once(here: Repository) -> None:
    here.vendor.clock.advance(60)
    here.write(1, title="a")
    here.vendor.clock.advance(600)
    assert (await here.poll())["events"] == 1
    assert (await here.poll())["events"] == 0
    assert await here.told() == [("1", "a", "reconcile")]


async def test_a_webhook_of_an_older_state_does_not_hide_the_newer_one(here: Repository) -> None:
    here.vendor.clock.advance(60)
    await here.hook(here.write(1, title="older"))
    here.vendor.clock.advance(1)
    here.write(1, title="newer")
    here.vendor.clock.advance(600)
    await here.poll()
    assert await here.told() == [("1", "older", "webhook"), ("1", "newer", "reconcile")]


async def test_a_poll_right_after_a_change_leaves_it_to_the_webhook(here: Repository) -> None:
    here.vendor.clock.advance(60)
    issue = here.write(1, title="a")
    assert (await here.poll())["events"] == 0
    await here.hook(issue)
    here.vendor.clock.advance(600)
    await here.poll()
    assert await here.told() == [("1", "a", "webhook")]


async def test_two_deliveries_of_one_second_are_two_events(here: Repository) -> None:
    here.vendor.clock.advance(60)
    await here.hook(here.write(1, title="a"), "opened")
    await here.hook(here.write(1, title="b"), "edited")
    here.vendor.clock.advance(600)
    await here.poll()
    assert await here.told() == [("1", "a", "webhook"), ("1", "b", "webhook")]


async def test_of_many_changes_only_those_that_were_lost_are_told_by_polling(here: Repository) -> None:
    here.vendor.clock.advance(60)
    for number in range(1, 251):
        issue = here.write(number, title="t")
        if number % 10:
            await here.hook(issue)
    here.vendor.clock.advance(600)
    found = await here.poll()
    assert (found["events"], found["duplicates"]) == (25, 225)
    told = await here.told()
    assert len({number for number, _, _ in told}) == len(told) == 250
    assert {int(number) % 10 for number, _, source in told if source == "reconcile"} == {0}


async def test_while_the_webhook_is_silent_what_changes_all_the_time_is_told_and_still_once(here: Repository) -> None:
    here.vendor.clock.advance(60)
    await here.hook(here.write(1, title="told"))
    database, services = here.gateway.running.services.runtime.database, here.gateway.running.services
    long_ago = now_ms() - 30 * 24 * 60 * MINUTE
    async with database.transaction() as transaction:
        # It last heard of the vendor long ago.
        await transaction.execute("UPDATE instances SET created_at = $1", long_ago)
        await transaction.execute("UPDATE events SET id = $1", first_at(long_ago))
    services.index.forget(here.made["id"])
    assert (await here.poll())["events"] == 0
    for minute in range(3):
        here.vendor.clock.advance(60)
        here.write(2, title=f"minute {minute}")
        await here.poll()
    assert [(title, source) for _, title, source in await here.told()] == [
        ("told", "webhook"),
        ("minute 0", "reconcile"),
        ("minute 1", "reconcile"),
        ("minute 2", "reconcile"),
    ]
