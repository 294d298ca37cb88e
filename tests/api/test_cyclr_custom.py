"""Custom connectors: drafts and releases, without a restart, each for its partner alone."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.asking import OC, bearer, eventually
from tests.api.custom import PATH, Echo, definition, echo, other
from tests.api.cyclr import Cyclr, speaking
from tests.kit import postgres
from tests.kit.gateway import Gateway, settings, started
from tests.vendors import Vendor

_MERGE = {"TargetType": "MergeField", "TargetName": "K", "IsAccountConnectorProperty": "true"}


@pytest.fixture
async def cyclr(tmp_path: Path) -> AsyncIterator[Cyclr]:
    async with speaking(tmp_path) as found:
        yield found


@pytest.fixture
async def there() -> AsyncIterator[Echo]:
    async with echo() as found:
        yield found


async def released(cyclr: Cyclr, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = await cyclr.ok("POST", PATH, definition(ReleaseStatus="Live", **changes))
    return made


async def installed(cyclr: Cyclr, number: int, there: Echo) -> int:
    properties = [{"Name": "Dc", "Value": "us6"}, {"Name": "base.url", "Value": there.url}]
    made = await cyclr.ok("POST", f"/connectors/{number}/install", {"AuthValue": "k-1", "Properties": properties})
    assert made["Authenticated"] is True
    await cyclr.allow("127.0.0.0/8")
    id_: int = made["Id"]
    return id_


async def methods(cyclr: Cyclr, number: int) -> dict[str, dict[str, Any]]:
    return {one["Name"]: one for one in await cyclr.ok("GET", f"/connectors/{number}/methods")}


def inputs(method: dict[str, Any]) -> dict[str, int]:
    return {one["Name"]: one["Id"] for one in (*method["Parameters"], *method["RequestFormat"]["Fields"])}


async def test_a_draft_is_kept_as_it_was_given_and_cannot_be_installed(cyclr: Cyclr) -> None:
    made = await cyclr.ok("POST", PATH, definition(UniqueIdentifier="12ABC345-1a2b-423a-8ab2-1234ab5c6d7e"))
    assert (made["ReleaseStatus"], made["LiveRelease"]) == ("Draft", None)
    assert made["UniqueIdentifier"] == "12abc345-1a2b-423a-8ab2-1234ab5c6d7e"
    assert made["Authentication"][0]["IsDefault"] is True
    assert made["Methods"] == definition()["Methods"]
    for name in (made["Id"], made["UniqueIdentifier"], made["UniqueIdentifier"].replace("-", "")):
        assert await cyclr.ok("GET", f"{PATH}/{name}") == made
    [line] = await cyclr.ok("GET", PATH)
    assert (line["Id"], line["Name"], line["IsReleased"]) == (made["Id"], "Mailer", False)
    message = await cyclr.refused(400, "POST", f"/connectors/{made['Id']}/install", {})
    assert message == f"Connector {made['Id']} is a draft and cannot be installed."
    assert await cyclr.ok("GET", "/connectors/Mailer") == []
    await cyclr.refused(404, "GET", f"/connectors/{made['Id']}")


async def test_a_release_is_called_as_its_definition_says(cyclr: Cyclr, there: Echo) -> None:
    number = (await released(cyclr))["Id"]
    [shown] = await cyclr.ok("GET", "/connectors/mailer/V3")
    assert (shown["Id"], shown["Version"], shown["AuthType"], shown["AuthScheme"]) == (
        number,
        "v3",
        "ApiKey",
        "X-Api-Key",
    )
    id_, method = await installed(cyclr, number, there), (await methods(cyclr, number))["Create List"]
    given = inputs(method)
    body = {
        "Parameters": {given["User"]: "a/b", given["fields"]: "id", given["X_Mode"]: "fast"},
        "Fields": {
            given["name"]: "News",
            given["contact.company"]: "Acme",
            given["contact.zip"]: "12345678901234567890123",
            given["[emails].address"]: ["a@example.com", "b@example.com"],
        },
    }
    answered = await cyclr.ok("POST", f"/account/connectors/{id_}/methods/{method['Id']}", json.dumps(body))
    assert answered == {"id": 1}
    [sent] = there.seen
    assert (sent["method"], sent["path"]) == ("POST", "/3.0/users/a%2Fb/lists?fields=id")
    headers = {name: sent["headers"].get(name) for name in ("X-Api-Key", "X-Mode", "X-Edition")}
    assert headers == {"X-Api-Key": "k-1", "X-Mode": "fast", "X-Edition": "2"}
    assert json.loads(sent["body"]) == {
        "name": "News",
        "contact": {"company": "Acme", "zip": 12345678901234567890123},
        "emails": [{"address": "a@example.com"}, {"address": "b@example.com"}],
    }


async def test_what_the_definition_does_not_allow_is_not_sent(cyclr: Cyclr, there: Echo) -> None:
    number = (await released(cyclr))["Id"]
    id_, method = await installed(cyclr, number, there), (await methods(cyclr, number))["Create List"]
    given, path = inputs(method), f"/account/connectors/{id_}/methods/{method['Id']}"
    user, name = {given["User"]: "u"}, {given["name"]: "News"}
    for parameters, fields in (
        ({}, name),
        (user, {}),
        (user, name | {given["visibility"]: "secret"}),
        (user, name | {given["contact.zip"]: "many"}),
        (user | {given["name"]: "x"}, name),
        (user | {given["X_Mode"]: "a\r\nX-Injected: 1"}, name),
    ):
        await cyclr.refused(400, "POST", path, json.dumps({"Parameters": parameters, "Fields": fields}))
    assert there.seen == []


async def test_a_later_draft_counts_once_it_is_released_and_numbers_stay(cyclr: Cyclr, there: Echo) -> None:
    number = (await released(cyclr))["Id"]
    id_, before = await installed(cyclr, number, there), await methods(cyclr, number)
    changed = definition()["Methods"]
    changed[1]["EndPoint"] = "https://{{Dc}}.api.mailer.example/4.0/lists"
    draft = await cyclr.ok("PUT", f"{PATH}/{number}", {"methods": changed, "Description": "Newer"})
    assert (draft["ReleaseStatus"], draft["LiveRelease"], draft["Version"]) == ("Draft", "1.0.0", "v3")
    path = f"/account/connectors/{id_}/methods/{before['Get Lists']['Id']}"
    await cyclr.ok("GET", path)
    again = await cyclr.ok("POST", f"{PATH}/{number}/release")
    assert (again["ReleaseStatus"], again["LiveRelease"]) == ("Live", "1.1.0")
    await cyclr.ok("GET", path)
    assert [one["path"] for one in there.seen] == ["/3.0/lists", "/4.0/lists"]
    after = await methods(cyclr, number)
    assert {name: inputs(one) for name, one in after.items()} == {name: inputs(one) for name, one in before.items()}
    assert (await cyclr.ok("POST", f"{PATH}/{number}/release"))["LiveRelease"] == "1.1.0"
    assert (await cyclr.ok("GET", f"/connectors/{number}"))["Description"] == "Newer"


async def test_no_other_partner_sees_or_uses_it_on_any_surface(cyclr: Cyclr) -> None:
    made = await released(cyclr)
    stranger, number, call = await other(cyclr.gateway), made["Id"], cyclr.gateway.call
    method = (await methods(cyclr, number))["Get Lists"]["Id"]
    key = f"custom-{number}"
    assert key in [one["key"] for one in (await call("GET", f"{OC}/elements?pageSize=500")).json]
    for path in (
        f"{PATH}/{number}",
        f"{PATH}/{made['UniqueIdentifier']}",
        f"/connectors/{number}",
        f"/methods/{method}",
    ):
        assert (await stranger("GET", path)).status == 404
    for path in (PATH, "/connectors/Mailer", f"/connectors/{key}", "/connectors?query=mailer"):
        assert (await stranger("GET", path)).json == []
    for verb, path in (("PUT", PATH), ("DELETE", PATH)):
        assert (await stranger(verb, f"{path}/{number}", json={})).status == 404
    assert (await stranger("POST", f"{PATH}/{number}/release")).status == 404
    assert (await stranger("POST", f"/connectors/{number}/install", json={})).status == 404
    secrets = {"headers": stranger.secrets}
    assert key not in [one["key"] for one in (await call("GET", f"{OC}/elements?pageSize=500", **secrets)).json]
    for path in (key, str(number), f"{key}/configuration", f"{number}/metadata", f"{key}/authentication-types"):
        assert (await call("GET", f"{OC}/elements/{path}", **secrets)).status == 404
    wanted = {"element": {"key": key}, "name": "x", "configuration": {}}
    assert (await call("POST", "/instances", json=wanted, **secrets)).status == 404
    body = {"AccountId": stranger.account, "ConnectorName": "Mailer", "ApiKey": "k"}
    assert (await call("POST", "/api/partner/installconnector", json=body, headers=stranger.bearer)).status == 404


async def test_two_partners_may_bring_the_same_definition(cyclr: Cyclr) -> None:
    stranger, guid = await other(cyclr.gateway), "12abc345-1a2b-423a-8ab2-1234ab5c6d7e"
    mine = await released(cyclr, UniqueIdentifier=guid)
    body = definition(UniqueIdentifier=guid, ReleaseStatus="Live")
    theirs = await stranger("POST", PATH, json=body)
    assert theirs.json["Id"] != mine["Id"]
    assert "in use" in await cyclr.refused(400, "POST", PATH, body)
    assert [one["Id"] for one in (await stranger("GET", "/connectors/Mailer")).json] == [theirs.json["Id"]]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"Name": None}, "Invalid connector: (Column 'Name' cannot be null)"),
        ({"Name": " "}, "Invalid connector: (Column 'Name' cannot be null)"),
        ({"Name": ["x"]}, "must be a text"),
        ({"UniqueIdentifier": ""}, "UniqueIdentifier must be a GUID"),
        ({"UniqueIdentifier": "five"}, "UniqueIdentifier must be a GUID"),
        ({"ReleaseStatus": "Deprecated"}, "ReleaseStatus must be Draft or Live"),
        ({"AuthType": "OAuth1"}, "AuthType"),
        ({"OAuth2Type": "PasswordCredentials", "AuthType": "OAuth2"}, "OAuth2Type"),
        ({"AuthType": "OAuth2", "AccessTokenUrl": "http://x.example"}, "token_url"),
        ({"Methods": {}}, "Methods: must be a list"),
        ({"Methods": [5]}, "Methods[0]: must be an object"),
        ({"Methods": [{"Name": "a", "EndPoint": "http://api.example/x"}]}, "Methods[0].EndPoint"),
        ({"Methods": [{"Name": "a", "EndPoint": "https://{{Host}}.example/x"}]}, "Methods[0].EndPoint"),
        ({"Methods": [{"Name": "a", "EndPoint": "/x/{{Other}}"}]}, "{{Other}}"),
        ({"Methods": [{"Name": "a", "EndPoint": "/x", "MethodType": "Webhook"}]}, "MethodType"),
        ({"Methods": [{"Name": "a", "EndPoint": "/x", "Script": "function before_action(){}"}]}, "Script"),
        ({"Methods": [{"EndPoint": "/x"}]}, "Methods[0].Name: cannot be null"),
        ({"Parameters": [{"TargetType": "Script", "TargetName": "x"}]}, "Parameters[0].TargetType"),
        ({"Methods": [], "Parameters": [{**_MERGE, "TargetName": "K", "IsSensitive": 1}]}, "must be true or false"),
        ({"Methods": [], "Parameters": [{**_MERGE, "IsSensitive": True, "Value": "s"}]}, "a secret has no default"),
        ({"Methods": [], "Parameters": [_MERGE, _MERGE]}, "declared twice"),
        ({"Methods": [], "Parameters": [{**_MERGE, "TargetName": "a b"}]}, "TargetName"),
    ],
)
async def test_a_definition_that_cannot_be_is_400_and_kept_nowhere(
    cyclr: Cyclr, body: dict[str, Any], said: str
) -> None:
    assert said in await cyclr.refused(400, "POST", PATH, definition(**body))
    assert await cyclr.ok("GET", PATH) == []


async def test_fields_that_would_stand_in_each_others_place_are_400(cyclr: Cyclr) -> None:
    for names in (("a", "a.b"), ("a.b", "[a].c"), ("[a]", "[a].b"), ("[].a",), ("a*",), ("a..b",)):
        fields = [{"ConnectorField": name} for name in names]
        method = {"Name": "m", "HttpMethod": "Post", "EndPoint": "/x", "RequestFormat": {"Fields": fields}}
        assert "field" in (await cyclr.refused(400, "POST", PATH, definition(Methods=[method]))).lower()


async def test_bodies_that_are_no_object_are_400(cyclr: Cyclr) -> None:
    for body in (b"", b"[]", b"{", b'"x"', b"{" + b'"a":[' * 200):
        await cyclr.refused(400, "POST", PATH, body)
    long = definition(Description="x" * 600_000)
    await cyclr.refused(400, "POST", PATH, long)


async def test_a_secret_property_stands_in_no_address(cyclr: Cyclr) -> None:
    parameters = [
        {"TargetType": "MergeField", "TargetName": "Dc", "IsAccountConnectorProperty": True, "IsSensitive": True}
    ]
    assert "secret 'dc'" in await cyclr.refused(400, "POST", PATH, definition(Parameters=parameters))


async def test_what_is_installed_is_not_removed_and_what_was_removed_is_gone(cyclr: Cyclr, there: Echo) -> None:
    guid = "12abc345-1a2b-423a-8ab2-1234ab5c6d7e"
    number = (await released(cyclr, UniqueIdentifier=guid))["Id"]
    id_ = await installed(cyclr, number, there)
    assert "is installed 1 times" in await cyclr.refused(409, "DELETE", f"{PATH}/{number}")
    await cyclr.ok("DELETE", f"/account/connectors/{id_}")
    await cyclr.ok("DELETE", f"{PATH}/{number}")
    await cyclr.refused(404, "GET", f"{PATH}/{number}")
    await cyclr.refused(404, "GET", f"/connectors/{number}")
    await cyclr.refused(404, "POST", f"/connectors/{number}/install", {})
    assert (await released(cyclr, UniqueIdentifier=guid))["Id"] != number


async def test_a_token_for_one_account_brings_nothing(cyclr: Cyclr) -> None:
    secrets = cyclr.gateway.running.config.bootstrap
    form = {"grant_type": "client_credentials", "client_id": secrets.client_id, "client_secret": secrets.client_secret}
    answered = await cyclr.gateway.call(
        "POST", "/oauth/token", data=form | {"scope": f"account:{cyclr.account}"}, headers={}
    )
    cyclr.auth = {"Authorization": f"Bearer {answered.json['access_token']}"}
    for method, path in (("GET", PATH), ("POST", PATH), ("PUT", f"{PATH}/1"), ("DELETE", f"{PATH}/1")):
        await cyclr.refused(403, method, path, definition())


async def test_without_the_account_it_is_401_and_where_the_operator_says_no_403(tmp_path: Path, cyclr: Cyclr) -> None:
    assert (await cyclr.gateway.call("GET", f"/v1.0{PATH}", headers=cyclr.auth)).status == 401
    (tmp_path / "b").mkdir()
    async with speaking(tmp_path / "b", partner={"custom_connectors_enabled": False}) as closed:
        for method in ("GET", "POST"):
            assert "not enabled" in await closed.refused(403, method, PATH, definition())


async def test_the_definition_of_the_page_is_one_that_is_taken(cyclr: Cyclr) -> None:
    page = (Path(__file__).parents[2] / "docs" / "custom-connectors.md").read_text("utf-8")
    printed = json.loads(page.partition("```json\n")[2].partition("```")[0])
    made = await cyclr.ok("POST", PATH, {**printed, "ReleaseStatus": "Live"})
    assert list(await methods(cyclr, made["Id"])) == ["Create List"]


async def test_custom_connectors_can_be_left_out_of_the_list(cyclr: Cyclr) -> None:
    await released(cyclr)
    shown = await cyclr.ok("GET", "/connectors?query=mailer&includeCustomConnectors=true")
    assert [one["Name"] for one in shown] == ["Mailer"]
    assert await cyclr.ok("GET", "/connectors?query=mailer&includeCustomConnectors=false") == []


async def test_releases_are_there_after_a_restart(tmp_path: Path) -> None:
    configuration = settings(tmp_path, "")
    async with started(configuration) as gateway:
        cyclr = await at(gateway)
        number = (await released(cyclr))["Id"]
        shown = await cyclr.ok("GET", f"/connectors/{number}")
    async with started(configuration) as gateway:
        again = await gateway.call("GET", f"/v1.0/connectors/{number}", headers=await bearer(gateway))
        assert again.json == shown


async def test_every_node_has_a_release_and_forgets_what_was_removed(tmp_path: Path, postgres_server: str) -> None:
    configuration = settings(tmp_path, await postgres.fresh(postgres_server, "custom_on_two_nodes"))
    async with started(configuration) as first, started(configuration) as second:
        cyclr = await at(first)

        async def looked() -> Any:
            return (await second.call("GET", "/v1.0/connectors/Mailer", headers=cyclr.auth)).json

        number = (await released(cyclr))["Id"]
        [shown] = await eventually(looked, bool)
        assert shown["Id"] == number
        await cyclr.ok("PUT", f"{PATH}/{number}", {"Description": "Newer", "ReleaseStatus": "Live"})
        await eventually(looked, lambda found: bool(found[0]["Description"] == "Newer"))
        await cyclr.ok("DELETE", f"{PATH}/{number}")
        await eventually(looked, lambda found: bool(found == []))


async def at(gateway: Gateway) -> Cyclr:
    """The first partner at a gateway, where no vendor is called."""
    auth = await bearer(gateway)
    account = await gateway.call("POST", "/v1.0/accounts", headers=auth, json={"Name": "Demo Account"})
    return Cyclr(gateway, Vendor(), auth, account.json["Id"])
