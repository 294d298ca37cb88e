"""The audit log in the console: what people and programs change stands there, for those who may read it."""

import re
from pathlib import Path

import aiohttp
import pytest

from gateway.console import wording
from tests.accounts.parts import account as another
from tests.api.asking import OC, eventually
from tests.console.person import Page, Person, add_user, first_account, signed_in
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway

PATH = "/console/settings/audit"
CONSOLE = Path(wording.__file__).parent
_ACT = re.compile(r"""recorded\(\s*request,\s*who,\s*f?["']([a-z_]+\.[a-z_]+)["'],\s*["']([a-z_]+)["']""")


def test_every_act_that_the_console_keeps_has_its_words() -> None:
    kept = [found for path in CONSOLE.rglob("*.py") for found in _ACT.findall(path.read_text("utf-8"))]
    assert len(kept) > 10
    assert [act for act, _ in kept if not wording.has(f"audit.acts.{act}")] == []
    assert [subject for _, subject in kept if not wording.has(f"audit.subjects.{subject}")] == []


async def test_changes_over_the_apis_are_kept_and_looks_are_not(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    one = f"/api/v1/instances/{made['id']}"
    for method, path, body, status in (
        ("GET", one, None, 200),
        ("POST", f"{one}/filter/preview", {"payload": {}}, None),
        ("POST", f"{one}/send", {}, None),
        ("POST", "/api/v1/replays", {"filter": {}, "everything": True, "dry_run": True}, 200),
        ("PATCH", f"{OC}/instances/{made['id']}", {"name": ""}, None),
        ("POST", f"{one}/rotate/webhook-url", {}, 200),
        ("POST", "/api/v1/users", {"username": "ben", "role": "end_user"}, 201),
        ("DELETE", f"{OC}/instances/{made['id']}", None, 200),
    ):
        answered = await gateway.call(method, path, json=body)
        assert status in (None, answered.status), (path, answered.body)
    async with signed_in(gateway) as person:
        log = await person.get(f"{PATH}?act=api.called")
    assert log.shown.count("Called the API") >= 4
    for operation in (
        "POST /instances",
        "POST /api/v1/instances/{id}/rotate/{what}",
        "POST /api/v1/users",
        "DELETE /elements/api-v2/instances/{id}",
    ):
        assert f"<code>{operation}</code>" in log.text
    for look in ("/filter/preview", "/send", "/replays"):
        assert look not in log.text.partition("<tbody>")[2]


async def test_a_refused_change_and_a_vendor_s_call_are_not_kept(sqlite_gateway: Gateway) -> None:
    assert (await sqlite_gateway.call("POST", "/api/v1/users", json={"username": ""})).status == 400
    assert (await sqlite_gateway.call("POST", "/api/v1/users", json={"username": "x"}, headers={})).status == 401
    form = {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}
    await sqlite_gateway.call("POST", "/oauth/token", data=form, headers={})
    async with signed_in(sqlite_gateway) as person:
        assert "No entry matches." in (await person.get(f"{PATH}?act=api.called")).shown


async def test_coming_failing_and_going_are_kept(gateway: Gateway) -> None:
    await add_user(gateway, "ada", "power_user")
    async with aiohttp.ClientSession() as session:
        person = Person(gateway, session)
        await person.post("/console/sign-in", {"username": "ada", "password": "wrong"})
        await person.post("/console/sign-in", {"username": "nobody", "password": "wrong"})
    async with signed_in(gateway, "end_user") as reader:
        await reader.post("/console/sign-out")
    async with signed_in(gateway, "power_user") as person:

        async def look() -> Page:
            return await person.get(PATH)

        log = await eventually(look, lambda found: "Failed to sign in ada" in found.shown)
        assert "Signed out end_user@example.com" in log.shown
        assert "Signed in power_user@example.com" in log.shown
        assert "nobody" not in log.shown
        assert "wrong" not in log.text


async def test_an_account_s_people_see_their_account_and_administrators_see_all(sqlite_gateway: Gateway) -> None:
    database, first = sqlite_gateway.running.services.runtime.database, await first_account(sqlite_gateway)
    second = await another(database, first.partner_id, "Two")
    await add_user(sqlite_gateway, "of-two", "power_user", second)
    async with signed_in(sqlite_gateway) as administrator:
        await administrator.post("/console/account", {"account": second.id})
        await administrator.post("/console/settings/users/new", {"username": "new-in-two", "role": "end_user"})
        everything = await administrator.get(PATH)
        assert "new-in-two" in everything.shown
        assert "Two" in everything.shown
        alone = await administrator.get(f"{PATH}?account_id={first.id}")
        assert "new-in-two" not in alone.text.split("<tbody>")[-1]
    async with signed_in(sqlite_gateway, "power_user") as person:
        for query in ("", f"?account_id={second.id}", "?username=administrator%40example.com&account_id="):
            assert "new-in-two" not in (await person.get(PATH + query)).shown


@pytest.mark.parametrize("role", ["limited_power_user", "end_user"])
async def test_others_do_not_read_it(sqlite_gateway: Gateway, role: str) -> None:
    async with signed_in(sqlite_gateway, "end_user" if role == "end_user" else "limited_power_user") as person:
        assert (await person.get(PATH)).status == 403
        assert PATH not in (await person.get("/console/settings/account")).text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("since=yesterday", 400),
        ("since=2026-02-02&until=2026-01-01", 400),
        (f"username={'x' * 201}", 400),
        ("before=../x", 200),
        ("act=no.such&subject=nothing", 200),
        ("username=%3Cscript%3E", 200),
        ("since=2026-01-01&until=2999-01-01&subject=user", 200),
    ],
)
async def test_a_filter_whatever_it_says_breaks_nothing(sqlite_gateway: Gateway, query: str, status: int) -> None:
    async with signed_in(sqlite_gateway) as person:
        page = await person.get(f"{PATH}?{query}")
        assert page.status == status
        assert "<script>" not in page.text.replace('<script type="module"', "")
