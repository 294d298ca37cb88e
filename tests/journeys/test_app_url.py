"""One URL for a whole app: every instance gets its own items, and nobody gets anything that he has not proved."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.consumer import Consumer
from tests.kit.gateway import Answered, Gateway, started
from tests.kit.vendors import signed, with_vendors

APP = "/elements/api-v2/events/"


@pytest.fixture
async def hub(database_url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway on each engine that knows the vendors of the tests."""
    async with started(with_vendors(tmp_path, database_url)) as found:
        yield found


@pytest.fixture
async def lone(tmp_path: Path) -> AsyncIterator[Gateway]:
    """The same on SQLite."""
    async with started(with_vendors(tmp_path, "")) as found:
        yield found


def batch(*portals: Any) -> bytes:
    return json.dumps([{"type": "t", "id": n, "portal": portal} for n, portal in enumerate(portals)]).encode()


async def portal(gateway: Gateway, name: str | None, secret: str = "s", **values: Any) -> dict[str, Any]:
    key = values.pop("connector", "hub")
    return await gateway.create(key, **{"app.secret": secret, "portal": name, **values})


async def send(gateway: Gateway, body: bytes, secret: str = "s", key: str = "hub", **headers: str) -> Answered:
    return await gateway.send(APP + key, body, signed(secret, body, **headers))


async def stored(gateway: Gateway) -> dict[int, list[str]]:
    """The objects of each instance."""
    rows = await gateway.running.services.runtime.database.all(
        "SELECT instance_id, object_id FROM events ORDER BY object_id"
    )
    found: dict[int, list[str]] = {}
    for row in rows:
        found.setdefault(row["instance_id"], []).append(row["object_id"])
    return found


async def counted(gateway: Gateway) -> dict[str, int]:
    """What the ledger has counted; what was received is exactly what became of it."""
    await asyncio.sleep(0.1)
    ledger = await gateway.ledger()
    found = {name: ledger[name] for name in ("accepted", "duplicate", "refused", "ignored")}
    assert ledger["received"] == sum(found.values())
    return {name: number for name, number in found.items() if number}


async def test_each_instance_gets_its_own_items_of_a_batch(hub: Gateway) -> None:
    first, second = await portal(hub, "1"), await portal(hub, "2")
    body = batch(1, "2", 1)
    assert (await send(hub, body)).status == 200
    assert await stored(hub) == {first["id"]: ["0", "2"], second["id"]: ["1"]}
    assert (await send(hub, body)).status == 200
    assert await counted(hub) == {"accepted": 3, "duplicate": 3}


async def test_what_names_no_instance_that_is_here_is_ignored_beside_what_does(hub: Gateway) -> None:
    first = await portal(hub, "1")
    assert (await send(hub, batch(1, 9, None, {"a": 1}, 9.5))).status == 200
    assert await stored(hub) == {first["id"]: ["0"]}
    assert await counted(hub) == {"accepted": 1, "ignored": 4}


async def test_a_wrong_signature_an_unknown_account_and_no_account_are_the_same_401(hub: Gateway) -> None:
    await portal(hub, "1")
    answers = [
        await send(hub, batch(1), "wrong"),
        await send(hub, batch(9)),
        await send(hub, batch(None)),
        await send(hub, b"{"),
        await send(hub, b""),
        await send(hub, b"[]", "wrong"),
        await hub.send(APP + "hub", batch(1), {}),
    ]
    assert {(one.status, one.body) for one in answers} == {(401, b"unauthorized")}
    assert len({tuple(sorted(name for name in one.headers if name != "Date")) for one in answers}) == 1
    assert await stored(hub) == {}
    assert await counted(hub) == {"refused": 7}


async def test_an_instance_that_names_anothers_account_must_prove_by_its_own_secret(hub: Gateway) -> None:
    owner, squatter = await portal(hub, "1", "s"), await portal(hub, "1", "other")
    assert (await send(hub, batch(1, 1), "s")).status == 200
    assert await stored(hub) == {owner["id"]: ["0", "1"]}
    # And what the squatter signs himself reaches nobody else.
    assert (await send(hub, batch(1), "other")).status == 200
    assert await stored(hub) == {owner["id"]: ["0", "1"], squatter["id"]: ["0"]}


async def test_several_instances_of_an_account_each_get_the_event(hub: Gateway) -> None:
    made = [await portal(hub, "1") for _ in range(3)]
    assert (await send(hub, batch(1))).status == 200
    assert await stored(hub) == {one["id"]: ["0"] for one in made}
    assert await counted(hub) == {"accepted": 3}


async def test_an_instance_without_proof_gets_nothing_on_a_url_that_everybody_knows(lone: Gateway) -> None:
    await portal(lone, "1", proof="none")
    assert (await send(lone, batch(1))).status == 401
    owner = await portal(lone, "1")
    assert (await send(lone, batch(1))).status == 200
    assert await stored(lone) == {owner["id"]: ["0"]}


async def test_an_instance_that_takes_no_events_has_its_items_ignored(lone: Gateway) -> None:
    unwanted: dict[str, Any] = {"event.notification.enabled": False}
    await portal(lone, "1", **unwanted)
    second = await portal(lone, "2")
    assert (await send(lone, batch(1, 2, 2))).status == 200
    assert await stored(lone) == {second["id"]: ["1", "2"]}
    assert await counted(lone) == {"accepted": 2, "ignored": 1}


async def test_an_account_that_was_changed_or_removed_is_routed_anew_at_once(hub: Gateway) -> None:
    made = await portal(hub, "1")
    assert (await send(hub, batch(2))).status == 401
    await hub.call("PATCH", f"/instances/{made['id']}", json={"configuration": {"portal": "2"}})
    assert (await send(hub, batch(2))).status == 200
    assert (await send(hub, batch(1))).status == 401
    later = await portal(hub, "1")
    assert (await send(hub, batch(1))).status == 200
    await hub.call("DELETE", f"/instances/{made['id']}")
    assert (await send(hub, batch(2))).status == 401
    assert set(await stored(hub)) == {made["id"], later["id"]}


async def test_a_value_that_is_too_long_or_odd_routes_nothing(hub: Gateway) -> None:
    await portal(hub, "x" * 3000)
    for name in ("x" * 3000, "x" * 200, "\x00", "\ud800", "", "' OR 1=1 --"):
        assert (await send(hub, batch(name))).status == 401


async def test_ten_thousand_items_of_ten_thousand_accounts_cost_a_bounded_number_of_look_ups(lone: Gateway) -> None:
    first = await portal(lone, "0")
    database: Any = lone.running.services.runtime.database
    asked = 0
    all_rows = database.all

    async def counting(sql: str, *args: Any) -> Any:
        nonlocal asked
        asked += "configuration.value = $3" in sql
        return await all_rows(sql, *args)

    database.all = counting
    body = batch(*range(10_000))
    assert (await send(lone, body, "wrong")).status == 401
    assert asked <= 100
    assert (await send(lone, body)).status == 200
    assert asked <= 100
    database.all = all_rows
    assert await stored(lone) == {first["id"]: ["0"]}
    assert await counted(lone) == {"accepted": 1, "ignored": 9_999, "refused": 1}


async def test_an_account_between_fixed_texts_is_found_by_its_entry(hub: Gateway) -> None:
    made = await portal(hub, "acme", connector="shop")
    body = b'{"type":"t","id":1}'
    for name in ("acme.other.example", "acme", ".shop.example", "acme.shop.example.", "", "x.acme.shop.example"):
        assert (await send(hub, body, key="shop", x_shop=name)).status == 401, name
    assert (await send(hub, body, key="shop", x_shop="acme.shop.example")).status == 200
    assert await stored(hub) == {made["id"]: ["1"]}


async def test_the_challenge_of_an_app_is_answered_where_an_instance_proves_it(hub: Gateway) -> None:
    body = b'{"type":"url_verification","challenge":"abc"}'
    assert (await send(hub, body)).status == 401
    await portal(hub, None, "s")
    await portal(hub, None, "t")
    for secret in ("s", "t"):
        answered = await send(hub, body, secret)
        assert (answered.status, answered.body) == (200, b"abc")
    assert (await send(hub, body, "wrong")).status == 401
    assert await counted(hub) == {"refused": 2}


async def test_a_delivery_without_items_is_answered_where_an_instance_proves_it(hub: Gateway) -> None:
    assert (await send(hub, b"[]")).status == 401
    await portal(hub, "1")
    assert (await send(hub, b"[]")).status == 200
    assert (await send(hub, b"[]", "wrong")).status == 401
    assert await counted(hub) == {"refused": 2}


async def test_methods_that_nobody_declared_are_405(lone: Gateway) -> None:
    await portal(lone, "1")
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        answered = await lone.call(method, APP + "hub", headers={})
        assert (answered.status, answered.headers["Allow"]) == (405, "POST"), method
    assert await counted(lone) == {"refused": 5}


async def test_the_url_of_a_connector_that_is_not_for_apps_is_404(lone: Gateway) -> None:
    for key in ("own", "github", "nothing", "closeio"):
        assert (await send(lone, b"{}", key=key)).status == 404
    assert await counted(lone) == {"refused": 4}


async def test_a_body_beyond_the_limit_is_413_and_nobodys(tmp_path: Path) -> None:
    small = with_vendors(tmp_path, "", inbound={"max_body": "2KiB", "max_body_ceiling": "4KiB"})
    async with started(small) as gateway:
        assert (await send(gateway, batch(*range(1000)))).status == 413
        assert await counted(gateway) == {"refused": 1}


async def test_an_app_url_has_a_rate_limit(tmp_path: Path) -> None:
    async with started(with_vendors(tmp_path, "", inbound={"rate_limit": 2})) as gateway:
        statuses = [(await send(gateway, batch(1))).status for _ in range(6)]
        assert 429 in statuses


async def test_a_finder_leads_to_the_instances_that_hold_the_value(hub: Gateway) -> None:
    finder = {"event.notification.instance.finder": "portal|data.site.id", "connector": "found"}
    first, second = await portal(hub, "1", **finder), await portal(hub, "2", **finder)
    await portal(hub, "2", connector="found")
    body = b'{"type":"t","id":7,"data":{"site":{"id":2}}}'
    assert (await send(hub, body, key="found")).status == 200
    assert await stored(hub) == {second["id"]: ["7"]}
    assert (await send(hub, b'{"data":{"site":{"id":"1"}}}', key="found")).status == 200
    assert set(await stored(hub)) == {first["id"], second["id"]}
    answers = [
        await send(hub, body, "wrong", key="found"),
        await send(hub, b'{"data":{"site":{"id":3}}}', key="found"),
        await send(hub, b'{"data":[]}', key="found"),
        await send(hub, b"<xml/>", key="found"),
    ]
    assert {(one.status, one.body) for one in answers} == {(401, b"unauthorized")}
    assert await counted(hub) == {"accepted": 2, "refused": 4}


@pytest.mark.parametrize(("allowed", "status"), [(True, 200), (False, 401)])
async def test_a_finder_without_proof_needs_the_operators_leave(allowed: bool, status: int, tmp_path: Path) -> None:
    async with started(with_vendors(tmp_path, "", inbound={"allow_guessable_urls": allowed})) as gateway:
        finder = {"event.notification.instance.finder": "portal|p", "connector": "found", "proof": "none"}
        await portal(gateway, "1", **finder)
        assert (await send(gateway, b'{"type":"t","p":"1"}', key="found")).status == status


async def test_a_plain_finder_finds_nothing(lone: Gateway) -> None:
    await portal(lone, "1", connector="found", **{"event.notification.instance.finder": "autopilot123"})
    assert (await send(lone, b'{"portal":"1"}', key="found")).status == 404


@pytest.mark.parametrize(
    ("finder", "problem"),
    [
        ("portl|a", "did you mean portal"),
        ("app.secret|a", "no secret"),
        ("portal|", "path"),
        ("portal|a..b", "path"),
        ("|a", "no entry"),
    ],
)
async def test_a_finder_that_could_never_find_is_refused(finder: str, problem: str, lone: Gateway) -> None:
    wanted = {"event.notification.instance.finder": finder}
    sent = {"element": {"key": "found"}, "name": "x", "configuration": wanted}
    answered = await lone.call("POST", "/instances", json=sent)
    assert answered.status == 400
    assert problem in answered.body.decode()


async def test_the_events_of_an_app_reach_their_consumers(hub: Gateway, receiver: Consumer) -> None:
    for name in ("1", "2"):
        await hub.create("hub", receiver.url(f"/{name}"), **{"app.secret": "s", "portal": name})
    assert (await send(hub, batch(1, 2))).status == 200
    assert sorted(one.path for one in await receiver.wait(2)) == ["/1", "/2"]
