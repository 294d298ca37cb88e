"""Coming in and going: with a password, with a link, after a session has ended; and who cannot."""

from pathlib import Path
from urllib.parse import parse_qsl

import aiohttp
import pytest

from gateway.accounts import people, sign_in
from gateway.accounts.sign_in import IDLE_MS
from gateway.console.forms import Form
from gateway.console.sign_in import _own
from tests.accounts.parts import partner
from tests.console.person import PASSWORD, Page, Person, add_user, first_account, signed_in
from tests.kit.gateway import Gateway, settings, started


async def try_in(gateway: Gateway, username: str, password: str, **headers: str) -> tuple[int, str, str]:
    answered = await gateway.call(
        "POST",
        "/console/sign-in",
        data={"username": username, "password": password, "next": "/console/events?x=1"},
        headers=headers,
        allow_redirects=False,
    )
    return answered.status, answered.headers.get("Location", ""), answered.body.decode()


async def test_a_person_comes_in_with_a_password_to_the_page_that_they_wanted(gateway: Gateway) -> None:
    await add_user(gateway, "ada", "power_user")
    answered = await gateway.call("GET", "/console/events?x=1&y=ü", headers={}, allow_redirects=False)
    assert answered.status == 303
    assert answered.headers["Location"].startswith("/console/sign-in?next=%2Fconsole%2Fevents%3Fx%3D1")
    assert (await try_in(gateway, "ada", PASSWORD))[:2] == (303, "/console/events?x=1")


async def test_a_wrong_name_and_a_wrong_password_are_told_alike(sqlite_gateway: Gateway) -> None:
    await add_user(sqlite_gateway, "ada", "power_user")
    wrong, unknown = await try_in(sqlite_gateway, "ada", "no"), await try_in(sqlite_gateway, "bob", "no")
    assert (wrong[0], unknown[0]) == (401, 401)
    assert "The user name or password is wrong." in wrong[2]
    assert wrong[2].replace("ada", "bob") == unknown[2]


async def test_what_was_typed_as_a_name_stays_and_the_password_does_not(sqlite_gateway: Gateway) -> None:
    status, _, shown = await try_in(sqlite_gateway, '"><script>alert(1)</script>', "hunter2-hunter2")
    assert status == 401
    assert "&#34;&gt;&lt;script&gt;" in shown
    assert "<script>" not in shown
    assert "hunter2" not in shown


async def test_who_guesses_is_slowed_down_and_told_for_how_long(sqlite_gateway: Gateway) -> None:
    await add_user(sqlite_gateway, "ada", "power_user")
    tries = [await try_in(sqlite_gateway, "ada", "wrong") for _ in range(7)]
    assert [one[0] for one in tries][:5] == [401] * 5
    assert tries[-1][0] == 429
    assert "Try again in" in tries[-1][2]


async def test_people_of_one_name_at_two_partners_come_in_with_their_own_passwords(gateway: Gateway) -> None:
    rooms = gateway.running.services
    second = await partner(rooms.runtime.database)
    await people.added(
        rooms.runtime.database, rooms.reception, second.account, "ada", "power_user", "the second's password"
    )
    await add_user(gateway, "ada", "power_user")
    assert (await try_in(gateway, "ada", PASSWORD))[0] == 303
    assert (await try_in(gateway, "ada", "the second's password"))[0] == 303
    assert (await try_in(gateway, "ada", "nobody's password"))[0] == 401


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/in/x", "/consolefake", "\\evil", "", "/console\n"]
)
def test_nobody_is_sent_elsewhere(wanted: str) -> None:
    assert _own(wanted) == "/console"


async def test_a_form_of_another_site_is_refused(sqlite_gateway: Gateway) -> None:
    await add_user(sqlite_gateway, "ada", "power_user")
    assert (await try_in(sqlite_gateway, "ada", PASSWORD, Origin="https://evil.example"))[0] == 403
    assert (await try_in(sqlite_gateway, "ada", PASSWORD, **{"Sec-Fetch-Site": "cross-site"}))[0] == 403
    assert (await try_in(sqlite_gateway, "ada", PASSWORD, **{"Sec-Fetch-Site": "same-site"}))[0] == 403
    own = {"Origin": sqlite_gateway.url, "Sec-Fetch-Site": "same-origin"}
    assert (await try_in(sqlite_gateway, "ada", PASSWORD, **own))[0] == 303


async def test_a_form_without_the_sessions_token_changes_nothing(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        stranger = Person(sqlite_gateway, person.session, csrf="0" * 40)
        assert (await stranger.post("/console/sign-out")).status == 403
        assert (await person.get("/console/nowhere")).status == 404


async def test_who_signs_out_is_out_whatever_the_browser_keeps(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        kept = {cookie.key: cookie.value for cookie in person.session.cookie_jar}
        left = await person.post("/console/sign-out")
        assert "You are signed out." in left.shown
        answered = await sqlite_gateway.call("GET", "/console/nowhere", headers={}, cookies=kept, allow_redirects=False)
        assert answered.status == 303


async def test_a_session_that_nobody_uses_ends(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        database = sqlite_gateway.running.services.runtime.database
        async with database.transaction() as transaction:
            await transaction.execute("UPDATE sessions SET seen_at = seen_at - $1", IDLE_MS - 120_000)
        assert (await person.get("/console/nowhere")).status == 404
        row = await database.one("SELECT seen_at - created_at AS since FROM sessions")
        assert row is not None
        assert row["since"] > -1_000, "using it keeps it"
        async with database.transaction() as transaction:
            await transaction.execute("UPDATE sessions SET seen_at = seen_at - $1", IDLE_MS - 120_000)
        assert (await person.get("/console/nowhere", headers={"X-Alone": "true"})).status == 404
        row = await database.one("SELECT seen_at - created_at AS since FROM sessions")
        assert row is not None
        assert row["since"] < -1_000, "a page that is left open does not"
        async with database.transaction() as transaction:
            await transaction.execute("UPDATE sessions SET seen_at = seen_at - $1", IDLE_MS + 60_000)
        assert (await person.get("/console/nowhere")).path.startswith("/console/sign-in")


async def test_what_was_typed_before_a_session_ended_is_sent_after_the_next_sign_in(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        await _end_sessions(sqlite_gateway)
        lost = await person.post(
            "/console/account", [("account", 'a "quoted" ü'), ("account", "second"), ("empty", "")]
        )
        assert lost.status == 401
        assert "you can send what you typed" in lost.shown
        again = {name: _hidden(lost, name) for name in ("again_path", "again_fields")}
        assert parse_qsl(again["again_fields"], keep_blank_values=True) == [
            ("account", 'a "quoted" ü'),
            ("account", "second"),
            ("empty", ""),
        ]
        back = await person.post(
            "/console/sign-in", {"username": "administrator@example.com", "password": PASSWORD, **again}
        )
        assert back.status == 200
        assert 'action="/console/account"' in back.text
        assert 'value="a &#34;quoted&#34; ü"' in back.text


async def test_a_form_kept_for_later_is_sent_nowhere_but_to_the_console(sqlite_gateway: Gateway) -> None:
    await add_user(sqlite_gateway, "ada", "power_user")
    fields = {"username": "ada", "password": PASSWORD, "again_path": "https://evil.example/", "again_fields": "a=b"}
    answered = await sqlite_gateway.call("POST", "/console/sign-in", data=fields, headers={})
    assert answered.status == 200
    assert "evil" not in answered.body.decode()


async def test_a_link_of_the_partners_application_leads_into_the_console(sqlite_gateway: Gateway) -> None:
    made = await sign_in.make(
        sqlite_gateway.running.services.runtime.database, await first_account(sqlite_gateway), "guest"
    )
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        person = Person(sqlite_gateway, session)
        page = await person.get(f"/account/signinwithtoken?token={made.token}&returnUrl=/console/nowhere")
        assert (page.path, page.status) == ("/console/nowhere", 404)
        assert "guest" in page.shown
        assert "Power user" in page.shown


async def test_over_tls_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    async with started(settings(tmp_path, "", server={"public_url": "https://connect.example"})) as gateway:
        await add_user(gateway, "ada", "power_user")
        fields = {"username": "ada", "password": PASSWORD}
        async with gateway.session.post(
            f"{gateway.url}/console/sign-in", data=fields, allow_redirects=False
        ) as answered:
            cookie = answered.cookies["__Host-gateway-session"]
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, True, "Lax", "/")
        assert not cookie["domain"]


def test_an_empty_form_has_no_problem() -> None:
    form = Form()
    assert form.ok
    assert form.get("anything") == ""
    assert form.rows("a", "b") == []


async def _end_sessions(gateway: Gateway) -> None:
    async with gateway.running.services.runtime.database.transaction() as transaction:
        await transaction.execute("DELETE FROM sessions WHERE 1 = 1")


def _hidden(page: Page, name: str) -> str:
    start = page.text.index(f'name="{name}" value="') + len(f'name="{name}" value="')
    found = page.text[start : page.text.index('"', start)]
    return found.replace("&amp;", "&").replace("&#34;", '"')
