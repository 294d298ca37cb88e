"""One header, its pairs in any order; and who is meant by it."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from gateway.accounts.authorization import parse
from gateway.accounts.model import Credentials
from tests.api.asking import OC, bearer, is_platform_error, is_problem, stranger, with_element
from tests.kit.gateway import Gateway

SECRETS = st.text("ABCxyz019+/=-_", min_size=1, max_size=60)
REFUSED = "Invalid Organization or User secret, or invalid Element token provided."


@given(st.dictionaries(st.sampled_from(["User", "Organization", "Element"]), SECRETS, min_size=1), st.data())
def test_pairs_are_read_in_any_order_case_and_spacing(pairs: dict[str, str], data: st.DataObject) -> None:
    order = data.draw(st.permutations(list(pairs)))
    separator = data.draw(st.sampled_from([", ", ",", " , ", "  ", " "]))
    spelled = data.draw(st.sampled_from([str.lower, str.upper, str.title]))
    gap = data.draw(st.sampled_from([" ", "  ", "\t"]))
    header = separator.join(f"{spelled(kind)}{gap}{pairs[kind]}" for kind in order)
    expected = {kind.lower(): secret for kind, secret in pairs.items()}
    assert parse(header) == Credentials(**expected)


@given(st.text(max_size=300))
def test_no_header_breaks_the_parser(header: str) -> None:
    found = parse(header)
    for secret in (found.user, found.organization, found.element, found.bearer):
        assert secret is None or secret in header


def test_an_endless_header_says_nothing() -> None:
    assert parse("User " + "a" * 10_000) == Credentials()


async def test_the_order_of_the_pairs_does_not_matter(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("closeio")
    secrets = sqlite_gateway.running.config.bootstrap
    values = {"User": secrets.user_secret, "Organization": secrets.organization_secret, "Element": made["token"]}
    for order in itertools.permutations(values):
        headers = {"Authorization": ", ".join(f"{kind} {values[kind]}" for kind in order)}
        assert (await sqlite_gateway.call("GET", "/instances/configuration", headers=headers)).status == 200
        assert (await sqlite_gateway.call("GET", "/instances", headers=headers)).status == 200


async def test_bad_credentials_are_401(sqlite_gateway: Gateway) -> None:
    secrets = sqlite_gateway.running.config.bootstrap
    user, organization = secrets.user_secret, secrets.organization_secret
    for header in (
        "", "User x", "Organization x", f"User {user}", f"User x, Organization {organization}", "Bearer x",
        "Basic eDp5", f"User {organization}, Organization {user}", "\xff\xfe",
    ):  # fmt: skip
        for prefix in ("", OC):
            answered = await sqlite_gateway.call("GET", f"{prefix}/instances", headers={"Authorization": header})
            assert is_platform_error(answered, 401) == REFUSED
            assert "WWW-Authenticate" in answered.headers


async def test_each_api_takes_both_kinds_of_credentials(sqlite_gateway: Gateway) -> None:
    token = await bearer(sqlite_gateway)
    for headers in (token, sqlite_gateway.auth):
        for path in ("/instances", "/api/v1/instances"):
            assert (await sqlite_gateway.call("GET", path, headers=headers)).status == 200
    nobody = await sqlite_gateway.call("GET", "/api/v1/instances", headers={})
    assert is_problem(nobody, 401)
    assert nobody.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_token_that_expired_is_401(sqlite_gateway: Gateway) -> None:
    token = await bearer(sqlite_gateway)
    async with sqlite_gateway.running.services.runtime.database.transaction() as transaction:
        await transaction.execute("UPDATE access_tokens SET expires_at = created_at - 1")
    assert is_problem(await sqlite_gateway.call("GET", "/api/v1/instances", headers=token), 401)
    assert is_platform_error(await sqlite_gateway.call("GET", "/instances", headers=token), 401) == REFUSED


async def test_the_element_token_chooses_the_instance_with_and_without_the_organization(gateway: Gateway) -> None:
    await gateway.create("closeio")
    made = await gateway.create("closeio")
    for organization in (True, False):
        headers = with_element(gateway, made["token"], organization=organization)
        for prefix in ("", OC):
            changed = await gateway.call("PATCH", f"{prefix}/instances", headers=headers, json={"tags": ["x"]})
            assert (changed.status, changed.json["id"], changed.json["tags"]) == (200, made["id"], ["x"])
            switched = await gateway.call("DELETE", f"{prefix}/instances/enabled", headers=headers)
            assert (switched.status, switched.json["disabled"]) == (200, True)
            switched = await gateway.call("PUT", f"{prefix}/instances/enabled", headers=headers)
            assert (switched.status, switched.json["disabled"]) == (200, False)


async def test_an_idless_path_without_an_element_token_is_401(sqlite_gateway: Gateway) -> None:
    for method, path in (("PATCH", "/instances"), ("DELETE", "/instances"), ("GET", "/instances/configuration")):
        assert is_platform_error(await sqlite_gateway.call(method, path, json={}), 401) == REFUSED


async def test_the_element_token_of_a_deleted_instance_is_401(gateway: Gateway) -> None:
    made = await gateway.create("closeio")
    headers = with_element(gateway, made["token"])
    assert (await gateway.call("DELETE", "/instances", headers=headers)).status == 200
    assert is_platform_error(await gateway.call("DELETE", "/instances", headers=headers), 401) == REFUSED
    assert is_platform_error(await gateway.call("GET", f"/instances/{made['id']}"), 404)


async def test_the_element_token_of_another_partner_is_401_and_names_nothing(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("closeio")
    other = await stranger(sqlite_gateway)
    headers = {"Authorization": f"{other['Authorization']}, Element {made['token']}"}
    assert is_platform_error(await sqlite_gateway.call("DELETE", "/instances", headers=headers), 401) == REFUSED
