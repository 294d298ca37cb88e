"""Replays in the console: looked at before they begin, watched, stopped, gone on with."""

import re
from zoneinfo import ZoneInfo

import msgspec
import pytest

from gateway.accounts.model import AccountId, PartnerId
from gateway.console.moments import exact
from gateway.console.replays.progress import progress
from gateway.console.replays.wanted import field_of
from gateway.replays.model import Again, Job, Position
from tests.api.asking import eventually
from tests.console.person import Page, signed_in
from tests.delivery.road import until
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway
from tests.replays import parts

PATH = "/console/replays"
_LOOKED = re.compile(r'name="looked" value="([0-9a-f]*)"')


async def delivered(gateway: Gateway, receiver: Consumer, number: int = 3) -> int:
    """So many events that were delivered; the instance's id."""
    made = await gateway.create("github", receiver.url())
    await parts.send(gateway, made, *range(number))
    await until(gateway, delivered=number)
    receiver.arrived.clear()
    instance_id: int = made["id"]
    return instance_id


async def test_events_are_sent_again_after_a_look(gateway: Gateway, receiver: Consumer) -> None:
    instance_id = await delivered(gateway, receiver)
    async with signed_in(gateway, "power_user") as person:
        form = await person.get(f"{PATH}/new?instance_id={instance_id}&status=delivered")
        assert re.search(rf'<option value="{instance_id}" selected', form.text)
        fields = {"instance_id": instance_id, "status": "delivered", "rate": "1000", "destination": ""}
        looked = await person.post(f"{PATH}/new", fields)
        assert "3 match" in looked.shown
        assert receiver.arrived == []
        fields["looked"] = _LOOKED.findall(looked.text)[0]
        assert "3 match" in (await person.post(f"{PATH}/new", fields)).shown
        page = await person.post(f"{PATH}/new", {**fields, "go": "1"})
        assert "The replay has started." in page.shown

        async def look() -> Page:
            return await person.get(page.path)

        done = await eventually(look, lambda found: 'data-state="done"' in found.text)
        assert "100\u2009%" in done.text
        assert "data-refresh" not in done.text
        jobs = await person.get(PATH)
        assert "Replay of events" in jobs.shown
        assert "power_user@example.com" in jobs.shown
    assert len(await receiver.wait(3)) == 3


async def test_a_changed_filter_is_looked_at_again(sqlite_gateway: Gateway, receiver: Consumer) -> None:
    instance_id = await delivered(sqlite_gateway, receiver)
    async with signed_in(sqlite_gateway) as person:
        looked = await person.post(f"{PATH}/new", {"instance_id": instance_id, "rate": "50"})
        mark = _LOOKED.findall(looked.text)[0]
        page = await person.post(f"{PATH}/new", {"everything": "true", "rate": "50", "looked": mark, "go": "1"})
        assert page.path == f"{PATH}/new"
        assert "3 match" in page.shown


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"type": "x", "rate": "0"}, "rate"),
        ({"type": "x", "rate": "fast"}, "rate"),
        ({"type": "x", "rate": "10001"}, "rate"),
        ({"rate": "50"}, "everything"),
        ({"rate": "50", "instance_id": "abc"}, "instance_id"),
        ({"rate": "50", "instance_id": "999999"}, "instance_id"),
        ({"rate": "50", "type": "x", "destination": "999999"}, "destination"),
        ({"rate": "50", "type": "x", "destination": "abc"}, "destination"),
        ({"rate": "50", "since": "yesterday"}, "since"),
        ({"rate": "50", "since": "2026-02-02T00:00", "until": "2026-01-01T00:00"}, "since"),
        ({"rate": "50", "status": "lost"}, "status"),
        ({"rate": "50", "type": "x\x00"}, "type"),
    ],
)
async def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(
    sqlite_gateway: Gateway, fields: dict[str, str], field: str
) -> None:
    async with signed_in(sqlite_gateway) as person:
        page = await person.post(f"{PATH}/new", {"object_id": "<b>7</b>", **fields})
        if field == "everything":
            page = await person.post(f"{PATH}/new", fields)
        else:
            assert 'value="&lt;b&gt;7&lt;/b&gt;"' in page.text
        assert page.status == 400
        assert f'id="{field}-problem"' in page.text


async def test_a_running_job_is_watched_and_cancelled(sqlite_gateway: Gateway, receiver: Consumer) -> None:
    await delivered(sqlite_gateway, receiver, 5)
    job_id = await parts.begun(sqlite_gateway, "/replays", {"filter": {}, "everything": True, "rate": 1})
    async with signed_in(sqlite_gateway) as person:
        watched = await person.get(f"{PATH}/{job_id}")
        assert 'data-refresh="1"' in watched.text
        assert "<progress" in watched.text
        assert "Running now" in (await person.get(PATH)).shown
        page = await person.post(f"{PATH}/{job_id}/cancel")
        assert "The job is cancelled." in page.shown
        again = await person.post(f"{PATH}/{job_id}/cancel")
        assert again.status == 409
        assert "nothing to cancel" in again.shown
        assert (await person.post(f"{PATH}/{job_id}/resume")).status == 409


@pytest.mark.parametrize("path", [f"{PATH}/{'0' * 32}", f"{PATH}/x", f"{PATH}?before=x"])
async def test_what_names_no_job_breaks_nothing(sqlite_gateway: Gateway, path: str) -> None:
    async with signed_in(sqlite_gateway) as person:
        assert (await person.get(path)).status in (200, 404)


async def test_an_erasure_is_no_replay(sqlite_gateway: Gateway) -> None:
    runtime = sqlite_gateway.running.services.runtime
    row = await runtime.database.one("SELECT account_id FROM users ORDER BY id LIMIT 1")
    assert row is not None
    job_id = await parts.begun(sqlite_gateway, "/erasures", {"account_id": row["account_id"], "object_id": "7"})
    async with signed_in(sqlite_gateway) as person:
        assert (await person.get(f"{PATH}/{job_id}")).status == 404


JOB = Job(
    id="0" * 32,
    partner_id=PartnerId("p"),
    account_id=AccountId("a"),
    user_id=1,
    kind="replay",
    state="running",
    reason=None,
    wanted=Again(subject="events", filter={}, destination_id=None, rate=50),
    position=Position(),
    seen=0,
    done=0,
    skipped=0,
    expected=100,
    created_at=10_000,
    updated_at=10_000,
    finished_at=None,
    epoch=1,
)


def test_the_time_left_follows_from_the_pace_so_far() -> None:
    found = progress(msgspec.structs.replace(JOB, seen=25), now=20_000)
    assert (found.share, found.rate, found.left_ms, found.took_ms) == (25.0, 2.5, 30_000, 10_000)


def test_a_job_that_has_hardly_begun_tells_no_time() -> None:
    found = progress(msgspec.structs.replace(JOB, seen=5), now=10_500)
    assert (found.rate, found.left_ms) == (None, None)


def test_a_job_that_has_ended_took_what_it_took() -> None:
    over = msgspec.structs.replace(JOB, state="done", seen=100, finished_at=15_000)
    found = progress(over, now=999_000)
    assert (found.share, found.left_ms, found.took_ms) == (100.0, None, 5_000)


def test_a_moment_without_a_zone_is_one_of_the_account() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert exact("2026-07-01T12:00", berlin) == "2026-07-01T10:00:00Z"
    assert exact("2026-07-01T12:00:00Z", berlin) == "2026-07-01T12:00:00Z"
    assert field_of("2026-07-01T10:00:00Z", berlin) == "2026-07-01T12:00"
    assert exact("soon", berlin) == "soon"
    assert field_of("soon", berlin) == ""
