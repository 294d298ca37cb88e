"""`/api/partner`, request by request as it was documented, and what is not taken."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from gateway.api.cyclr.partner_shapes import MASK
from gateway.clock import now_ms
from gateway.config import PricePlan
from tests.api.asking import stranger
from tests.api.partner import Partner, partner

MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")
ID = re.compile(r"[0-9a-f]{32}")
DEMO = {
    "Name": "Demo Account",
    "Description": "This account is used for demos.",
    "Timezone": "Europe/London",
    "PricePlanId": 2,
    "NextBillDate": "2017-03-09T16:23:08",
    "AuditInfo": "Demo",
}


@pytest.fixture
async def call(tmp_path: Path) -> AsyncIterator[Partner]:
    async with partner(tmp_path) as found:
        yield found


# As it was documented


async def test_an_account_is_made_listed_and_changed_as_documented(tmp_path: Path, database_url: str) -> None:
    async with partner(tmp_path, database_url) as call:
        made = await call.ok("POST", "/createaccount", DEMO)
        assert set(made) == {"Id"}
        assert ID.fullmatch(made["Id"])
        found = await call.account(made["Id"])
        last = found.pop("LastBillDate")
        asked = {name: value for name, value in DEMO.items() if name != "Timezone"}
        assert found == {"Id": made["Id"], **asked}
        assert MOMENT.fullmatch(last)
        changes = {
            "Name": "New Demo Account",
            "Description": "",
            "PricePlanId": 3,
            "NextBillDate": "2030-03-10T16:23:08",
        }
        assert await call.ok("PUT", f"/accounts/{made['Id']}", {**DEMO, **changes}) == made
        found = await call.account(made["Id"])
        assert found == {
            "Id": made["Id"],
            "Name": "New Demo Account",
            "Description": "",
            "PricePlanId": 3,
            "LastBillDate": last,
            "NextBillDate": "2030-03-10T16:23:08",
            "AuditInfo": "Demo",
        }


async def test_every_account_of_the_list_has_every_field_with_its_type(call: Partner) -> None:
    # The first start's own account was made without any of them.
    [default] = await call.ok("GET", "/accounts")
    assert {name: type(value) for name, value in default.items()} == {
        "Id": str, "Name": str, "Description": str, "PricePlanId": int, "LastBillDate": str, "NextBillDate": str,
        "AuditInfo": str,
    }  # fmt: skip
    last, after = (datetime.fromisoformat(default[name]) for name in ("LastBillDate", "NextBillDate"))
    assert timedelta(days=28) <= after - last <= timedelta(days=31)


async def test_a_fresh_account_was_billed_when_it_was_made_and_is_next_in_a_month(call: Partner) -> None:
    found = await call.account(await call.create())
    last = datetime.fromisoformat(found["LastBillDate"]).replace(tzinfo=UTC)
    assert abs(last.timestamp() * 1000 - now_ms()) < 60_000
    assert datetime.fromisoformat(found["NextBillDate"]).time() == last.time()
    assert found["PricePlanId"] == 2


async def test_details_are_what_the_configuration_says_with_secrets_masked(tmp_path: Path) -> None:
    ours = {
        "application_display_name": "Example Partner",
        "cycle_noun": "Flow",
        "domain": "partner.example.com",
        "anonymous_accounts_enabled": True,
        "intercom_api_key": "hush",
        "intercom_app_id": "app",
        "header_html": "<p>Hello</p>",
    }
    async with partner(tmp_path, partner=ours) as call:
        answered = await call("GET", "/details")
        assert b"hush" not in answered.body
        found = answered.json
        assert found.pop("ApplicationIcon").startswith("data:image/png;base64,")
        assert found == {
            "AnonymousAccountsEnabled": True,
            "ApplicationDisplayName": "Example Partner",
            "AppStyle": None,
            "ComingSoonConnectorsEnabled": False,
            "CustomConnectorsEnabled": True,
            "CycleNoun": "Flow",
            "CycleSharingEnabled": False,
            "Domain": "partner.example.com",
            "IntercomAPIKey": MASK,
            "IntercomAppId": "app",
            "IntercomSecretKey": None,
            "HeaderHtml": "<p>Hello</p>",
            "FooterHtml": None,
        }


async def test_price_plans_are_those_of_the_configuration(tmp_path: Path, call: Partner) -> None:
    assert await call.ok("GET", "/priceplans") == [{"Id": "2", "Name": "Starter"}, {"Id": "3", "Name": "Pro"}]
    (tmp_path / "other").mkdir()
    async with partner(tmp_path / "other", plans=(PricePlan(id=7, name="Gold"),)) as other:
        assert await other.ok("GET", "/priceplans") == [{"Id": "7", "Name": "Gold"}]
        assert (await other.account(await other.create()))["PricePlanId"] == 7


async def test_a_sign_in_token_signs_a_user_in_once(call: Partner) -> None:
    account = await call.create()
    body = {"AccountId": account, "Username": "user@example.com"}
    made = await call.ok("POST", "/createaccountsignintoken", body)
    assert set(made) == {"ExpiresAtUtc", "Token"}
    assert re.fullmatch(MOMENT.pattern + r"\.\d{7}Z", made["ExpiresAtUtc"])
    ends = datetime.fromisoformat(made["ExpiresAtUtc"]).timestamp() * 1000 - now_ms()
    assert 4 * 60_000 < ends <= 5 * 60_000
    path = f"/account/signinwithtoken?token={made['Token']}"
    first = await call.gateway.call("GET", path, headers={}, allow_redirects=False)
    again = await call.gateway.call("GET", path, headers={}, allow_redirects=False)
    assert (first.status, again.status) == (303, 410)


async def test_billing_tells_a_month_from_a_date_as_documented(call: Partner) -> None:
    account = await call.create(**{**DEMO, "PricePlanId": 3})
    found = await call.ok("GET", f"/accounts/{account}/billing?fromDate=2016-12-09")
    assert found == {
        "TaskCount": 0,
        "CycleCount": 0,
        "FromDate": "2016-12-09T16:23:08",
        "ToDate": "2017-01-08T16:23:08",
        "CurrentPricePlanId": 3,
        "AuditInfo": "Demo",
    }
    for query in ("", "?fromDate="):
        since = await call.ok("GET", f"/accounts/{account}/billing{query}")
        assert since["FromDate"] == (await call.account(account))["LastBillDate"]


# Accounts


async def test_what_is_absent_or_null_stays_and_an_empty_text_clears(call: Partner) -> None:
    account = await call.create(**{**DEMO, "PricePlanId": 3, "NextBillDate": "2030-01-31T10:00:00"})
    before = await call.account(account)
    for body in ({}, dict.fromkeys(DEMO), None):
        await call.ok("PUT", f"/accounts/{account}", body)
        assert await call.account(account) == before
    cleared = {name: "" for name in DEMO if name != "Name"}
    await call.ok("PUT", f"/accounts/{account}", cleared)
    after = await call.account(account)
    told = [after[name] for name in ("Name", "Description", "AuditInfo", "PricePlanId")]
    assert told == ["Demo Account", "", "", 2]
    month = datetime.fromisoformat(after["NextBillDate"]) - datetime.fromisoformat(before["LastBillDate"])
    assert timedelta(days=28) <= month <= timedelta(days=31)


async def test_changes_of_one_account_at_once_all_count(tmp_path: Path, database_url: str) -> None:
    async with partner(tmp_path, database_url) as call:
        account = await call.create()
        changes = {
            "Name": "N",
            "Description": "D",
            "AuditInfo": "A",
            "PricePlanId": 3,
            "NextBillDate": "2030-01-01T00:00:00",
        }
        calls = [call.ok("PUT", f"/accounts/{account}", {name: value}) for name, value in changes.items()]
        url = f"/v1.0/accounts/{account}"
        newer = [{"TaskAuditInfo": "T"}, {"Timezone": "Europe/London"}]
        calls += [call.gateway.call("PUT", url, headers=call.auth, json=body) for body in newer]
        await asyncio.gather(*calls)
        seen = (await call.gateway.call("GET", url, headers=call.auth)).json
        assert (seen["TaskAuditInfo"], seen["Timezone"]) == ("T", "Europe/London")
        found = await call.account(account)
        assert {name: found[name] for name in changes} == changes


async def test_keys_count_in_any_case_and_numbers_may_be_texts(call: Partner) -> None:
    made = await call.ok("POST", "/createaccount", "{'name': 'Lenient', priceplanid: '3', NEXTBILLDATE: '03/09/2030'}")
    found = await call.account(made["Id"])
    assert (found["Name"], found["PricePlanId"], found["NextBillDate"]) == ("Lenient", 3, "2030-03-09T00:00:00")


async def test_dates_with_a_zone_are_told_in_utc(call: Partner) -> None:
    account = await call.create(NextBillDate="2030-07-01T12:00:00+01:00")
    assert (await call.account(account))["NextBillDate"] == "2030-07-01T11:00:00"


async def test_an_account_is_named_by_its_id_in_either_spelling(call: Partner) -> None:
    account = await call.create()
    assert await call.ok("PUT", f"/accounts/{UUID(account)}", {"Name": "New"}) == {"Id": account}
    assert (await call.account(account))["Name"] == "New"


async def test_accounts_come_in_pages_with_totals(call: Partner) -> None:
    made = [await call.create(Name=f"Account {number}") for number in range(4)]
    answered = await call("GET", "/accounts?pageSize=2&page=2")
    assert [one["Id"] for one in answered.json] == made[1:3]
    assert (answered.headers["Total-Records"], answered.headers["Total-Pages"]) == ("5", "3")
    assert await call.ok("GET", "/accounts?page=99") == []
    downwards = await call.ok("GET", "/accounts?orderBy=name&sortOrderAsc=false&pageSize=1000000000")
    assert [one["Name"] for one in downwards] == ["Default", *(f"Account {number}" for number in (3, 2, 1, 0))]


@pytest.mark.parametrize("query", ["pageSize=0", "pageSize=-1", "page=0", "page=x", "orderBy=Secret", "sortOrderAsc=2"])
async def test_a_page_that_is_none_is_a_400(call: Partner, query: str) -> None:
    await call.refused(400, "GET", f"/accounts?{query}")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"Name": ""}, "Name is required"),
        ({"Name": "  "}, "Name is required"),
        ({"Name": "x" * 256}, "Name must be a text"),
        ({"Name": ["x"]}, "Name must be a text"),
        ({"Name": "a\x00b"}, "Name must be a text"),
        ({"PricePlanId": 9}, "PricePlanId must be the Id of a price plan"),
        ({"PricePlanId": "many"}, "PricePlanId must be the Id of a price plan"),
        ({"PricePlanId": True}, "PricePlanId must be the Id of a price plan"),
        ({"PricePlanId": {}}, "PricePlanId must be the Id of a price plan"),
        ({"Timezone": "Mars/Olympus"}, "Timezone"),
        ({"Timezone": "../../etc/passwd"}, "Timezone"),
        ({"NextBillDate": "soon"}, "NextBillDate must be a date"),
        ({"NextBillDate": "2017-02-30"}, "NextBillDate must be a date"),
        ({"NextBillDate": "0001-01-01T00:00:00"}, "NextBillDate must be a date"),
        ({"NextBillDate": "9999-12-31T23:59:59-12:00"}, "NextBillDate must be a date"),
        ({"NextBillDate": 5}, "NextBillDate must be a date"),
        ({"Description": "x" * 5000}, "Description must be a text"),
        ([], "must be a JSON object"),
        ("[", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
async def test_what_no_account_can_be_is_refused_with_its_reason(call: Partner, body: Any, message: str) -> None:
    account = await call.create()
    before = await call.account(account)
    asked = {"Name": "x", **body} if isinstance(body, dict) else body
    assert message in await call.refused(400, "POST", "/createaccount", asked)
    assert message in await call.refused(400, "PUT", f"/accounts/{account}", body)
    assert await call.account(account) == before


async def test_an_account_needs_a_name(call: Partner) -> None:
    assert "Name is required" in await call.refused(400, "POST", "/createaccount", {"Description": "x"})
    await call.refused(400, "POST", "/createaccount")


@pytest.mark.parametrize("date", ["tomorrow", "2016-13-01", "1600-01-01", "3000-01-01", "2016-12-09T25:00:00", "%00"])
async def test_usage_from_a_date_that_is_none_is_a_400(call: Partner, date: str) -> None:
    account = await call.create()
    assert "fromDate" in await call.refused(400, "GET", f"/accounts/{account}/billing?fromDate={date}")


# Who may call


ROUTES = [
    ("GET", "/accounts", None),
    ("GET", "/details", None),
    ("GET", "/priceplans", None),
    ("POST", "/createaccount", {"Name": "x"}),
    ("PUT", "/accounts/{id}", {"Name": "x"}),
    ("GET", "/accounts/{id}/billing", None),
    ("POST", "/createaccountsignintoken", {"AccountId": "{id}", "Username": "u"}),
    ("POST", "/installconnector", {"AccountId": "{id}", "ConnectorName": "Open"}),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_nobody_calls_without_a_token_or_with_a_wrong_one(
    call: Partner, method: str, path: str, body: Any
) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, call.gateway.auth):
        await call.refused(401, method, path.replace("{id}", "0" * 32), body, headers=headers)


async def test_a_strangers_account_is_not_there(call: Partner) -> None:
    await stranger(call.gateway)
    rows = await call.gateway.running.services.runtime.database.all("SELECT id FROM accounts ORDER BY created_at, id")
    others = {row["id"] for row in rows} - {one["Id"] for one in await call.ok("GET", "/accounts")}
    for account in (*others, "0" * 32, "nobody"):
        for method, path, body in ROUTES[4:]:
            named = {name: value.replace("{id}", account) for name, value in (body or {}).items()} or None
            assert "not found" in await call.refused(404, method, path.replace("{id}", account), named)
    assert others


async def test_a_token_for_one_account_installs_and_sees_usage_there_and_decides_nothing(call: Partner) -> None:
    mine, other = await call.create(), await call.create()
    secrets = call.gateway.running.config.bootstrap
    form = {
        "grant_type": "client_credentials",
        "client_id": secrets.client_id,
        "client_secret": secrets.client_secret,
        "scope": f"account:{mine}",
    }
    token = (await call.gateway.call("POST", "/oauth/token", data=form, headers={})).json["access_token"]
    narrow = {"headers": {"Authorization": f"Bearer {token}"}}
    await call.ok("GET", f"/accounts/{mine}/billing", **narrow)
    await call.ok("POST", "/installconnector", {"AccountId": mine, "ConnectorName": "Open"}, **narrow)
    await call.refused(404, "GET", f"/accounts/{other}/billing", **narrow)
    await call.refused(404, "POST", "/installconnector", {"AccountId": other, "ConnectorName": "Open"}, **narrow)
    for method, path, body in (*ROUTES[:5], ROUTES[6]):
        named = {name: value.replace("{id}", mine) for name, value in (body or {}).items()} or None
        await call.refused(403, method, path.replace("{id}", mine), named, **narrow)


async def test_a_body_that_names_no_account_or_user_is_a_400(call: Partner) -> None:
    account = await call.create()
    for path in ("/createaccountsignintoken", "/installconnector"):
        message = await call.refused(400, "POST", path, {"Username": "u", "ConnectorName": "Open"})
        assert "AccountId is required" in message
    for username in ("", " ", None, "x" * 500, "a\nb"):
        body = {"AccountId": account, "Username": username}
        assert "ame" in await call.refused(400, "POST", "/createaccountsignintoken", body)
