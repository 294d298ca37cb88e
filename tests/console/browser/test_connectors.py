"""Journeys from an empty gateway to a delivered event, through a vendor's login, and past what goes wrong."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.fixtures import IN_A_BROWSER
from tests.browser.judging import axe, fits, layout_shift, weight
from tests.browser.tabs import Tabs
from tests.console.browser.journey import enter, sign_in, somebody
from tests.console.browser.pictures import keep
from tests.console.test_connectors_login import scene
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway
from tests.vendors import API_KEY, CLIENT_ID, CLIENT_SECRET, Vendor, vendor
from tests.vendors.misbehaving import answering

pytestmark = IN_A_BROWSER
GENERIC = "/console/connectors/generic/authenticate"
ANY = re.compile
MOST = 200_000


async def judged(page: Page) -> None:
    """Fails where somebody could not read the page, where it is heavy, or wider than its window."""
    assert (await axe(page)).serious == []
    assert await fits(page)


async def filled(page: Page, there: Vendor) -> None:
    """The form of an application at a vendor, sent."""
    await page.get_by_label("Address of the vendor").fill(there.url)
    await page.get_by_label("OAuth client id").fill(CLIENT_ID)
    await page.get_by_label("OAuth client secret").fill(CLIENT_SECRET)
    await page.get_by_role("button", name="Continue to sign in").click()
    await page.wait_for_url(ANY("/sign-in$"))


async def test_from_an_empty_gateway_to_a_delivered_event(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    await enter(page, sqlite_gateway, "power_user", "/console/connectors")
    await keep(page, "connectors")
    assert await layout_shift(page) < 0.05
    await page.get_by_label("Search").fill("generic http")
    await expect(page.locator(".connector")).to_have_count(1)
    await page.wait_for_url(ANY("[?]q=generic%20http$"))
    await page.get_by_role("link", name="Generic HTTP").click()
    await page.get_by_role("link", name="Authenticate").click()
    await page.get_by_label("Name of the instance").fill("Orders")
    await page.get_by_label("Callback URL").fill(receiver.url())
    await keep(page, "authenticate")
    await page.get_by_role("button", name="Authenticate").click()
    await page.wait_for_url(ANY("/instances/1/next$"))
    url = await page.get_by_label("Webhook URL").input_value()
    assert url.startswith(f"{sqlite_gateway.url}/in/")
    await page.get_by_role("button", name="Send a test event").click()
    await expect(page.get_by_text("The test event was accepted.")).to_be_visible()
    [arrived] = await receiver.wait(1)
    await expect(page.get_by_role("link", name=f"Follow event {arrived.id}")).to_be_visible()
    assert await page.get_by_label("Webhook URL").input_value() == url, "the test leaves the secrets in sight"
    await keep(page, "next-steps", whole=True)
    await page.reload()
    await expect(page.get_by_text("The webhook URL was shown only once.")).to_be_visible()


async def test_without_script_the_same_way_leads_as_far(
    without_script: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    page = without_script
    await enter(page, sqlite_gateway, "power_user", "/console/connectors")
    await page.get_by_label("Search").fill("generic")
    await page.get_by_role("button", name="Search").click()
    await page.get_by_role("link", name="Generic HTTP").click()
    await page.get_by_role("link", name="Authenticate").click()
    await page.get_by_label("Callback URL").fill(receiver.url())
    await page.get_by_role("button", name="Authenticate").click()
    await page.get_by_role("button", name="Send a test event").click()
    await expect(page.get_by_text("The test event was accepted.")).to_be_visible()
    await receiver.wait(1)
    assert (await page.get_by_label("Webhook URL").input_value()).startswith(f"{sqlite_gateway.url}/in/")


async def test_what_is_wrong_stands_at_its_field_and_can_be_put_right(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer, expected_errors: list[str]
) -> None:
    expected_errors += ["400"]
    await enter(page, sqlite_gateway, "power_user", f"{GENERIC}?way=basic")
    button = page.get_by_role("button", name="Authenticate")
    await button.click()
    assert await page.get_by_label("User name", exact=True).evaluate("field => field.validity.valueMissing")
    await page.get_by_label("User name", exact=True).fill("ada")
    await page.get_by_label("Password", exact=False).first.fill("a secret")
    await page.get_by_label("Callback URL").fill("http://10.9.8.7/inside")
    await page.get_by_text("Callback options").click()
    await page.get_by_label("Callback headers").fill("X-One: 1\nnot a header")
    await button.click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await expect(page.get_by_label("Callback URL")).to_have_value("http://10.9.8.7/inside")
    await expect(page.get_by_label("Callback headers")).to_be_visible()
    await expect(page.get_by_label("Callback URL")).to_have_attribute("aria-invalid", "true")
    await judged(page)
    await page.get_by_label("Callback URL").fill(receiver.url())
    await button.click()
    await page.wait_for_url(ANY("/instances/1/next$"))


async def test_close_is_asked_about_the_key_and_told_where_to_send(
    page: Page, sqlite_gateway: Gateway, expected_errors: list[str]
) -> None:
    expected_errors += ["400"]
    async with vendor() as there:
        await enter(page, sqlite_gateway, "power_user", "/console/connectors/closeio/authenticate")
        await page.get_by_text("More options").click()
        await page.get_by_label("Base URL").fill(f"{there.url}/api/v1")
        key = page.get_by_label("API key", exact=True)
        await key.fill("wrong")
        await page.get_by_role("button", name="Authenticate").click()
        await expect(page.get_by_text("Close refuses these credentials.")).to_be_visible()
        await expect(page.get_by_label("Base URL")).to_have_value(f"{there.url}/api/v1")
        await key.fill(API_KEY)
        await page.get_by_role("button", name="Authenticate").click()
        await page.wait_for_url(ANY("/instances/1/next$"))
        await expect(page.get_by_text("registers its address at Close automatically")).to_be_visible()
        await expect(page.locator("#registration .badge")).to_have_text("registered")
        assert len(there.close.all("webhook")) == 1


async def test_a_login_in_a_window_of_its_own(tabs: Tabs, tmp_path: Path) -> None:
    async with scene(tmp_path) as (gateway, there):
        page = await tabs.open()
        await enter(page, gateway, "power_user", "/console/connectors/vend-code/authenticate")
        await filled(page, there)
        await keep(page, "sign-in-at-vendor")
        async with page.expect_popup() as opened:
            await page.get_by_role("link", name="Sign in at Vend vend-code").click()
        popup = await opened.value
        await page.wait_for_url(ANY("/instances/1/next$"))
        await expect(page.get_by_label("Signing secret")).to_have_value(ANY("^whsec_"))
        if not popup.is_closed():
            await popup.wait_for_event("close")
        assert there.oauth.given == {"authorization_code": 1}


async def test_a_denied_login_can_be_tried_again_in_the_same_window(
    tabs: Tabs, tmp_path: Path, expected_errors: list[str]
) -> None:
    expected_errors += ["400"]
    async with scene(tmp_path) as (gateway, there):
        page = await tabs.open(script=False)
        await enter(page, gateway, "power_user", "/console/connectors/vend-code/authenticate")
        await filled(page, there)
        there.next(answering(400, "denied", "text/plain"), on="/oauth2/token/")
        await page.get_by_role("link", name="Sign in at Vend vend-code").click()
        await expect(page.get_by_role("alert")).to_be_visible()
        await page.get_by_role("link", name="Try again at Vend vend-code").click()
        await page.wait_for_url(ANY("/instances/1/next$"))


async def test_a_session_that_ends_while_a_form_is_filled_loses_nothing(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer, expected_errors: list[str]
) -> None:
    expected_errors += ["401"]
    await enter(page, sqlite_gateway, "power_user", GENERIC)
    await page.get_by_label("Name of the instance").fill('Orders "of" <b>ours</b>')
    await page.get_by_label("Callback URL").fill(receiver.url())
    async with sqlite_gateway.running.services.runtime.database.transaction() as transaction:
        await transaction.execute("DELETE FROM sessions WHERE 1 = 1")
    await page.get_by_role("button", name="Authenticate").click()
    await sign_in(page, await somebody(sqlite_gateway, "power_user"))
    await page.get_by_role("button", name="Send what I typed").click()
    await page.wait_for_url(ANY("/instances/1/next$"))
    await expect(page.get_by_role("heading", level=1)).to_have_text('Orders "of" ours: next steps')


@pytest.mark.parametrize("kind", ["desk", "dark", "phone"])
async def test_everybody_can_read_the_pages(tabs: Tabs, tmp_path: Path, kind: str) -> None:
    async with scene(tmp_path) as (gateway, there):
        page = await tabs.open(phone=kind == "phone", dark=kind == "dark")
        await enter(page, gateway, "power_user", "/console/connectors")
        assert await weight(page) < MOST
        await judged(page)
        for path in ("closeio", "hubspot", "generic/authenticate?way=basic", "closeio/authenticate?way=oauth2"):
            await page.goto(f"{gateway.url}/console/connectors/{path}")
            for fold in await page.locator("summary:visible").all():
                if await page.locator("main").filter(has=fold).count():
                    await fold.click()
            await judged(page)
            assert await weight(page) < MOST
        await page.goto(f"{gateway.url}/console/connectors/vend-code/authenticate")
        await filled(page, there)
        await judged(page)
        await page.goto(f"{gateway.url}{GENERIC}")
        await page.get_by_role("button", name="Authenticate").click()
        await page.wait_for_url(ANY("/next$"))
        await judged(page)
        assert await weight(page) < MOST
