"""Credentials that nobody could try are tried again, seldom, and what calls show of them is written down."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.access import store
from gateway.access.act import Called, Manner
from gateway.access.model import PAUSES_MS, REFUSED_PAUSES_MS, Standing, refused, unchecked
from gateway.access.tend import Tending
from gateway.calls.model import Arguments
from gateway.clock import now_ms
from gateway.storage.database import Database
from tests.kit.gateway import Gateway
from tests.kit.logins import brought, knowing, standing, values, view
from tests.vendors import API_KEY, CLIENT_SECRET, Vendor, vendor
from tests.vendors.misbehaving import answering

DOWN = answering(503, b"down")


@pytest.fixture
async def there() -> AsyncIterator[Vendor]:
    async with vendor() as found:
        yield found


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with knowing(tmp_path) as found:
        yield found


async def keyed(gateway: Gateway, there: Vendor) -> int:
    body = {"element": {"key": "vend-key"}, "configuration": {"site": there.url, "api.key": API_KEY}}
    answered = await gateway.call("POST", "/instances", json=body)
    assert answered.status == 200, answered.body
    return int(answered.json["id"])


async def row(gateway: Gateway, instance_id: int) -> Standing:
    found = await store.standing(gateway.running.services.runtime.database, instance_id)
    assert found is not None
    return found


async def check(gateway: Gateway, instance_id: int) -> None:
    """Let the time of the next check come, and the duty look."""
    services = gateway.running.services
    async with services.runtime.database.transaction() as transaction:
        await transaction.execute("UPDATE logins SET check_at = $2 WHERE instance_id = $1", instance_id, now_ms())
    await Tending(services.runtime, services.index, services.vendors).check()


async def called(gateway: Gateway, instance_id: int) -> int:
    seen = await view(gateway, instance_id)
    vendors = gateway.running.services.vendors
    async with vendors.act(seen, seen.connector.methods["me"], Arguments(), Manner()) as outcome:
        assert isinstance(outcome, Called)
        return outcome.status


async def test_a_vendor_that_answers_again_makes_the_instance_valid(gateway: Gateway, there: Vendor) -> None:
    there.always(DOWN, on="/api/v1/me/")
    made = await keyed(gateway, there)
    assert (await row(gateway, made)).state == "unchecked"
    await check(gateway, made)
    assert (await row(gateway, made)).state == "unchecked"
    there.behave()
    await check(gateway, made)
    told = await standing(gateway, made)
    assert (told["state"], told["reason"]) == ("good", None)
    assert (await row(gateway, made)).check_at is None


async def test_a_check_that_ends_in_a_refusal_says_so(gateway: Gateway, there: Vendor) -> None:
    there.always(DOWN, on="/api/v1/me/")
    made = await keyed(gateway, there)
    there.behave()
    there.close.api_keys.clear()
    await check(gateway, made)
    told = await standing(gateway, made)
    assert told["state"] == "reauth"
    assert "not valid" in told["reason"]


async def test_checks_become_seldom(gateway: Gateway, there: Vendor) -> None:
    there.always(DOWN, on="/api/v1/me/")
    made = await keyed(gateway, there)
    pauses = []
    for _ in range(6):
        found, now = await row(gateway, made), now_ms()
        assert found.check_at is not None
        pauses.append(round((found.check_at - now) / 60_000))
        await check(gateway, made)
    assert pauses == [1, 2, 5, 15, 60, 60]


def test_the_pauses_are_those_that_the_page_names() -> None:
    assert [pause // 60_000 for pause in PAUSES_MS] == [1, 2, 5, 15, 60]
    assert unchecked("why", 0, tries=99).check_at == PAUSES_MS[-1]
    assert refused("why", 0, tries=99).check_at == REFUSED_PAUSES_MS[-1]
    assert len(unchecked("x" * 9999, 0).reason or "") == 500


async def test_a_check_logs_in_where_that_was_not_possible_before(gateway: Gateway, there: Vendor) -> None:
    there.always(DOWN, on="/session/login/")
    body = {
        "element": {"key": "vend-session"},
        "configuration": {"site": there.url, "user": "ada", "password": "secret"},
    }
    made = (await gateway.call("POST", "/instances", json=body)).json
    assert made["valid"] is False
    there.behave()
    await check(gateway, made["id"])
    assert (await standing(gateway, made["id"]))["state"] == "good"
    assert await called(gateway, made["id"]) == 200
    assert there.oauth.given == {"session": 1}


async def test_a_check_renews_a_token_that_is_over_before_it_judges(gateway: Gateway, there: Vendor) -> None:
    made = await brought(gateway, there)
    there.oauth.expire()
    body = {"configuration": {"oauth.api.secret": "another for a moment"}}
    await gateway.call("PATCH", f"/instances/{made}", json=body)
    await gateway.call("PATCH", f"/instances/{made}", json={"configuration": {"oauth.api.secret": CLIENT_SECRET}})
    assert (await row(gateway, made)).state == "unchecked"
    await check(gateway, made)
    assert (await row(gateway, made)).state == "good"
    assert there.oauth.given == {"refresh_token": 1}


async def test_a_login_that_works_is_renewed_though_its_tokens_are_refused(gateway: Gateway, there: Vendor) -> None:
    made = await brought(gateway, there)
    there.always(answering(403, b'{"error":"no scope"}'), on="/api/v1/me/")
    await check(gateway, made)
    found = await row(gateway, made)
    assert (found.state, found.reason) == ("unchecked", "no scope")
    assert found.renew_at is not None


async def test_a_refusal_of_a_key_is_marked_once_a_minute_and_a_success_takes_it_back(
    gateway: Gateway, there: Vendor
) -> None:
    made = await keyed(gateway, there)
    there.close.api_keys.clear()
    assert [await called(gateway, made) for _ in range(3)] == [401, 401, 401]
    first = await row(gateway, made)
    assert first.state == "reauth"
    assert (await gateway.call("GET", f"/instances/{made}")).json["valid"] is False
    there.close.api_keys.add(API_KEY)
    assert await called(gateway, made) == 200
    assert (await row(gateway, made)).state == "good"


async def test_a_key_that_another_node_has_changed_is_used_and_not_blamed(gateway: Gateway, there: Vendor) -> None:
    made = await keyed(gateway, there)
    stale = await view(gateway, made)
    there.close.api_keys = {"api_the.second0123456789"}
    body = {"configuration": {"api.key": "api_the.second0123456789"}}
    assert (await gateway.call("PATCH", f"/instances/{made}", json=body)).status == 200
    vendors = gateway.running.services.vendors
    async with vendors.act(stale, stale.connector.methods["me"], Arguments(), Manner()) as outcome:
        assert isinstance(outcome, Called)
        assert outcome.status == 200
    assert (await row(gateway, made)).state == "good"


async def test_a_change_during_a_check_is_not_overruled_by_it(gateway: Gateway, there: Vendor) -> None:
    there.always(DOWN, on="/api/v1/me/")
    made = await keyed(gateway, there)
    there.behave()
    asked, release = asyncio.Event(), asyncio.Event()

    async def refuse_late(_request: Any) -> Any:
        asked.set()
        await release.wait()
        return await answering(401, b"no")(_request)

    there.next(refuse_late, on="/api/v1/me/")
    checking = asyncio.create_task(check(gateway, made))
    await asked.wait()
    there.close.api_keys.add("api_the.second0123456789")
    body = {"configuration": {"api.key": "api_the.second0123456789"}}
    assert (await gateway.call("PATCH", f"/instances/{made}", json=body)).status == 200
    release.set()
    await checking
    assert (await row(gateway, made)).state == "good"


async def test_standings_of_a_page_are_read_in_one_look(gateway: Gateway, there: Vendor) -> None:
    made = [await brought(gateway, there) for _ in range(3)]
    database = gateway.running.services.runtime.database
    found = await store.standings(database, [*made, 999])
    assert sorted(found) == made
    assert await store.standings(database, []) == {}


async def test_a_lease_is_one_nodes_at_a_time(database: Database) -> None:
    async with database.transaction() as transaction:
        assert await store.take_lease(transaction, 1, "a", 100, 200)
        assert not await store.take_lease(transaction, 1, "b", 150, 250)
        await store.give_back(transaction, 1, "b")
        assert not await store.take_lease(transaction, 1, "b", 150, 250)
        assert await store.take_lease(transaction, 1, "b", 201, 300)
        assert not await store.take_due_lease(transaction, 1, "c", 400, 500)
        await store.settle(transaction, 1, Standing(state="good", reason=None, since=5, renew_at=399))
        assert await store.take_due_lease(transaction, 1, "c", 400, 500)
        assert not await store.take_due_lease(transaction, 1, "d", 450, 550)
    assert await store.to_renew_any_account(database, 450, 10) == []
    assert await store.to_renew_any_account(database, 501, 10) == [1]


async def test_an_instance_that_is_deleted_leaves_no_standing(gateway: Gateway, there: Vendor) -> None:
    made = await brought(gateway, there)
    await gateway.call("DELETE", f"/instances/{made}")
    assert await store.standing(gateway.running.services.runtime.database, made) is None


async def test_a_client_secret_that_is_wrong_makes_no_instance(gateway: Gateway, there: Vendor) -> None:
    own = values(there) | {"oauth.api.secret": "another secret"}
    answered = await gateway.call("POST", "/instances", json={"element": {"key": "vend-client"}, "configuration": own})
    assert answered.status == 400
    assert answered.json["providerMessage"] == "invalid_client"
