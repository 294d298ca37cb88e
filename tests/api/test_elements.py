"""Connectors as the Open Connectors wire shows them."""

from tests.api.asking import OC, is_platform_error
from tests.kit.gateway import Gateway


async def test_elements_are_listed_with_their_keys_and_in_pages(sqlite_gateway: Gateway) -> None:
    for prefix in ("", OC):
        every = await sqlite_gateway.call("GET", f"{prefix}/elements")
        keys = [element["key"] for element in every.json]
        assert keys == sorted(keys)
        assert {"closeio", "github", "generic"} <= set(keys)
        short = await sqlite_gateway.call("GET", f"{prefix}/elements/keys?pageSize=2")
        assert [one["key"] for one in short.json] == keys[:2]
        assert short.headers["Elements-Total-Count"] == str(len(keys))
        rest = short.headers["Elements-Next-Page-Token"]
        last = await sqlite_gateway.call("GET", f"{prefix}/elements/keys?nextPage={rest}")
        assert [one["key"] for one in last.json] == keys[2:]
        assert "Elements-Next-Page-Token" not in last.headers


async def test_an_element_is_found_by_key_and_by_number(sqlite_gateway: Gateway) -> None:
    for named in ("closeio", "146"):
        for prefix in ("", OC):
            found = (await sqlite_gateway.call("GET", f"{prefix}/elements/{named}")).json
            assert (found["id"], found["key"], found["hub"]) == (146, "closeio", "crm")
            entries = (await sqlite_gateway.call("GET", f"{prefix}/elements/{named}/configuration")).json
            username = next(one for one in entries if one["key"] == "username")
            assert (username["name"], username["required"]) == ("API key", True)
            password = next(one for one in entries if one["key"] == "password")
            assert (password["type"], password["required"]) == ("PASSWORD", False)


async def test_metadata_is_found_by_number_only(sqlite_gateway: Gateway) -> None:
    for prefix in ("", OC):
        found = (await sqlite_gateway.call("GET", f"{prefix}/elements/146/metadata")).json
        assert (found["id"], found["key"]) == (146, "closeio")
        assert found["events"]["supported"] is True
        assert "webhook" in found["events"]["methods"]
        assert "accounts" in {one["canonicalName"] for one in found["resources"]}
        for named in ("closeio", "147", "²"):
            message = is_platform_error(await sqlite_gateway.call("GET", f"{prefix}/elements/{named}/metadata"), 404)
            assert message.startswith("No element found")


async def test_an_unknown_element_is_404_and_the_nearest_is_named(sqlite_gateway: Gateway) -> None:
    message = is_platform_error(await sqlite_gateway.call("GET", "/elements/closio"), 404)
    assert "did you mean closeio?" in message
    body = {"element": {"key": "closio"}, "name": "x"}
    assert "closeio" in is_platform_error(await sqlite_gateway.call("POST", "/instances", json=body), 404)
    assert "/elements/keys" in is_platform_error(await sqlite_gateway.call("GET", "/elements/zzzzzz/instances"), 404)
