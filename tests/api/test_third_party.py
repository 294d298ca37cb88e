"""3rd-party connectors in `/api/v1`: kept, switched, tried; secrets are never shown, and the second editor is told."""

import asyncio
from typing import Any

import orjson
import pytest
from aiohttp import web

from tests.api.asking import bearer, is_problem
from tests.api.test_grants import another_account
from tests.api.test_people import header, partner
from tests.kit.consumer import Arrived, Consumer
from tests.kit.gateway import Answered, Gateway
from tests.thirdparty.parts import PLACE, arrive, made

MASK = "********"
WANTED: dict[str, Any] = {
    "name": "Push notes",
    "method": "PUT",
    "type": "XML",
    "url": "https://target.example/x/{body:id}",
    "headers": [{"name": "X-Api-Key", "value": "k3y-of-mine"}, {"name": "X-Plain", "value": "{event:id}"}],
    "basic": {"username": "ann", "password": "p4ssw0rd"},
    "data": [{"name": "note.title", "value": "{body:title}"}, {"name": "n", "value": "[1]", "kind": "json"}],
    "root": "note",
    "fires": {"event_types": ["CREATED"], "object_types": ["issues"]},
}


def wrong(answered: Answered) -> dict[str, str]:
    """What an answer says of each field."""
    is_problem(answered, 400)
    return {one["field"]: one["message"] for one in answered.json["errors"]}


async def test_a_connector_is_kept_as_it_was_given_but_for_its_secrets(gateway: Gateway) -> None:
    answered = await gateway.call("POST", PLACE, json=WANTED)
    assert answered.status == 201
    found = answered.json
    assert found.pop("signing_secret").startswith("whsec_")
    shown = (await gateway.call("GET", f"{PLACE}/{found['id']}")).json
    assert shown == found
    secrets = {
        "headers": [{"name": "X-Api-Key", "value": MASK}, WANTED["headers"][1]],
        "basic": {"username": "ann", "password": MASK},
        "data": [{**WANTED["data"][0], "kind": "text"}, WANTED["data"][1]],
        "fires": {"instance_ids": [], "connectors": [], **WANTED["fires"]},
    }
    assert {name: shown[name] for name in WANTED} == {**WANTED, **secrets}
    assert (shown["enabled"], shown["reason"], shown["version"]) == (True, None, 1)
    rows = await gateway.running.services.runtime.database.all("SELECT * FROM third_parties")
    at_rest = repr([dict(row) for row in rows])
    assert "k3y-of-mine" not in at_rest
    assert "p4ssw0rd" not in at_rest


async def test_a_masked_secret_is_kept_and_another_one_replaces_it(gateway: Gateway, receiver: Consumer) -> None:
    found = await made(gateway, receiver.url(), headers=WANTED["headers"][:1], basic=WANTED["basic"])
    one = f"{PLACE}/{found['id']}"
    same = {"headers": [{"name": "x-api-key", "value": MASK}], "basic": {"username": "bob", "password": MASK}}
    changed = await gateway.call("PATCH", one, json={**same, "version": 1})
    assert (changed.status, changed.json["version"]) == (200, 2)
    await gateway.call("POST", one + "/test")
    assert receiver.arrived[-1].headers["x-api-key"] == "k3y-of-mine"
    assert receiver.arrived[-1].headers["Authorization"] == "Basic Ym9iOnA0c3N3MHJk"
    new = {"headers": [{"name": "X-Api-Key", "value": "another"}], "basic": None}
    assert (await gateway.call("PATCH", one, json={**new, "version": 2})).json["basic"] is None
    await gateway.call("POST", one + "/test")
    assert receiver.arrived[-1].headers["x-api-key"] == "another"
    assert "Authorization" not in receiver.arrived[-1].headers


async def test_a_stored_secret_does_not_follow_the_url_to_another_host(gateway: Gateway) -> None:
    found = (await gateway.call("POST", PLACE, json=WANTED)).json
    moved = {"url": "https://elsewhere.example/x"}
    for path, body in (("", {"version": 1}), ("/test", {})):
        answered = await gateway.call(
            "PATCH" if not path else "POST", f"{PLACE}/{found['id']}{path}", json=moved | body
        )
        assert set(wrong(answered)) == {"headers.0.value", "basic.password"}
    anew = {"headers": [{"name": "X-Api-Key", "value": "new"}], "basic": {"username": "ann", "password": "new"}}
    answered = await gateway.call("PATCH", f"{PLACE}/{found['id']}", json={**moved, **anew, "version": 1})
    assert answered.json["url"] == moved["url"]


async def test_what_is_wrong_is_said_at_its_field_all_at_once(gateway: Gateway) -> None:
    body = {
        "name": "",
        "url": "https://{body:host}/",
        "headers": [{"name": "X", "value": "a\r\nb"}, {"name": "Authorization", "value": MASK}],
        "data": [{"name": "a..b", "value": "{body:"}],
        "basic": {"username": "a:b"},
        "root": "1",
    }
    assert set(wrong(await gateway.call("POST", PLACE, json=body))) == {
        "name", "url", "headers.0.value", "headers.1.value", "data.0.name", "data.0.value", "basic.username", "root",
    }  # fmt: skip
    shapes: dict[str, Any] = {
        "name": 1, "method": "TRACE", "type": "YAML", "headers": {}, "basic": [], "data": [1], "fires": {"other": []},
        "enabled": "yes", "account_id": 5,
    }  # fmt: skip
    for field, value in shapes.items():
        assert next(iter(wrong(await gateway.call("POST", PLACE, json={**WANTED, field: value})))).startswith(field)
    assert set(wrong(await gateway.call("POST", PLACE, json={**WANTED, "more": 1}))) == {"more"}
    fires = {"instance_ids": [999], "connectors": ["nothing"]}
    assert set(wrong(await gateway.call("POST", PLACE, json={**WANTED, "fires": fires}))) == {
        "fires.instance_ids", "fires.connectors",
    }  # fmt: skip


async def test_a_name_stands_once_in_an_account_however_it_is_written(gateway: Gateway) -> None:
    first = await made(gateway, "https://target.example/", name="Straße")
    for name in ("STRASSE", " straße ", "Straße"):
        assert set(wrong(await gateway.call("POST", PLACE, json={**WANTED, "name": name}))) == {"name"}
    other = await made(gateway, "https://target.example/", name="Other")
    clash = await gateway.call("PATCH", f"{PLACE}/{other['id']}", json={"name": "strasse", "version": 1})
    assert set(wrong(clash)) == {"name"}
    assert (await gateway.call("DELETE", f"{PLACE}/{first['id']}")).status == 204
    await made(gateway, "https://target.example/", name="strasse")


async def test_of_many_who_take_a_name_at_once_all_but_one_are_told_at_the_field(gateway: Gateway) -> None:
    same = {"name": "Same", "url": "https://target.example/"}
    answers = await asyncio.gather(*(gateway.call("POST", PLACE, json=same) for _ in range(8)))
    assert sorted(one.status for one in answers) == [201, *[400] * 7]
    assert all(set(wrong(one)) == {"name"} for one in answers if one.status == 400)
    others = [await made(gateway, "https://target.example/", name=name) for name in ("One", "Two", "Three")]
    answers = await asyncio.gather(
        *(gateway.call("PATCH", f"{PLACE}/{one['id']}", json={"version": 1, "name": "Another"}) for one in others)
    )
    assert sorted(one.status for one in answers) == [200, 400, 400]
    assert all(set(wrong(one)) == {"name"} for one in answers if one.status == 400)


async def test_the_second_of_two_editors_is_told(gateway: Gateway) -> None:
    found = await made(gateway, "https://target.example/")
    one = f"{PLACE}/{found['id']}"
    both = [gateway.call("PATCH", one, json={"name": f"By {n}", "version": 1}) for n in range(2)]
    answered = await asyncio.gather(*both)
    assert sorted(one.status for one in answered) == [200, 409]
    assert (await gateway.call("GET", one)).json["version"] == 2
    assert "version" in wrong(await gateway.call("PATCH", one, json={"name": "x"}))


async def test_several_are_switched_together_or_none(gateway: Gateway) -> None:
    ids = [(await made(gateway, "https://target.example/", name=f"n{n}"))["id"] for n in range(3)]
    is_problem(await gateway.call("POST", f"{PLACE}/disable", json={"ids": [*ids, 999]}), 404)
    assert [one["enabled"] for one in (await gateway.call("GET", PLACE)).json["items"]] == [True] * 3
    off = (await gateway.call("POST", f"{PLACE}/disable", json={"ids": ids[:2]})).json["items"]
    assert [(one["enabled"], one["reason"]) for one in off] == [(False, "disabled")] * 2
    on = (await gateway.call("POST", f"{PLACE}/activate", json={"ids": ids})).json["items"]
    assert [(one["enabled"], one["reason"]) for one in on] == [(True, None)] * 3
    for ids_given in ([], [0], ["1"], [True], None, "1", [1] * 0, list(range(1, 300))):
        assert set(wrong(await gateway.call("POST", f"{PLACE}/disable", json={"ids": ids_given}))) == {"ids"}


async def test_the_list_is_searched_sorted_and_paged(gateway: Gateway) -> None:
    for number, name in enumerate(["beta", "Alpha", "gamma %", "delta"]):
        await made(gateway, f"https://{'xyzw'[number]}.example/", name=name, method=["GET", "POST"][number % 2])

    async def names(query: str) -> list[str]:
        found = (await gateway.call("GET", f"{PLACE}?{query}")).json
        return [one["name"] for one in found["items"]]

    assert await names("") == ["Alpha", "beta", "delta", "gamma %"]
    assert await names("sort=-name") == ["gamma %", "delta", "beta", "Alpha"]
    assert await names("sort=url") == ["delta", "beta", "Alpha", "gamma %"]
    assert await names("sort=date") == ["beta", "Alpha", "gamma %", "delta"]
    assert await names("search=ALPH") == ["Alpha"]
    assert await names("search=%25") == ["gamma %"]
    assert await names("search=post&sort=-name") == ["delta", "Alpha"]
    first = (await gateway.call("GET", f"{PLACE}?limit=3")).json
    rest = (await gateway.call("GET", f"{PLACE}?limit=3&cursor={first['next']}")).json
    assert [one["name"] for one in first["items"] + rest["items"]] == await names("")
    assert rest["next"] is None
    assert set(wrong(await gateway.call("GET", f"{PLACE}?sort=colour"))) == {"sort"}
    assert set(wrong(await gateway.call("GET", f"{PLACE}?limit=2&cursor={first['next']}"))) == {"cursor"}


async def test_a_test_sends_one_request_and_shows_both_sides_without_secrets(
    gateway: Gateway, receiver: Consumer
) -> None:
    async def echo(one: Arrived) -> web.StreamResponse:
        return web.Response(status=418, text=f"key {one.headers['X-Api-Key']}", headers={"X-Teapot": "yes"})

    receiver.answer = echo
    found = await made(
        gateway, receiver.url("/{event:object_type}"), headers=WANTED["headers"], data=WANTED["data"][:1]
    )
    instance = await gateway.create("github")
    one = f"{PLACE}/{found['id']}"
    await gateway.call("PATCH", one, json={"enabled": False, "version": 1})
    await arrive(gateway, instance, b'{"action":"opened","title":"<b>","issue":{"id":3}}')
    answered = await gateway.call("POST", one + "/test")
    shown = answered.json
    assert (shown["event"]["sample"], shown["event"]["instance_id"]) == (False, instance["id"])
    assert shown["request"]["body"] == '{"note":{"title":"<b>"}}'
    assert {"name": "X-Api-Key", "value": MASK} in shown["request"]["headers"]
    assert (shown["answer"]["status"], shown["answer"]["body"]) == (418, "key [redacted]")
    assert {"name": "x-teapot", "value": "yes"} in shown["answer"]["headers"]
    assert (shown["reason"], len(receiver.arrived)) == ("status 418", 1)
    assert "k3y-of-mine" not in answered.body.decode()
    # What is tried is in no ledger.
    assert (await gateway.call("GET", one + "/calls")).json["items"] == []
    gone = await gateway.call("POST", one + "/test", json={"url": "http://127.0.0.1:9/", "headers": [], "data": []})
    assert (gone.json["answer"], gone.json["reason"].split(":")[0]) == (None, "connect")


async def test_a_preview_is_made_of_a_sample_where_nothing_has_arrived(gateway: Gateway) -> None:
    body: dict[str, Any] = {"url": "https://target.example/{event:id}", "fires": {"connectors": ["github"]}}
    body["data"] = [{"name": "all", "value": "{body:}"}]
    shown = (await gateway.call("POST", f"{PLACE}/preview", json=body)).json
    assert (shown["event"]["sample"], shown["event"]["connector"]) == (True, "github")
    assert orjson.loads(shown["request"]["body"])["all"]
    assert [one["field"] for one in shown["problems"]] == ["name"]
    bad = (await gateway.call("POST", f"{PLACE}/preview", json={**body, "url": "https://{body:x}/"})).json
    assert (bad["request"], [one["field"] for one in bad["problems"]]) == (None, ["name", "url"])


async def test_a_sample_is_of_a_connector_that_the_account_uses(gateway: Gateway) -> None:
    body = {**WANTED, "fires": {}}
    for key in ("closeio", "github"):
        await gateway.create(key)
        shown = (await gateway.call("POST", f"{PLACE}/preview", json=body)).json
        assert (shown["event"]["sample"], shown["event"]["connector"]) == (True, key)


@pytest.mark.parametrize("event_id", ["a\x00b", "é", ""])
async def test_what_can_be_no_id_of_an_event_is_refused(gateway: Gateway, event_id: str) -> None:
    answered = await gateway.call("POST", f"{PLACE}/preview", json={**WANTED, "event_id": event_id})
    assert set(wrong(answered)) == {"event_id"}


async def test_a_preview_says_what_an_event_cannot_be_made_into(gateway: Gateway) -> None:
    instance = await gateway.create("github")
    await arrive(gateway, instance, b'{"action":"opened","title":"a\\nb"}')
    [event] = (await gateway.call("GET", "/api/v1/events")).json["items"]
    body = {**WANTED, "headers": [{"name": "X-T", "value": "{body:title}"}], "event_id": event["id"]}
    shown = (await gateway.call("POST", f"{PLACE}/preview", json=body)).json
    assert (shown["event"]["event_id"], shown["request"]) == (event["id"], None)
    assert [one["field"] for one in shown["problems"]] == ["headers.0.value"]
    is_problem(await gateway.call("POST", f"{PLACE}/preview", json={**body, "event_id": "0" * 32}), 404)


async def test_a_connector_is_tried_thirty_times_a_minute_at_most(gateway: Gateway, receiver: Consumer) -> None:
    found = await made(gateway, receiver.url())
    answers = [(await gateway.call("POST", f"{PLACE}/{found['id']}/test")).status for _ in range(31)]
    assert answers == [200] * 30 + [503]
    assert len(receiver.arrived) == 30


async def test_who_may_only_read_changes_nothing(gateway: Gateway, receiver: Consumer) -> None:
    found = await made(gateway, receiver.url())
    secrets = gateway.running.config.bootstrap
    user = (await gateway.call("POST", "/api/v1/users", json={"username": "eve", "role": "end_user"})).json
    headers = {"Authorization": f"User {user['secret']}, Organization {secrets.organization_secret}"}
    one = f"{PLACE}/{found['id']}"
    for method, path, body in (
        ("POST", PLACE, WANTED), ("PATCH", one, {"version": 1, "name": "x"}), ("DELETE", one, None),
        ("POST", f"{PLACE}/disable", {"ids": [found["id"]]}), ("POST", f"{one}/rotate/signing-secret", None),
        ("POST", f"{one}/test", None),
    ):  # fmt: skip
        is_problem(await gateway.call(method, path, headers=headers, json=body), 403)
    assert (await gateway.call("GET", one, headers=headers)).json["enabled"] is True
    assert (await gateway.call("GET", f"{one}/calls", headers=headers)).status == 200
    assert receiver.arrived == []


async def test_what_belongs_to_another_does_not_exist(gateway: Gateway, receiver: Consumer) -> None:
    found = await made(gateway, receiver.url())
    instance = await gateway.create("github")
    await arrive(gateway, instance)
    [event] = (await gateway.call("GET", "/api/v1/events")).json["items"]
    account = (await gateway.call("GET", "/api/v1/instances")).json["items"][0]["account_id"]
    headers = header(await partner(gateway))
    one = f"{PLACE}/{found['id']}"
    for method, path, body in (
        ("GET", one, None), ("PATCH", one, {"version": 1, "name": "x"}), ("DELETE", one, None),
        ("GET", f"{one}/calls", None), ("POST", f"{one}/test", None), ("POST", f"{one}/preview", None),
        ("POST", f"{one}/rotate/signing-secret", None), ("POST", f"{PLACE}/disable", {"ids": [found["id"]]}),
        ("POST", PLACE, {**WANTED, "account_id": account}),
        ("POST", f"{PLACE}/preview", {**WANTED, "event_id": event["id"]}),
        ("POST", f"{PLACE}/preview", {**WANTED, "account_id": account}),
        ("GET", f"{PLACE}/nothing", None), ("GET", f"{PLACE}/{10**30}", None),
    ):  # fmt: skip
        is_problem(await gateway.call(method, path, headers=headers, json=body), 404)
    theirs = {**WANTED, "fires": {"instance_ids": [instance["id"]]}}
    assert set(wrong(await gateway.call("POST", PLACE, headers=headers, json=theirs))) == {"fires.instance_ids"}
    assert (await gateway.call("GET", PLACE, headers=headers)).json["items"] == []


async def test_an_account_has_two_hundred_at_most(sqlite_gateway: Gateway) -> None:
    for number in range(200):
        await made(sqlite_gateway, "https://target.example/", name=f"n{number}")
    is_problem(await sqlite_gateway.call("POST", PLACE, json=WANTED), 409)


async def test_a_removed_account_takes_its_connectors_along(sqlite_gateway: Gateway, receiver: Consumer) -> None:
    token, account = await bearer(sqlite_gateway), await another_account(sqlite_gateway)
    body = {"name": "x", "url": receiver.url(), "account_id": account.replace("-", "")}
    found = await sqlite_gateway.call("POST", PLACE, headers=token, json=body)
    assert found.json["account_id"] == body["account_id"]
    assert (await sqlite_gateway.call("DELETE", f"/v1.0/accounts/{account}", headers=token)).status == 200
    is_problem(await sqlite_gateway.call("GET", f"{PLACE}/{found.json['id']}", headers=token), 404)
    rows = await sqlite_gateway.running.services.runtime.database.all("SELECT state FROM destinations")
    assert [row["state"] for row in rows] == ["removed"]
