"""Partners, users, credential sets and tokens in `/api/v1`: shown once, revoked at once, ruled by administrators."""

from typing import Any

from tests.api.asking import bearer, is_problem
from tests.api.test_token import ask, fields, is_error
from tests.kit.gateway import Gateway


async def partner(gateway: Gateway, name: str = "Other") -> dict[str, Any]:
    answered = await gateway.call("POST", "/api/v1/partners", json={"name": name})
    assert answered.status == 201, answered.body
    made: dict[str, Any] = answered.json
    return made


def header(made: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"User {made['user']['secret']}, Organization {made['organization_secret']}"}


def form(made: dict[str, Any]) -> dict[str, str]:
    credential = made["credential"]
    return {
        "grant_type": "client_credentials",
        "client_id": credential["client_id"],
        "client_secret": credential["client_secret"],
    }


async def test_a_new_partner_can_begin_with_what_it_is_given_and_sees_nothing_of_the_first(gateway: Gateway) -> None:
    mine = await gateway.create("closeio")
    made = await partner(gateway)
    token = {"Authorization": f"Bearer {(await ask(gateway, data=form(made))).json['access_token']}"}
    for headers in (header(made), token):
        assert (await gateway.call("GET", "/instances", headers=headers)).json == []
        is_problem(await gateway.call("GET", f"/api/v1/instances/{mine['id']}", headers=headers), 404)
        for path, count in (("users", 1), ("credentials", 1)):
            listed = await gateway.call("GET", f"/api/v1/{path}", headers=headers)
            assert len(listed.json["items"]) == count
        is_problem(await gateway.call("GET", "/api/v1/users/1", headers=headers), 404)
        is_problem(await gateway.call("DELETE", "/api/v1/users/1", headers=headers), 404)
        is_problem(await gateway.call("GET", "/api/v1/partners", headers=headers), 403)
        is_problem(await gateway.call("POST", "/api/v1/partners", headers=headers, json={"name": "x"}), 403)
        for path in ("users", "credentials", "tokens"):
            first = (await gateway.call("GET", "/api/v1/partners")).json["items"][0]["id"]
            is_problem(await gateway.call("GET", f"/api/v1/{path}?partner_id={first}", headers=headers), 403)
        own = gateway.running.config.bootstrap.client_id
        is_problem(await gateway.call("DELETE", f"/api/v1/credentials/{own}", headers=headers), 404)
        is_problem(await gateway.call("POST", f"/api/v1/credentials/{own}/rotate", headers=headers), 404)
        [theirs] = (await gateway.call("GET", "/api/v1/tokens", headers=headers)).json["items"]
        assert theirs["client_id"] == made["credential"]["client_id"]


async def test_secrets_are_shown_once_and_kept_as_hashes(sqlite_gateway: Gateway) -> None:
    made = await partner(sqlite_gateway)
    user = (
        await sqlite_gateway.call("POST", "/api/v1/users", json={"username": "bob", "password": "right password"})
    ).json
    secrets = [
        made["organization_secret"], made["user"]["secret"], made["credential"]["client_secret"], user["secret"],
        (await ask(sqlite_gateway, data=form(made))).json["access_token"], "right password",
    ]  # fmt: skip
    assert len(set(secrets)) == len(secrets)
    shown = b""
    for path in ("partners", f"partners/{made['id']}", "users", f"users/{user['id']}", "credentials", "tokens"):
        for query in ("", f"?partner_id={made['id']}"):
            shown += (await sqlite_gateway.call("GET", f"/api/v1/{path}{query}")).body
    stored = ""
    for table in ("partners", "users", "credential_sets", "access_tokens"):
        stored += str([dict(row) for row in await sqlite_gateway.running.services.runtime.database.all(
            f"SELECT * FROM {table}"
        )])  # fmt: skip
    for secret in secrets:
        assert secret not in stored
        assert secret.encode() not in shown


async def test_several_credential_sets_work_side_by_side_until_they_are_revoked(gateway: Gateway) -> None:
    second = (await gateway.call("POST", "/api/v1/credentials", json={"name": "ci"})).json
    sent = fields(gateway, client_id=second["client_id"], client_secret=second["client_secret"])
    token = {"Authorization": f"Bearer {(await ask(gateway, data=sent)).json['access_token']}"}
    first = await bearer(gateway)
    names = [one["name"] for one in (await gateway.call("GET", "/api/v1/credentials", headers=token)).json["items"]]
    assert names == ["First", "ci"]
    rotated = (await gateway.call("POST", f"/api/v1/credentials/{second['client_id']}/rotate")).json
    is_error(await ask(gateway, data=sent), 401, "invalid_client")
    sent["client_secret"] = rotated["client_secret"]
    assert (await ask(gateway, data=sent)).status == 200
    assert (await gateway.call("GET", "/instances", headers=token)).status == 200
    assert (await gateway.call("DELETE", f"/api/v1/credentials/{second['client_id']}")).status == 204
    is_error(await ask(gateway, data=sent), 401, "invalid_client")
    assert (await gateway.call("GET", "/instances", headers=token)).status == 401
    assert (await gateway.call("GET", "/instances", headers=first)).status == 200
    is_problem(await gateway.call("DELETE", f"/api/v1/credentials/{second['client_id']}"), 404)


async def test_tokens_are_listed_without_themselves_and_revoked_one_by_one(gateway: Gateway) -> None:
    one, other = await bearer(gateway), await bearer(gateway)
    listed = (await gateway.call("GET", "/api/v1/tokens?limit=1")).json
    [first], cursor = listed["items"], listed["next"]
    [second] = (await gateway.call("GET", "/api/v1/tokens", params={"cursor": cursor})).json["items"]
    assert first["id"] != second["id"]
    assert (first["grant_type"], first["account_id"]) == ("client_credentials", None)
    assert (await gateway.call("DELETE", f"/api/v1/tokens/{first['id']}")).status == 204
    statuses = [(await gateway.call("GET", "/instances", headers=token)).status for token in (one, other)]
    assert sorted(statuses) == [200, 401]
    is_problem(await gateway.call("DELETE", f"/api/v1/tokens/{first['id']}"), 404)


async def test_a_users_secret_opens_the_account_until_it_is_another_one(gateway: Gateway) -> None:
    organization = gateway.running.config.bootstrap.organization_secret
    made = (await gateway.call("POST", "/api/v1/users", json={"username": "bob", "role": "end_user"})).json
    old = {"Authorization": f"User {made['secret']}, Organization {organization}"}
    assert (await gateway.call("GET", "/instances", headers=old)).status == 200
    is_problem(await gateway.call("GET", "/api/v1/users", headers=old), 403)
    rotated = (await gateway.call("POST", f"/api/v1/users/{made['id']}/rotate")).json
    new = {"Authorization": f"User {rotated['secret']}, Organization {organization}"}
    assert (await gateway.call("GET", "/instances", headers=old)).status == 401
    assert (await gateway.call("GET", "/instances", headers=new)).status == 200
    assert (await gateway.call("DELETE", f"/api/v1/users/{made['id']}")).status == 204
    assert (await gateway.call("GET", "/instances", headers=new)).status == 401


async def test_the_last_administrator_and_the_first_partner_stay(sqlite_gateway: Gateway) -> None:
    first = (await sqlite_gateway.call("GET", "/api/v1/partners")).json["items"][0]["id"]
    is_problem(await sqlite_gateway.call("DELETE", "/api/v1/users/1"), 409)
    is_problem(await sqlite_gateway.call("PATCH", "/api/v1/users/1", json={"role": "end_user"}), 409)
    is_problem(await sqlite_gateway.call("POST", f"/api/v1/partners/{first}/revoke"), 409)
    await sqlite_gateway.call("POST", "/api/v1/users", json={"username": "second", "role": "administrator"})
    assert (await sqlite_gateway.call("PATCH", "/api/v1/users/1", json={"role": "end_user"})).status == 200
    is_problem(await sqlite_gateway.call("GET", "/api/v1/users"), 403)


async def test_a_partner_that_is_shut_out_gets_in_by_no_way(sqlite_gateway: Gateway) -> None:
    made = await partner(sqlite_gateway)
    token = {"Authorization": f"Bearer {(await ask(sqlite_gateway, data=form(made))).json['access_token']}"}
    rotated = (await sqlite_gateway.call("POST", f"/api/v1/partners/{made['id']}/rotate")).json
    assert (await sqlite_gateway.call("GET", "/instances", headers=header(made))).status == 401
    made["organization_secret"] = rotated["organization_secret"]
    assert (await sqlite_gateway.call("GET", "/instances", headers=header(made))).status == 200
    assert (await sqlite_gateway.call("POST", f"/api/v1/partners/{made['id']}/revoke")).status == 200
    for headers in (header(made), token):
        assert (await sqlite_gateway.call("GET", "/instances", headers=headers)).status == 401
    is_error(await ask(sqlite_gateway, data=form(made)), 401, "invalid_client")


async def test_bad_input_is_told_by_field(sqlite_gateway: Gateway) -> None:
    for path, body in (
        ("partners", {}), ("partners", {"name": " "}), ("partners", {"name": "x" * 201}), ("partners", {"name": 1}),
        ("partners", {"nam": "x"}), ("partners", []), ("users", {"username": "a\x00"}), ("users", {}),
        ("users", {"username": "bob", "role": "king"}), ("users", {"username": "bob", "role": []}),
        ("users", {"username": "bob", "password": "short"}), ("users", {"username": "bob", "password": "x" * 2000}),
        ("credentials", {"name": []}), ("credentials?x=1", {"name": "x"}),
    ):  # fmt: skip
        answered = await sqlite_gateway.call("POST", f"/api/v1/{path}", json=body)
        is_problem(answered, 400)
        assert answered.json["errors"]
    for path in ("users?account_id=x", "users/x", "users/99999999", "partners/x", "users?partner_id=%00", "users/%00"):
        is_problem(await sqlite_gateway.call("GET", f"/api/v1/{path}"), 404)
    for path in ("tokens/%00", "credentials/%C3%A9", "credentials/x%00"):
        is_problem(await sqlite_gateway.call("DELETE", f"/api/v1/{path}"), 404)
    is_problem(await sqlite_gateway.call("POST", "/api/v1/users", json={"username": "admin"}), 409)
    for number in range(19):
        answered = await sqlite_gateway.call("POST", "/api/v1/credentials", json={"name": f"{number}"})
        assert answered.status == 201
    is_problem(await sqlite_gateway.call("POST", "/api/v1/credentials"), 409)
