"""`/api/v1/ip-allow-list`: both lists, and that nobody locks themselves out."""

from typing import Any

import pytest

from tests.api.asking import bearer, colleague, stranger
from tests.kit.gateway import Answered, Gateway

PATH = "/api/v1/ip-allow-list"


def listed(answered: Answered) -> list[tuple[str, str, str]]:
    assert answered.status == 200, answered.body
    return [(one["list"], one["address"], one["note"]) for one in answered.json["items"]]


async def test_entries_are_added_replaced_and_taken_away(gateway: Gateway) -> None:
    assert listed(await gateway.call("GET", PATH)) == []
    body: dict[str, Any] = {"list": "calls", "address": "192.0.2.7/24", "note": "the office"}
    assert listed(await gateway.call("POST", PATH, json=body)) == [("calls", "192.0.2.0/24", "the office")]
    entries = ["2001:db8::1", {"address": "::ffff:198.51.100.4", "note": "a node"}]
    added = await gateway.call("POST", PATH, json={"list": "calls", "entries": entries})
    assert [one[1] for one in listed(added)] == ["192.0.2.0/24", "198.51.100.4/32", "2001:db8::1/128"]
    one = await gateway.call("DELETE", f"{PATH}?list=calls&address=2001:db8::1")
    assert len(listed(one)) == 2
    assert (await gateway.call("DELETE", f"{PATH}?list=calls&address=2001:db8::1")).status == 404
    assert listed(await gateway.call("PUT", PATH, json={"list": "calls", "entries": []})) == []


async def test_what_cannot_be_read_is_400_and_changes_nothing(sqlite_gateway: Gateway) -> None:
    wrong: list[Any] = [
        {"list": "other", "entries": []},
        {"entries": []},
        {"list": "calls"},
        {"list": "calls", "entries": ["192.0.2.1", "nonsense"]},
        {"list": "calls", "entries": [None]},
        {"list": "calls", "entries": ["192.0.2.1"] * 1001},
        {"list": "calls", "address": "192.0.2.1", "note": "x" * 256},
        {"list": "calls", "entries": [], "more": 1},
        [],
    ]
    for body in wrong:
        assert (await sqlite_gateway.call("POST", PATH, json=body)).status == 400, body
    assert (await sqlite_gateway.call("DELETE", f"{PATH}?list=calls&address=x")).status == 400
    assert listed(await sqlite_gateway.call("GET", PATH)) == []


async def test_the_list_of_the_whole_api_must_let_its_author_in(sqlite_gateway: Gateway) -> None:
    call = sqlite_gateway.call
    assert (await call("PUT", PATH, json={"list": "api", "entries": ["192.0.2.1"]})).status == 409
    both = {"list": "api", "entries": ["192.0.2.1", "127.0.0.1"]}
    assert (await call("PUT", PATH, json=both)).status == 200
    assert (await call("DELETE", f"{PATH}?list=api&address=127.0.0.1")).status == 409
    assert (await call("GET", "/v1.0/connectors", headers=await bearer(sqlite_gateway))).status == 200


async def test_another_partner_has_lists_of_its_own_and_only_administrators_see_them(sqlite_gateway: Gateway) -> None:
    body = {"list": "calls", "entries": ["192.0.2.1"]}
    await sqlite_gateway.call("PUT", PATH, json=body)
    theirs = await stranger(sqlite_gateway)
    assert listed(await sqlite_gateway.call("GET", PATH, headers=theirs)) == []
    gone = await sqlite_gateway.call("DELETE", f"{PATH}?list=calls&address=192.0.2.1", headers=theirs)
    assert gone.status == 404
    assert len(listed(await sqlite_gateway.call("GET", f"{PATH}?list=calls"))) == 1
    assert (await sqlite_gateway.call("GET", PATH, headers={})).status == 401
    ruler = await colleague(sqlite_gateway)
    database = sqlite_gateway.running.services.runtime.database
    async with database.transaction() as transaction:
        await transaction.execute("UPDATE users SET role = 'power_user' WHERE id = (SELECT max(id) FROM users)")
    for method, options in (("GET", {}), ("PUT", {"json": body}), ("POST", {"json": body})):
        assert (await sqlite_gateway.call(method, PATH, headers=ruler, **options)).status == 403


@pytest.mark.parametrize("query", ["list=other", "shoe=1", "list=calls&list=api"])
async def test_a_query_that_means_nothing_is_400(sqlite_gateway: Gateway, query: str) -> None:
    assert (await sqlite_gateway.call("GET", f"{PATH}?{query}")).status == 400
