"""`/v1.0/accounts`: made, read, changed, removed; and the exact words of what is wrong."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from gateway.accounts import store
from gateway.accounts.directory import store as directory
from gateway.accounts.model import AccountId, User
from gateway.storage import sequence
from tests.api.asking import stranger
from tests.api.cyclr import Cyclr, speaking

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")


@pytest.fixture
async def cyclr(tmp_path: Path) -> AsyncIterator[Cyclr]:
    async with speaking(tmp_path) as found:
        yield found


async def make(cyclr: Cyclr, **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = await cyclr.ok("POST", "/accounts", {"Name": "One", **body})
    return found


async def test_an_account_has_every_field_in_its_type(cyclr: Cyclr) -> None:
    made = await make(cyclr, timezone="europe/LONDON", auditinfo="contract 7")
    assert GUID.fullmatch(made["Id"])
    assert MOMENT.fullmatch(made["CreatedDate"])
    assert MOMENT.fullmatch(made["NextBillDateUtc"])
    assert {key: value for key, value in made.items() if key not in ("Id", "CreatedDate", "NextBillDateUtc")} == {
        "Name": "One",
        "Description": "",
        "AuditInfo": "contract 7",
        "TaskAuditInfo": None,
        "Timezone": "Europe/London",
        "StepDataSuccessRetentionHours": None,
        "StepDataErroredRetentionHours": None,
        "TransactionErrorWebhookEnabled": False,
        "TransactionErrorWebhookUrl": None,
        "TransactionErrorWebhookIncludeWarnings": False,
    }
    for spelled in (made["Id"], made["Id"].upper(), made["Id"].replace("-", "")):
        assert await cyclr.ok("GET", f"/accounts/{spelled}") == made


async def test_the_partners_own_id_names_the_account_everywhere(cyclr: Cyclr) -> None:
    made = await make(cyclr, Id="JO-Test-1234567890")
    assert made["Id"] == "JO-Test-1234567890"
    assert await cyclr.ok("GET", "/accounts/JO-Test-1234567890") == made
    assert await cyclr.ok("GET", "/account/connectors", headers={"X-Cyclr-Account": "JO-Test-1234567890"}) == []
    message = await cyclr.refused(400, "POST", "/accounts", {"Name": "Two", "Id": "JO-Test-1234567890"})
    assert message == "ID already in use"


async def test_what_is_absent_stays_an_empty_text_clears_and_null_takes_the_usual(cyclr: Cyclr) -> None:
    made = await make(cyclr, Description="d", AuditInfo="a", StepDataSuccessRetentionHours="24")
    path = f"/accounts/{made['Id']}"
    assert made["StepDataSuccessRetentionHours"] == 24
    assert await cyclr.ok("PUT", path, {}) == made
    found = await cyclr.ok("PUT", path, {"Description": "", "Name": None, "StepDataSuccessRetentionHours": None})
    assert found == {**made, "Description": "", "StepDataSuccessRetentionHours": None}
    for given, kept in ((0, 0), (10_000, 744), ("many", 744), ("12", 12), (-0, 0)):
        found = await cyclr.ok("PUT", path, {"StepDataErroredRetentionHours": given})
        assert found["StepDataErroredRetentionHours"] == kept
    assert await cyclr.ok("GET", path) == found


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"Name": ""}, "Name is required"),
        ({"Name": "  "}, "Name is required"),
        (
            {"StepDataSuccessRetentionHours": -10},
            "StepDataSuccessRetentionHours (-10): must be non negative",
        ),
        (
            {"StepDataErroredRetentionHours": "-1"},
            "StepDataErroredRetentionHours (-1): must be non negative",
        ),
        (
            {"TransactionErrorWebhookEnabled": "true"},
            "Transaction Error Webhook enabled: Transaction Error Webhook URL must be defined",
        ),
        (
            {"TransactionErrorWebhookEnabled": True, "TransactionErrorWebhookUrl": ""},
            "Transaction Error Webhook enabled: Transaction Error Webhook URL must be defined",
        ),
        (
            {"TransactionErrorWebhookEnabled": True, "TransactionErrorWebhookUrl": " "},
            "https://  is not a valid URL",
        ),
        ({"Timezone": "Mars/Base"}, "Timezone 'Mars/Base' is not known; give a name such as Europe/London."),
        ({"TransactionErrorWebhookEnabled": "maybe"}, "TransactionErrorWebhookEnabled must be true or false."),
        ({"Name": "x" * 256}, "Name must be a text of at most 255 characters without control characters."),
        ({"Name": {"x": 1}}, "Name must be a text."),
    ],
)
async def test_what_is_wrong_is_said_in_the_known_words(cyclr: Cyclr, body: dict[str, Any], words: str) -> None:
    assert await cyclr.refused(400, "PUT", f"/accounts/{cyclr.account}", body) == words
    assert await cyclr.refused(400, "POST", "/accounts", {"Name": "New", **body}) == words


async def test_a_name_is_needed_and_a_body_is_an_object(cyclr: Cyclr) -> None:
    for body in ({}, {"Name": None}):
        assert await cyclr.refused(400, "POST", "/accounts", body) == "Name is required"
    for raw in ("", "[]", "null", "[" * 3000, "7", "{", b"\xff\xfe"):
        await cyclr.refused(400, "POST", "/accounts", raw)
    assert await cyclr.refused(400, "POST", "/accounts", {"Name": "x", "ParentAccountId": "nobody"})


async def test_the_url_of_the_error_webhook_gets_its_scheme(cyclr: Cyclr) -> None:
    body = {"TransactionErrorWebhookEnabled": True, "TransactionErrorWebhookUrl": "hooks.example.com/x"}
    found = await cyclr.ok("PUT", f"/accounts/{cyclr.account}", body)
    assert found["TransactionErrorWebhookUrl"] == "https://hooks.example.com/x"


async def test_a_list_is_paged_and_sorted_and_has_its_totals(cyclr: Cyclr) -> None:
    for name in ("cherry", "Apple", "banana"):
        await make(cyclr, Name=name)
    answered = await cyclr("GET", "/accounts?orderBy=Name&pageSize=2&page=2")
    assert answered.headers["Total-Records"] == "5"
    assert answered.headers["Total-Pages"] == "3"
    assert [one["Name"] for one in answered.json] == ["cherry", "Default"]
    down = await cyclr.ok("GET", "/accounts?orderBy=CreatedDate&sortOrderAsc=false&pageSize=1")
    assert [one["Name"] for one in down] == ["banana"]
    assert await cyclr.ok("GET", "/accounts?page=10") == []


async def test_subaccounts_are_those_below(cyclr: Cyclr) -> None:
    made = await make(cyclr, ParentAccountId=cyclr.account, Name="child")
    assert await cyclr.ok("GET", f"/accounts/{cyclr.account}/subaccounts") == [made]
    assert await cyclr.ok("GET", f"/accounts/{made['Id']}/subaccounts") == []


async def test_usage_counts_calls_since_the_last_billing_date(cyclr: Cyclr) -> None:
    found = await cyclr.ok("GET", f"/accounts/{cyclr.account}/usage")
    assert found["TasksUsed"] == 0
    assert MOMENT.fullmatch(found["StartTime"])
    assert found["StartTime"] < found["EndTime"]


async def test_a_removed_account_is_gone_with_what_was_in_it(cyclr: Cyclr) -> None:
    made = await cyclr.install()
    assert (await cyclr("DELETE", f"/accounts/{cyclr.account}")).status == 200
    await cyclr.refused(404, "GET", f"/accounts/{cyclr.account}")
    await cyclr.refused(404, "GET", "/account/connectors")
    assert (await cyclr.gateway.call("GET", f"/api/v1/instances/{made['Id']}")).status == 404
    assert await cyclr.gateway.running.services.index.by_id(made["Id"]) is None


async def test_the_account_of_the_last_administrator_stays(cyclr: Cyclr) -> None:
    [default] = [one for one in await cyclr.ok("GET", "/accounts") if one["Name"] == "Default"]
    await cyclr.refused(409, "DELETE", f"/accounts/{default['Id']}")
    assert (await cyclr("GET", f"/accounts/{default['Id']}")).status == 200


async def test_users_are_listed_added_and_removed_by_name(cyclr: Cyclr) -> None:
    path = f"/accounts/{cyclr.account}/users"
    assert await cyclr.ok("GET", path) == []
    answered = await cyclr("PUT", path, {"UserName": "ann@example.com", "Password": "correct horse battery"})
    assert answered.status == 200, answered.body
    assert await cyclr.ok("GET", path) == ["ann@example.com"]
    assert (await cyclr("DELETE", path, {"UserName": "ann@example.com"})).status == 200
    await cyclr.refused(404, "DELETE", path, {"UserName": "ann@example.com"})
    await cyclr.refused(404, "DELETE", path, {"UserName": "admin"})
    for body in ({}, {"UserName": "x"}, {"UserName": "", "Password": "long enough to be one"}):
        await cyclr.refused(400, "PUT", path, body)


async def test_a_sign_in_token_signs_in_once(cyclr: Cyclr) -> None:
    found = await cyclr.ok("POST", f"/accounts/{cyclr.account}/signintoken", {"Username": "ApiUser"})
    assert set(found) == {"Token", "ExpiresAtUtc"}
    assert MOMENT.fullmatch(found["ExpiresAtUtc"])
    page = f"/account/signinwithtoken?token={found['Token']}"
    assert [(await cyclr.gateway.call("GET", page, headers={})).status for _ in range(2)] == [200, 410]
    await cyclr.refused(400, "POST", f"/accounts/{cyclr.account}/signintoken", {})


async def own_token(cyclr: Cyclr) -> dict[str, Any]:
    """The header of a token that is for the account alone."""
    secrets = cyclr.gateway.running.config.bootstrap
    form = {
        "grant_type": "client_credentials",
        "client_id": secrets.client_id,
        "client_secret": secrets.client_secret,
        "scope": f"account:{cyclr.account}",
    }
    token = await cyclr.gateway.call("POST", "/oauth/token", data=form, headers={})
    return {"headers": {"Authorization": f"Bearer {token.json['access_token']}"}}


async def test_a_token_of_one_account_reaches_that_account_alone(cyclr: Cyclr) -> None:
    other = (await make(cyclr, Name="Other"))["Id"]
    mine = await own_token(cyclr)
    theirs = {"headers": {**mine["headers"], "X-Cyclr-Account": other}}
    assert (await cyclr("GET", f"/accounts/{cyclr.account}", **mine)).status == 200
    assert await cyclr.ok("GET", "/account/connectors", **mine) == []
    await cyclr.refused(404, "GET", "/account/connectors", **theirs)
    await cyclr.refused(404, "GET", f"/accounts/{other}", **mine)
    for method, path in (("GET", "/accounts"), ("POST", "/accounts"), ("DELETE", f"/accounts/{cyclr.account}")):
        await cyclr.refused(403, method, path, {"Name": "x"} if method == "POST" else None, **mine)


async def test_a_token_of_one_account_cannot_lift_the_restriction_of_addresses(cyclr: Cyclr) -> None:
    mine, native = await own_token(cyclr), {"IsPartnerIntegrationConnector": "True"}
    await cyclr.refused(403, "POST", "/connectors/close/install", native, **mine)
    made = await cyclr.install()
    await cyclr.refused(403, "PUT", f"/account/connectors/{made['Id']}", native, **mine)
    changed = await cyclr.ok("PUT", f"/account/connectors/{made['Id']}", {"Name": "Mine"}, **mine)
    assert (changed["Name"], changed["IsPartnerIntegrationConnector"]) == ("Mine", False)


async def test_a_user_secret_opens_nothing_here(cyclr: Cyclr) -> None:
    for headers in (cyclr.gateway.auth, await stranger(cyclr.gateway)):
        await cyclr.refused(401, "GET", "/accounts", headers=headers)


async def test_an_account_lists_all_its_users_however_many_there_are(cyclr: Cyclr) -> None:
    database, account_id = cyclr.gateway.running.services.runtime.database, AccountId(UUID(cyclr.account).hex)
    account = await directory.get(database, account_id)
    assert account is not None
    async with database.transaction() as transaction:
        first = await sequence.take(transaction, "users", 1001)
        for place in range(1001):
            user = User(
                id=first + place,
                partner_id=account.partner_id,
                account_id=account_id,
                username=f"user {place:04}",
                role="end_user",
            )
            await store.add_user(transaction, user, f"secret {place}", None, 0)
    last = await cyclr("GET", f"/accounts/{cyclr.account}/users?page=2&pageSize=1000")
    assert (last.headers["Total-Records"], last.headers["Total-Pages"], last.json) == ("1001", "2", ["user 1000"])
