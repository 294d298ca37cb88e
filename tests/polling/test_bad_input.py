"""What is wrong with a poller is told when it is configured, where it can be known; else it is seen, and bounded."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.clock import now_ms
from gateway.polling.dispatcher import MOST_ROUNDS
from tests.kit.gateway import Answered
from tests.polling.world import BASE, CLOSE, World, world
from tests.vendors.lists import THINGS

PAGES = 100
PATTERN = "${gmtDate:yyyy-MM-dd'T'HH:mm:ssXXX}"
CONFIGURATION = "event.poller.configuration"
DATES = {"updatedDateField": "date_updated", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"}
LEADS = {
    "url": f"/hubs/crm/accounts?where=date_updated>='{PATTERN}'",
    "idField": "id",
    "datesConfiguration": DATES,
}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"url": None}, "accounts.url: is required"),
    ({"url": "/hubs/crm/accounts?where=date_updated>='${gmtDate:yyyy-MM-dd-bar}'"}, "is no date pattern"),
    ({"url": "https://evil.example/api/v1/lead/"}, "leads away"),
    ({"url": "/hubs/crm/../../instances"}, "is nothing that closeio offers"),
    ({"idField": None}, "accounts.idField: is required"),
    ({"datesConfiguration": {**DATES, "updatedDateFormat": "qqq"}}, "cannot be read"),
    ({"datesConfiguration": {**DATES, "updatedDateTimezone": "Moon/Crater"}}, "is no time zone"),
]


async def hired(there: World, **changes: Any) -> Answered:
    """The answer to an instance at Close that polls its leads so."""
    wanted = {
        **CLOSE,
        "base.url": there.vendor.url + BASE,
        "event.notification.enabled": True,
        "event.vendor.type": "polling",
        CONFIGURATION: {"accounts": {**LEADS, **changes}},
    }
    body = {"element": {"key": "closeio"}, "name": "x", "configuration": wanted}
    return await there.gateway.call("POST", "/instances", json=body)


def is_refused(answered: Answered, said: str) -> None:
    assert answered.status == 400, answered.body
    assert CONFIGURATION in answered.json["message"]
    assert said in answered.json["message"]


@pytest.mark.parametrize(("changes", "said"), WRONG)
async def test_a_configuration_that_cannot_be_polled_makes_no_instance_and_changes_none(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    async with world(tmp_path, "") as there:
        is_refused(await hired(there, **changes), said)
        assert there.vendor.to(f"{BASE}/lead") == []
        made = (await hired(there)).json
        wrong = json.dumps({"accounts": {**LEADS, **changes}})
        patched = await there.gateway.call(
            "PATCH", f"/instances/{made['id']}", json={"configuration": {CONFIGURATION: wrong}}
        )
        is_refused(patched, said)
        shown = (await there.gateway.call("GET", f"/instances/{made['id']}")).json["configuration"]
        assert json.loads(shown[CONFIGURATION]) == {"accounts": LEADS}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"idField": "no.such.field"}, "no record has an id at"),
        ({"datesConfiguration": {**DATES, "updatedDateField": "no_such_date"}}, "no record has a date at"),
    ],
)
async def test_a_field_that_no_record_has_is_found_by_the_first_poll(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    async with world(tmp_path, "") as there:
        there.vendor.close.add("lead", name="Acme")
        is_refused(await hired(there, **changes), said)


async def test_ten_thousand_pages_are_read_in_bounded_pieces_and_the_rest_waits_for_its_time(tmp_path: Path) -> None:
    """A page holds one record, and says that there is another."""
    async with world(tmp_path, "") as there:

        async def page(request: web.Request) -> web.Response:
            number = int(request.query.get("page", 1))
            row = {"id": f"t{number}", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-02T00:00:00Z"}
            following = request.url.update_query(page=str(number + 1))
            headers = {"Link": f'<{following}>; rel="next"'} if number < 10_000 else {}
            return web.json_response([row], headers=headers)

        await there.hire("generic", **{"poll.path": "things"})
        there.vendor.always(page, on=THINGS)
        there.vendor.requests.clear()
        [found] = (await there.poll()).json["pollers"]
        assert found["outcome"] == "partial"
        assert len(there.vendor.to(THINGS)) == MOST_ROUNDS * PAGES
        answered = await there.gateway.call("GET", f"/api/v1/instances/{there.made['id']}")
        [seen] = answered.json["pollers"]
        assert seen["state"] == "ok"
        assert seen["running"] or seen["next_run_at"] is not None
        row = await there.gateway.running.services.runtime.database.one("SELECT next_due FROM pollers")
        assert row is not None
        assert row["next_due"] > now_ms()
