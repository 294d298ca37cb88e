"""What an account, or one object of it, has left is taken away, and the ledger still adds up."""

from typing import Any

import pytest

from gateway.storage.database import Database
from tests.api.asking import colleague, is_problem, stranger
from tests.delivery.road import never, until
from tests.kit import signed
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway
from tests.replays.parts import begun, call, ended, listed, send


async def account_of(gateway: Gateway, made: dict[str, Any]) -> str:
    found: str = (await call(gateway, "GET", f"/instances/{made['id']}")).json["account_id"]
    return found


async def count(database: Database, table: str, where: str = "1 = 1") -> int:
    row = await database.one(f"SELECT count(*) AS number FROM {table} WHERE {where}")
    return 0 if row is None else int(row["number"])


async def removed(database: Database) -> dict[str, int]:
    """What the ledger says was taken away."""
    found: dict[str, int] = {}
    for table, names in (
        ("ledger_events", ("removed",)),
        ("ledger_deliveries", ("removed_delivered", "removed_dead", "removed_cancelled")),
    ):
        for row in await database.all(f"SELECT * FROM {table}"):
            for name in names:
                found[name] = found.get(name, 0) + int(row[name])
    return found


async def test_an_account_is_erased_and_what_was_on_its_way_is_called_off(gateway: Gateway, receiver: Consumer) -> None:
    database = gateway.running.services.runtime.database
    made = await gateway.create("github", receiver.url())
    await send(gateway, made, *range(5))
    await until(gateway, delivered=5)
    receiver.answer = never
    await send(gateway, made, 6, 7)
    await receiver.wait(6)
    await gateway.send(made["webhookUrl"], b"{}", signed.github("wrong", b"{}"))
    account_id = await account_of(gateway, made)
    found = await ended(gateway, f"/erasures/{await begun(gateway, '/erasures', {'account_id': account_id})}")
    assert (found["kind"], found["state"]) == ("erasure", "done")
    for table in ("events", "deliveries", "attempts", "refusals"):
        assert await count(database, table) == 0, table
    await until(gateway, pending=0, delivered=5, cancelled=2, created=7, accepted=7)
    assert await removed(database) == {
        "removed": 7,
        "removed_delivered": 5,
        "removed_dead": 0,
        "removed_cancelled": 2,
    }


async def test_one_object_is_erased_and_no_other(gateway: Gateway, receiver: Consumer) -> None:
    database = gateway.running.services.runtime.database
    made = await gateway.create("github", receiver.url())
    await send(gateway, made, 1, 2, 1, 3)
    await until(gateway, pending=0)
    wanted = {"account_id": await account_of(gateway, made), "object_type": "issues", "object_id": "1"}
    found = await ended(gateway, f"/erasures/{await begun(gateway, '/erasures', wanted)}")
    assert found["state"] == "done"
    assert await count(database, "events", "object_id = '1'") == 0
    assert await count(database, "events") == 2
    assert await count(database, "deliveries") == 2
    other = {**wanted, "object_type": "pulls", "object_id": "2"}
    await ended(gateway, f"/erasures/{await begun(gateway, '/erasures', other)}")
    assert await count(database, "events") == 2


async def test_another_account_keeps_what_it_has(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    await send(gateway, made, 1)
    await until(gateway, delivered=1)
    account_id = await account_of(gateway, made)
    for who in (await stranger(gateway), await colleague(gateway, same_account=False)):
        assert is_problem(await call(gateway, "POST", "/erasures", {"account_id": account_id}, headers=who), 404)
        assert await listed(gateway, "/erasures", headers=who) == []
    assert await count(gateway.running.services.runtime.database, "events") == 1


async def test_only_an_administrator_may_erase(gateway: Gateway, receiver: Consumer) -> None:
    made, who = await gateway.create("github", receiver.url()), await colleague(gateway)
    async with gateway.running.services.runtime.database.transaction() as transaction:
        await transaction.execute("UPDATE users SET role = 'end_user' WHERE id = (SELECT max(id) FROM users)")
    body = {"account_id": await account_of(gateway, made)}
    assert is_problem(await call(gateway, "POST", "/erasures", body, headers=who), 403)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "account_id"),
        ({"account_id": 7}, "account_id"),
        ({"account_id": "a", "object_type": "t"}, "object_id"),
        ({"account_id": "a", "object_id": ""}, "object_id"),
        ({"account_id": "a", "object_id": "\x00"}, "object_id"),
        ({"account_id": "a", "all": True}, "all"),
    ],
)
async def test_an_erasure_that_cannot_be_read_is_refused_with_its_field(
    sqlite_gateway: Gateway, body: object, field: str
) -> None:
    answered = await call(sqlite_gateway, "POST", "/erasures", body)
    assert is_problem(answered, 400)
    assert [one["field"] for one in answered.json["errors"]] == [field]
