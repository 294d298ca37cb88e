"""From a partner's definition to a connector file, and how the catalogue holds what partners brought."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.accounts.model import PartnerId
from gateway.catalogue.catalogue import Catalogue
from gateway.catalogue.custom import store
from gateway.catalogue.custom.model import MOST_OF_A_PARTNER, Custom
from gateway.catalogue.custom.shelf import Shelf
from gateway.catalogue.custom.translate import Head, compiled, translated
from gateway.catalogue.model import Connector
from gateway.errors import Conflict, Invalid
from gateway.metrics import Metrics
from gateway.storage.database import Database
from tests.catalogue.connector_file import connector_of

HEAD = Head("custom-1", 10_001, "1.0.0")
MINE, THEIRS = PartnerId("a" * 32), PartnerId("b" * 32)


def made(**definition: Any) -> Connector:
    """The connector of a definition that is right."""
    file = translated({"Name": "Shop", **definition}, HEAD)
    assert not isinstance(file, tuple), file
    found = compiled(file, HEAD)
    assert not isinstance(found, tuple), found
    return found


def refused(**definition: Any) -> str:
    file = translated({"Name": "Shop", **definition}, HEAD)
    found = file if isinstance(file, tuple) else compiled(file, HEAD)
    assert isinstance(found, tuple)
    return "; ".join(found)


def method(end_point: str, **more: Any) -> dict[str, Any]:
    return {"Name": "M", "EndPoint": end_point, **more}


def prop(name: str, **more: Any) -> dict[str, Any]:
    return {"TargetType": "MergeField", "TargetName": name, "IsAccountConnectorProperty": True, **more}


def test_most_addresses_share_a_base_and_other_hosts_are_named() -> None:
    found = made(
        Methods=[
            method("https://api.shop.example/v1/items"),
            method("https://api.shop.example/v1/orders?all=1"),
            method("https://files.shop.example/x"),
            method("https://api.shop.example"),
            method("/relative"),
        ]
    )
    assert found.http.base_url is not None
    assert (found.http.base_url.source_text, found.http.hosts) == ("https://api.shop.example", ("files.shop.example",))
    paths = [one.request.path.source_text for one in found.methods.values()]
    assert paths == ["/v1/items", "/v1/orders?all=1", "https://files.shop.example/x", "/", "/relative"]
    assert list(found.methods) == ["m", "m_2", "m_3", "m_4", "m_5"]


def test_an_address_may_be_a_property_but_never_what_a_caller_says() -> None:
    found = made(Parameters=[prop("Url")], Methods=[method("{{ url }}/x")])
    assert found.http.base_url is not None
    assert (found.http.base_url.source_text, found.entries["url"].type) == ("{config:url}", "url")
    said = {"TargetType": "MergeField", "TargetName": "Host"}
    assert "properties" in refused(Methods=[method("https://{{Host}}/x", Parameters=[said])])
    assert "properties" in refused(Parameters=[said], Methods=[method("https://{{Host}}.shop.example/x")])
    two = [method("https://{{A}}.shop.example/x"), method("https://{{B}}.shop.example/x")]
    assert "another one than" in refused(Parameters=[prop("A"), prop("B")], Methods=two)


@pytest.mark.parametrize("name", ["from", "now", "url", "verb", "raw", "access_token"])
def test_merge_fields_with_the_engines_own_names_are_the_callers_all_the_same(name: str) -> None:
    parameters = [{"TargetType": "MergeField", "TargetName": name}]
    [found] = made(Methods=[method(f"/x/{{{{{name}}}}}", Parameters=parameters)]).methods.values()
    assert found.request.path.words == {f"{name}_"}
    assert found.params[f"{name}_"].required


def test_braces_of_an_address_mean_themselves_and_hidden_values_are_fixed() -> None:
    hidden = {"TargetType": "MergeField", "TargetName": "K", "Hide": True, "DefaultValue": "{x}"}
    query = {"TargetType": "QueryString", "TargetName": "q", "Hide": "True", "Value": "a{b"}
    [found] = made(Methods=[method("/{id}/{{K}}", Parameters=[hidden, query])]).methods.values()
    assert found.request.path.parts == ("/{id}/{x}",)
    assert found.query["q"].fixed is not None
    assert found.query["q"].fixed.parts == ("a{b",)


def test_ways_to_authenticate_the_default_one_first() -> None:
    found = made(
        Authentication=[
            {"AuthName": "Key", "AuthType": "ApiKey"},
            {"AuthName": "Bearer", "AuthType": "ApiKey", "AuthScheme": "Bearer"},
            {"AuthType": "Basic", "IsDefault": True},
            {"AuthType": "OAuth2", "AccessTokenUrl": "https://shop.example/token", "OAuth2Type": "ClientCredentials"},
        ]
    )
    assert [(id_, way.type) for id_, way in found.auth.items()] == [
        ("basic", "basic"), ("key", "api_key"), ("bearer", "bearer"), ("oauth2", "oauth2")
    ]  # fmt: skip
    assert found.entries["auth.key"].auth == frozenset({"key", "bearer"})
    assert all(entry.secret for key, entry in found.entries.items() if key in ("auth.key", "auth.password"))


def test_a_login_whose_addresses_are_missing_asks_each_account_for_them() -> None:
    scopes = {"TargetType": "MergeField", "TargetName": "Scopes", "DefaultValue": "read, write"}
    client = prop("ClientId")
    found = made(AuthType="OAuth2", OAuth2Type="AuthorisationCode", Parameters=[scopes, client])
    oauth = found.auth["oauth2"].oauth
    assert oauth is not None
    assert oauth.scopes == ("read", "write")
    assert {key for key, entry in found.entries.items() if entry.required} == {"oauth.authorise.url", "oauth.token.url"}
    assert "clientid" not in found.entries


def test_one_secret_header_is_the_proof_and_two_are_refused() -> None:
    secret = {"TargetType": "HttpHeader", "IsSensitive": True, "IsAccountConnectorProperty": True}
    [way] = made(AuthType="AuthFields", Parameters=[{**secret, "TargetName": "X-Key"}]).auth.values()
    assert (way.type, way.place) == ("api_key", "header")
    both = [{**secret, "TargetName": "X-Key"}, {**secret, "TargetName": "X-Other"}]
    assert "IsSensitive" in refused(AuthType="AuthFields", Parameters=both)


def test_bodies_without_fields_are_whole_ones_or_none() -> None:
    kinds = {"Json": None, "Xml": "any", "PlainText": "any", "SimpleFile": "raw", "Form": None}
    for kind, body in kinds.items():
        [found] = made(Methods=[method("/x", HttpMethod="POST", DataType=kind)]).methods.values()
        assert found.body == body, kind
    assert "DataType" in refused(Methods=[method("/x", HttpMethod="POST", DataType="MultipartRelated")])
    fields = {"Fields": [{"ConnectorField": "a"}]}
    assert "DataType" in refused(Methods=[method("/x", HttpMethod="POST", DataType="Xml", RequestFormat=fields)])


@pytest.mark.parametrize("odd", [5, "x", True, [], {}, [[]], [None], {"a": {}}, "\x00", "x" * 5_000, -1e308])
@pytest.mark.parametrize(
    "name",
    ["Version", "Description", "AuthType", "Parameters", "Methods", "Authentication", "Categories", "Scopes"],
)
def test_whatever_stands_in_a_definition_is_taken_or_refused(name: str, odd: object) -> None:
    file = translated({"Name": "Shop", name: odd}, HEAD)
    if not isinstance(file, tuple):
        compiled(file, HEAD)


@pytest.mark.parametrize("odd", [5, "x", True, [], {}, [[]], [{}], [{"Fields": 5}], "{{", "\x00", "https://", "é"])
@pytest.mark.parametrize(
    "name",
    [
        "Name", "Category", "HttpMethod", "DataType", "EndPoint", "Parameters", "RequestFormat", "ConnectorField",
        "TargetName", "TargetType", "Values", "DefaultValue", "IsOptional", "Hide",
    ],
)  # fmt: skip
def test_whatever_stands_in_a_method_is_taken_or_refused(name: str, odd: object) -> None:
    parameter = {"TargetType": "QueryString", "TargetName": "q", name: odd}
    fields = {"Fields": [{"ConnectorField": "a", name: odd}]}
    one = {**method("/x"), "Parameters": [parameter], "RequestFormat": fields, name: odd}
    file = translated({"Name": "Shop", "Methods": [one], "Parameters": [parameter]}, HEAD)
    if not isinstance(file, tuple):
        compiled(file, HEAD)


def test_a_small_definition_does_not_become_a_huge_file() -> None:
    shared = [{"TargetType": "QueryString", "TargetName": f"p{number}"} for number in range(400)]
    assert "altogether" in refused(Parameters=shared, Methods=[method("/x")] * 1_000)


def test_a_catalogue_shows_what_was_brought_to_its_partner_alone(tmp_path: Path) -> None:
    shipped = connector_of(tmp_path, "")
    catalogue = Catalogue([], [shipped])
    brought = replace(made(), partner_id=MINE)
    catalogue.bring([brought])
    catalogue.replace([])
    assert catalogue.get("custom-1") is brought
    assert [one.key for one in catalogue.visible_to(MINE)] == ["custom-1", "shop"]
    assert [one.key for one in catalogue.visible_to(THEIRS)] == ["shop"]
    catalogue.bring([])
    assert catalogue.get("custom-1") is None


def test_numbers_that_were_given_stay_whoever_numbers_next(tmp_path: Path) -> None:
    catalogue = Catalogue([connector_of(tmp_path, "")])
    catalogue.number({"custom-1": 10_001})
    catalogue.number({"shop": 5})
    assert catalogue.ids == {"custom-1": 10_001, "shop": 5}


async def added(database: Database, partner_id: PartnerId = MINE, guid: str = "1" * 32, **more: Any) -> Custom:
    async with database.transaction() as transaction:
        number, key = await store.number(transaction)
        one = Custom(
            id=number,
            partner_id=partner_id,
            guid=guid,
            key=key,
            name="Shop",
            status="draft",
            definition="{}",
            released=None,
            created_at=1,
            updated_at=1,
        )
        one = replace(one, **more)
        await store.add(transaction, one)
    return one


async def changed(database: Database, before: Custom, **changes: Any) -> Custom:
    async with database.transaction() as transaction:
        return await store.change(transaction, before, changes, 1)


async def test_a_change_of_what_is_not_as_it_was_is_a_conflict(database: Database) -> None:
    one = await added(database)
    after = await changed(database, one, name="Other")
    with pytest.raises(Conflict):
        await changed(database, one, name="Third")
    assert await store.get(database, MINE, one.id) == after
    assert await store.by_guid(database, MINE, one.guid) == after
    assert await store.get(database, THEIRS, one.id) is None


async def test_a_guid_is_unique_to_its_partner_and_free_after_removal(database: Database) -> None:
    one = await added(database)
    await added(database, THEIRS)
    with pytest.raises(Invalid):
        await added(database)
    async with database.transaction() as transaction:
        await store.remove(transaction, one, 2)
    assert (await added(database)).id != one.id


async def test_a_partner_has_a_bounded_number_of_them(database: Database) -> None:
    for number in range(MOST_OF_A_PARTNER):
        await added(database, guid=f"{number:032x}")
    with pytest.raises(Invalid, match=str(MOST_OF_A_PARTNER)):
        await added(database, guid="f" * 32)
    await added(database, THEIRS)


async def test_a_draft_above_a_release_leaves_the_connector_the_same_object(database: Database) -> None:
    catalogue, changes = Catalogue([]), list[int]()
    shelf = Shelf(catalogue, database, Metrics())
    shelf.changed = lambda: changes.append(len(catalogue))
    one = await added(database, status="live", released=released_file("1.0.0"))
    await asyncio.gather(shelf.look(), shelf.look())
    before = catalogue.get(one.key)
    assert before is not None
    assert (before.partner_id, catalogue.ids) == (MINE, {one.key: one.id})
    one = await changed(database, one, status="draft", definition='{"Name":"Shop"}')
    await shelf.look()
    assert catalogue.get(one.key) is before
    one = await changed(database, one, status="live", released=released_file("1.1.0"))
    await shelf.look()
    after = catalogue.get(one.key)
    assert after is not None
    assert after.version == "1.1.0"
    assert changes == [1, 1]


async def test_a_release_that_this_version_cannot_use_leaves_what_counted(database: Database) -> None:
    catalogue = Catalogue([])
    shelf = Shelf(catalogue, database, Metrics())
    one = await added(database, status="live", released=released_file("1.0.0"))
    await shelf.look()
    before = catalogue.get(one.key)
    await changed(database, one, released='{"format":2,"key":"custom-1","name":"Shop","version":"1.1.0"}')
    await shelf.look()
    assert catalogue.get(one.key) is before


def released_file(version: str) -> str:
    return f'{{"format":1,"key":"custom-10001","name":"Shop","version":"{version}"}}'
