"""Webhook and poll of the same changes: one stream, in which each change stands once."""

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import orjson

from tests.kit.gateway import CREDENTIALS
from tests.kit.signed import github
from tests.polling.test_hours import close, in_a_list, in_a_log
from tests.polling.world import BASE, CLOSE, World, doubled, world
from tests.registrations.office import eventually
from tests.vendors.life import Write, usual_lag
from tests.vendors.lists import iso
from tests.vendors.misbehaving import answering

RECONCILING = {"event.vendor.type": "webhook", "event.reconcile.enabled": True}


class Hooks:
    """Close's deliveries: some come at once, some after the next poll, and some never."""

    def __init__(self, there: World, *, lost: float, late: float) -> None:
        self._there = there
        self._dice = Random(5)
        self._lost, self._late = lost, late
        self._at_once: list[dict[str, Any]] = []
        self._later: list[dict[str, Any]] = []
        self.lost: set[str] = set()
        there.vendor.life.told.append(self._hear)

    def _hear(self, write: Write) -> None:
        # It is told after the log has written it down.
        entry = dict(next(reversed(self._there.vendor.log.entries.values())))
        assert entry["object_id"] == write.thing
        self._sort(entry)

    def _sort(self, entry: dict[str, Any]) -> None:
        dice = self._dice.random()
        if dice < self._lost:
            self.lost.add(entry["id"])
        else:
            (self._later if dice < self._lost + self._late else self._at_once).append(entry)

    def now(self) -> list[dict[str, Any]]:
        """What is to be sent now."""
        sent, self._at_once, self._later = self._at_once, self._later, []
        return sent

    async def send(self) -> None:
        """What is to come now; what is late comes with the next."""
        [subscription] = self._there.vendor.close.all("webhook")
        for entry in self.now():
            headers, body = self._there.vendor.close.delivery(subscription, entry)
            answered = await self._there.gateway.send(self._there.made["webhookUrl"], body, headers)
            assert answered.status == 200, answered.body


async def hooked(there: World, **values: Any) -> None:
    """A Close whose webhook stands."""
    await close(there, **RECONCILING, **values)

    async def stands() -> bool:
        seen = await there.gateway.call("GET", f"/api/v1/instances/{there.made['id']}")
        return bool(seen.json["registration"]["state"] == "active")

    await eventually(stands)


async def hour(there: World, hooks: Hooks, minutes: int = 60, deletes: float = 0.02) -> None:
    for minute in range(minutes):
        there.vendor.life.go_on(60, rate=0.5, deletes=deletes)
        await hooks.send()
        if minute % 3 == 2:
            await there.poll()
    there.vendor.life.settle()
    await hooks.send()
    await hooks.send()
    await there.rest()


async def test_what_the_webhook_brought_is_not_polled_again_and_what_it_lost_is_found(
    database_url: str, tmp_path: Path
) -> None:
    async with world(tmp_path, database_url) as there:
        await hooked(there)
        hooks = Hooks(there, lost=0.2, late=0.3)
        await hour(there, hooks)
        told = await there.told()
        assert doubled(told) == {}
        assert there.missed(told, in_a_log) == {}
        written = sum(write.state > there.begun for writes in there.vendor.life.history.values() for write in writes)
        assert len(told) == written > 1500
        by = Counter(event["source"] for event in await there.events())
        assert by["webhook"] > by["reconcile"] >= len(hooks.lost) > 200
        assert set(by) == {"webhook", "reconcile"}
        lost = [one for one in await there.events() if one["vendor_event_id"].partition(":")[0] in hooks.lost]
        assert {event["source"] for event in lost} == {"reconcile"}


async def test_a_webhook_that_fell_silent_is_replaced_by_polling(tmp_path: Path) -> None:
    async with world(tmp_path, "") as there:
        await hooked(there)
        hooks = Hooks(there, lost=1.0, late=0.0)
        await hour(there, hooks, 30)
        told = await there.told()
        assert doubled(told) == {}
        assert there.missed(told, in_a_log) == {}
        assert {event["source"] for event in await there.events()} == {"reconcile"}


async def test_without_reconciling_nothing_is_asked_beside_the_webhook(tmp_path: Path) -> None:
    async with world(tmp_path, "") as there:
        there.vendor.log.follow(there.vendor.life)
        there.made = await there.gateway.create(
            "closeio", **CLOSE, **{"event.vendor.type": "webhook", "base.url": there.vendor.url + BASE}
        )
        assert (await there.poll()).status == 409
        assert there.vendor.to("/api/v1/event/") == []


SECRET = "it's a secret to everybody"


class Issues(Hooks):
    """GitHub's deliveries of issues, which say nothing of a version."""

    def _hear(self, write: Write) -> None:
        number = int(write.thing.rpartition("_")[2])
        issue = {"id": number, "title": f"state {write.state}", "state": "open", "updated_at": iso(write.at)}
        self._sort({"id": str(write.state), "action": "edited", "issue": issue})

    async def send(self) -> None:
        for delivery in self.now():
            body = orjson.dumps(delivery)
            answered = await self._there.gateway.send(self._there.made["webhookUrl"], body, github(SECRET, body))
            assert answered.status == 200, answered.body


async def test_of_a_vendor_without_versions_nothing_is_lost_and_nothing_doubled(
    database_url: str, tmp_path: Path
) -> None:
    async with world(tmp_path, database_url) as there:
        life = there.vendor.life
        life.lag, life.random = usual_lag, Random(11)
        for _ in range(500):
            life.create()
        life.clock.advance(600)
        there.vendor.always(answering(201, '{"id": 1}'), on="/repos/octo/hello/hooks")
        values = {**CREDENTIALS["github"], "webhook.secret": SECRET}
        await there.hire("github", **{**values, **RECONCILING, "base.url": there.vendor.url})
        hooks = Issues(there, lost=0.2, late=0.3)
        await hour(there, hooks, deletes=0.0)
        told = await there.told()
        assert doubled(told) == {}
        assert there.missed(told, in_a_list) == {}
        by = Counter(event["source"] for event in await there.events())
        assert by["webhook"] > by["reconcile"] > 100
