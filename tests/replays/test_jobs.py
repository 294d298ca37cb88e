"""Replays as jobs: dry, begun once, paced, stopped, failed and taken up again."""

import asyncio
import time
from collections import Counter

import pytest
from structlog.testing import capture_logs

from gateway.errors import StorageDown
from gateway.replays.again.resend import MOST_WAITING
from tests.api.asking import colleague, eventually, is_problem, stranger
from tests.delivery.road import never, until
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway
from tests.replays.parts import begun, call, deliveries_of, destination_of, ended, listed, send


async def test_a_dry_run_tells_what_would_be_sent_and_sends_nothing(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    ids = await send(gateway, made, *range(12))
    await until(gateway, delivered=12)
    answered = await call(gateway, "POST", "/replays", {"filter": {"instance_id": made["id"]}, "dry_run": True})
    assert (answered.status, answered.json["matched"], answered.json["more"]) == (200, 12, False)
    assert [one["event_id"] for one in answered.json["sample"]] == ids[:10]
    assert await listed(gateway, "/replays") == []
    assert len(receiver.arrived) == 12


async def test_everything_that_a_filter_finds_is_sent_once_more_and_nothing_else(
    gateway: Gateway, receiver: Consumer
) -> None:
    made, other = await gateway.create("github", receiver.url()), await gateway.create("github", receiver.url("/not"))
    ids = await send(gateway, made, *range(30))
    await send(gateway, other, 1)
    await until(gateway, delivered=31)
    job_id = await begun(gateway, "/replays", {"filter": {"instance_id": made["id"]}, "rate": 10_000})
    found = await ended(gateway, f"/replays/{job_id}")
    assert (found["state"], found["seen"], found["done"], found["expected"], found["percent"]) == (
        *("done", 30, 30, 30),
        100.0,
    )
    await until(gateway, delivered=61, created=61)
    again = [one for one in receiver.arrived if "Gateway-Replay-Id" in one.headers]
    assert {one.headers["Gateway-Replay-Id"] for one in again} == {job_id}
    assert Counter(one.id for one in again) == Counter(ids)
    assert [one["id"] for one in await listed(gateway, "/replays")] == [job_id]


async def test_a_replay_touches_only_what_there_was_when_it_began(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    first = await send(gateway, made, 1, 2)
    await until(gateway, delivered=2)
    job_id = await begun(gateway, "/replays", {"filter": {"instance_id": made["id"]}, "rate": 1})
    await send(gateway, made, 3)
    assert (await ended(gateway, f"/replays/{job_id}"))["done"] == 2
    await until(gateway, delivered=5)
    assert {one.id for one in receiver.arrived if "Gateway-Replay-Id" in one.headers} == set(first)


async def test_the_rate_is_kept(sqlite_gateway: Gateway, receiver: Consumer) -> None:
    gateway = sqlite_gateway
    made = await gateway.create("github", receiver.url())
    await send(gateway, made, *range(20))
    await until(gateway, delivered=20)
    began = time.monotonic()
    job_id = await begun(gateway, "/replays", {"filter": {"instance_id": made["id"]}, "rate": 20})
    await ended(gateway, f"/replays/{job_id}")
    assert 0.7 < time.monotonic() - began < 5


async def test_the_same_replay_runs_once_at_a_time(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    await send(gateway, made, *range(20))
    await until(gateway, delivered=20)
    wanted = {"filter": {"instance_id": made["id"]}, "rate": 1}
    job_id = await begun(gateway, "/replays", wanted)
    assert job_id in is_problem(await call(gateway, "POST", "/replays", {**wanted, "rate": 50}), 409)
    assert (await call(gateway, "POST", f"/replays/{job_id}/cancel")).json["state"] == "cancelled"
    another = await begun(gateway, "/replays", wanted)
    assert another != job_id
    assert (await call(gateway, "POST", f"/replays/{another}/cancel")).status == 200


async def test_a_cancelled_replay_goes_no_further(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    await send(gateway, made, *range(40))
    await until(gateway, delivered=40)
    job_id = await begun(gateway, "/replays", {"filter": {"instance_id": made["id"]}, "rate": 4})
    await receiver.wait(41)
    cancelled = (await call(gateway, "POST", f"/replays/{job_id}/cancel")).json
    assert (cancelled["state"], cancelled["finished_at"] is not None) == ("cancelled", True)
    assert 1 <= cancelled["done"] < 40
    # Another one goes through meanwhile, with time for several steps of the first.
    other = await begun(gateway, "/replays", {"filter": {"instance_id": made["id"], "object_id": "1"}, "rate": 2})
    await ended(gateway, f"/replays/{other}")
    assert (await call(gateway, "GET", f"/replays/{job_id}")).json["done"] == cancelled["done"]
    await until(gateway, delivered=41 + cancelled["done"], created=41 + cancelled["done"])
    for path in ("cancel", "resume"):
        assert is_problem(await call(gateway, "POST", f"/replays/{job_id}/{path}"), 409)


async def test_a_replay_fails_where_its_destination_is_switched_off_and_goes_on_from_there(
    gateway: Gateway, receiver: Consumer
) -> None:
    made = await gateway.create("github", receiver.url())
    await send(gateway, made, *range(12))
    await until(gateway, delivered=12)
    job_id = await begun(gateway, "/replays", {"filter": {"instance_id": made["id"]}, "rate": 4})
    await receiver.wait(13)
    receiver.status = 410
    found = await ended(gateway, f"/replays/{job_id}")
    assert (found["state"], "is off (gone)" in found["reason"]) == ("failed", True)
    wanted = {"filter": {"instance_id": made["id"]}}
    assert "is off" in is_problem(await call(gateway, "POST", "/replays", wanted), 409)
    receiver.status = 200
    assert (await call(gateway, "POST", f"/instances/{made['id']}/destination/enable")).status == 200
    assert (await call(gateway, "POST", f"/replays/{job_id}/resume")).json["state"] == "running"
    found = await ended(gateway, f"/replays/{job_id}")
    assert (found["state"], found["done"], found["seen"]) == ("done", 12, 12)
    await until(gateway, pending=0, created=24)


async def test_what_cannot_be_sent_is_passed_over_and_told(gateway: Gateway, receiver: Consumer) -> None:
    made, without = await gateway.create("github", receiver.url()), await gateway.create("github")
    emptied, _ = await send(gateway, made, 1, 2)
    await send(gateway, without, 3)
    await until(gateway, delivered=2)
    async with gateway.running.services.runtime.database.transaction() as transaction:
        await transaction.execute("UPDATE events SET emptied_at = 1, payload = $1 WHERE id = $2", b"", emptied)
    receiver.answer = never
    await send(gateway, made, 4)
    await receiver.wait(3)
    job_id = await begun(gateway, "/replays", {"filter": {}, "everything": True, "rate": 10_000})
    found = await ended(gateway, f"/replays/{job_id}")
    assert found["skipped"] == {"total": 3, "reasons": {"payload gone": 1, "no destination": 1, "on its way": 1}}
    assert (found["seen"], found["done"]) == (4, 1)


async def test_a_replay_to_one_destination_takes_everything_there(gateway: Gateway, receiver: Consumer) -> None:
    made, other = await gateway.create("github", receiver.url()), await gateway.create("generic", receiver.url("/x"))
    await send(gateway, made, *range(5))
    await until(gateway, delivered=5)
    wanted = {"filter": {"status": "delivered"}, "destination_id": await destination_of(gateway, other), "rate": 10_000}
    found = await ended(gateway, f"/replays/{await begun(gateway, '/replays', wanted)}")
    assert (found["state"], found["done"]) == ("done", 5)
    await until(gateway, delivered=10)
    assert Counter(one.path for one in receiver.arrived) == {"/hook": 5, "/x": 5}


async def test_a_replay_of_what_is_dead_takes_it_off_the_dead_letters(gateway: Gateway, receiver: Consumer) -> None:
    receiver.status = 500
    made = await gateway.create("github", receiver.url())
    ids = await send(gateway, made, 1, 2, 3)
    await until(gateway, dead=3)
    assert len(await listed(gateway, "/dead-letters")) == 3
    receiver.status = 200
    job_id = await begun(gateway, "/replays", {"filter": {"status": "dead"}, "rate": 10_000})
    assert (await ended(gateway, f"/replays/{job_id}"))["done"] == 3
    await until(gateway, dead=3, delivered=3)
    assert await listed(gateway, "/dead-letters") == []
    dead, new = await deliveries_of(gateway, ids[0])
    assert dead["replayed_as"] == new["id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "filter"),
        ({"filter": {}}, "filter"),
        ({"filter": []}, "filter"),
        ({"filter": {"colour": "red"}}, "colour"),
        ({"filter": {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}}, "since"),
        ({"filter": {"since": "1970"}, "rate": 0}, "rate"),
        ({"filter": {"type": "x"}, "rate": 10_001}, "rate"),
        ({"filter": {"type": "x"}, "rate": True}, "rate"),
        ({"filter": {"type": "x"}, "dry_run": "yes"}, "dry_run"),
        ({"filter": {"type": "x"}, "everything": 1}, "everything"),
        ({"filter": {"type": "x"}, "destination_id": {}}, "destination_id"),
        ({"filter": {"type": "x"}, "to": 1}, "to"),
    ],
)
async def test_a_replay_that_cannot_be_read_is_refused_with_its_field(
    sqlite_gateway: Gateway, body: object, field: str
) -> None:
    answered = await call(sqlite_gateway, "POST", "/replays", body)
    assert is_problem(answered, 400)
    assert [one["field"].rsplit(".", 1)[-1] for one in answered.json["errors"]] == [field]


async def test_everything_since_1970_must_be_meant(sqlite_gateway: Gateway) -> None:
    detail = is_problem(await call(sqlite_gateway, "POST", "/replays", {"filter": {}}), 400)
    assert "everything" in detail


async def test_jobs_of_others_are_not_found(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    await send(gateway, made, 1)
    job_id = await begun(gateway, "/replays", {"filter": {"instance_id": made["id"]}})
    await ended(gateway, f"/replays/{job_id}")
    for who in (await stranger(gateway), await colleague(gateway, same_account=False)):
        assert is_problem(await call(gateway, "GET", f"/replays/{job_id}", headers=who), 404)
        assert is_problem(await call(gateway, "POST", f"/replays/{job_id}/cancel", headers=who), 404)
        assert await listed(gateway, "/replays", headers=who) == []
        body = {"filter": {"instance_id": made["id"]}}
        assert (await call(gateway, "POST", "/replays", body, headers=who)).status in (404, 409)
    assert is_problem(await call(gateway, "GET", f"/erasures/{job_id}"), 404)


async def test_a_list_of_jobs_goes_on_where_its_page_ended(gateway: Gateway) -> None:
    made = [await begun(gateway, "/replays", {"filter": {"type": f"t{number}"}}) for number in range(5)]
    page = (await call(gateway, "GET", "/replays?limit=2")).json
    assert [one["id"] for one in page["items"]] == made[:2:-1]
    found = [one["id"] for one in await listed(gateway, "/replays?limit=2")]
    assert found == made[::-1]
    for cursor in ("x", page["next"][:-2], page["next"] + "A", "%00"):
        assert is_problem(await call(gateway, "GET", f"/replays?cursor={cursor}"), 400)
    assert is_problem(await call(gateway, "GET", f"/erasures?cursor={page['next']}"), 400)


async def test_a_replay_waits_while_its_destination_has_enough_to_do(
    sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    gateway, number = sqlite_gateway, MOST_WAITING + 20
    made, other = await gateway.create("github", receiver.url()), await gateway.create("generic", receiver.url())
    await asyncio.gather(*(send(gateway, made, *range(first, number, 10)) for first in range(10)))
    await until(gateway, delivered=number)
    receiver.answer = never
    job_id = await begun(gateway, "/replays", {"filter": {"instance_id": made["id"]}, "rate": 10_000})
    assert await eventually(lambda: _done(gateway, job_id), lambda found: found >= MOST_WAITING) == MOST_WAITING
    # One to somewhere else is not held up by that.
    elsewhere = {"destination_id": await destination_of(gateway, other), "rate": 400}
    another = await begun(gateway, "/replays", {"filter": {"instance_id": made["id"]}, **elsewhere})
    assert await eventually(lambda: _done(gateway, another), lambda found: found >= MOST_WAITING) == MOST_WAITING
    assert await _done(gateway, job_id) == MOST_WAITING


async def _done(gateway: Gateway, job_id: str) -> int:
    return int((await call(gateway, "GET", f"/replays/{job_id}")).json["done"])


async def test_a_replay_waits_for_a_store_that_is_full_and_makes_nothing_twice(
    sqlite_gateway: Gateway, receiver: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise StorageDown("the disk is full")

    gateway = sqlite_gateway
    made = await gateway.create("github", receiver.url())
    await send(gateway, made, *range(12))
    await until(gateway, delivered=12)
    job_id = await begun(gateway, "/replays", {"filter": {"instance_id": made["id"]}, "rate": 8})
    await receiver.wait(13)
    with capture_logs() as told, monkeypatch.context() as patched:
        patched.setattr(gateway.running.services.runtime.database, "_free", full)
        async with asyncio.timeout(10):
            while not any(line["event"] == "job.waits" for line in told):  # noqa: ASYNC110 - a log has no event to wait for
                await asyncio.sleep(0.02)
        assert (await call(gateway, "GET", f"/replays/{job_id}")).json["state"] == "running"
    found = await ended(gateway, f"/replays/{job_id}")
    assert (found["state"], found["seen"], found["done"]) == ("done", 12, 12)
    await until(gateway, delivered=24, created=24)
