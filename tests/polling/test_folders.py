"""Vendors without dates to ask by: a listing that is compared, and a cursor that the vendor may forget."""

from pathlib import Path
from typing import Any

import orjson

from tests.polling.world import World, world
from tests.vendors.folders import CHANGES, LISTING

ON_DEMAND = {"event.poller.refresh_interval": 999999999}
BOX = {
    "webhook.target.id": "42", "oauth.api.key": "id", "oauth.api.secret": "secret",
    "oauth.user.token": "t", "oauth.user.refresh_token": "r", "oauth.user.refresh_interval": "86400",
    "event.notification.enabled": True, "event.vendor.type": "polling", **ON_DEMAND,
}  # fmt: skip
DROPBOX = {"authentication.type": "token", "access.token": "sl.t", **ON_DEMAND}


async def box(there: World, *names: str) -> None:
    """A folder at Box with these files in it, listed once."""
    for name in names:
        there.vendor.folder.put(name)
    configuration = {**BOX, "base.url": there.vendor.url + "/2.0"}
    body = {"element": {"key": "box"}, "externalAuthentication": "initial", "configuration": configuration}
    answered = await there.gateway.call("POST", "/instances", json=body)
    assert answered.status == 200, answered.body
    there.made = answered.json
    await there.poll()


async def polled(there: World) -> dict[str, Any]:
    [found] = (await there.poll()).json["pollers"]
    return dict(found)


async def stands(there: World) -> dict[str, Any]:
    answered = await there.gateway.call("GET", f"/api/v1/instances/{there.made['id']}")
    [found] = answered.json["pollers"]
    return dict(found)


async def told(there: World) -> list[tuple[str, str | None]]:
    return sorted((event["action"], event["object_id"] or "") for event in await there.events())


async def test_what_vanishes_from_a_listing_is_deleted_after_two_complete_ones(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url) as there:
        await box(there, *(f"f{number}" for number in range(10)))
        assert await told(there) == []
        there.vendor.folder.remove("f3", "f7")
        there.vendor.folder.put("f1", 2)
        assert (await polled(there))["events"] == 1
        assert (await polled(there))["events"] == 2
        assert await told(there) == [("DELETED", "f3"), ("DELETED", "f7"), ("UPDATED", "f1")]
        assert (await polled(there))["outcome"] == "nothing"
        there.vendor.folder.put("f3", 3)
        assert (await polled(there))["events"] == 1
        assert ("CREATED", "f3") in await told(there)


async def test_a_listing_that_breaks_off_deletes_nothing_however_often(tmp_path: Path) -> None:
    async with world(tmp_path, "") as there:
        await box(there, *(f"f{number}" for number in range(10)))
        there.vendor.folder.breaks_off = 2
        for _ in range(3):
            assert (await polled(there))["outcome"] == "unavailable"
        assert (await stands(there))["failures"] == 3
        there.vendor.folder.breaks_off = None
        assert (await polled(there))["outcome"] == "nothing"
        assert await told(there) == []


async def test_a_listing_that_lost_most_of_itself_at_once_is_not_believed(tmp_path: Path) -> None:
    async with world(tmp_path, "") as there:
        await box(there, *(f"f{number}" for number in range(10)))
        there.vendor.folder.remove(*(f"f{number}" for number in range(6)))
        for _ in range(2):
            found = await polled(there)
            assert (found["outcome"], found["events"]) == ("malformed", 0)
            assert "6 of 10" in found["reason"]
        assert await told(there) == []
        assert (await stands(there))["state"] == "failing"


async def test_a_cursor_that_the_vendor_has_forgotten_is_a_gap_that_is_told_and_polling_begins_anew(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url) as there:
        folder = there.vendor.folder
        folder.put("before")
        await there.hire("dropbox", "/2", **DROPBOX)
        assert await told(there) == []
        folder.put("a")
        assert (await polled(there))["events"] == 1
        folder.put("lost")
        folder.forget()
        last_ok = (await stands(there))["last_success_at"]
        found = await polled(there)
        assert found["outcome"] in ("changes", "nothing")
        gap = [event for event in await there.events() if event["type"] == "polling.gap"]
        assert len(gap) == 1
        said = orjson.loads(gap[0]["payload"])
        assert (said["poller"], said["since"], said["reason"]) == (
            "entries",
            last_ok,
            "the source no longer knows the token",
        )
        folder.put("b")
        assert (await polled(there))["events"] == 1
        assert await told(there) == [("UNKNOWN", ""), ("UPDATED", "id:a"), ("UPDATED", "id:b")]
        seen = await stands(there)
        assert (seen["state"], seen["failures"], seen["watermark"]) == ("ok", 0, "2:4")
        assert (await polled(there))["outcome"] == "nothing"


async def test_the_first_cursor_is_taken_and_nothing_is_told_of_what_was_there(tmp_path: Path) -> None:
    async with world(tmp_path, "") as there:
        for number in range(9):
            there.vendor.folder.put(f"f{number}")
        await there.hire("dropbox", "/2", **DROPBOX)
        assert {one.path for one in there.vendor.to("/2/files")} == {"/2/files/list_folder/get_latest_cursor", CHANGES}
        there.vendor.folder.remove("f1")
        for number in range(9):
            there.vendor.folder.put(f"g{number}")
        assert (await polled(there))["events"] == 10
        assert ("DELETED", "/f1") in await told(there)
        assert there.vendor.to(LISTING) == []
