"""An account's own say on how long its events are kept."""

from collections.abc import Iterable
from typing import Any

import pytest

from gateway.clock import duration_ms
from gateway.events.choice import written as duration
from gateway.ids import time_ordered
from tests.kit.gateway import Gateway


async def account_of(gateway: Gateway) -> str:
    row = await gateway.running.services.runtime.database.one("SELECT id FROM accounts")
    assert row is not None
    return str(row["id"])


def place(account_id: str) -> str:
    return f"/api/v1/accounts/{account_id}/retention"


async def test_an_account_without_a_say_keeps_what_the_configuration_keeps(gateway: Gateway) -> None:
    account_id = await account_of(gateway)
    answered = await gateway.call("GET", place(account_id))
    assert (answered.status, answered.json) == (
        200,
        {"account_id": account_id, "events": None, "payloads": None, "effective": {"events": "30d", "payloads": "30d"}},
    )


async def test_a_say_is_kept_changed_as_a_whole_and_taken_back(gateway: Gateway) -> None:
    there = place(await account_of(gateway))
    first = await gateway.call("PUT", there, json={"events": "90d", "payloads": "36h"})
    assert (first.status, first.json["events"], first.json["payloads"]) == (200, "90d", "36h")
    second = await gateway.call("PUT", there, json={"payloads": "12h"})
    assert second.json["effective"] == {"events": "30d", "payloads": "12h"}
    assert (await gateway.call("GET", there)).json == second.json
    assert second.json["events"] is None
    dropped = await gateway.call("DELETE", there)
    assert (dropped.status, dropped.json["payloads"]) == (200, None)
    assert (await gateway.call("DELETE", there)).status == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "events"),
        ({"events": None}, "events"),
        ({"events": "0s"}, "events"),
        ({"events": "forever"}, "events"),
        ({"events": 30}, "events"),
        ({"events": "4000d"}, "events"),
        ({"payloads": ["1d"]}, "payloads"),
        ({"events": "1d", "payloads": "2d"}, "payloads"),
        ({"payloads": "31d"}, "payloads"),
        ({"events": "1d", "answers": "1d"}, "answers"),
        ([], "body"),
    ],
)
async def test_what_is_no_retention_is_refused_by_its_field(sqlite_gateway: Gateway, body: Any, field: str) -> None:
    there = place(await account_of(sqlite_gateway))
    answered = await sqlite_gateway.call("PUT", there, json=body)
    assert (answered.status, answered.json["errors"][0]["field"]) == (400, field)
    assert (await sqlite_gateway.call("GET", there)).json["effective"] == {"events": "30d", "payloads": "30d"}


async def test_a_field_of_the_query_that_nobody_knows_is_refused(sqlite_gateway: Gateway) -> None:
    assert (await sqlite_gateway.call("GET", place(await account_of(sqlite_gateway)) + "?events=1d")).status == 400


@pytest.mark.parametrize("account_id", ["none", "%00", "a%2Fb", "x" * 500, "é"])
async def test_an_account_that_is_not_the_callers_is_not_there(sqlite_gateway: Gateway, account_id: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answered = await sqlite_gateway.call(method, place(account_id), json={"events": "1d"})
        assert answered.status == 404, method


async def test_only_an_administrator_changes_it(gateway: Gateway) -> None:
    account_id = await account_of(gateway)
    async with gateway.running.services.runtime.database.transaction() as transaction:
        await transaction.execute("UPDATE users SET role = 'end_user'")
    statuses = [
        (await gateway.call(method, place(account_id), json={"events": "1d"})).status
        for method in ("GET", "PUT", "DELETE")
    ]
    assert statuses == [200, 403, 403]


async def test_another_partners_account_is_not_there(gateway: Gateway) -> None:
    other = time_ordered()
    async with gateway.running.services.runtime.database.transaction() as transaction:
        await transaction.execute(
            "INSERT INTO accounts (id, partner_id, name, created_at) VALUES ($1, 'somebody else', 'n', 0)", other
        )
    assert (await gateway.call("PUT", place(other), json={"events": "1d"})).status == 404


def lengths() -> Iterable[int]:
    return (1, 999, 1_000, 61_000, 3_600_000, 36 * 3_600_000, 86_400_000, 90 * 86_400_000)


@pytest.mark.parametrize("length_ms", lengths())
def test_a_duration_is_written_so_that_it_reads_the_same(length_ms: int) -> None:
    assert duration_ms(duration(length_ms)) == length_ms
