"""Methods called through an account connector: the vendor's answer to the byte, and what stands before it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.asking import eventually
from tests.api.cyclr import Cyclr, speaking
from tests.vendors.misbehaving import answering

ELSEWHERE = "Unknown client IP Address: contact support to request access for this IP address"


@pytest.fixture
async def cyclr(tmp_path: Path) -> AsyncIterator[Cyclr]:
    async with speaking(tmp_path) as found:
        yield found


async def native(cyclr: Cyclr) -> str:
    """The path of a native account connector."""
    made = await cyclr.install(IsPartnerIntegrationConnector="true")
    return f"/account/connectors/{made['Id']}"


async def test_a_get_answers_the_vendors_bytes_neither_unwrapped_nor_filtered(cyclr: Cyclr) -> None:
    one = await native(cyclr)
    body = b'{"has_more": false, "data": [ {"id":"lead_1", "name":null} ],"odd":1.50}'
    cyclr.there.next(answering(206, body), on="/api/v1/lead/")
    number, _ = await cyclr.numbers("List leads")
    answered = await cyclr("GET", f"{one}/methods/{number}")
    assert (answered.status, answered.body) == (206, body)


async def test_parameters_and_fields_go_where_their_ids_say(cyclr: Cyclr) -> None:
    one = await native(cyclr)
    number, ids = await cyclr.numbers("Create lead")
    fields = {str(ids["name"]): "Acme", str(ids["contacts"]): '[{"name":"Wile"}]', str(ids["custom.*"]): {"cf_1": 5}}
    made = await cyclr.ok("POST", f"{one}/methods/{number}", {"Parameters": {}, "Fields": fields})
    sent = json.loads(cyclr.there.to("/api/v1/lead/")[-1].body)
    assert sent == {"name": "Acme", "contacts": [{"name": "Wile"}], "custom.cf_1": 5}
    number, ids = await cyclr.numbers("Get lead")
    got = await cyclr.ok("POST", f"{one}/methods/{number}", {"Parameters": {str(ids["id"]): made["id"]}})
    assert got["id"] == made["id"]
    number, ids = await cyclr.numbers("List leads")
    await cyclr.ok("POST", f"{one}/methods/{number}", {"parameters": {ids["_limit"]: 1, ids["query"]: "a b&c"}})
    assert cyclr.there.to("/api/v1/lead/")[-1].query == "query=a%20b%26c&_limit=1"


async def test_bodies_are_read_as_leniently_as_callers_write_them(cyclr: Cyclr) -> None:
    one = await native(cyclr)
    number, ids = await cyclr.numbers("List leads")
    body = "{'parameters': {" + str(ids["_limit"]) + " : 1,}}"
    assert (await cyclr("POST", f"{one}/methods/{number}", body)).status == 200
    assert cyclr.there.to("/api/v1/lead/")[-1].query == "_limit=1"
    for wrong in ("{", "[]", "[" * 5000, "{'a': __import__('os')}", b"\xff", '{"Parameters": [1]}', '{"Fields": 3}'):
        await cyclr.refused(400, "POST", f"{one}/methods/{number}", wrong)
    assert (await cyclr("POST", f"{one}/methods/{number}")).status == 200


async def test_a_guid_names_a_method_in_either_spelling_and_stays_the_same(cyclr: Cyclr) -> None:
    one = await native(cyclr)
    [found] = [each for each in await cyclr.ok("GET", "/connectors/Close/methods") if each["Name"] == "List leads"]
    guid = found["MethodUniqueIdentifier"]
    assert guid == "d265b359-fc50-5abc-8922-bb5f395d1d7a"
    for spelled in (guid, guid.upper(), guid.replace("-", "")):
        assert (await cyclr("GET", f"{one}/methods/{spelled}")).status == 200


async def test_what_no_method_is_called_is_400_and_a_method_that_is_not_there_is_404(cyclr: Cyclr) -> None:
    one = await native(cyclr)
    for wrong in ("8f8df8ef-3007", "x", "-5", "1.5", "9" * 40, "8f8df8ef-3007-11e7-a033-06abe76375dz"):
        await cyclr.refused(400, "GET", f"{one}/methods/{wrong}")
    number, _ = await cyclr.numbers("List leads")
    for missing in ("999999", "8f8df8ef-3007-11e7-a033-06abe76375dd"):
        await cyclr.refused(404, "GET", f"{one}/methods/{missing}")
        await cyclr.refused(404, "POST", f"{one}/test/{missing}", {})
    for missing in ("999999", "x", "9" * 30):
        await cyclr.refused(404, "GET", f"/account/connectors/{missing}/methods/{number}")
    assert cyclr.there.to("/api/v1/lead/") == []


async def test_an_id_that_is_not_this_methods_is_400(cyclr: Cyclr) -> None:
    one = await native(cyclr)
    number, ids = await cyclr.numbers("Create lead")
    _, others = await cyclr.numbers("Get lead")
    for body in (
        {"Parameters": {str(others["id"]): "1"}},
        {"Parameters": {str(ids["name"]): "a field is no parameter"}},
        {"Fields": {"name": "by its name"}},
        {"Fields": {"999999999999999999": "x"}},
    ):
        await cyclr.refused(400, "POST", f"{one}/methods/{number}", body)
    assert cyclr.there.to("/api/v1/lead/") == []


async def test_the_vendors_failure_is_passed_on_by_a_call_and_told_as_400_by_a_test(cyclr: Cyclr) -> None:
    one = await native(cyclr)
    number, _ = await cyclr.numbers("List leads")
    cyclr.there.always(answering(422, b'{"error":"no such field"}'), on="/api/v1/lead/")
    called = await cyclr("GET", f"{one}/methods/{number}")
    assert (called.status, called.body) == (422, b'{"error":"no such field"}')
    message = await cyclr.refused(400, "POST", f"{one}/test/{number}", {})
    assert message == "The vendor answered with status 422: no such field"
    cyclr.there.behave()
    assert "data" in await cyclr.ok("GET", f"{one}/test/{number}")


async def test_a_vendor_that_is_not_there_is_502_and_its_secrets_are_not_told(cyclr: Cyclr) -> None:
    properties = [{"Name": "base.url", "Value": "http://127.0.0.1:9"}]
    body = {"Properties": properties, "AuthValue": "api_secret_key", "IsPartnerIntegrationConnector": True}
    made = await cyclr.ok("POST", "/connectors/close/install", body)
    number, _ = await cyclr.numbers("List leads")
    message = await cyclr.refused(502, "GET", f"/account/connectors/{made['Id']}/methods/{number}")
    assert "api_secret_key" not in message
    await cyclr.refused(400, "GET", f"/account/connectors/{made['Id']}/test/{number}")


async def test_a_standard_connector_is_called_from_listed_addresses_only(cyclr: Cyclr) -> None:
    standard = (await cyclr.install())["Id"]
    number, _ = await cyclr.numbers("List leads")
    paths = [f"/account/connectors/{standard}/{kind}/{number}" for kind in ("methods", "test")]
    for path in paths:
        for method in ("GET", "POST"):
            assert await cyclr.refused(403, method, path) == ELSEWHERE
    await cyclr.allow("192.0.2.1", "2001:db8::/32")
    assert await cyclr.refused(403, "GET", paths[0], headers={"X-Forwarded-For": "192.0.2.1"}) == ELSEWHERE
    assert cyclr.there.to("/api/v1/lead/") == []
    await cyclr.allow("127.0.0.0/8")
    for path in paths:
        assert (await cyclr("GET", path)).status == 200
    await cyclr.allow()
    assert await cyclr.refused(403, "GET", paths[0]) == ELSEWHERE
    assert (await cyclr("GET", f"{await native(cyclr)}/methods/{number}")).status == 200


async def test_behind_a_trusted_proxy_the_nearest_other_hop_counts(tmp_path: Path) -> None:
    async with speaking(tmp_path, server={"trusted_proxies": ["127.0.0.1/32"]}) as cyclr:
        standard = (await cyclr.install())["Id"]
        number, _ = await cyclr.numbers("List leads")
        path = f"/account/connectors/{standard}/methods/{number}"
        await cyclr.allow("192.0.2.0/24")
        for hops in ("192.0.2.7", "10.0.0.1, 192.0.2.7", "192.0.2.7, 127.0.0.1"):
            assert (await cyclr("GET", path, headers={"X-Forwarded-For": hops})).status == 200
        for hops in ("192.0.2.7, 203.0.113.5", "", "nonsense"):
            assert await cyclr.refused(403, "GET", path, headers={"X-Forwarded-For": hops}) == ELSEWHERE


async def test_every_call_is_in_the_usage_log_once_and_a_test_is_marked(cyclr: Cyclr) -> None:
    one = await native(cyclr)
    number, _ = await cyclr.numbers("List leads")
    await cyclr("GET", f"{one}/methods/{number}")
    await cyclr("POST", f"{one}/test/{number}", {})
    await cyclr("POST", f"{one}/methods/{number}", {"Fields": {"1": "refused before it is sent"}})
    database = cyclr.gateway.running.services.runtime.database
    rows = await eventually(lambda: database.all("SELECT * FROM calls ORDER BY id"), lambda found: len(found) == 3)
    told = {
        (row["verb"], row["path"].split("/")[5], row["method"], row["status"], row["vendor_status"]) for row in rows
    }
    # Ids of one millisecond have no order.
    assert told == {
        ("GET", "methods", "leads_list", 200, 200),
        ("POST", "test", "leads_list", 200, 200),
        ("POST", "methods", "leads_list", 400, None),
    }


async def test_what_was_sent_is_charged_once_failures_included_and_what_was_not_is_free(cyclr: Cyclr) -> None:
    one = await native(cyclr)
    number, _ = await cyclr.numbers("List leads")
    cyclr.there.next(answering(200, b"[]"), answering(500, b"{}"), answering(404), on="/api/v1/lead/")
    for kind in ("methods", "methods", "test"):
        await cyclr("GET", f"{one}/{kind}/{number}")
    await cyclr.refused(400, "POST", f"{one}/methods/{number}", {"Fields": {"1": "2"}})
    await cyclr.refused(404, "GET", f"{one}/methods/99999")
    await eventually(
        lambda: cyclr.ok("GET", f"/accounts/{cyclr.account}/usage"), lambda found: bool(found["TasksUsed"] == 3)
    )
    assert (await cyclr.ok("GET", f"/accounts/{cyclr.account}/usage"))["TasksUsed"] == 3


async def test_a_long_failure_of_the_vendors_is_passed_on_whole(cyclr: Cyclr) -> None:
    one = await native(cyclr)
    number, _ = await cyclr.numbers("List leads")
    body = b'{"error":"' + b"x" * 300_000 + b'"}'
    cyclr.there.next(answering(500, body), on="/api/v1/lead/")
    answered = await cyclr("GET", f"{one}/methods/{number}")
    assert (answered.status, answered.body) == (500, body)


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_without_a_body_has_none_here_either(cyclr: Cyclr, status: int) -> None:
    one = await native(cyclr)
    number, _ = await cyclr.numbers("List leads")
    cyclr.there.next(answering(status, ETag='"1"'), on="/api/v1/lead/")
    answered = await cyclr("GET", f"{one}/methods/{number}")
    assert (answered.status, answered.body, answered.headers["ETag"]) == (status, b"", '"1"')


async def test_a_head_request_calls_nothing(cyclr: Cyclr) -> None:
    one = await native(cyclr)
    number, _ = await cyclr.numbers("List leads")
    assert (await cyclr("HEAD", f"{one}/methods/{number}")).status == 405
    await cyclr.refused(405, "DELETE", f"{one}/methods/{number}")
    assert cyclr.there.to("/api/v1/lead/") == []


async def test_without_a_token_or_an_account_nothing_is_called(cyclr: Cyclr) -> None:
    one = await native(cyclr)
    number, _ = await cyclr.numbers("List leads")
    await cyclr.refused(401, "GET", f"{one}/methods/{number}", headers={"X-Cyclr-Account": ""})
    await cyclr.refused(401, "GET", f"{one}/methods/{number}", headers={"Authorization": "Bearer wrong"})
    other = (await cyclr.ok("POST", "/accounts", {"Name": "Other"}))["Id"]
    await cyclr.refused(404, "GET", f"{one}/methods/{number}", headers={"X-Cyclr-Account": other})
    spelled = {"X-Cyclr-Account": cyclr.account.replace("-", "")}
    assert (await cyclr("GET", f"{one}/methods/{number}", headers=spelled)).status == 200
    assert len(cyclr.there.to("/api/v1/lead/")) == 1


async def test_a_large_answer_streams_through_as_it_is(cyclr: Cyclr) -> None:
    one = await native(cyclr)
    number, _ = await cyclr.numbers("List leads")
    body = b'{"data": [' + b",".join([b'{"id":null,"text":"' + b"x" * 1000 + b'"}'] * 9_000) + b"]}"
    cyclr.there.next(answering(200, body), on="/api/v1/lead/")
    answered = await cyclr("GET", f"{one}/methods/{number}")
    assert (answered.status, answered.body) == (200, body)


async def test_the_guides_four_steps_work_as_they_are_printed(cyclr: Cyclr) -> None:
    made = await cyclr.install(Name="Close Account 1", Description="")
    await cyclr.allow("127.0.0.1")
    [found] = await cyclr.ok("GET", "/account/connectors")
    assert {key: found[key] for key in ("Id", "Name", "Description")} == {
        "Id": made["Id"], "Name": "Close Account 1", "Description": "",
    }  # fmt: skip
    assert isinstance(found["Id"], int)
    assert {key: type(found["Connector"][key]) for key in ("Id", "Name")} == {"Id": int, "Name": str}
    methods = await cyclr.ok("GET", f"/connectors/{found['Connector']['Name']}/methods")
    [get] = [one for one in methods if one["Name"] == "List leads"]
    assert {key: type(get[key]) for key in ("Id", "Name", "EndPoint", "MethodUniqueIdentifier")} == {
        "Id": int, "Name": str, "EndPoint": str, "MethodUniqueIdentifier": str,
    }  # fmt: skip
    assert get["EndPoint"] == "https://api.close.com/api/v1/lead/"
    called = f"/account/connectors/{found['Id']}/methods/{get['MethodUniqueIdentifier']}"
    assert "data" in await cyclr.ok("GET", called)
    parameter, field = (await cyclr.numbers("Update lead"))[1]["id"], (await cyclr.numbers("Update lead"))[1]["name"]
    lead = cyclr.there.close.add("lead", name="Acme")
    body = {"Parameters": {str(parameter): lead["id"]}, "Fields": {str(field): "test@example.com"}}
    number, _ = await cyclr.numbers("Update lead")
    changed = await cyclr.ok("POST", f"/account/connectors/{found['Id']}/methods/{number}", body)
    assert changed["name"] == "test@example.com"
