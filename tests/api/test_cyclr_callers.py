"""Who calls on the Cyclr wire: the bearer token, the account that is meant, and from where."""

from uuid import UUID

from gateway.accounts.directory import store as directory
from gateway.accounts.ip_allowed import store as ip_allowed
from gateway.accounts.ip_allowed.model import Allowed
from tests.api.asking import bearer
from tests.api.test_grants import another_account, first_account
from tests.api.test_token import ask, fields
from tests.kit.gateway import Answered, Gateway

CONNECTORS = "/v1.0/account/connectors"
ACCOUNT = "X-Cyclr-Account"


def is_refused(answered: Answered, status: int) -> str:
    assert answered.status == status, answered.body
    assert set(answered.json) == {"Message"}
    assert answered.headers["X-Content-Type-Options"] == "nosniff"
    message: str = answered.json["Message"]
    return message


async def scoped(gateway: Gateway, account: str) -> dict[str, str]:
    answered = await ask(gateway, data=fields(gateway, scope=f"account:{account}"))
    return {"Authorization": f"Bearer {answered.json['access_token']}"}


async def test_without_the_right_bearer_every_path_is_401(sqlite_gateway: Gateway) -> None:
    account = await first_account(sqlite_gateway)
    for header in ({}, {"Authorization": "Bearer x"}, {"Authorization": ""}, sqlite_gateway.auth):
        for path in (CONNECTORS, "/v1.0/accounts", "/v1.0/connectors"):
            answered = await sqlite_gateway.call("GET", path, headers={**header, ACCOUNT: account})
            is_refused(answered, 401)
            assert answered.headers["WWW-Authenticate"].startswith("Bearer")


async def test_an_account_is_named_by_either_of_its_ids_and_missing_it_is_401(gateway: Gateway) -> None:
    token, account = await bearer(gateway), await another_account(gateway, "JO-1")
    for spelled in (account, str(UUID(account)), str(UUID(account)).upper(), "JO-1", " JO-1 "):
        answered = await gateway.call("GET", CONNECTORS, headers={**token, ACCOUNT: spelled})
        assert (answered.status, answered.json) == (200, [])
    for missing in ({}, {ACCOUNT: ""}, {ACCOUNT: "  "}):
        is_refused(await gateway.call("GET", CONNECTORS, headers={**token, **missing}), 401)


async def test_an_account_of_nobody_or_of_another_partner_is_404(gateway: Gateway) -> None:
    token = await bearer(gateway)
    other = (await gateway.call("POST", "/api/v1/partners", json={"name": "Other"})).json["account_id"]
    for unknown in (other, str(UUID(other)), "0" * 32, "x", "x" * 5000, "jo-1"):
        is_refused(await gateway.call("GET", CONNECTORS, headers={**token, ACCOUNT: unknown}), 404)
        is_refused(await gateway.call("GET", f"/v1.0/accounts/{unknown}", headers=token), 404)


async def test_a_token_of_one_account_reaches_it_alone(gateway: Gateway) -> None:
    mine, other = await first_account(gateway), await another_account(gateway)
    token = await scoped(gateway, other)
    assert (await gateway.call("GET", CONNECTORS, headers={**token, ACCOUNT: other})).status == 200
    assert (await gateway.call("GET", f"/v1.0/accounts/{other}", headers=token)).status == 200
    assert (await gateway.call("GET", "/v1.0/connectors", headers=token)).status == 200
    is_refused(await gateway.call("GET", CONNECTORS, headers={**token, ACCOUNT: mine}), 404)
    is_refused(await gateway.call("GET", f"/v1.0/accounts/{mine}", headers=token), 404)
    # Somebody who asked with the whole partner's token a moment ago changes nothing of that.
    assert (await gateway.call("GET", CONNECTORS, headers={**await bearer(gateway), ACCOUNT: mine})).status == 200
    is_refused(await gateway.call("GET", CONNECTORS, headers={**token, ACCOUNT: mine}), 404)
    is_refused(await gateway.call("GET", "/v1.0/accounts", headers=token), 403)
    is_refused(await gateway.call("POST", "/v1.0/accounts", headers=token, json={"Name": "x"}), 403)


async def test_what_is_revoked_or_removed_stops_at_once(sqlite_gateway: Gateway) -> None:
    token, account = await bearer(sqlite_gateway), await another_account(sqlite_gateway)
    headers = {**token, ACCOUNT: account}
    assert (await sqlite_gateway.call("GET", CONNECTORS, headers=headers)).status == 200
    database = sqlite_gateway.running.services.runtime.database
    found = await directory.get(database, account)
    assert found is not None
    assert (await sqlite_gateway.call("DELETE", f"/v1.0/accounts/{account}", headers=token)).status == 200
    is_refused(await sqlite_gateway.call("GET", CONNECTORS, headers=headers), 404)
    [listed] = (await sqlite_gateway.call("GET", "/api/v1/tokens")).json["items"]
    assert (await sqlite_gateway.call("DELETE", f"/api/v1/tokens/{listed['id']}")).status == 204
    is_refused(await sqlite_gateway.call("GET", CONNECTORS, headers=headers), 401)


async def test_a_partner_may_say_from_where_it_is_called(sqlite_gateway: Gateway) -> None:
    token, services = await bearer(sqlite_gateway), sqlite_gateway.running.services
    assert (await sqlite_gateway.call("GET", "/v1.0/connectors", headers=token)).status == 200
    first = await services.runtime.database.one("SELECT id FROM partners")
    assert first is not None
    for network, status in (("198.51.100.0/24", 403), ("127.0.0.0/8", 200)):
        entry = Allowed(list="api", network=network, note="", created_at=0)
        await ip_allowed.replace(services.runtime.database, first["id"], "api", [entry])
        services.reception.forget()
        for claimed in ({}, {"X-Forwarded-For": "198.51.100.7"}):
            answered = await sqlite_gateway.call("GET", "/v1.0/connectors", headers={**token, **claimed})
            assert answered.status == status
            if status == 403:
                assert is_refused(answered, 403).startswith("Unknown client IP Address: contact support")
