"""Tokens of one account, tokens for passwords, and how guessing is slowed down."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.api.asking import bearer, is_problem
from tests.api.test_token import ask, fields, is_error
from tests.kit.gateway import Answered, Gateway, settings, started


@pytest.fixture
async def with_passwords(database_url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with started(settings(tmp_path, database_url, security={"password_grant": True})) as found:
        yield found


async def first_account(gateway: Gateway) -> str:
    row = await gateway.running.services.runtime.database.one("SELECT account_id FROM users ORDER BY id LIMIT 1")
    assert row is not None
    return str(row["account_id"])


async def another_account(gateway: Gateway, external_id: str | None = None) -> str:
    """A second account of the first partner, with an instance in it."""
    made = await gateway.call("POST", "/api/v1/partners", json={"name": "Other"})
    assert made.status == 201, made.body
    database, account_id = gateway.running.services.runtime.database, made.json["account_id"]
    async with database.transaction() as transaction:
        partner = await transaction.one("SELECT id FROM partners ORDER BY created_at, id LIMIT 1")
        assert partner is not None
        await transaction.execute(
            "UPDATE accounts SET partner_id = $1, external_id = $2 WHERE id = $3",
            partner["id"], external_id, account_id,
        )  # fmt: skip
    return str(account_id)


def of(answered: Answered) -> dict[str, str]:
    assert answered.status == 200, answered.body
    return {"Authorization": f"Bearer {answered.json['access_token']}"}


async def add_user(gateway: Gateway, **wanted: Any) -> dict[str, Any]:
    answered = await gateway.call("POST", "/api/v1/users", json=wanted)
    assert answered.status == 201, answered.body
    made: dict[str, Any] = answered.json
    return made


async def test_a_token_of_one_account_reaches_that_account_alone(gateway: Gateway) -> None:
    mine = await gateway.create("closeio")
    other = await another_account(gateway, "JO-1")
    for scope in (str(UUID(other)), other, "JO-1"):
        header = of(await ask(gateway, data=fields(gateway, scope=f"account:{scope}")))
        for prefix in ("", "/elements/api-v2", "/api/v1"):
            assert (await gateway.call("GET", f"{prefix}/instances/{mine['id']}", headers=header)).status == 404
        assert (await gateway.call("GET", "/instances", headers=header)).json == []
        assert (await gateway.call("GET", "/api/v1/instances", headers=header)).json["items"] == []
        is_problem(await gateway.call("GET", "/api/v1/tokens", headers=header), 403)
        is_problem(await gateway.call("POST", "/api/v1/credentials", headers=header), 403)
        made = await gateway.call(
            "POST", "/instances", headers=header, json={"element": {"key": "generic"}, "name": "there"}
        )
        assert made.status == 200, made.body
        seen = await gateway.call("GET", f"/api/v1/instances/{made.json['id']}", headers=await bearer(gateway))
        assert seen.json["account_id"] == other
        assert (await gateway.call("DELETE", f"/instances/{made.json['id']}", headers=header)).status == 200
    own = of(await ask(gateway, data=fields(gateway, scope=f"account:{await first_account(gateway)}")))
    assert (await gateway.call("GET", f"/instances/{mine['id']}", headers=own)).status == 200


async def test_a_scope_that_is_no_account_of_the_partner_is_invalid(sqlite_gateway: Gateway) -> None:
    other = await sqlite_gateway.call("POST", "/api/v1/partners", json={"name": "Other"})
    for scope in ("account:", "account", "all", "account:x", "account:\x00", f"account:{other.json['account_id']}"):
        is_error(await ask(sqlite_gateway, data=fields(sqlite_gateway, scope=scope)), 400, "invalid_scope")
    is_error(
        await ask(sqlite_gateway, data=fields(sqlite_gateway, scope="x", client_secret="x")), 401, "invalid_client"
    )
    assert (await ask(sqlite_gateway, data=fields(sqlite_gateway, scope=""))).status == 200


async def test_the_older_grants_are_off_unless_they_are_switched_on(sqlite_gateway: Gateway) -> None:
    for grant_type in ("password", "refresh_token"):
        answered = await ask(sqlite_gateway, data=fields(sqlite_gateway, grant_type=grant_type, username="admin"))
        is_error(answered, 400, "unsupported_grant_type")


async def test_a_password_gives_an_administrator_the_partner_or_one_account(with_passwords: Gateway) -> None:
    gateway, other = with_passwords, await another_account(with_passwords)
    await add_user(gateway, username="boss", role="administrator", password="right password")
    client_id = gateway.running.config.bootstrap.client_id
    form = {"client_id": client_id, "grant_type": "password", "username": "boss", "password": "right password"}
    answered = await ask(gateway, data=form)
    assert {"refresh_token", "userName", "clientId", ".issued", ".expires"} <= set(answered.json)
    assert answered.json["userName"] == "boss"
    assert (await gateway.call("GET", "/api/v1/credentials", headers=of(answered))).status == 200
    narrow = of(await ask(gateway, data=form | {"client_secret": str(UUID(other))}))
    is_problem(await gateway.call("GET", "/api/v1/credentials", headers=narrow), 403)
    for wrong in ({"password": "wrong"}, {"username": "nobody"}, {"client_secret": "no account"}, {"username": "\x00"}):
        is_error(await ask(gateway, data=form | wrong), 400, "invalid_grant")
    is_error(await ask(gateway, data=form | {"client_id": "x"}), 401, "invalid_client")


async def test_a_password_of_others_opens_their_own_account_only(with_passwords: Gateway) -> None:
    gateway, other = with_passwords, await another_account(with_passwords)
    await add_user(gateway, username="bob", password="right password")
    mine = await gateway.create("closeio")
    client_id = gateway.running.config.bootstrap.client_id
    form = {"client_id": client_id, "grant_type": "password", "username": "bob", "password": "right password"}
    for more in ({}, {"client_secret": await first_account(gateway)}):
        header = of(await ask(gateway, data=form | more))
        assert (await gateway.call("GET", f"/instances/{mine['id']}", headers=header)).status == 200
        is_problem(await gateway.call("GET", "/api/v1/users", headers=header), 403)
    is_error(await ask(gateway, data=form | {"client_secret": other}), 400, "invalid_grant")


async def test_refreshing_ends_the_old_pair_before_and_after_its_time(with_passwords: Gateway) -> None:
    gateway = with_passwords
    await add_user(gateway, username="bob", password="right password")
    client_id = gateway.running.config.bootstrap.client_id
    form = {"client_id": client_id, "grant_type": "password", "username": "bob", "password": "right password"}
    first = await ask(gateway, data=form)
    renew = {"client_id": client_id, "grant_type": "refresh_token", "refresh_token": first.json["refresh_token"]}
    second = await ask(gateway, data=renew)
    assert (await gateway.call("GET", "/instances", headers=of(second))).status == 200
    assert (await gateway.call("GET", "/instances", headers=of(first))).status == 401
    is_error(await ask(gateway, data=renew), 400, "invalid_grant")
    async with gateway.running.services.runtime.database.transaction() as transaction:
        await transaction.execute("UPDATE access_tokens SET expires_at = created_at - 1")
    assert (await gateway.call("GET", "/instances", headers=of(second))).status == 401
    renew["refresh_token"] = second.json["refresh_token"]
    is_error(await ask(gateway, data=renew | {"client_id": "x"}), 401, "invalid_client")
    third = await ask(gateway, data=renew)
    assert (await gateway.call("GET", "/instances", headers=of(third))).status == 200


async def test_an_old_token_ends_with_the_refresh_though_others_call_with_it_meanwhile(with_passwords: Gateway) -> None:
    await add_user(with_passwords, username="ann", password="correct horse")
    client = {"client_id": fields(with_passwords)["client_id"]}
    granted = {**client, "grant_type": "password", "username": "ann", "password": "correct horse"}
    pair = await ask(with_passwords, data=granted)
    for _ in range(5):
        old, done = of(pair), asyncio.Event()

        async def calls(header: dict[str, str], done: asyncio.Event) -> None:
            while not done.is_set():
                await with_passwords.call("GET", "/v1.0/connectors/nothing", headers=header)

        busy = [asyncio.create_task(calls(old, done)) for _ in range(4)]
        renew = {**client, "grant_type": "refresh_token", "refresh_token": pair.json["refresh_token"]}
        pair = await ask(with_passwords, data=renew)
        late = await with_passwords.call("GET", "/v1.0/connectors/nothing", headers=old)
        done.set()
        await asyncio.gather(*busy)
        assert late.status == 401


async def test_who_has_refreshed_from_somewhere_goes_on_there_while_strangers_fail(tmp_path: Path) -> None:
    proxied = {"trusted_proxies": ["127.0.0.0/8"]}
    async with started(settings(tmp_path, "", server=proxied, security={"password_grant": True})) as gateway:
        await add_user(gateway, username="ann", password="correct horse")
        client, home = {"client_id": fields(gateway)["client_id"]}, {"X-Forwarded-For": "192.0.2.1"}
        granted = {**client, "grant_type": "password", "username": "ann", "password": "correct horse"}
        pair = await ask(gateway, data=granted)
        renew = {**client, "grant_type": "refresh_token"}
        pair = await ask(gateway, data=renew | {"refresh_token": pair.json["refresh_token"]}, headers=home)
        for place in range(60):
            elsewhere = {"X-Forwarded-For": f"198.51.100.{place}"}
            last = await ask(gateway, data=renew | {"refresh_token": "x"}, headers=elsewhere)
        assert last.status == 429
        of(await ask(gateway, data=renew | {"refresh_token": pair.json["refresh_token"]}, headers=home))


async def test_a_removed_user_and_another_password_end_what_the_user_got(with_passwords: Gateway) -> None:
    gateway = with_passwords
    made = await add_user(gateway, username="bob", password="right password")
    client_id = gateway.running.config.bootstrap.client_id
    form = {"client_id": client_id, "grant_type": "password", "username": "bob", "password": "right password"}
    header = of(await ask(gateway, data=form))
    changed = await gateway.call("PATCH", f"/api/v1/users/{made['id']}", json={"password": "another password"})
    assert changed.status == 200
    assert (await gateway.call("GET", "/instances", headers=header)).status == 401
    form["password"] = "another password"
    header = of(await ask(gateway, data=form))
    assert (await gateway.call("DELETE", f"/api/v1/users/{made['id']}")).status == 204
    assert (await gateway.call("GET", "/instances", headers=header)).status == 401
    is_error(await ask(gateway, data=form), 400, "invalid_grant")


async def test_who_guesses_is_told_to_wait_and_others_are_not(with_passwords: Gateway) -> None:
    gateway = with_passwords
    client_id = gateway.running.config.bootstrap.client_id
    guess = {"client_id": client_id, "grant_type": "password", "username": "bob", "password": "guess"}
    for form in (guess, fields(gateway, client_secret="guess"), fields(gateway, client_id="x", client_secret="y")):
        answers = [await ask(gateway, data=form) for _ in range(8)]
        slowed = [one for one in answers if one.status == 429]
        assert slowed
        assert answers[0].status != 429
        is_error(slowed[0], 429, "temporarily_unavailable")
        assert int(slowed[0].headers["Retry-After"]) >= 1
    await add_user(gateway, username="alice", password="right password")
    right = guess | {"username": "alice", "password": "right password"}
    assert (await ask(gateway, data=right)).status == 200


async def test_behind_a_trusted_proxy_each_caller_is_counted_for_itself(tmp_path: Path) -> None:
    trusting = settings(tmp_path, "", server={"port": 0, "shutdown_grace": "1s", "trusted_proxies": ["127.0.0.0/8"]})
    async with started(trusting) as gateway:
        for number in range(40):
            guess = fields(gateway, client_secret=f"guess {number}")
            answered = await ask(gateway, data=guess, headers={"X-Forwarded-For": "192.0.2.1, 198.51.100.7"})
        assert answered.status == 429
        elsewhere = await ask(gateway, data=fields(gateway), headers={"X-Forwarded-For": "198.51.100.7, 192.0.2.1"})
        assert elsewhere.status == 200


async def test_a_program_goes_on_when_the_one_leaves_in_whose_name_it_acted(gateway: Gateway) -> None:
    token = await bearer(gateway)
    await add_user(gateway, username="second", role="administrator")
    assert (await gateway.call("DELETE", "/api/v1/users/1")).status == 204
    assert (await gateway.call("GET", "/api/v1/users", headers=token)).status == 200
    assert (await gateway.call("GET", "/instances", headers=gateway.auth)).status == 401


async def test_an_element_token_does_not_take_a_token_out_of_its_account(gateway: Gateway) -> None:
    made = await gateway.create("closeio")
    other = await another_account(gateway)
    for scope, status in ((other, 401), (await first_account(gateway), 200)):
        header = of(await ask(gateway, data=fields(gateway, scope=f"account:{scope}")))
        both = {"Authorization": f"{header['Authorization']}, Element {made['token']}"}
        answered = await gateway.call("GET", "/instances/configuration", headers=both)
        assert answered.status == status, answered.body
