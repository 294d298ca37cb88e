"""Every request of the vendor's two guides, sent with curl as it is printed there; host, ids and secrets are ours."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.cyclr import Cyclr, speaking

ACCOUNT_ID = "00000000000000000000000000000000"
ACCOUNT = {
    "Id": ACCOUNT_ID,
    "Name": "Demo Account",
    "Description": "This account is used for demos.",
    "PricePlanId": 2,
    "LastBillDate": "2017-02-09T16:23:08",
    "NextBillDate": "2017-03-09T16:23:08",
    "AuditInfo": "Demo",
}
DETAILS = {
    "AnonymousAccountsEnabled": True,
    "ApplicationDisplayName": "Example Partner",
    "ApplicationIcon": "data:image/png;base64,...",
    "AppStyle": None,
    "ComingSoonConnectorsEnabled": True,
    "CustomConnectorsEnabled": True,
    "CycleNoun": "Cycle",
    "CycleSharingEnabled": True,
    "Domain": "partner.example.com",
    "IntercomAPIKey": None,
    "IntercomAppId": None,
    "IntercomSecretKey": None,
    "HeaderHtml": None,
    "FooterHtml": None,
}
WISH = {
    "Name": "Demo Account",
    "Description": "This account is used for demos.",
    "Timezone": "Europe/London",
    "PricePlanId": 2,
    "NextBillDate": "2017-03-09T16:23:08",
    "AuditInfo": "Demo",
}
CHANGE = {
    **WISH,
    "Name": "New Demo Account",
    "Description": "",
    "PricePlanId": 3,
    "NextBillDate": "2017-03-10T16:23:08",
}
BILLING = {
    "TaskCount": 1623,
    "CycleCount": 10,
    "FromDate": "2016-12-09T16:23:08",
    "ToDate": "2017-01-08T16:23:08",
    "CurrentPricePlanId": 3,
    "AuditInfo": "Demo",
}
INSTALLED = {"Id": 123, "Name": "Salesforce Account 1", "Description": "", "Connector": {"Id": 1, "Name": "Salesforce"}}
METHOD = {
    "Id": 116,
    "Name": "Update Ticket",
    "Description": "Updates a ticket.",
    "EndPoint": "https://api.example/updateTicket",
    "MethodUniqueIdentifier": "8f8df8ef-3007-11e7-a033-06abe76375dd",
}


#: The connector that the guide installs, with a key or with a user's name and password.
CONNECTOR = """
format = 1
key = "printed"
name = "Connector"
version = "1.0.0"
api_version = "v1"
[[config]]
key = "key"
name = "Key"
secret = true
[[config]]
key = "user"
name = "User"
[[config]]
key = "pass"
name = "Password"
secret = true
[auth.key]
type = "bearer"
token = "{config:key}"
[auth.pair]
type = "basic"
username = "{config:user}"
password = "{config:pass}"
[http]
base_url = "https://vendor.example"
"""


@pytest.fixture
async def cyclr(tmp_path: Path) -> AsyncIterator[Cyclr]:
    partner = {"application_display_name": "Example Partner", "application_icon": "data:image/png;base64,AA=="}
    folder = tmp_path / "connectors"
    folder.mkdir()
    (folder / "printed.toml").write_text(CONNECTOR)
    known: dict[str, Any] = {
        "catalogue": {"paths": [str(folder)]},
        "partner": {**partner, "domain": "partner.example.com"},
    }
    async with speaking(tmp_path, **known) as found:
        yield found


async def curl(cyclr: Cyclr, method: str, path: str, body: Any = None, *, account: bool = False) -> tuple[int, bytes]:
    """The status and the body of an answer to a request that curl sends."""
    words = ["curl", "-sS", "-X", method, "-w", "\n%{http_code}", cyclr.gateway.url + path]
    words += ["-H", f"Authorization: {cyclr.auth['Authorization']}"]
    if account:
        words += ["-H", f"X-Cyclr-Account: {cyclr.account}"]
    if body is not None:
        words += ["-H", "Content-Type: application/json", "-d", json.dumps(body, indent=4)]
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    content, _, status = told.rpartition(b"\n")
    return int(status), content


async def seen(cyclr: Cyclr, method: str, path: str, body: Any = None, *, account: bool = False) -> Any:
    status, content = await curl(cyclr, method, path, body, account=account)
    assert status == 200, (path, content)
    return json.loads(content)


def shaped(found: Any, printed: Any) -> None:
    """The same fields in the same types; a printed null may be a text, further fields are compatible."""
    if isinstance(printed, list):
        assert isinstance(found, list)
        assert found
        shaped(found[0], printed[0])
    elif isinstance(printed, dict):
        assert set(printed) <= set(found), set(printed) - set(found)
        for name, value in printed.items():
            shaped(found[name], value)
    elif printed is None:
        assert found is None or isinstance(found, str)
    else:
        assert type(found) is type(printed), (found, printed)


async def test_the_guide_to_endpoints(cyclr: Cyclr) -> None:
    base = "/api/partner"
    made = await seen(cyclr, "POST", f"{base}/createaccount", WISH)
    shaped(made, {"Id": ACCOUNT_ID})
    assert len(made["Id"]) == 32
    listed = await seen(cyclr, "GET", f"{base}/accounts")
    shaped(listed, [ACCOUNT])
    assert [set(one) for one in listed] == [set(ACCOUNT)] * len(listed)
    [mine] = [one for one in listed if one["Id"] == made["Id"]]
    assert {name: mine[name] for name in WISH if name in mine and "Date" not in name} == {
        name: value for name, value in WISH.items() if name in mine and "Date" not in name
    }
    details = await seen(cyclr, "GET", f"{base}/details")
    shaped(details, DETAILS)
    assert list(details) == list(DETAILS)
    assert await seen(cyclr, "PUT", f"{base}/accounts/{made['Id']}", CHANGE) == made
    token = await seen(cyclr, "POST", f"{base}/createaccountsignintoken", {
        "AccountId": made["Id"], "Username": "user@example.com"
    })  # fmt: skip
    shaped(token, {"ExpiresAtUtc": "2016-11-18T10:50:45.6509216Z", "Token": "0"})
    assert (await curl(cyclr, "GET", f"/account/signinwithtoken?token={token['Token']}"))[0] == 303
    wish = {"AccountId": made["Id"], "ConnectorName": "Connector", "ConnectorVersion": "v1"}
    ways = {"Demo Connector": {"ApiKey": "api-key"}, "Another": {"Username": "user", "Password": "password"}}
    for name, secrets in ways.items():
        body = {**wish, "InstalledName": name, **secrets}
        status, content = await curl(cyclr, "POST", f"{base}/installconnector", body)
        assert status == 200, content
    by_login = {**wish, "ConnectorName": "Slack", "ConnectorVersion": ""}
    status, content = await curl(cyclr, "POST", f"{base}/installconnector", by_login)
    assert (status, set(json.loads(content))) == (400, {"Message"})
    plans = await seen(cyclr, "GET", f"{base}/priceplans")
    assert plans == [{"Id": "2", "Name": "Starter"}, {"Id": "3", "Name": "Pro"}]
    for query in ("", "?fromDate=2016-12-09", "?fromDate="):
        billing = await seen(cyclr, "GET", f"{base}/accounts/{made['Id']}/billing{query}")
        shaped(billing, BILLING)
        assert (list(billing), billing["CurrentPricePlanId"]) == (list(BILLING), 3)


async def test_the_guide_to_calling_a_method(cyclr: Cyclr) -> None:
    made = await cyclr.install(IsPartnerIntegrationConnector=True)
    there = "/v1.0/account/connectors"
    shaped(await seen(cyclr, "GET", there, account=True), [INSTALLED])
    methods = await seen(cyclr, "GET", "/v1.0/connectors/Close/methods")
    shaped(methods, [METHOD])
    [listing] = [one for one in methods if one["Name"] == "List leads"]
    cyclr.there.close.add("lead", name="Acme")
    for one in (listing["Id"], listing["MethodUniqueIdentifier"]):
        answer = await seen(cyclr, "GET", f"{there}/{made['Id']}/methods/{one}", account=True)
        assert answer["data"][0]["name"] == "Acme"
    number, ids = await cyclr.numbers("Create lead")
    body = {"Parameters": {}, "Fields": {str(ids["name"]): "Wayne"}}
    created = await seen(cyclr, "POST", f"{there}/{made['Id']}/methods/{number}", body, account=True)
    assert created["name"] == "Wayne"
    tested = await seen(cyclr, "GET", f"{there}/{made['Id']}/test/{listing['Id']}", account=True)
    assert {one["name"] for one in tested["data"]} == {"Acme", "Wayne"}
    posted = await seen(cyclr, "POST", f"{there}/{made['Id']}/test/{listing['Id']}", {}, account=True)
    assert posted == tested


async def test_a_standard_connector_is_called_from_listed_addresses_alone(cyclr: Cyclr) -> None:
    made = await cyclr.install()
    number, _ = await cyclr.numbers("List leads")
    roads = [f"/v1.0/account/connectors/{made['Id']}/{word}/{number}" for word in ("methods", "test")]
    for path in roads:
        for method, body in (("GET", None), ("POST", {})):
            status, content = await curl(cyclr, method, path, body, account=True)
            assert (status, b"Unknown client IP Address" in content) == (403, True)
    await cyclr.allow("127.0.0.1")
    for path in roads:
        assert (await curl(cyclr, "GET", path, account=True))[0] == 200
