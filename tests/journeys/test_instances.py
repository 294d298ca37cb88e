"""An instance's life over the API: made, read, listed, changed, switched, rotated, deleted."""

import asyncio
from typing import Any

import orjson
import pytest

from tests.api.asking import GITHUB, OC, bearer, colleague, is_platform_error, is_problem, stranger
from tests.kit import signed
from tests.kit.consumer import Consumer
from tests.kit.gateway import NOWHERE, Answered, Gateway
from tests.vendors import vendor

CALLBACK = "event.notification.callback.url"
BODY = b'{"action":"opened","issue":{"id":7,"body":null}}'


async def post(gateway: Gateway, path: str = "/instances", **body: Any) -> Answered:
    return await gateway.call("POST", path, json=body)


async def read(gateway: Gateway, made: dict[str, Any]) -> dict[str, Any]:
    answered = await gateway.call("GET", f"/instances/{made['id']}")
    assert answered.status == 200, answered.body
    found: dict[str, Any] = answered.json
    return found


async def configure(gateway: Gateway, made: dict[str, Any], **values: Any) -> Answered:
    return await gateway.call("PATCH", f"/instances/{made['id']}", json={"configuration": values})


async def deliver(gateway: Gateway, made: dict[str, Any]) -> int:
    return (await gateway.send(made["webhookUrl"], BODY, signed.github(made["webhookSecret"], BODY))).status


async def test_the_documented_close_request_gives_the_documented_answer(gateway: Gateway) -> None:
    async with vendor() as there:
        there.close.api_keys.add("api_1")
        own = {"username": "api_1", "password": "any", "base.url": f"{there.url}/api/v1"}
        answered = await post(
            gateway,
            OC + "/instances",
            element={"key": "closeio"},
            configuration={**own, "event.notification.enabled": True},
            tags=["a", "b"],
            name="Mine",
        )
    assert answered.status == 200
    shown = answered.json
    assert (shown["name"], shown["tags"], shown["elementId"], shown["valid"]) == ("Mine", ["a", "b"], 146, True)
    assert (shown["element"]["key"], shown["element"]["hub"]) == ("closeio", "crm")
    assert isinstance(shown["id"], int)
    assert shown["token"]
    assert shown["disabled"] is False
    configuration = shown["configuration"]
    assert (configuration["username"], configuration["password"]) == ("api_1", "********")
    assert configuration["event.notification.enabled"] == "true"
    assert configuration["event.vendor.type"] == "webhook"
    assert configuration["filter.response.nulls"] == "true"
    assert configuration[CALLBACK] is None
    assert "providerData" not in shown


async def test_an_element_is_named_by_key_number_or_path_and_also_called_connector(sqlite_gateway: Gateway) -> None:
    values = {"username": "api_1", **NOWHERE}
    for path, body in (
        ("/instances", {"element": {"key": "closeio"}}),
        ("/instances", {"element": {"id": 146}}),
        ("/instances", {"connector": {"key": "closeio"}}),
        ("/elements/closeio/instances", {}),
        (OC + "/elements/146/instances", {}),
    ):
        answered = await post(sqlite_gateway, path, configuration=values, name="x", **body)
        assert (answered.status, answered.json["elementId"]) == (200, 146), (path, answered.body)


async def test_without_a_name_the_connector_gives_its_own(sqlite_gateway: Gateway) -> None:
    answered = await post(sqlite_gateway, element={"key": "closeio"}, configuration={"username": "x", **NOWHERE})
    assert (answered.status, answered.json["name"]) == (200, "Close")


async def test_all_missing_entries_are_named_at_once_with_their_labels(sqlite_gateway: Gateway) -> None:
    message = is_platform_error(await post(sqlite_gateway, element={"key": "github"}, name="x"), 400)
    for text in ("token (Personal access token)", "owner (Owner of the repository)", "repo (Repository)"):
        assert text in message
    message = is_platform_error(await post(sqlite_gateway, element={"key": "closeio"}, name="x"), 400)
    assert "username (API key)" in message


async def test_the_once_shown_secrets_are_in_no_later_answer(gateway: Gateway) -> None:
    made = await gateway.create("github", "http://127.0.0.1:9/x", **GITHUB)
    once = [made["webhookUrl"].rsplit("/", 1)[-1], made["signingSecret"], made["webhookSecret"]]
    token = await bearer(gateway)
    answers = [
        await gateway.call("GET", path, headers=headers)
        for path in (f"/instances/{made['id']}", "/instances?hydrate=true", f"/instances/{made['id']}/configuration",
                     f"/api/v1/instances/{made['id']}", "/api/v1/instances")
        for headers in (gateway.auth, token)
    ]  # fmt: skip
    answers.append(await configure(gateway, made, repo="other"))
    for answered in answers:
        assert answered.status == 200
        for text in ("webhookUrl", "signingSecret", "webhookSecret", *once, GITHUB["token"]):
            assert text.encode() not in answered.body


async def test_the_maker_of_an_instance_stays_its_user_whoever_reads_it(gateway: Gateway) -> None:
    made = await gateway.create("closeio")
    other = await colleague(gateway)
    assert made["user"]["emailAddress"] == "admin"
    for path in (f"/instances/{made['id']}", "/instances"):
        answered = await gateway.call("GET", path, headers=other)
        shown = answered.json[0] if isinstance(answered.json, list) else answered.json
        assert shown["user"] == made["user"]
    wanted = {"element": {"key": "closeio"}, "configuration": {"username": "x", **NOWHERE}}
    theirs = await gateway.call("POST", "/instances", headers=other, json=wanted)
    assert theirs.json["user"]["emailAddress"] != "admin"


async def test_what_is_anothers_is_404_on_every_path(gateway: Gateway) -> None:
    made = await gateway.create("github", "http://127.0.0.1:9/x")
    records = await gateway.call("GET", f"/instances/{made['id']}/configuration")
    one = f"/instances/{made['id']}"
    for headers in (await stranger(gateway), await colleague(gateway, same_account=False)):
        for method, path in (
            ("GET", one), ("PUT", one), ("PATCH", one), ("DELETE", one), ("PUT", one + "/enabled"),
            ("DELETE", one + "/enabled"), ("GET", one + "/configuration"), ("GET", one + "/events"),
            ("GET", f"{one}/configuration/{records.json[0]['id']}"),
            ("PATCH", f"{one}/configuration/{records.json[0]['id']}"), ("GET", one + "/events/dispositions"),
        ):  # fmt: skip
            answered = await gateway.call(method, path, headers=headers, json={} if method != "GET" else None)
            assert is_platform_error(answered, 404) == f"No instance found with ID {made['id']}", (method, path)
        for method, path in (
            ("GET", ""), ("POST", "/destination/enable"), ("POST", "/rotate/webhook-url"),
            ("POST", "/rotate/signing-secret"), ("POST", "/rotate/webhook-secret"),
        ):  # fmt: skip
            is_problem(await gateway.call(method, f"/api/v1{one}{path}", headers=headers), 404)
        assert (await gateway.call("GET", "/instances", headers=headers)).json == []
        assert (await gateway.call("GET", "/instances/count", headers=headers)).json["totalInstances"] == 0
        assert (await gateway.call("GET", "/instances/events", headers=headers)).json == []
    assert (await read(gateway, made))["name"] == "github"


async def test_put_of_the_whole_object_as_get_gave_it_changes_nothing_but_what_was_changed(
    gateway: Gateway, receiver: Consumer
) -> None:
    made = await gateway.create("github", receiver.url(), **{"event.notification.basic.password": "pw"})
    whole = await read(gateway, made)
    answered = await gateway.call("PUT", f"/instances/{made['id']}", json={**whole, "tags": ["new"]})
    assert answered.status == 200, answered.body
    assert answered.json == {**whole, "tags": ["new"]}
    assert await deliver(gateway, made) == 200
    [arrived] = await receiver.wait(1)
    assert b"********" not in arrived.body
    cleared = await gateway.call("PUT", f"/instances/{made['id']}", json={**whole, "tags": []})
    assert cleared.json["tags"] == []


async def test_put_clears_entries_that_are_left_out_and_patch_keeps_them(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github", "http://127.0.0.1:9/x")
    patched = await configure(sqlite_gateway, made, repo="second")
    assert patched.json["configuration"][CALLBACK] == "http://127.0.0.1:9/x"
    put = await sqlite_gateway.call("PUT", f"/instances/{made['id']}", json={"configuration": GITHUB})
    assert put.json["configuration"][CALLBACK] is None
    assert put.json["configuration"]["event.notification.enabled"] == "false"
    named = await sqlite_gateway.call("PUT", f"/instances/{made['id']}", json={"name": "n", "tags": ["t"]})
    assert (named.json["name"], named.json["configuration"]["repo"]) == ("n", "hello")


async def test_concurrent_changes_of_one_instance_lose_nothing(gateway: Gateway) -> None:
    made = await gateway.create("github")
    path = f"/instances/{made['id']}"
    await asyncio.gather(
        gateway.call("PATCH", path, json={"name": "renamed"}),
        gateway.call("PATCH", path, json={"tags": ["t"]}),
        gateway.call("DELETE", path + "/enabled"),
        *(configure(gateway, made, repo=f"r{number}") for number in range(8)),
    )
    found = await read(gateway, made)
    assert (found["name"], found["tags"], found["disabled"]) == ("renamed", ["t"], True)


async def test_a_change_that_meets_a_deletion_leaves_no_credentials_behind(gateway: Gateway) -> None:
    for _ in range(5):
        made = await gateway.create("github")
        path = f"/instances/{made['id']}"
        answers = await asyncio.gather(
            gateway.call("DELETE", path), configure(gateway, made, token="late"), gateway.call("GET", path)
        )
        assert {answered.status for answered in answers} <= {200, 404}
    left = await gateway.running.services.runtime.database.all("SELECT * FROM configuration")
    assert list(left) == []


async def test_a_patch_counts_for_the_next_event(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url("/first"))
    assert await deliver(gateway, made) == 200
    await configure(gateway, made, **{"filter.response.nulls": "false"})
    assert await deliver(gateway, made) == 200
    await receiver.wait(2)
    await configure(gateway, made, **{CALLBACK: receiver.url("/second")})
    assert await deliver(gateway, made) == 200
    await receiver.wait(3)
    await configure(gateway, made, **{"event.notification.enabled": False})
    assert await deliver(gateway, made) == 200
    await configure(gateway, made, **{"event.notification.enabled": True, CALLBACK: None})
    assert await deliver(gateway, made) == 200
    assert [b"null" in one.body.split(b'"raw":')[1] for one in receiver.arrived] == [False, True, True]
    assert [one.path for one in receiver.arrived] == ["/first", "/first", "/second"]
    ledger = await gateway.ledger()
    assert (ledger["accepted"], ledger["ignored"], ledger["routed"], ledger["unrouted"]) == (4, 1, 3, 1)


async def test_a_configuration_record_is_found_by_key_and_patched_by_its_id(gateway: Gateway) -> None:
    made = await gateway.create("github")
    for base in (f"/instances/{made['id']}", f"{OC}/instances/{made['id']}"):
        records = (await gateway.call("GET", base + "/configuration")).json
        record = next(one for one in records if one["key"] == "filter.response.nulls")
        path = f"{base}/configuration/{record['id']}"
        assert (await gateway.call("GET", path)).json == record
        answered = await gateway.call("PATCH", path, json={**record, "propertyValue": "false"})
        assert (answered.status, answered.json) == (200, {**record, "propertyValue": "false"})
        assert (await read(gateway, made))["configuration"]["filter.response.nulls"] == "false"
        again = await gateway.call("PATCH", path, json={"propertyValue": True})
        assert again.json["propertyValue"] == "true"
        token = next(one for one in records if one["key"] == "token")
        assert token["propertyValue"] == "********"
        kept = await gateway.call("PATCH", f"{base}/configuration/{token['id']}", json=token)
        assert (kept.status, kept.json["propertyValue"]) == (200, "********")


async def test_a_configuration_record_that_is_anothers_or_malformed_is_refused(sqlite_gateway: Gateway) -> None:
    made, other = await sqlite_gateway.create("github"), await sqlite_gateway.create("github")
    [record, *_] = (await sqlite_gateway.call("GET", f"/instances/{other['id']}/configuration")).json
    path = f"/instances/{made['id']}/configuration/"
    message = is_platform_error(await sqlite_gateway.call("GET", f"{path}{record['id']}"), 404)
    assert message == f"No configuration found with ID {record['id']}"
    assert is_platform_error(await sqlite_gateway.call("GET", path + "x"), 404) == "No configuration found with ID x"
    own = f"/instances/{other['id']}/configuration/{record['id']}"
    bodies: list[Any] = [[], {}, {"key": "repo", "propertyValue": "x"}, {"propertyValue": {"a": 1}}]
    for body in bodies:
        is_platform_error(await sqlite_gateway.call("PATCH", own, json=body), 400)


@pytest.mark.parametrize("how", ["enable", "patch"])
async def test_a_callback_that_answers_410_is_off_until_it_is_switched_on(
    gateway: Gateway, receiver: Consumer, how: str
) -> None:
    made = await gateway.create("github", receiver.url())
    native = f"/api/v1/instances/{made['id']}"
    assert (await gateway.call("GET", native)).json["destination"]["state"] == "active"
    receiver.status = 410
    assert await deliver(gateway, made) == 200
    await receiver.wait(1)
    destination = await until_off(gateway, native)
    assert (destination["state"], destination["reason"]) == ("off", "gone")
    assert destination["since"].endswith("Z")
    whole = await read(gateway, made)
    await gateway.call("PUT", f"/instances/{made['id']}", json={**whole, "tags": ["x"]})
    assert (await gateway.call("GET", native)).json["destination"]["state"] == "off"
    receiver.status = 200
    assert await deliver(gateway, made) == 200
    if how == "enable":
        answered = await gateway.call("POST", native + "/destination/enable")
        assert answered.json["destination"]["state"] == "active"
    else:
        assert (await configure(gateway, made, **{CALLBACK: receiver.url("/new")})).status == 200
    assert await deliver(gateway, made) == 200
    await receiver.wait(2)
    destination = (await gateway.call("GET", native)).json["destination"]
    assert (destination["state"], destination["reason"]) == ("active", None)


async def until_off(gateway: Gateway, native: str) -> dict[str, Any]:
    async with asyncio.timeout(5):
        while True:
            found: dict[str, Any] = (await gateway.call("GET", native)).json["destination"]
            if found["state"] != "active":
                return found
            await asyncio.sleep(0.02)


async def test_an_instance_without_a_callback_has_no_destination_to_enable(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    native = f"/api/v1/instances/{made['id']}"
    assert (await sqlite_gateway.call("GET", native)).json["destination"] is None
    detail = is_problem(await sqlite_gateway.call("POST", native + "/destination/enable"), 404)
    assert CALLBACK in detail


async def test_a_deleted_instance_takes_its_url_with_it(gateway: Gateway) -> None:
    made = await gateway.create("github")
    assert await deliver(gateway, made) == 200
    deleted = await gateway.call("DELETE", f"/instances/{made['id']}")
    assert deleted.status == 200
    assert await deliver(gateway, made) == 404
    assert orjson.loads(deleted.body) == {}
