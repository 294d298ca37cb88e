"""An instance's own URL where deliveries name an account: its own, a sibling's, a stranger's."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway import ids
from tests.kit.gateway import Answered, Gateway, started
from tests.kit.vendors import signed, with_vendors


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


async def portal(
    gateway: Gateway, name: str | None, secret: str = "s", key: str = "hub", **values: Any
) -> dict[str, Any]:
    return await gateway.create(key, **{"app.secret": secret, "portal": name, **values})


async def send(gateway: Gateway, made: dict[str, Any], body: bytes, secret: str = "s", **headers: str) -> Answered:
    return await gateway.send(made["webhookUrl"], body, signed(secret, body, **headers))


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


async def checks(gateway: Gateway) -> list[tuple[int, str]]:
    """Whose refusals there are, and why."""
    await asyncio.sleep(0.1)
    rows = await gateway.running.services.runtime.database.all("SELECT * FROM refusals ORDER BY id")
    return [(row["instance_id"], row["failed_check"]) for row in rows]


async def to_another_partner(gateway: Gateway, made: dict[str, Any]) -> None:
    """Give an instance away to a partner of its own."""
    services = gateway.running.services
    async with services.runtime.database.transaction() as transaction:
        await transaction.execute(
            "UPDATE instances SET partner_id = $1, account_id = $2 WHERE id = $3",
            ids.hex_token(),
            ids.hex_token(),
            made["id"],
        )
    services.index.forget(made["id"])


async def test_only_the_account_of_the_instance_is_let_in(hub: Gateway) -> None:
    made = await portal(hub, "1", key="own")
    assert (await send(hub, made, b'{"type":"t","id":1,"portal":1}')).status == 200
    for body in (b'{"type":"t","id":2,"portal":"2"}', b'{"type":"t","id":3}', b'{"portal":null}', b'{"portal":[1]}'):
        answered = await send(hub, made, body)
        assert (answered.status, answered.body) == (401, b"unauthorized")
    assert (await send(hub, made, b'{"portal":"1"}', "wrong")).status == 401
    assert await stored(hub) == {made["id"]: ["1"]}
    assert sorted(await checks(hub)) == [(made["id"], "account_mismatch")] * 4 + [(made["id"], "signature_mismatch")]
    assert await counted(hub) == {"accepted": 1, "refused": 5}


async def test_an_instance_that_does_not_know_its_own_account_lets_nothing_in(lone: Gateway) -> None:
    made = await portal(lone, None, key="own")
    assert (await send(lone, made, b'{"type":"t","id":1,"portal":"1"}')).status == 401
    assert (await send(lone, made, b'{"type":"t","id":1,"portal":""}')).status == 401
    assert await checks(lone) == [(made["id"], "account_mismatch")] * 2


async def test_a_shared_batch_on_an_instances_own_url_is_divided_among_the_partners_instances(hub: Gateway) -> None:
    first, second = await portal(hub, "1"), await portal(hub, "2")
    body = batch(1, 2, 9, None)
    assert (await send(hub, first, body)).status == 200
    assert await stored(hub) == {first["id"]: ["0"], second["id"]: ["1"]}
    assert (await send(hub, second, body)).status == 200
    assert await counted(hub) == {"accepted": 2, "duplicate": 2, "ignored": 4}


async def test_another_partners_instance_gets_nothing_by_it(hub: Gateway) -> None:
    first, second = await portal(hub, "1"), await portal(hub, "2")
    await to_another_partner(hub, second)
    assert (await send(hub, first, batch(1, 2))).status == 200
    assert await stored(hub) == {first["id"]: ["0"]}
    assert await counted(hub) == {"accepted": 1, "ignored": 1}
    # On the app's URL it proves the delivery itself, and gets what is its own.
    body = batch(1, 2)
    assert (await hub.send("/elements/api-v2/events/hub", body, signed("s", body))).status == 200
    assert await stored(hub) == {first["id"]: ["0"], second["id"]: ["1"]}


async def test_a_sibling_with_another_secret_or_with_none_gets_nothing(lone: Gateway) -> None:
    first = await portal(lone, "1")
    await portal(lone, "2", "other")
    await portal(lone, "2", proof="none")
    assert (await send(lone, first, batch(2, 2))).status == 200
    assert await stored(lone) == {}
    assert await counted(lone) == {"ignored": 2}


async def test_where_no_account_is_configured_everything_is_the_instances_own(lone: Gateway) -> None:
    made = await portal(lone, None)
    await portal(lone, "2")
    assert (await send(lone, made, batch(1, 2, None))).status == 200
    assert await stored(lone) == {made["id"]: ["0", "1", "2"]}


async def test_an_id_in_the_header_gives_no_more_than_the_instances_own_url(lone: Gateway) -> None:
    first, second = await portal(lone, "1"), await portal(lone, "2", "other")
    url = "/elements/api-v2/events/hub"
    body = batch(1, 2)
    named = {**signed("s", body), "Element-Instances": str(second["id"])}
    assert (await lone.send(url, body, named)).status == 401
    named = {**signed("s", body), "Element-Instances": f"{first['id']}"}
    assert (await lone.send(url, body, named)).status == 200
    assert await stored(lone) == {first["id"]: ["0"]}
    assert await counted(lone) == {"accepted": 1, "ignored": 1, "refused": 1}


async def test_the_challenge_of_an_app_is_answered_on_an_instances_own_url_too(lone: Gateway) -> None:
    made = await portal(lone, "1")
    body = b'{"type":"url_verification","challenge":"abc"}'
    answered = await send(lone, made, body)
    assert (answered.status, answered.body) == (200, b"abc")
    assert (await send(lone, made, body, "wrong")).status == 401


async def test_an_instance_without_its_connector_asks_the_vendor_to_come_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with started(with_vendors(tmp_path, "")) as gateway:
        made = await portal(gateway, "1")
    (tmp_path / "connectors" / "hub.toml").unlink()
    kept = gateway.running.config
    async with started(kept) as again:
        url = f"{again.url}/in/{made['webhookUrl'].rsplit('/', 1)[-1]}"
        for _ in range(3):
            answered = await again.send(url, batch(1), signed("s", batch(1)))
            assert (answered.status, answered.headers["Retry-After"]) == (503, "5")
        url = "/elements/api-v2/events/hub"
        named = {**signed("s", batch(1)), "Element-Instances": str(made["id"])}
        assert (await again.send(url, batch(1), named)).status == 503
        assert (await again.send("/in/" + "A" * 43, batch(1), {})).status == 404
        assert await counted(again) == {"refused": 1}
    assert capsys.readouterr().out.count("event.no_connector") == 1
