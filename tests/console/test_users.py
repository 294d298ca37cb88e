"""Users in the console: added, changed and removed by those who may, and never by or above themselves."""

import re

import aiohttp
import pytest

from gateway.accounts import store
from gateway.accounts.model import Role
from tests.accounts.parts import account as another
from tests.accounts.parts import partner
from tests.console.person import PASSWORD, Person, add_user, first_account, signed_in
from tests.kit.gateway import Gateway

PATH = "/console/settings/users"
_MADE = re.compile(r'id="made-password" value="([^"]+)"')


async def user_id(gateway: Gateway, username: str) -> int:
    found = await store.user_named(
        gateway.running.services.runtime.database, (await first_account(gateway)).partner_id, username
    )
    assert found is not None, username
    return found.id


async def role_of(gateway: Gateway, username: str) -> Role | None:
    database = gateway.running.services.runtime.database
    found = await store.user_named(database, (await first_account(gateway)).partner_id, username)
    return None if found is None else found.role


async def gets_in(gateway: Gateway, username: str, password: str) -> bool:
    async with aiohttp.ClientSession() as session:
        page = await Person(gateway, session).post(
            "/console/sign-in", {"username": username, "password": password}, allow_redirects=False
        )
        return page.status == 303


async def test_a_user_is_added_with_a_password_that_is_shown_once(gateway: Gateway) -> None:
    async with signed_in(gateway, "power_user") as person:
        page = await person.post(f"{PATH}/new", {"username": " dora@example.com ", "role": "limited_power_user"})
        assert page.status == 200
        password = _MADE.findall(page.text)[0]
        assert await gets_in(gateway, "dora@example.com", password)
        assert await role_of(gateway, "dora@example.com") == "limited_power_user"
        assert password not in (await person.get(PATH)).text
        log = await person.get("/console/settings/audit")
        assert "Added a user dora@example.com" in log.shown
        assert password not in log.text


async def test_a_user_is_added_with_a_password_that_was_typed(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        fields = {"username": "dora", "role": "end_user", "password": " eight or more "}
        page = await person.post(f"{PATH}/new", fields)
        assert _MADE.findall(page.text) == []
        assert await gets_in(sqlite_gateway, "dora", " eight or more ")


@pytest.mark.parametrize(
    ("fields", "field", "status"),
    [
        ({"username": "", "role": "end_user"}, "username", 400),
        ({"username": "x" * 201, "role": "end_user"}, "username", 400),
        ({"username": "a\x00b", "role": "end_user"}, "username", 400),
        ({"username": "dora", "role": "end_user", "password": "short"}, "password", 400),
        ({"username": "dora", "role": "emperor"}, "role", 400),
        ({"username": "dora"}, "role", 400),
        ({"username": "power_user@example.com", "role": "end_user"}, "username", 409),
        ({"username": "dora", "role": "administrator"}, "role", 400),
    ],
)
async def test_what_is_wrong_with_a_new_user_stands_at_its_field(
    sqlite_gateway: Gateway, fields: dict[str, str], field: str, status: int
) -> None:
    async with signed_in(sqlite_gateway, "power_user") as person:
        page = await person.post(f"{PATH}/new", fields)
        assert page.status == status
        assert f'id="{field}-problem"' in page.text
    assert await role_of(sqlite_gateway, "dora") is None


async def test_markup_in_a_name_is_shown_and_never_run(sqlite_gateway: Gateway) -> None:
    name = "<script>alert(1)</script>"
    await add_user(sqlite_gateway, name, "end_user")
    async with signed_in(sqlite_gateway) as person:
        for path in (PATH, f"{PATH}/{await user_id(sqlite_gateway, name)}", f"{PATH}?q=%3Cscript"):
            page = await person.get(path)
            assert name not in page.text
            assert name in page.shown


async def test_a_role_and_a_password_are_changed_and_the_user_is_signed_out(gateway: Gateway) -> None:
    async with signed_in(gateway, "end_user") as reader, signed_in(gateway, "power_user") as person:
        assert (await reader.get("/console/events")).status == 200
        path = f"{PATH}/{await user_id(gateway, 'end_user@example.com')}"
        page = await person.post(path, {"role": "limited_power_user", "password": "another password"})
        assert "is changed, and signed out everywhere." in page.shown
        assert "/console/sign-in" in (await reader.get("/console/events")).path
        log = (await person.get("/console/settings/audit")).shown
        assert "role before end_user" in log
        assert "Changed a password" in log
    assert await role_of(gateway, "end_user@example.com") == "limited_power_user"
    assert await gets_in(gateway, "end_user@example.com", "another password")
    assert not await gets_in(gateway, "end_user@example.com", PASSWORD)


async def test_a_user_is_signed_out_everywhere(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway, "end_user") as reader, signed_in(sqlite_gateway) as person:
        path = f"{PATH}/{await user_id(sqlite_gateway, 'end_user@example.com')}"
        await person.post(f"{path}/sign-out")
        assert "/console/sign-in" in (await reader.get("/console/events")).path
    assert await gets_in(sqlite_gateway, "end_user@example.com", PASSWORD)


async def test_a_user_is_removed_after_a_question(gateway: Gateway) -> None:
    await add_user(gateway, "dora", "end_user")
    async with signed_in(gateway, "power_user") as person:
        path = f"{PATH}/{await user_id(gateway, 'dora')}/remove"
        assert "Remove dora?" in (await person.get(path)).shown
        page = await person.post(path)
        assert "dora is removed." in page.shown
        assert (await person.get(path)).status == 404
    assert not await gets_in(gateway, "dora", PASSWORD)


async def test_nobody_removes_or_changes_themselves(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway, "power_user") as person:
        path = f"{PATH}/{await user_id(sqlite_gateway, 'power_user@example.com')}"
        assert (await person.post(f"{path}/remove")).status == 409
        assert (await person.post(path, {"role": "end_user"})).status == 400
        assert f'href="{path}/remove"' not in (await person.get(PATH)).text
    assert await role_of(sqlite_gateway, "power_user@example.com") == "power_user"


async def test_nobody_decides_about_those_above_them(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway, "power_user") as person:
        path = f"{PATH}/{await user_id(sqlite_gateway, 'admin')}"
        for answered in (
            await person.get(path),
            await person.post(path, {"role": "end_user", "password": "taken over now"}),
            await person.post(f"{path}/sign-out"),
            await person.post(f"{path}/remove"),
        ):
            assert answered.status == 404
    assert await role_of(sqlite_gateway, "admin") == "administrator"


async def test_an_account_s_people_see_their_own_account_alone(sqlite_gateway: Gateway) -> None:
    database, first = sqlite_gateway.running.services.runtime.database, await first_account(sqlite_gateway)
    second = await another(database, first.partner_id, "Two")
    await add_user(sqlite_gateway, "of-two", "end_user", second)
    stranger = await partner(database, "Other")
    async with signed_in(sqlite_gateway, "power_user") as person:
        for path in (PATH, f"{PATH}?all=1"):
            assert "of-two" not in (await person.get(path)).shown
        assert (await person.get(f"{PATH}/{await user_id(sqlite_gateway, 'of-two')}")).status == 404
        assert (await person.get(f"{PATH}/{stranger.administrator.user.id}")).status == 404
    async with signed_in(sqlite_gateway) as person:
        assert "of-two" not in (await person.get(PATH)).shown
        every = await person.get(f"{PATH}?all=1")
        assert "of-two" in every.shown
        assert "Two" in every.shown
        assert (await person.get(f"{PATH}/{stranger.administrator.user.id}")).status == 404


@pytest.mark.parametrize(
    "path", [f"{PATH}/x", f"{PATH}/99999", f"{PATH}/-1", f"{PATH}?after=x", f"{PATH}?q={'x' * 300}"]
)
async def test_what_names_nobody_breaks_nothing(sqlite_gateway: Gateway, path: str) -> None:
    async with signed_in(sqlite_gateway) as person:
        assert (await person.get(path)).status in (200, 400, 404)


async def test_people_change_their_own_password_and_sign_in_with_it(gateway: Gateway) -> None:
    async with signed_in(gateway, "end_user") as person:
        new = "quite another password"
        page = await person.post("/console/settings/account/password", {"old": PASSWORD, "new": new, "again": new})
        assert page.path.startswith("/console/sign-in")
        assert "Your password is changed." in page.shown
    assert await gets_in(gateway, "end_user@example.com", new)
    assert not await gets_in(gateway, "end_user@example.com", PASSWORD)


@pytest.mark.parametrize(
    ("old", "new", "again", "field"),
    [
        ("wrong", "long enough", "long enough", "old"),
        (PASSWORD, "long enough", "long enougH", "again"),
        (PASSWORD, "short", "short", "new"),
    ],
)
async def test_a_password_that_cannot_be_changed_stays(
    sqlite_gateway: Gateway, old: str, new: str, again: str, field: str
) -> None:
    async with signed_in(sqlite_gateway, "end_user") as person:
        fields = {"old": old, "new": new, "again": again}
        page = await person.post("/console/settings/account/password", fields)
        assert page.status == 400
        assert f'id="{field}-problem"' in page.text
        assert new not in page.text
    assert await gets_in(sqlite_gateway, "end_user@example.com", PASSWORD)
