"""The log of calls, and what an instance says of itself."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.accounts.usage.log import MOST_WAITING, UsageLog
from gateway.accounts.usage.model import Use
from gateway.api.open_connectors import docs
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.load import SHIPPED, load_file
from gateway.catalogue.offers import Found, Offers
from gateway.storage.open import open_database
from tests.api.asking import OC, colleague, eventually, is_platform_error, stranger, with_element
from tests.api.calling import Caller, calling
from tests.kit.gateway import Answered

USAGE = f"{OC}/usage"
FILES = sorted(SHIPPED.glob("*.toml"))


@pytest.fixture
async def call(tmp_path: Path, database_url: str) -> AsyncIterator[Caller]:
    async with calling(tmp_path, database_url) as found:
        yield found


async def used(call: Caller, number: int, query: str = "", **options: Any) -> list[dict[str, Any]]:
    """The calls that a list shows once so many are there."""

    async def look() -> Answered:
        return await call.gateway.call("GET", USAGE + query, **options)

    answered = await eventually(look, lambda found: found.status == 200 and len(found.json) >= number)
    found: list[dict[str, Any]] = answered.json
    return found


async def test_every_call_has_a_row_with_what_became_of_it(call: Caller) -> None:
    lead = call.there.close.add("lead", name="Acme")
    answers = [
        await call("GET", f"accounts/{lead['id']}?fields=name"),
        await call("GET", "nothing"),
        await call("GET", "accounts?pageSize=0"),
        await call("PATCH", "accounts/none", json={"name": "x"}),
    ]
    # Those of one millisecond stand in any order.
    found = {row["requestId"]: row for row in await used(call, 4)}
    rows = [found[one.headers["Elements-Request-Id"]] for one in answers]
    assert [row["status"] for row in rows] == [200, 404, 400, 404]
    assert [row["vendorStatus"] for row in rows] == [200, None, None, 404]
    assert [row["operationId"] for row in rows] == ["lead_get", None, "leads_list", "lead_update"]
    assert rows[0]["path"] == f"/accounts/{lead['id']}"
    assert rows[0]["bytes"] == len(answers[0].body)
    assert (rows[0]["elementKey"], rows[0]["elementInstanceId"], rows[0]["method"]) == ("closeio", call.id, "GET")
    one = await call.gateway.call("GET", f"{USAGE}/{rows[3]['requestId']}")
    assert one.json == rows[3]


async def test_filters_and_pages_of_usage(call: Caller) -> None:
    await call.gateway.call("PUT", f"/instances/{call.id}", json={"name": "n", "tags": ["gold"]})
    for path in ("accounts", "accounts", "users", "nothing"):
        await call("GET", path)
    await used(call, 4)
    for query, number in (
        ("?status=200", 3), ("?status=4xx", 1), ("?status=success", 3), ("?status=failed", 1),
        ("?hub=crm", 4), ("?hub=none", 0), ("?keys[]=closeio", 4), ("?keys[]=github", 0), ("?hub=crm&keys[]=github", 0),
        ("?tags[]=gold", 4), ("?tags[]=tin", 0), ("?searchText=ACCOUNTS", 2), ("?searchText=%25", 0),
        ("?to=2020-01-01", 0), ("?from=2020-01-01", 4), ("?from=9000-01-01", 0), ("?pageOffset=3", 1),
    ):  # fmt: skip
        answered = await call.gateway.call("GET", USAGE + query)
        assert (answered.status, len(answered.json)) == (200, number), query
    first = await call.gateway.call("GET", USAGE + "?pageSize=3")
    token = first.headers["Elements-Next-Page-Token"]
    last = await call.gateway.call("GET", f"{USAGE}?pageSize=3&nextPage={token}")
    assert (len(first.json), len(last.json)) == (3, 1)
    assert "Elements-Next-Page-Token" not in last.headers
    for wrong in ("status=x", "status=999", "pageSize=0", "from=x", "nextPage=x", "pageOffset=-1", "from=2021&to=2020"):
        is_platform_error(await call.gateway.call("GET", f"{USAGE}?{wrong}"), 400)


async def test_usage_shows_nothing_of_others(call: Caller) -> None:
    await call("GET", "accounts")
    [row] = await used(call, 1)
    other = await call.gateway.create("github")
    for headers in (await stranger(call.gateway), await colleague(call.gateway, same_account=False)):
        assert (await call.gateway.call("GET", USAGE, headers=headers)).json == []
        is_platform_error(await call.gateway.call("GET", f"{USAGE}/{row['requestId']}", headers=headers), 404)
    through_other = with_element(call.gateway, other["token"])
    assert (await call.gateway.call("GET", USAGE, headers=through_other)).json == []
    is_platform_error(await call.gateway.call("GET", f"{USAGE}/{row['requestId']}", headers=through_other), 404)
    is_platform_error(await call.gateway.call("GET", f"{USAGE}/nothing"), 404)


def use(number: int) -> Use:
    return Use(
        id=f"{number:036x}", request_id=f"{number:024x}", partner_id="p", account_id="a", user_id=1, instance_id=1,
        connector="c", method=None, verb="GET", path="/", status=200, vendor_status=None, bytes=0, duration_ms=0, at=0,
    )  # fmt: skip


async def test_while_nothing_can_be_stored_calls_wait_up_to_a_bound_and_then_are_counted(tmp_path: Path) -> None:
    async with open_database(f"sqlite:///{tmp_path}/g.db", min_free=0, auto_migrate=True) as database:
        log = UsageLog(database)
        async with database.transaction():
            for number in range(MOST_WAITING + 5):
                log.note(use(number))
            assert log.dropped == 5

        async def kept() -> int:
            row = await database.one("SELECT count(*) AS total FROM calls")
            assert row is not None
            return int(row["total"])

        await eventually(kept, lambda total: total == MOST_WAITING)
        assert log.dropped == 5
    log.note(use(MOST_WAITING + 5))
    await asyncio.sleep(0)
    assert log.dropped == 6


async def test_the_document_of_an_instance_names_what_it_can_do(call: Caller) -> None:
    answered = await call.gateway.call("GET", f"/instances/{call.id}/docs")
    found = answered.json
    assert found["openapi"] == "3.1.0"
    assert found["servers"] == [{"url": f"{call.gateway.running.config.public_url}/elements/api-v2/hubs/crm"}]
    listed = found["paths"]["/accounts"]["get"]
    assert listed["operationId"] == "accounts.list"
    assert {"pageSize", "nextPage", "where", "fields"} <= {one["name"] for one in listed["parameters"]}
    assert "orderBy" not in {one["name"] for one in listed["parameters"]}
    body = found["paths"]["/accounts"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert "^custom\\." in body["patternProperties"]
    one = await call.gateway.call("GET", f"{OC}/instances/{call.id}/docs/accounts.get")
    assert list(one.json["paths"]) == ["/accounts/{id}"]
    is_platform_error(await call.gateway.call("GET", f"/instances/{call.id}/docs/nothing"), 404)
    is_platform_error(
        await call.gateway.call("GET", f"/instances/{call.id}/docs", headers=await stranger(call.gateway)), 404
    )


async def test_everything_that_the_document_names_is_found_at_its_address(call: Caller) -> None:
    found = (await call.gateway.call("GET", f"/instances/{call.id}/docs")).json
    for path, operations in found["paths"].items():
        for verb in operations:
            answered = await call(verb.upper(), re.sub(r"\{\w+\}", "x", path[1:]))
            told = answered.json or {}
            assert answered.status != 405, (verb, path)
            assert "has no resource" not in told.get("message", "") if isinstance(told, dict) else True, (verb, path)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_document_of_every_connector_is_openapi(file: Path) -> None:
    connector = load_file(file)
    offers = Offers(connector)
    found = docs.of(connector, ConfigView({}), offers, "https://gateway.example", 7)
    ids: list[str] = []
    for path, operations in found["paths"].items():
        assert path.startswith("/")
        assert "?" not in path
        in_path = re.findall(r"\{(\w+)\}", path)
        for verb, operation in operations.items():
            assert verb in ("get", "post", "put", "patch", "delete")
            ids.append(operation["operationId"])
            named = [(one["in"], one["name"]) for one in operation["parameters"]]
            assert len(named) == len(set(named)), (path, verb)
            assert sorted(name for place, name in named if place == "path") == sorted(in_path)
            assert all(one["required"] for one in operation["parameters"] if one["in"] == "path")
            assert {"200", "400", "401", "404", "429", "502"} <= operation["responses"].keys()
            assert verb != "get" or "requestBody" not in operation or connector.key == "generic"
    assert len(ids) == len(set(ids))
    shapes = [re.sub(r"\{\w+\}", "{}", path) for path in found["paths"]]
    assert len(shapes) == len(set(shapes)), "paths that differ in the names of their parameters alone are the same"
    referred = set(re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(found)))
    assert referred <= found["components"]["schemas"].keys()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_method_of_every_connector_can_be_reached(file: Path) -> None:
    connector = load_file(file)
    offers = Offers(connector)
    values = dict.fromkeys(connector.entries, "v")
    config = ConfigView(values)
    reached = set()
    for _, verb, path, offer in docs.operations_of(connector, config, offers):
        met = offers.find(verb, re.sub(r"\{\w+\}", "x", path[1:]), config)
        assert isinstance(met, Found), (verb, path, met)
        assert met.offer is offer, (verb, path, met.offer)
        reached.add(offer.method.id)
    assert reached == {one.id for one in connector.methods.values() if one.request.verb != "HEAD"}
