"""Calls through an instance of closeio, against a simulated Close."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.asking import OC, is_platform_error
from tests.api.calling import Caller, calling
from tests.vendors.misbehaving import answering

NEXT = "Elements-Next-Page-Token"


@pytest.fixture
async def call(tmp_path: Path) -> AsyncIterator[Caller]:
    async with calling(tmp_path) as found:
        yield found


async def test_a_lead_is_made_read_changed_and_deleted_as_an_account(call: Caller) -> None:
    made = await call("POST", "accounts", json={"name": "Acme", "custom.cf_1": 7})
    assert (made.status, made.json["name"]) == (200, "Acme")
    path = f"accounts/{made.json['id']}"
    assert (await call("GET", path)).json["custom.cf_1"] == 7
    for verb in ("PUT", "PATCH"):
        assert (await call(verb, path, json={"name": verb})).json["name"] == verb
    assert (await call("DELETE", path)).status == 200
    assert call.there.close.all("lead") == []


@pytest.mark.parametrize("verb", ["GET", "PATCH", "DELETE"])
async def test_an_unknown_id_is_the_vendors_404(call: Caller, verb: str) -> None:
    body = {"json": {"name": "x"}} if verb == "PATCH" else {}
    answered = await call(verb, "accounts/lead_nowhere", **body)
    assert answered.status == 404
    assert answered.json == {
        "requestId": answered.headers["Elements-Request-Id"],
        "message": "Request failed",
        "providerMessage": "Empty query: Lead matching query does not exist.",
    }


async def test_an_empty_post_is_400(call: Caller) -> None:
    assert (await call("POST", "accounts")).status == 400
    lacking = await call("POST", "contacts", json={})
    assert "lead_id: is required" in is_platform_error(lacking, 400)


async def test_the_hub_is_ignored_and_the_bare_path_works(call: Caller) -> None:
    call.there.close.add("lead", name="Acme")
    paths = [f"{OC}/hubs/crm/accounts", f"{OC}/hubs/crap/accounts", f"{OC}/accounts", "/hubs/crm/accounts"]
    bodies = {(await call("GET", path)).body for path in paths}
    assert len(bodies) == 1
    assert b"Acme" in bodies.pop()


async def test_a_list_comes_without_its_envelope_in_pages_that_follow_each_other(call: Caller) -> None:
    for number in range(5):
        call.there.close.add("lead", name=f"n{number}")
    found, token, pages = [], "", 0
    while True:
        answered = await call("GET", "accounts", params={"pageSize": "2", **({"nextPage": token} if token else {})})
        assert answered.status == 200, answered.body
        found += [one["name"] for one in answered.json]
        assert answered.headers["Elements-Returned-Count"] == str(len(answered.json))
        assert answered.headers["Elements-Total-Count"] == "5"
        assert answered.headers["Elements-Element-Instance-Id"] == str(call.id)
        assert answered.headers["Elements-Trace-Id"]
        pages += 1
        if NEXT not in answered.headers:
            break
        token = answered.headers[NEXT]
    assert (found, pages) == (["n0", "n1", "n2", "n3", "n4"], 3)
    third = await call("GET", "accounts?pageSize=2&page=3")
    assert [one["name"] for one in third.json] == ["n4"]
    assert (await call("GET", "accounts?pageSize=2&page=9")).json == []
    assert "100" in is_platform_error(await call("GET", "accounts?page=101"), 400)


async def test_a_page_size_is_brought_down_to_the_vendors_maximum(call: Caller) -> None:
    await call("GET", "accounts?pageSize=5000")
    assert call.there.requests[-1].query == "_limit=100"
    for wrong in ("0", "-1", "x", "1.5", ""):
        assert "pageSize" in is_platform_error(await call("GET", f"accounts?pageSize={wrong}"), 400)


async def test_a_token_alone_goes_on_with_the_same_question_and_none_other(call: Caller) -> None:
    for number in range(3):
        call.there.close.add("lead", name=f"n{number}", url="a" if number != 1 else "b")
    first = await call("GET", "accounts", params={"where": "url='a'", "pageSize": "1", "fields": "name"})
    assert first.json == [{"name": "n0"}]
    token = first.headers[NEXT]
    alone = await call("GET", "accounts", params={"nextPage": token})
    assert alone.json == [{"name": "n2"}]
    same = {"where": "url='a'", "pageSize": "1", "fields": "name", "nextPage": token}
    assert (await call("GET", "accounts", params=same)).json == [{"name": "n2"}]
    for other in ({"where": "url='b'"}, {"fields": "id"}):
        message = is_platform_error(await call("GET", "accounts", params={**other, "nextPage": token}), 400)
        assert message.startswith("nextPage: is no page token of this list")


async def test_a_token_is_good_for_one_list_of_one_instance_and_cannot_be_changed(call: Caller) -> None:
    for _ in range(3):
        call.there.close.add("lead")
    token = (await call("GET", "accounts?pageSize=1")).headers[NEXT]
    values = {"username": "another", "base.url": "http://127.0.0.1:9"}
    other = await call.gateway.create("closeio", **values)
    secrets = call.gateway.running.config.bootstrap
    theirs = {"Authorization": f"User {secrets.user_secret}, Element {other['token']}"}
    asked = len(call.there.requests)
    swapped = token[:40] + ("A" if token[40] != "A" else "B") + token[41:]
    for path, given, headers in (
        ("accounts", token, theirs),
        ("contacts", token, {}),
        ("accounts", swapped, {}),
        ("accounts", token[:-3], {}),
        ("accounts", "e30", {}),
        ("accounts", "not base64 \u2603", {}),
        ("accounts", "x" * 9000, {}),
    ):
        answered = await call("GET", path, params={"nextPage": given}, headers=headers)
        assert answered.status == 400, (path, given[:20], answered.body)
    assert len(call.there.requests) == asked


async def test_where_becomes_the_vendors_own_question(call: Caller) -> None:
    lead = call.there.close.add("lead", name='A "quoted" \\ name')
    call.there.close.add("lead", name="other")
    asked = {"where": "name='A \"quoted\" \\ name'"}
    assert [one["id"] for one in (await call("GET", "accounts", params=asked)).json] == [lead["id"]]
    call.there.close.add("contact", lead_id=lead["id"], name="Ada")
    found = await call("GET", "contacts", params={"where": f"lead_id = '{lead['id']}'"})
    assert [one["name"] for one in found.json] == ["Ada"]
    wanted = {"where": "status_type IN ('won','lost') AND date_created >= '2020-01-01T00:00:00Z'"}
    assert (await call("GET", "opportunities", params=wanted)).status == 200
    assert "status_type__in=won%2Clost" in call.there.requests[-1].query


@pytest.mark.parametrize(
    ("path", "where", "told"),
    [
        ("accounts", "name", "expected field = 'value' at character 1"),
        ("accounts", "name='a' OR name='b'", "OR is not supported"),
        ("accounts", "name LIKE 'a%'", "comparisons that can"),
        ("accounts", "name='a'; DROP", "expected AND"),
        ("contacts", "shoe_size=1", "shoe_size cannot be asked for; parameters that can be given: lead_id"),
        ("users", "name='a'", "cannot be asked for comparisons"),
        ("accounts", "x" * 5000, "is longer than"),
    ],
)
async def test_a_where_that_cannot_be_asked_is_400_and_says_what_can(
    call: Caller, path: str, where: str, told: str
) -> None:
    assert told in is_platform_error(await call("GET", path, params={"where": where}), 400)
    assert call.there.requests[-1].path != f"/api/v1/{path}"


async def test_a_value_of_where_stays_a_value(call: Caller) -> None:
    call.there.close.add("lead", name="hidden")
    evil = 'x" or name:"hidden'
    answered = await call("GET", "accounts", params={"where": f"name='{evil}'"})
    assert (answered.status, answered.json) == (200, [])
    await call("GET", "contacts", params={"where": "lead_id='a&_fields=b'"})
    assert call.there.requests[-1].query.startswith("lead_id=a%26_fields%3Db")


async def test_fields_are_chosen_by_the_vendor_or_here(call: Caller) -> None:
    lead = call.there.close.add("lead", name="Acme", url="u")
    assert (await call("GET", f"accounts/{lead['id']}?fields=name,url")).json == {"name": "Acme", "url": "u"}
    assert call.there.requests[-1].query == "_fields=name%2Curl"
    assert (await call("GET", "lead?fields=name")).json == [{"name": "Acme"}]
    assert "_fields" not in call.there.requests[-1].query


async def test_numbers_and_escapes_are_passed_on_to_the_byte_when_fields_are_chosen_here(call: Caller) -> None:
    record = b'{"id": 18446744073709551617, "n":1.10, "x" : null,"s":"\\u00e9","n":1.20}'
    call.there.always(answering(200, b'{"data": [' + record + b'], "has_more": false}'), on="/api/v1/lead/")
    answered = await call("GET", "lead?fields=id,s,n,x")
    assert answered.body == b'[{"id":18446744073709551617,"n":1.20,"s":"\\u00e9"}]'
    whole = await call("GET", "accounts")
    assert whole.body == b'[{"id": 18446744073709551617, "n":1.10,"s":"\\u00e9","n":1.20}]'


async def test_order_is_passed_on_where_the_vendor_knows_one(call: Caller) -> None:
    assert (await call("GET", "tasks?orderBy=-date_created")).status == 200
    assert "_order_by=-date_created" in call.there.requests[-1].query
    assert "orderBy" in is_platform_error(await call("GET", "accounts?orderBy=name"), 400)


async def test_parameters_of_the_vendors_own_are_passed_on_and_unknown_ones_named(call: Caller) -> None:
    lead = call.there.close.add("lead")
    call.there.close.add("task", lead_id=lead["id"], text="t", is_complete=True)
    assert len((await call("GET", "tasks?is_complete=true")).json) == 1
    message = is_platform_error(await call("GET", "tasks?is_completed=true&pageSize=x"), 400)
    assert "did you mean is_complete?" in message
    assert "pageSize" in message


async def test_notes_and_activities_of_an_account(call: Caller) -> None:
    lead, other = call.there.close.add("lead"), call.there.close.add("lead")
    path = f"accounts/{lead['id']}"
    made = await call("POST", path + "/notes", json={"note": "hello"})
    assert (made.status, made.json["lead_id"]) == (200, lead["id"])
    call.there.close.add("activity/note", lead_id=other["id"], note="theirs")
    assert [one["note"] for one in (await call("GET", path + "/notes")).json] == ["hello"]
    call.there.close.add("activity", lead_id=lead["id"], _type="Email")
    found = await call("GET", path + "/activities?activityType=email")
    assert [one["_type"] for one in found.json] == ["Email"]
    assert "_type=Email" in call.there.requests[-1].query
    contradiction = {"note": "x", "lead_id": other["id"]}
    assert "another way" in is_platform_error(await call("POST", path + "/notes", json=contradiction), 400)
    twice = await call("GET", f"{path}/notes?lead_id={other['id']}")
    assert "is given by the path" in is_platform_error(twice, 400)


async def test_every_method_is_there_under_the_vendors_own_path(call: Caller) -> None:
    lead = call.there.close.add("lead", name="Acme")
    assert (await call("GET", f"lead/{lead['id']}/")).json["name"] == "Acme"
    assert (await call("GET", f"lead/{lead['id']}")).json["name"] == "Acme"
    assert (await call("GET", "me")).json["first_name"] == "Ada"


async def test_an_unknown_resource_is_404_and_a_verb_that_is_not_offered_405(call: Caller) -> None:
    assert "did you mean 'accounts'?" in is_platform_error(await call("GET", "acounts"), 404)
    answered = await call("DELETE", "users/user_1")
    assert "what is: GET" in is_platform_error(answered, 405)
    assert answered.headers["Allow"] == "GET"
    is_platform_error(await call("GET", f"{OC}/accounts", headers={"Authorization": "User x"}), 404)


async def test_a_deleted_instance_is_401_and_a_disabled_one_403(call: Caller) -> None:
    await call.gateway.call("DELETE", f"/instances/{call.id}/enabled")
    assert "disabled" in is_platform_error(await call("GET", "accounts"), 403)
    assert (await call("GET", f"{OC}/objects")).status == 200
    await call.gateway.call("PUT", f"/instances/{call.id}/enabled")
    assert (await call("GET", "accounts")).status == 200
    await call.gateway.call("DELETE", f"/instances/{call.id}")
    is_platform_error(await call("GET", "accounts"), 401)


async def test_nulls_are_filtered_until_a_patch_says_otherwise(call: Caller) -> None:
    lead = call.there.close.add("lead", name="Acme", nested={"a": None, "b": [None, {"c": None}]})
    filtered = await call("GET", f"accounts/{lead['id']}")
    assert "description" not in filtered.json
    assert filtered.json["nested"] == {"b": [None, {}]}
    assert filtered.headers["Content-Length"] == str(len(filtered.body))
    await call.set(filter_response_nulls=False)
    shown = await call("GET", f"accounts/{lead['id']}")
    assert shown.json["description"] is None
    assert shown.headers["Content-Length"] == str(len(shown.body))
    await call.set(filter_response_nulls=True)
    assert "description" not in (await call("GET", "accounts")).json[0]


async def test_objects_and_ping(call: Caller) -> None:
    names = (await call("GET", f"{OC}/objects")).json
    assert names[:5] == ["accounts", "contacts", "opportunities", "tasks", "users"]
    detailed = (await call("GET", "/hubs/crm/objects", headers={"Elements-Version": "Helium"})).json
    assert detailed[0] == {"name": "accounts", "vendorName": "lead", "type": "vendor"}
    pong = await call("GET", f"{OC}/ping")
    assert (pong.status, pong.json["endpoint"]) == (200, "closeio")
    call.there.close.api_keys.clear()
    refused = await call("GET", "ping")
    assert (refused.status, refused.json["message"]) == (401, "Request failed")
