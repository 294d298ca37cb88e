"""What every page has around it: headers, branding, the menu, colours, files, notices."""

import re
from pathlib import Path

import aiohttp
import pytest

from gateway.accounts.model import Role
from gateway.console import assets
from gateway.console.navigation import MENU, SETTINGS
from gateway.console.page import NOTICE
from gateway.console.surface import POLICY
from tests.console.person import Person, first_account, signed_in
from tests.kit.gateway import Gateway, settings, started


async def test_every_answer_says_what_a_page_may_do(sqlite_gateway: Gateway) -> None:
    for path in ("/console/sign-in", "/console/nothing", assets.address("console.css"), "/console/assets/x/y.js"):
        answered = await sqlite_gateway.call("GET", path, headers={})
        assert answered.headers["Content-Security-Policy"] == POLICY, path
        assert answered.headers["X-Content-Type-Options"] == "nosniff"
        assert answered.headers["Referrer-Policy"] == "same-origin"
        assert len(answered.headers["X-Request-Id"]) == 24
    assert "unsafe" not in POLICY
    assert "default-src 'none'" in POLICY
    assert "frame-ancestors 'none'" in POLICY


async def test_the_root_leads_to_the_console(sqlite_gateway: Gateway) -> None:
    answered = await sqlite_gateway.call("GET", "/", headers={}, allow_redirects=False)
    assert (answered.status, answered.headers["Location"]) == (302, "/console")


async def test_pages_are_not_kept_and_files_are_for_good(sqlite_gateway: Gateway) -> None:
    page = await sqlite_gateway.call("GET", "/console/sign-in", headers={})
    assert page.headers["Cache-Control"] == "no-store"
    for name in assets.contents():
        file = await sqlite_gateway.call("GET", assets.address(name), headers={})
        assert file.status == 200
        assert "immutable" in file.headers["Cache-Control"]
    other = await sqlite_gateway.call("GET", "/console/assets/000000000000/console.js", headers={})
    assert other.headers["Cache-Control"] == "no-store"
    for name in ("..%2f__init__.py", "nothing.js", "__init__.py", "console.css%00"):
        assert (await sqlite_gateway.call("GET", f"/console/assets/x/{name}", headers={})).status == 404


async def test_the_partners_branding_is_on_every_page(tmp_path: Path) -> None:
    icon = "data:image/png;base64,iVBORw0KGgo="
    brand = {
        "application_display_name": "Acme <Connect>",
        "application_icon": icon,
        "header_html": "<p>Acme's <b>header</b></p>",
        "footer_html": "<p>Acme's footer</p>",
    }
    async with started(settings(tmp_path, "", partner=brand)) as gateway, signed_in(gateway) as person:
        for page in (await person.get("/console/nowhere"), await person.post("/console/sign-out")):
            assert "Acme &lt;Connect&gt;</title>" in page.text
            assert f'<link rel="icon" href="{icon}">' in page.text
            assert "<p>Acme's <b>header</b></p>" in page.text
            assert "<p>Acme's footer</p>" in page.text


async def test_the_menu_shows_where_one_is_and_what_one_may(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway, "end_user") as person:
        page = await person.get("/console/where/nowhere")
        assert re.findall(r'href="([^"]+)" aria-current="page"', page.text) == ["/console/where"]
        shown = re.findall(r'<li><a href="([^"]+)"', page.text)
        assert shown == [entry.path for entry in MENU]
        assert "End user" in page.shown


@pytest.mark.parametrize(
    ("role", "tabs"), [("administrator", 5), ("power_user", 4), ("limited_power_user", 2), ("end_user", 2)]
)
async def test_settings_show_what_a_role_may(sqlite_gateway: Gateway, role: Role, tabs: int) -> None:
    async with signed_in(sqlite_gateway, role) as person:
        page = await person.get("/console/settings/account")
        assert page.status == 200
        nav = page.text[page.text.index('class="tabs"') :]
        assert len(re.findall(r'<a href="/console/settings/', nav[: nav.index("</nav>")])) == tabs <= len(SETTINGS)


async def test_colours_are_kept_by_the_browser(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        assert 'data-theme="auto"' in (await person.get("/console/nowhere")).text
        chosen = await person.post("/console/theme", {"theme": "dark", "next": "/console/nowhere?x=1"})
        assert chosen.path == "/console/nowhere?x=1"
        assert 'data-theme="dark"' in chosen.text
        assert 'data-theme="dark"' in (await person.post("/console/theme", {"theme": "pink", "next": "/x"})).text


async def test_an_administrator_looks_at_another_account_and_nobody_else_does(gateway: Gateway) -> None:
    made = await gateway.call("POST", "/oauth/token", data=_client(gateway), headers={})
    token = {"Authorization": f"Bearer {made.json['access_token']}"}
    second = (await gateway.call("POST", "/v1.0/accounts", json={"Name": "Second <one>"}, headers=token)).json
    async with signed_in(gateway) as person:
        moved = await person.post("/console/account", {"account": second["Id"]})
        assert "Second <one>" in moved.shown
        assert (await person.post("/console/account", {"account": "0" * 32})).status == 404
    async with signed_in(gateway, "power_user", await first_account(gateway)) as person:
        assert (await person.post("/console/account", {"account": second["Id"]})).status == 403


async def test_a_made_up_notice_says_nothing(sqlite_gateway: Gateway) -> None:
    for made_up in (
        "x",
        "7b7d",
        b'{"text":"frame.nothing","values":{}}'.hex(),
        b'{"text":{},"values":1}'.hex(),
        "f" * 9000,
    ):
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar, cookies={NOTICE: made_up}) as session:
            page = await Person(sqlite_gateway, session).get("/console/sign-in")
        assert page.status == 200
        assert 'class="notice"' not in page.text


def _client(gateway: Gateway) -> dict[str, str]:
    given = gateway.running.config.bootstrap
    return {"grant_type": "client_credentials", "client_id": given.client_id, "client_secret": given.client_secret}
