"""What a delivery may carry only once."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.gateway import Answered, Gateway, started
from tests.kit.vendors import signed, with_vendors


@pytest.fixture
async def once(database_url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway on each engine that knows the vendors of the tests."""
    async with started(with_vendors(tmp_path, database_url)) as found:
        yield found


def items(*numbers: int) -> bytes:
    return json.dumps({"items": [{"type": "t", "id": number} for number in numbers]}).encode()


async def send(gateway: Gateway, made: dict[str, Any], body: bytes, nonce: str) -> Answered:
    return await gateway.send(made["webhookUrl"], body, signed("s", body, x_nonce=nonce))


async def counted(gateway: Gateway) -> dict[str, int]:
    """What the ledger has counted; what was received is exactly what became of it."""
    await asyncio.sleep(0.1)
    ledger = await gateway.ledger()
    found = {name: ledger[name] for name in ("accepted", "duplicate", "refused", "ignored")}
    assert ledger["received"] == sum(found.values())
    return {name: number for name, number in found.items() if number}


async def checks(gateway: Gateway) -> list[str]:
    sql = "SELECT failed_check FROM refusals WHERE outcome = 'refused' ORDER BY id"
    rows = await gateway.running.services.runtime.database.all(sql)
    return [row["failed_check"] for row in rows]


async def test_a_nonce_with_another_body_is_a_replay_and_with_the_same_a_duplicate(once: Gateway) -> None:
    made, other = [await once.create("once", **{"app.secret": "s"}) for _ in range(2)]
    assert (await send(once, made, items(1), "n")).status == 200
    assert (await send(once, made, items(1), "n")).status == 200
    forged = await send(once, made, items(2), "n")
    assert (forged.status, forged.body) == (401, b"unauthorized")
    assert (await send(once, made, items(2), "m")).status == 200
    assert (await send(once, other, items(3), "n")).status == 200
    assert await counted(once) == {"accepted": 3, "duplicate": 1, "refused": 1}
    assert await checks(once) == ["replayed"]


async def test_a_nonce_is_remembered_without_events_too(once: Gateway) -> None:
    unwanted: dict[str, Any] = {"app.secret": "s", "event.notification.enabled": False}
    off = await once.create("once", **unwanted)
    made = await once.create("once", **{"app.secret": "s"})
    assert (await send(once, off, items(1, 2), "n")).status == 200
    assert (await send(once, off, items(3), "n")).status == 401
    assert (await send(once, made, items(), "n")).status == 200
    assert (await send(once, made, items(3), "n")).status == 401
    assert await counted(once) == {"ignored": 2, "refused": 2}
    assert await checks(once) == ["replayed"] * 2


async def test_of_many_bodies_with_one_nonce_at_once_one_is_taken(once: Gateway) -> None:
    made = await once.create("once", **{"app.secret": "s"})
    answers = await asyncio.gather(*(send(once, made, items(number), "n") for number in range(30)))
    assert sorted(answered.status for answered in answers) == [200] + [401] * 29
    assert await counted(once) == {"accepted": 1, "refused": 29}


async def test_the_same_delivery_many_times_at_once_is_one_event(once: Gateway) -> None:
    made = await once.create("once", **{"app.secret": "s"})
    answers = await asyncio.gather(*(send(once, made, items(1), "n") for _ in range(30)))
    assert {answered.status for answered in answers} == {200}
    assert await counted(once) == {"accepted": 1, "duplicate": 29}


async def test_a_nonce_that_another_node_has_just_taken_is_asked_for_again(once: Gateway) -> None:
    made = await once.create("once", **{"app.secret": "s"})
    services = once.running.services
    body = items(1)
    # Another node commits it after this one has looked.
    database: Any = services.runtime.database
    look = database.one

    async def late(sql: str, *args: Any) -> Any:
        found = await look(sql, *args)
        if "FROM nonces" in sql:
            async with database.transaction() as transaction:
                await transaction.execute("INSERT INTO nonces VALUES ($1, 'n', 'another body', 1)", made["id"])
        return found

    database.one = late
    answered = await send(once, made, body, "n")
    database.one = look
    assert (answered.status, answered.headers["Retry-After"]) == (503, "5")
    assert (await send(once, made, body, "n")).status == 401
    assert await counted(once) == {"refused": 1}


async def test_long_and_odd_nonces_are_kept_apart(once: Gateway) -> None:
    made = await once.create("once", **{"app.secret": "s"})
    for number, nonce in enumerate(("x" * 4000, "x" * 4001, "é" * 600, "a'b")):
        headers = {**signed("s", b"", x_nonce=nonce), "x-nonce": nonce}
        sent = await once.call("POST", made["webhookUrl"], data=items(number), headers=headers)
        assert sent.status == 200, nonce[:5]
        assert (await once.call("POST", made["webhookUrl"], data=items(99), headers=headers)).status == 401
