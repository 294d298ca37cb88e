"""`POST /api/partner/installconnector`: which connector is meant, and where its credentials go."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.partner import Partner, partner

PATH = "/installconnector"
PAIR = {"Username": "user", "Password": "password"}


@pytest.fixture
async def call(tmp_path: Path) -> AsyncIterator[Partner]:
    async with partner(tmp_path) as found:
        yield found


async def installed(call: Partner, connector: str, **more: Any) -> dict[str, str]:
    """The values of the instance that this made."""
    account = await call.create()
    body = {"AccountId": account, "ConnectorName": connector, "InstalledName": "Demo Connector", **more}
    answered = await call("POST", PATH, body)
    assert (answered.status, answered.body) == (200, b""), answered.body
    return await call.values("Demo Connector")


async def refusal(call: Partner, status: int, connector: str, **more: Any) -> str:
    body = {"AccountId": await call.create(), "ConnectorName": connector, **more}
    message = await call.refused(status, "POST", PATH, body)
    rows = await call.gateway.running.services.runtime.database.all("SELECT id FROM instances")
    assert rows == []
    return message


# Credentials


@pytest.mark.parametrize(
    ("connector", "given", "stored"),
    [
        ("keyed", {"ApiKey": "api-key"}, {"key": "api-key"}),
        ("paired", PAIR, {"user": "user", "pass": "password"}),
        ("named", {"ApiKey": "api-key"}, {"key": "api-key"}),
        ("named", {"Username": "api-key", "Password": ""}, {"key": "api-key"}),
        ("either", {"ApiKey": "api-key"}, {"key": "api-key", "authentication.type": "key"}),
        ("either", PAIR, {"user": "user", "pass": "password", "authentication.type": "pair"}),
        ("paired", {"ApiKey": "api-key"}, {"user": "api-key"}),
        ("open", {}, {}),
    ],
)
async def test_credentials_go_to_the_entries_that_the_connector_declares(
    call: Partner, connector: str, given: dict[str, str], stored: dict[str, str]
) -> None:
    values = await installed(call, connector, **given)
    names = ("key", "user", "pass", "authentication.type")
    assert {name: values[name] for name in names if name in values} == stored


@pytest.mark.parametrize(
    ("connector", "given", "said"),
    [
        ("keyed", {}, "needs an ApiKey"),
        ("paired", {}, "a Username and a Password"),
        ("keyed", PAIR, "takes an ApiKey"),
        ("either", {"ApiKey": "k", **PAIR}, "either an ApiKey, or"),
        ("open", {"ApiKey": "k"}, "takes no credentials"),
        ("keyed", {"ApiKey": {"a": 1}}, "ApiKey must be a text"),
    ],
)
async def test_credentials_that_do_not_suit_are_refused_with_what_would(
    call: Partner, connector: str, given: dict[str, Any], said: str
) -> None:
    assert said in await refusal(call, 400, connector, **given)


@pytest.mark.parametrize("given", [{}, {"ApiKey": "api-key"}, PAIR])
async def test_a_connector_that_signs_in_with_oauth_is_refused(call: Partner, given: dict[str, str]) -> None:
    assert "OAuth" in await refusal(call, 400, "Social", **given)


# Which connector


@pytest.mark.parametrize("name", ["Keyed", "keyed", "KEYED", " keyed "])
async def test_a_connector_is_named_by_its_name_or_key_in_any_case(call: Partner, name: str) -> None:
    assert (await installed(call, name, ApiKey="k"))["key"] == "k"


@pytest.mark.parametrize("version", ["", None])
async def test_a_connector_without_a_version_is_named_without_one(call: Partner, version: str | None) -> None:
    assert await installed(call, "Keyed", ApiKey="k", ConnectorVersion=version)


async def test_of_two_connectors_of_one_name_the_version_says_which(call: Partner) -> None:
    await installed(call, "Twin", ApiKey="k", ConnectorVersion="v2")
    row = await call.gateway.running.services.runtime.database.one("SELECT connector FROM instances")
    assert row is not None
    assert row["connector"] == "twintwo"


@pytest.mark.parametrize(
    ("name", "version"),
    [("Nothing", ""), ("Keyed", "v1"), ("Twin", ""), ("Twin", "v3"), ("x" * 255, ""), ("../keyed", "")],
)
async def test_a_connector_that_is_not_there_or_not_clear_is_a_404(call: Partner, name: str, version: str) -> None:
    assert "not found" in await refusal(call, 404, name, ApiKey="k", ConnectorVersion=version)


@pytest.mark.parametrize("name", ["", " ", None, ["Keyed"], "a\x00"])
async def test_a_connector_must_be_named(call: Partner, name: Any) -> None:
    assert "ConnectorName" in await refusal(call, 400, name)


# Names


async def test_a_name_counts_once_in_an_account_and_is_the_connectors_where_nobody_gives_one(call: Partner) -> None:
    account = await call.create()
    body = {"AccountId": account, "ConnectorName": "Open"}
    for _ in range(2):
        assert (await call("POST", PATH, body)).status == 200
    assert (await call("POST", PATH, {**body, "InstalledName": "<b>Mine</b>"})).status == 200
    rows = await call.gateway.running.services.runtime.database.all("SELECT name FROM instances ORDER BY id")
    assert [row["name"] for row in rows] == ["Open", "Open 2", "Mine"]
    assert "in use" in await call.refused(400, "POST", PATH, {**body, "InstalledName": "Mine"})


async def test_what_is_installed_here_is_an_instance_of_the_account_on_the_other_wires(call: Partner) -> None:
    account = await call.create()
    body = {"AccountId": account, "ConnectorName": "Keyed", "InstalledName": "Mine", "ApiKey": "secret-key"}
    assert (await call("POST", PATH, body)).status == 200
    headers = {**call.auth, "X-Cyclr-Account": account}
    [found] = (await call.gateway.call("GET", "/v1.0/account/connectors", headers=headers)).json
    native = await call.gateway.call("GET", f"/api/v1/instances/{found['Id']}", headers=dict(call.auth))
    assert (native.json["name"], native.json["connector"], native.json["account_id"]) == ("Mine", "keyed", account)
    assert b"secret-key" not in native.body
