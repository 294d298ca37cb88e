"""Lists of the Open Connectors wire: filters, pages, counts."""

from typing import Any

import pytest

from tests.api.asking import OC, bearer, is_platform_error, is_problem
from tests.kit.gateway import NOWHERE, Gateway

NEXT = "Elements-Next-Page-Token"


async def make(gateway: Gateway, name: str, *tags: str, element: str = "closeio") -> int:
    values = {"username": "x"} if element == "closeio" else {"token": "t", "owner": "o", "repo": "r"}
    values |= NOWHERE
    body = {"element": {"key": element}, "name": name, "tags": list(tags), "configuration": values}
    answered = await gateway.call("POST", "/instances", json=body)
    assert answered.status == 200, answered.body
    found: int = answered.json["id"]
    return found


async def names(gateway: Gateway, query: Any, path: str = "/instances") -> list[str]:
    answered = await gateway.call("GET", path, params=query)
    if answered.status == 404:
        is_platform_error(answered, 404)
        return []
    assert answered.status == 200, answered.body
    return [one["name"] for one in answered.json]


async def test_an_empty_list_is_200_and_only_a_filter_without_a_match_is_404(gateway: Gateway) -> None:
    for prefix in ("", OC):
        answered = await gateway.call("GET", f"{prefix}/instances")
        assert (answered.status, answered.json) == (200, [])
        assert answered.headers["Elements-Returned-Count"] == "0"
        assert (await gateway.call("GET", f"{prefix}/elements/closeio/instances")).json == []
        for query in ("tags[]=x", "searchText=x", "tags=x&searchText=y"):
            message = is_platform_error(await gateway.call("GET", f"{prefix}/instances?{query}"), 404)
            assert message.startswith("No instances found")


async def test_tags_and_search_text_narrow_the_list_together(gateway: Gateway) -> None:
    await make(gateway, "First Über", "a", "b")
    await make(gateway, "second", "a", "c,d", 'q"x')
    await make(gateway, "third 50%_!", element="github")
    assert await names(gateway, {"tags[]": "a"}) == ["First Über", "second"]
    assert await names(gateway, [("tags[]", "a"), ("tags[]", "b")]) == ["First Über"]
    assert await names(gateway, {"tags[]": "c,d"}) == ["second"]
    assert await names(gateway, {"tags[]": 'q"x'}) == ["second"]
    for part in (",", "x", "q", "c", "d", "]", '"', "[", 'a","b', "\\"):
        assert await names(gateway, {"tags[]": part}) == [], part
    assert await names(gateway, {"searchText": "FIRST"}) == ["First Über"]
    assert await names(gateway, {"searchText": "Über"}) == ["First Über"]
    assert await names(gateway, {"searchText": "closeIO"}) == ["First Über", "second"]
    assert await names(gateway, {"searchText": "0%_!"}) == ["third 50%_!"]
    assert await names(gateway, {"searchText": "e%d"}) == []
    assert await names(gateway, {"tags[]": "a", "searchText": "sec"}) == ["second"]
    assert await names(gateway, {}, "/elements/github/instances") == ["third 50%_!"]
    assert await names(gateway, {"searchText": ""}) == ["First Über", "second", "third 50%_!"]


async def test_pages_follow_each_other_and_the_last_names_no_next(gateway: Gateway) -> None:
    made = [await make(gateway, f"n{number}", "t") for number in range(5)]
    for path, key in (("/instances", "id"), (OC + "/instances?tags[]=t", "id")):
        found: list[int] = []
        token: str | None = ""
        while token is not None:
            separator = "&" if "?" in path else "?"
            answered = await gateway.call("GET", f"{path}{separator}pageSize=2&nextPage={token}")
            found += [one[key] for one in answered.json]
            assert answered.headers["Elements-Returned-Count"] == str(len(answered.json))
            token = answered.headers.get(NEXT)
        assert found == made
    exact = await gateway.call("GET", "/instances?pageSize=5")
    assert NEXT not in exact.headers


async def test_the_native_list_pages_by_cursor(sqlite_gateway: Gateway) -> None:
    made = [await make(sqlite_gateway, f"n{number}") for number in range(3)]
    headers = await bearer(sqlite_gateway)
    first = await sqlite_gateway.call("GET", "/api/v1/instances?limit=2", headers=headers)
    second = await sqlite_gateway.call("GET", f"/api/v1/instances?limit=2&cursor={first.json['next']}", headers=headers)
    assert [one["id"] for one in first.json["items"] + second.json["items"]] == made
    assert second.json["next"] is None
    for query in ("limit=0", "limit=x", "cursor=x", "cursor=W10"):
        assert query.split("=")[0] in is_problem(await sqlite_gateway.call("GET", f"/api/v1/instances?{query}"), 400)


async def test_a_list_is_short_unless_it_is_hydrated(sqlite_gateway: Gateway) -> None:
    await make(sqlite_gateway, "x")
    [short] = (await sqlite_gateway.call("GET", "/instances")).json
    [full] = (await sqlite_gateway.call("GET", "/instances?hydrate=true")).json
    assert not {"configuration", "provisionInteractions"} & set(short)
    assert {"configuration", "provisionInteractions"} <= set(full)
    assert short["token"]
    assert short["createdDate"].endswith("Z")


@pytest.mark.parametrize(
    "query", ["pageSize=0", "pageSize=x", "pageSize=-1", "pageSize=1.5", "nextPage=x", "nextPage=W10", "nextPage=%ff",
              "hydrate=maybe", "searchText=%00", "searchText=" + "a" * 256, "tags[]=" + "a" * 256, "tags[]=%00",
              "&".join(f"tags[]={number}" for number in range(51))]
)  # fmt: skip
async def test_what_cannot_be_read_in_a_query_is_named(sqlite_gateway: Gateway, query: str) -> None:
    message = is_platform_error(await sqlite_gateway.call("GET", f"/instances?{query}"), 400)
    assert message.startswith(query.split("=")[0])


async def test_counts_are_by_element(gateway: Gateway) -> None:
    for element in ("closeio", "github", "closeio"):
        await make(gateway, "x", element=element)
    for prefix in ("", OC):
        counted = (await gateway.call("GET", f"{prefix}/instances/count")).json
        assert counted["totalInstances"] == 3
        assert {(one["elementKey"], one["count"]) for one in counted["elementInstances"]} == {
            ("closeio", 2),
            ("github", 1),
        }
