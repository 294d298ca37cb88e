"""Logins with OAuth through the console: the whole way, refusals, and who may not go it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.console.person import Page, Person, signed_in
from tests.kit import logins
from tests.kit.gateway import Gateway
from tests.vendors import CLIENT_ID, CLIENT_SECRET, Vendor, vendor
from tests.vendors.oauth_rules import Client

FORM = "/console/connectors/vend-code/authenticate"


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[tuple[Gateway, Vendor]]:
    """A gateway and a vendor that knows its redirect URL."""
    async with vendor() as there, logins.knowing(folder) as gateway:
        know(there, gateway)
        yield gateway, there


def know(there: Vendor, gateway: Gateway) -> None:
    """Register the gateway's redirect URL at the vendor."""
    there.oauth.grants.clients[CLIENT_ID] = Client(CLIENT_SECRET, (f"{gateway.url}/console/oauth/callback",))


async def made(person: Person, there: Vendor, **fields: str) -> Page:
    """The form sent: the page at which one goes on to the vendor."""
    own = {"instance.name": "Vend", "authentication.type": "code", "site": there.url}
    application = {"oauth.api.key": CLIENT_ID, "oauth.api.secret": CLIENT_SECRET}
    return await person.post(FORM, {**own, **application, **fields})


async def begun(person: Person, popup: str = "") -> dict[str, str]:
    """What the vendor is asked with."""
    path = f"{person.gateway.url}/console/oauth/start?instance=1&popup={popup}"
    async with person.session.get(path, allow_redirects=False) as answered:
        assert answered.status == 303, await answered.text()
        return dict(parse_qsl(urlsplit(answered.headers["Location"]).query))


async def back(person: Person, **query: str) -> Page:
    return await person.get(f"/console/oauth/callback?{urlencode(query)}")


async def valid(gateway: Gateway) -> bool:
    return bool((await gateway.call("GET", "/instances/1")).json["valid"])


async def test_a_person_goes_through_the_vendor_and_comes_to_the_next_steps(tmp_path: Path) -> None:
    async with scene(tmp_path) as (gateway, there), signed_in(gateway) as person:
        page = await made(person, there)
        assert page.path == "/console/instances/1/sign-in", page.shown
        assert f"{gateway.url}/console/oauth/callback" in page.text
        assert not await valid(gateway)
        page = await person.get("/console/oauth/start?instance=1")
        assert page.path == "/console/instances/1/next", page.shown
        assert "whsec_" in page.text, "what was made with the instance is shown at the end of the way"
        assert await valid(gateway)
        assert there.oauth.given == {"authorization_code": 1}
        assert CLIENT_SECRET not in page.text


async def test_what_is_missing_for_a_login_is_told_before_anybody_is_sent_away(tmp_path: Path) -> None:
    async with scene(tmp_path) as (gateway, there), signed_in(gateway) as person:
        page = await made(person, there, **{"oauth.api.key": "", "site": ""})
        assert page.status == 400
        assert 'id="oauth.api.key-problem"' in page.text
        assert 'id="site-problem"' in page.text
        assert (await gateway.call("GET", "/instances")).json == []


async def test_the_secret_goes_into_no_address(tmp_path: Path) -> None:
    async with scene(tmp_path) as (gateway, there), signed_in(gateway) as person:
        await made(person, there)
        asked = await begun(person)
        assert CLIENT_SECRET not in str(asked)
        assert asked["redirect_uri"] == f"{gateway.url}/console/oauth/callback"
        assert person.csrf not in str(asked)


async def test_a_denied_login_says_so_and_can_be_tried_again(tmp_path: Path) -> None:
    async with scene(tmp_path) as (gateway, there), signed_in(gateway) as person:
        await made(person, there)
        state = (await begun(person))["state"]
        said = "<b>The user said no</b>"
        page = await back(person, state=state, error="access_denied", error_description=said)
        assert page.status == 400
        assert "denied the sign-in" in page.shown
        assert "&lt;b&gt;The user said no" in page.text
        assert not await valid(gateway)
        assert (await person.get("/console/oauth/start?instance=1")).path == "/console/instances/1/next"
        assert await valid(gateway)


async def test_a_code_that_the_vendor_does_not_know_is_refused_in_its_words(tmp_path: Path) -> None:
    async with scene(tmp_path) as (gateway, there), signed_in(gateway) as person:
        await made(person, there)
        page = await back(person, state=(await begun(person))["state"], code="made-up")
        assert page.status == 400
        assert "refuses the login" in page.shown
        assert "Try again" in page.shown
        empty = await back(person, state=(await begun(person))["state"])
        assert empty.status == 400
        assert not await valid(gateway)


async def test_a_state_of_another_session_changes_nothing(tmp_path: Path) -> None:
    async with (
        scene(tmp_path) as (gateway, there),
        signed_in(gateway) as person,
        signed_in(gateway, "power_user") as other,
    ):
        await made(person, there)
        asked = await begun(other)
        code = there.oauth.agree(f"{there.url}/oauth2/authorize/?{urlencode(asked)}")["code"]
        for state in (asked["state"], "", "1", "1.0.9999999999999.x.y", "ü", "." * 400):
            page = await back(person, state=state, code=code)
            assert page.status == 400, state
            assert "was not started in this session" in page.shown
        assert not await valid(gateway)
        assert there.oauth.given == {}
        assert (await back(other, state=asked["state"], code=code)).status == 200
        assert await valid(gateway)


async def test_a_login_that_took_too_long_is_begun_again(tmp_path: Path) -> None:
    async with scene(tmp_path) as (gateway, there), signed_in(gateway) as person:
        await made(person, there)
        parts = (await begun(person))["state"].split(".")
        parts[2] = str(int(parts[2]) - 3_700_000)
        page = await back(person, state=".".join(parts), code="x")
        assert page.status == 400
        assert "Start it again" in page.shown


async def test_a_window_of_its_own_ends_with_a_page_that_closes_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as (gateway, there), signed_in(gateway) as person:
        await made(person, there)
        page = await person.get("/console/oauth/start?instance=1&popup=1")
        assert page.path.startswith("/console/oauth/done?instance=1")
        assert 'data-signed-in="1"' in page.text
        assert 'href="/console/instances/1/next"' in page.text


async def test_a_renewed_login_leads_to_the_instance_and_keeps_what_it_is(tmp_path: Path) -> None:
    async with scene(tmp_path) as (gateway, there), signed_in(gateway) as person:
        # Made over the API, by an application with a redirect URL of its own.
        await logins.brought(gateway, there)
        there.oauth.expire()
        page = await person.get("/console/oauth/start?instance=1")
        assert page.path == "/console/instances/1", page.shown
        assert "You are signed in at the vendor again." in page.shown
        assert there.oauth.given == {"authorization_code": 1}
        assert await valid(gateway)


async def test_an_instance_without_such_a_login_has_no_page_for_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as (gateway, _), signed_in(gateway) as person:
        await gateway.create("generic")
        for path in (
            "/console/instances/1/sign-in",
            "/console/oauth/start?instance=1",
            "/console/oauth/start?instance=x",
        ):
            assert (await person.get(path)).status == 404, path


async def test_another_site_leads_to_the_page_and_not_through_the_login(tmp_path: Path) -> None:
    async with scene(tmp_path) as (gateway, there), signed_in(gateway) as person:
        await made(person, there)
        page = await person.get("/console/oauth/start?instance=1", headers={"Sec-Fetch-Site": "cross-site"})
        assert page.path == "/console/instances/1/sign-in"
        assert there.oauth.given == {}
