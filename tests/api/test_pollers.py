"""What is polled, and where that has stopped, on the Open Connectors wire."""

from typing import Any

import pytest

from gateway.clock import now_ms
from gateway.polling import store
from gateway.polling.model import Cursor, Poller, State
from tests.api.asking import OC, colleague, is_platform_error, stranger, with_element
from tests.kit.gateway import Gateway

RECORDS = "event-poller-records"
STOPPED = "polling-disabled"
JOBS = f"jobs/{STOPPED}"


async def poller(gateway: Gateway, instance_id: int, name: str, state: State = "ok", **more: Any) -> None:
    now = now_ms()
    row = Poller(
        id=f"{instance_id:08d}{name}",
        instance_id=instance_id,
        name=name,
        next_due=None if state == "disabled" else now + 3_600_000,
        state=state,
        reason="404: no such list" if state == "disabled" else None,
        since=1_533_065_986_000,
        failures=100 if state == "disabled" else 0,
        updated_at=now,
        cursor=Cursor(started=True, watermark="2018-07-31T19:39:46", last_ok=1_533_065_986_000),
        **more,
    )
    async with gateway.running.services.runtime.database.transaction() as transaction:
        await store.add(transaction, row)


async def listed(gateway: Gateway, path: str, **options: Any) -> Any:
    answered = await gateway.call("GET", path, **options)
    assert answered.status == 200, answered.body
    return answered.json


async def test_a_record_tells_how_far_a_poller_has_read_and_when_it_reads_again(gateway: Gateway) -> None:
    made = await gateway.create("closeio")
    await poller(gateway, made["id"], "contacts", records_total=7)
    [record] = await listed(gateway, f"{OC}/instances/{made['id']}/{RECORDS}")
    assert record["nextPollDate"] > record["lastPollDate"]
    del record["nextPollDate"]
    assert record == {
        "id": f"{made['id']:08d}contacts",
        "elementInstanceId": made["id"],
        "elementKey": "closeio",
        "objectName": "contacts",
        "status": "ok",
        "reason": None,
        "failures": 0,
        "records": 7,
        "lastPollDate": "2018-07-31T19:39:46Z",
        "watermark": "2018-07-31T19:39:46",
    }


async def test_records_are_those_of_one_instance_or_of_all_that_the_caller_has(gateway: Gateway) -> None:
    first, second = await gateway.create("closeio"), await gateway.create("github")
    for made, name in ((first, "contacts"), (first, "accounts"), (second, "issues")):
        await poller(gateway, made["id"], name)
    await poller(gateway, second["id"], "former", enabled=False)
    element = with_element(gateway, first["token"])
    own = [one["objectName"] for one in await listed(gateway, f"/instances/{RECORDS}", headers=element)]
    every = [one["objectName"] for one in await listed(gateway, f"/instances/{RECORDS}")]
    of_second = [one["objectName"] for one in await listed(gateway, f"/instances/{second['id']}/{RECORDS}")]
    assert (sorted(own), sorted(every), of_second) == (
        ["accounts", "contacts"],
        ["accounts", "contacts", "issues"],
        ["issues"],
    )


async def test_records_come_in_pages(gateway: Gateway) -> None:
    made = await gateway.create("closeio")
    for name in ("a", "b", "c"):
        await poller(gateway, made["id"], name)
    answered = await gateway.call("GET", f"/instances/{RECORDS}?pageSize=2")
    following = answered.headers["Elements-Next-Page-Token"]
    rest = await gateway.call("GET", f"/instances/{RECORDS}?pageSize=2&nextPage={following}")
    names = [one["objectName"] for one in [*answered.json, *rest.json]]
    assert (names, rest.headers.get("Elements-Next-Page-Token")) == (["a", "b", "c"], None)


async def test_an_instance_with_a_poller_that_was_switched_off_says_which_and_why(gateway: Gateway) -> None:
    made, fine = await gateway.create("closeio"), await gateway.create("closeio")
    await poller(gateway, made["id"], "contacts", "disabled")
    await poller(gateway, made["id"], "accounts")
    await poller(gateway, fine["id"], "accounts", "failing")
    stopped = {
        "objectName": "contacts",
        "status": "disabled",
        "reason": "404: no such list",
        "failures": 100,
        "disabledDate": "2018-07-31T19:39:46Z",
    }
    [found] = await listed(gateway, f"{OC}/instances/{STOPPED}")
    assert (found["id"], found["name"], found["pollers"]) == (made["id"], "closeio", [stopped])
    assert "configuration" not in found
    assert await listed(gateway, f"/instances/{made['id']}/{STOPPED}") == [stopped]
    assert await listed(gateway, f"/instances/{fine['id']}/{STOPPED}") == []


async def test_jobs_that_were_switched_off_are_listed_each_for_itself(gateway: Gateway) -> None:
    first, second = await gateway.create("closeio"), await gateway.create("github")
    await poller(gateway, first["id"], "contacts", "disabled")
    await poller(gateway, first["id"], "accounts", "failing")
    await poller(gateway, first["id"], "former", "disabled", enabled=False)
    await poller(gateway, second["id"], "issues", "disabled")
    found = await listed(gateway, f"{OC}/{JOBS}")
    assert [(one["elementInstanceId"], one["objectName"]) for one in found] == [
        (first["id"], "contacts"),
        (second["id"], "issues"),
    ]
    assert found[0]["disabledDate"] == "2018-07-31T19:39:46Z"
    assert (found[0]["status"], found[0]["reason"], found[0]["failures"]) == ("disabled", "404: no such list", 100)
    own = await listed(gateway, f"/{JOBS}", headers=with_element(gateway, second["token"]))
    assert [one["objectName"] for one in own] == ["issues"]
    assert await listed(gateway, f"/{JOBS}", headers=await stranger(gateway)) == []
    answered = await gateway.call("GET", f"/{JOBS}?pageSize=1")
    following = answered.headers["Elements-Next-Page-Token"]
    assert await listed(gateway, f"/{JOBS}?pageSize=1&nextPage={following}") == found[1:]


async def test_bad_requests_for_jobs_are_refused(sqlite_gateway: Gateway) -> None:
    for query in ("pageSize=0", "pageSize=x", "nextPage=x"):
        is_platform_error(await sqlite_gateway.call("GET", f"/{JOBS}?{query}"), 400)
    is_platform_error(await sqlite_gateway.call("GET", f"/{JOBS}", headers={}), 401)
    is_platform_error(await sqlite_gateway.call("GET", "/jobs/9"), 404)


async def test_stopped_instances_come_in_pages(gateway: Gateway) -> None:
    made = [await gateway.create("closeio") for _ in range(3)]
    for one in made:
        await poller(gateway, one["id"], "contacts", "disabled")
    answered = await gateway.call("GET", f"/instances/{STOPPED}?pageSize=2")
    following = answered.headers["Elements-Next-Page-Token"]
    rest = await gateway.call("GET", f"/instances/{STOPPED}?pageSize=2&nextPage={following}")
    assert [one["id"] for one in [*answered.json, *rest.json]] == [one["id"] for one in made]


async def test_what_belongs_to_another_is_not_there(gateway: Gateway) -> None:
    made = await gateway.create("closeio")
    await poller(gateway, made["id"], "contacts", "disabled")
    for headers in (await stranger(gateway), await colleague(gateway, same_account=False)):
        for path in (RECORDS, STOPPED):
            assert await listed(gateway, f"/instances/{path}", headers=headers) == []
            is_platform_error(await gateway.call("GET", f"/instances/{made['id']}/{path}", headers=headers), 404)


@pytest.mark.parametrize("path", [RECORDS, STOPPED])
async def test_bad_requests_are_refused(sqlite_gateway: Gateway, path: str) -> None:
    for query in ("pageSize=0", "pageSize=x", "nextPage=x"):
        is_platform_error(await sqlite_gateway.call("GET", f"/instances/{path}?{query}"), 400)
    is_platform_error(await sqlite_gateway.call("GET", f"/instances/x/{path}"), 404)
    is_platform_error(await sqlite_gateway.call("GET", f"/instances/{path}", headers={}), 401)
    is_platform_error(await sqlite_gateway.call("GET", f"/instances/9/{path}"), 404)
