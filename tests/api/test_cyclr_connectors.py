"""The catalogue on the Cyclr wire, and account connectors: installed, read, changed, signed out, removed."""

from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.asking import bearer, eventually
from tests.api.cyclr import Cyclr, speaking
from tests.kit.gateway import settings, started
from tests.vendors import API_KEY


@pytest.fixture
async def cyclr(tmp_path: Path) -> AsyncIterator[Cyclr]:
    async with speaking(tmp_path) as found:
        yield found


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


async def test_a_number_answers_an_object_and_a_name_an_array(cyclr: Cyclr) -> None:
    [by_name] = await cyclr.ok("GET", "/connectors/CLOSE")
    assert await cyclr.ok("GET", f"/connectors/{by_name['Id']}") == by_name
    assert (by_name["Id"], by_name["Name"], by_name["Version"], by_name["AuthType"]) == (146, "Close", None, "Basic")
    assert [one["AuthType"] for one in by_name["Authentication"]] == ["Basic", "OAuth2"]
    assert await cyclr.ok("GET", "/connectors/Nothing") == []
    assert await cyclr.ok("GET", "/connectors/Close/v7") == []
    await cyclr.refused(404, "GET", "/connectors/99999999")
    await cyclr.refused(404, "GET", "/connectors/Nothing/methods")
    await cyclr.refused(404, "GET", "/connectors/Close/v7/methods")


async def test_a_list_is_filtered_sorted_and_paged_with_totals_beside_it(cyclr: Cyclr) -> None:
    every = await cyclr("GET", "/connectors?pageSize=1000")
    names = [one["Name"] for one in every.json]
    assert names == sorted(names, key=str.casefold)
    assert every.headers["Total-Records"] == str(len(names))
    some = await cyclr("GET", "/connectors?PAGESIZE=7&page=2&orderby=id&sortOrderAsc=False")
    ids = sorted((one["Id"] for one in every.json), reverse=True)
    assert [one["Id"] for one in some.json] == ids[7:14]
    assert some.headers["Total-Pages"] == str(-(-len(ids) // 7))
    assert [one["Name"] for one in await cyclr.ok("GET", "/connectors?query=clOSE&category=crm")] == ["Close"]
    assert await cyclr.ok("GET", "/connectors?page=1000000000000000000") == []
    assert len(await cyclr.ok("GET", "/connectors?pageSize=1000000000")) == len(names)


@pytest.mark.parametrize("path", ["/connectors", "/connectors/Close/methods", "/account/connectors", "/accounts"])
async def test_a_page_that_is_none_is_400(cyclr: Cyclr, path: str) -> None:
    for query in ("pageSize=0", "pageSize=-1", "pageSize=ten", "page=0", "page=1.5", "orderBy=shoe", "sortOrderAsc=up"):
        await cyclr.refused(400, "GET", f"{path}?{query}")


async def test_methods_have_ids_that_answer_everywhere(cyclr: Cyclr) -> None:
    found = await cyclr.ok("GET", "/connectors/closeio/methods?query=contact&category=Contacts")
    assert found
    assert {one["Category"] for one in found} == {"Contacts"}
    for one in found:
        assert await cyclr.ok("GET", f"/methods/{one['Id']}") == one
    ids = [given["Id"] for one in found for given in (*one["Parameters"], *one["RequestFormat"]["Fields"])]
    assert len({*ids, *(one["Id"] for one in found)}) == len(ids) + len(found)
    for missing in ("0", "999999", "x", str(ids[0])):
        await cyclr.refused(404, "GET", f"/methods/{missing}")


async def test_ids_are_the_same_after_a_restart_whoever_is_asked_for_first(tmp_path: Path) -> None:
    configuration = settings(tmp_path, "")
    found: list[dict[str, Any]] = []
    for names in (("wise", "x"), ("x", "wise")):
        async with started(configuration) as gateway:
            auth = await bearer(gateway)
            asked = {
                name: await gateway.call("GET", f"/v1.0/connectors/{name}/methods", headers=auth) for name in names
            }
            found.append({name: answered.json for name, answered in asked.items()})
    assert found[0]["wise"]
    assert found[0] == found[1]


async def test_the_catalogue_wants_a_token_and_an_account_only_where_one_is_named(cyclr: Cyclr) -> None:
    call = cyclr.gateway.call
    assert (await call("GET", "/v1.0/connectors", headers=cyclr.auth)).status == 200
    assert (await call("GET", "/v1.0/connectors", headers={})).status == 401
    nobody = {**cyclr.auth, "X-Cyclr-Account": "00000000-0000-0000-0000-000000000000"}
    assert (await call("GET", "/v1.0/connectors", headers=nobody)).status == 404
    assert (await call("GET", "/v1.0/account/connectors", headers=cyclr.auth)).status == 401


async def test_an_installed_connector_is_the_instance_that_every_other_surface_has(cyclr: Cyclr) -> None:
    made = await cyclr.install(Name="Access CRM", Description="for <sales>")
    assert (made["Name"], made["Description"], made["Authenticated"]) == ("Access CRM", "for <sales>", True)
    assert made["Connector"]["Name"] == "Close"
    assert await cyclr.ok("GET", f"/account/connectors/{made['Id']}") == made
    listed = await cyclr("GET", "/account/connectors")
    assert (listed.json, listed.headers["Total-Records"]) == ([made], "1")
    native = await cyclr.gateway.call("GET", f"/api/v1/instances/{made['Id']}", headers=cyclr.auth)
    assert (native.json["name"], native.json["connector"]) == ("Access CRM", "closeio")


async def test_an_auth_value_is_never_echoed_unless_the_operator_wants_it(tmp_path: Path, cyclr: Cyclr) -> None:
    secret = base64("api_key_0123:")
    for answered in (
        await cyclr("POST", "/connectors/close/install", {"AuthValue": secret, **nowhere()}),
        await cyclr("GET", "/account/connectors"),
    ):
        assert b"api_key_0123" not in answered.body
        assert secret.encode() not in answered.body
    async with speaking(tmp_path / "open", security={"echo_auth_value": True}) as other:
        made = await other.ok("POST", "/connectors/close/install", {"AuthValue": secret, **nowhere()})
        assert made["AuthValue"] == secret


def nowhere() -> dict[str, Any]:
    return {"Properties": [{"Name": "base.url", "Value": "http://127.0.0.1:9"}]}


async def test_without_a_body_a_connector_is_installed_and_signs_in_later(cyclr: Cyclr) -> None:
    first = await cyclr.ok("POST", "/connectors/146/install")
    second = await cyclr.ok("POST", "/connectors/Close/install", "")
    assert [(one["Name"], one["Authenticated"], one["AuthValue"]) for one in (first, second)] == [
        ("Close", False, None),
        ("Close 2", False, None),
    ]
    number, _ = await cyclr.numbers("List leads")
    await cyclr.allow("127.0.0.1")
    one = f"/account/connectors/{first['Id']}"
    await cyclr.refused(400, "GET", f"{one}/methods/{number}")
    properties = [{"name": "Base URL", "value": f"{cyclr.there.url}/api/v1"}]
    signed = await cyclr.ok("PUT", one, {"authvalue": base64(f"{API_KEY}:"), "properties": properties})
    assert (signed["Authenticated"], signed["Name"], signed["AuthValue"]) == (True, "Close", "********")
    assert (await cyclr("GET", f"{one}/methods/{number}")).status == 200
    same = await cyclr.ok("PUT", one, {"AuthValue": "********", "Description": "kept"})
    assert (same["Authenticated"], same["Description"]) == (True, "kept")


async def test_what_a_connector_needs_can_come_one_by_one_and_then_it_is_authenticated(cyclr: Cyclr) -> None:
    body = {"AuthValue": "ghp_secret_1", "IsPartnerIntegrationConnector": True, **nowhere()}
    made = await cyclr.ok("POST", "/connectors/github/install", body)
    one = f"/account/connectors/{made['Id']}"
    methods = await cyclr.ok("GET", "/connectors/github/methods")
    call = f"{one}/methods/{methods[0]['Id']}"
    for name, value in (("owner", "octo"), ("repo", "hello")):
        assert (await cyclr.ok("GET", one))["Authenticated"] is False
        assert "lacks a property" in await cyclr.refused(400, "GET", call)
        await cyclr.ok("POST", f"{one}/properties", {"Name": name, "Value": value})
    assert (await cyclr.ok("GET", one))["Authenticated"] is True
    native = await cyclr.gateway.call("PATCH", f"/instances/{made['Id']}", json={"name": "Renamed"}, headers=cyclr.auth)
    assert (native.status, (await cyclr.ok("GET", one))["Name"]) == (200, "Renamed")


async def test_another_surface_may_rename_what_nobody_has_signed_in_to(cyclr: Cyclr) -> None:
    made = await cyclr.ok("POST", "/connectors/salesforce/install", {})
    renamed = await cyclr.gateway.call(
        "PATCH", f"/instances/{made['Id']}", json={"name": "Renamed"}, headers=cyclr.auth
    )
    assert renamed.status == 200, renamed.body
    assert (await cyclr.ok("GET", f"/account/connectors/{made['Id']}"))["Authenticated"] is False


async def test_a_wrong_key_is_the_vendors_no(cyclr: Cyclr) -> None:
    properties = [{"Name": "base.url", "Value": f"{cyclr.there.url}/api/v1"}]
    body = {"AuthValue": base64("wrong:"), "Properties": properties}
    assert "refuses these credentials" in await cyclr.refused(400, "POST", "/connectors/close/install", body)
    assert await cyclr.ok("GET", "/account/connectors") == []


async def test_what_is_wrong_with_an_installation_is_said_in_the_known_words(cyclr: Cyclr) -> None:
    async def why(**body: Any) -> str:
        return await cyclr.refused(400, "POST", "/connectors/close/install", body)

    unknown = [{"Name": "Dont exist", "Value": "1"}]
    assert await why(Properties=unknown) == "There is not a connector property that matches name 'Dont exist'."
    inner = [{"Name": "oauth.user.token", "Value": "1"}]
    assert (
        await why(Properties=inner)
        == "Connector property name 'oauth.user.token' is not an account connector property."
    )
    await cyclr.install(Name="Taken")
    assert await why(Name="taken") == "Account connector name taken is in use."
    await why(Properties={})
    await why(Properties=[1])
    await why(Name=["x"])
    await why(Name=" ")
    await why(AuthenticationId="no")
    await cyclr.refused(404, "POST", "/connectors/nothing/install", {})
    await cyclr.refused(400, "POST", "/connectors/close/install", "[]")


async def test_a_way_to_authenticate_is_chosen_by_its_id(cyclr: Cyclr) -> None:
    [close] = await cyclr.ok("GET", "/connectors/Close")
    oauth = close["Authentication"][1]
    properties = [
        {"Name": "ClientId", "Value": "the-client"},
        {"Name": "ClientSecret", "Value": "the-secret"},
        *nowhere()["Properties"],
    ]
    tokens = '{"AccessToken":"at_1","RefreshToken":"rt_1","Expires":"2999-01-01T00:00:00Z"}'
    body = {"AuthenticationId": oauth["Id"], "AuthValue": tokens, "Properties": properties}
    made = await cyclr.ok("POST", "/connectors/close/install", body)
    assert made["Authenticated"] is True
    view = await cyclr.gateway.running.services.index.by_id(made["Id"])
    assert view is not None
    assert [view.config.get(key) for key in ("authentication.type", "oauth.user.token", "oauth.api.key")] == [
        "oauth2", "at_1", "the-client",
    ]  # fmt: skip
    for wrong in ("[]", "x", '{"AccessToken":"a","Expires":"soon"}'):
        await cyclr.refused(400, "PUT", f"/account/connectors/{made['Id']}", {"AuthValue": wrong})
    await cyclr.ok("PUT", f"/account/connectors/{made['Id']}/deauthenticate", {})
    gone = await cyclr.gateway.running.services.index.by_id(made["Id"])
    assert gone is not None
    assert [gone.config.get(key) for key in ("oauth.user.token", "oauth.user.refresh_token", "oauth.api.key")] == [
        None, None, "the-client",
    ]  # fmt: skip


async def test_a_login_that_ends_in_no_year_there_is_spoils_no_answer(cyclr: Cyclr) -> None:
    [close] = await cyclr.ok("GET", "/connectors/Close")
    oauth = close["Authentication"][1]["Id"]
    tokens = '{"AccessToken":"at_1","RefreshToken":"rt_1","Expires":"%s"}'
    body = {"AuthenticationId": oauth, "AuthValue": tokens % "9999-12-31T23:59:59.9999", **nowhere()}
    body["Properties"] = [
        *body["Properties"],
        {"Name": "ClientId", "Value": "c"},
        {"Name": "ClientSecret", "Value": "s"},
    ]
    one = f"/account/connectors/{(await cyclr.ok('POST', '/connectors/close/install', body))['Id']}"
    for far in ("9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00+23:00"):
        message = await cyclr.refused(400, "PUT", one, {"AuthValue": tokens % far})
        assert message.startswith("AuthValue must say Expires as a date")
    assert (await cyclr.ok("GET", one))["AuthValue"] == "********"
    assert len(await cyclr.ok("GET", "/account/connectors")) == 1


async def test_signing_out_forgets_the_credentials_and_says_so(cyclr: Cyclr) -> None:
    made = await cyclr.install(Name="Access CRM")
    one = f"/account/connectors/{made['Id']}"
    answered = await cyclr.ok("PUT", f"{one}/deauthenticate")
    assert answered == {"Message": "Connector 'Access CRM' successfully de-authenticated."}
    found = await cyclr.ok("GET", one)
    assert (found["Authenticated"], found["AuthValue"]) == (False, None)
    database = cyclr.gateway.running.services.runtime.database
    rows = await database.all("SELECT key FROM configuration WHERE sealed IS NOT NULL")
    assert "username" not in {row["key"] for row in rows}
    await cyclr.refused(404, "PUT", "/account/connectors/99999/deauthenticate")


async def test_signing_out_takes_the_vendors_webhook_away_first(cyclr: Cyclr) -> None:
    properties = [
        {"Name": "base.url", "Value": f"{cyclr.there.url}/api/v1"},
        {"Name": "event.notification.enabled", "Value": True},
    ]
    made = await cyclr.install(Properties=properties)
    await cyclr.there.wait(1, "/api/v1/webhook/")
    await eventually(
        lambda: cyclr.gateway.call("GET", f"/api/v1/instances/{made['Id']}", headers=cyclr.auth),
        lambda found: (found.json["registration"] or {}).get("state") == "active",
    )
    await cyclr.ok("PUT", f"/account/connectors/{made['Id']}/deauthenticate")
    methods = [one.method for one in cyclr.there.to("/api/v1/webhook/")]
    assert "DELETE" in methods


async def test_properties_are_listed_set_and_cleared_one_by_one(cyclr: Cyclr) -> None:
    made = await cyclr.install()
    path = f"/account/connectors/{made['Id']}/properties"
    listed = {one["Name"]: one for one in await cyclr.ok("GET", path)}
    assert listed["base.url"]["AccountConnectorId"] == made["Id"]
    assert listed["username"]["Value"] == "********"
    one = await cyclr.ok("POST", path, {"name": "event.objects", "value": "lead"})
    assert (one["Name"], one["Value"]) == ("event.objects", "lead")
    assert await cyclr.ok("GET", f"{path}/{one['Id']}") == one
    changed = await cyclr.ok("PUT", f"{path}/{one['Id']}", {"Value": "contact"})
    assert changed == {**one, "Value": "contact"}
    masked = await cyclr.ok("PUT", f"{path}/{listed['username']['Id']}", {"Value": "********"})
    assert masked == listed["username"]
    assert (await cyclr("DELETE", f"{path}/{one['Id']}")).status == 200
    await cyclr.refused(404, "GET", f"{path}/{one['Id']}")
    await cyclr.refused(404, "DELETE", f"{path}/{one['Id']}")
    for body in ({"Name": "nothing", "Value": "1"}, {"Value": "1"}, {"Name": "event.notification.enabled", "Value": 7}):
        await cyclr.refused(400, "POST", path, body)


async def test_a_removed_account_connector_is_gone_everywhere(cyclr: Cyclr) -> None:
    made = await cyclr.install()
    one = f"/account/connectors/{made['Id']}"
    assert (await cyclr("DELETE", one)).status == 200
    for method in ("GET", "DELETE", "PUT"):
        await cyclr.refused(404, method, one, {} if method == "PUT" else None)
    assert (await cyclr.gateway.call("GET", f"/api/v1/instances/{made['Id']}", headers=cyclr.auth)).status == 404


async def test_another_account_of_the_partner_sees_and_changes_nothing(cyclr: Cyclr) -> None:
    made = await cyclr.install()
    other = (await cyclr.ok("POST", "/accounts", {"Name": "Other"}))["Id"]
    theirs = {"headers": {"X-Cyclr-Account": other}}
    assert await cyclr.ok("GET", "/account/connectors", **theirs) == []
    one = f"/account/connectors/{made['Id']}"
    for method, path in (
        *(("GET", one), ("PUT", one), ("DELETE", one), ("PUT", f"{one}/deauthenticate")),
        *(("GET", f"{one}/properties"), ("POST", f"{one}/properties"), ("GET", f"{one}/properties/1")),
        *(("GET", f"{one}/methods/1"), ("POST", f"{one}/test/1")),
    ):
        body = {"Name": "event.objects"} if method in ("PUT", "POST") else None
        await cyclr.refused(404, method, path, body, **theirs)
    assert await cyclr.ok("GET", one) == made


async def test_account_connectors_are_listed_in_any_order_on_each_engine(tmp_path: Path, database_url: str) -> None:
    async with speaking(tmp_path, database_url) as cyclr:
        for name in ("cherry", "Apple", "banana_1"):
            await cyclr.ok("POST", "/connectors/close/install", {"Name": name})
        await cyclr.ok("POST", "/connectors/github/install", {"Name": "git"})

        async def names(query: str) -> list[str]:
            return [one["Name"] for one in await cyclr.ok("GET", f"/account/connectors?{query}")]

        assert await names("") == ["cherry", "Apple", "banana_1", "git"]
        assert await names("orderBy=Name&pageSize=2") == ["Apple", "banana_1"]
        assert await names("orderBy=name&sortOrderAsc=false&page=2&pageSize=3") == ["Apple"]
        assert await names("orderBy=CreatedDate&sortOrderAsc=FALSE&pageSize=1") == ["git"]
        assert await names("query=A_1") == ["banana_1"]
        assert await names("query=CLOSEIO") == ["cherry", "Apple", "banana_1"]
        assert await names("query=%25") == []
        answered = await cyclr("GET", "/account/connectors?query=closeio&pageSize=2")
        assert (answered.headers["Total-Records"], answered.headers["Total-Pages"]) == ("3", "2")
        assert (await cyclr("DELETE", f"/accounts/{cyclr.account}")).status == 200
