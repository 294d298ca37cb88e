"""Signing in, in a real browser: with and without script, on a desk, a phone and in the dark; and once more later."""

import pytest
from playwright.async_api import Page, expect

from gateway.accounts.model import Role
from tests.browser.fixtures import IN_A_BROWSER
from tests.browser.tabs import Tabs
from tests.console.browser.everyone import is_right_for_everyone
from tests.console.browser.journey import enter, sign_in, somebody
from tests.console.browser.pictures import keep
from tests.kit.gateway import Gateway

pytestmark = IN_A_BROWSER


async def test_the_page_to_sign_in_at_is_right_for_everyone(tabs: Tabs, sqlite_gateway: Gateway) -> None:
    for page in (await tabs.open(), await tabs.open(phone=True), await tabs.open(dark=True)):
        await page.goto(f"{sqlite_gateway.url}/console")
        await expect(page.get_by_label("User name")).to_be_focused()
        await is_right_for_everyone(page)


async def test_a_person_comes_in_and_goes(page: Page, sqlite_gateway: Gateway, expected_errors: list[str]) -> None:
    expected_errors.append("401")
    username = await somebody(sqlite_gateway, "power_user")
    await page.goto(f"{sqlite_gateway.url}/console/where?q=evt_1")
    await keep(page, "sign-in")
    await sign_in(page, username, "not the password")
    await expect(page.get_by_role("alert")).to_have_text("The user name or password is wrong.")
    await expect(page.get_by_label("User name")).to_have_value(username)
    await sign_in(page, username)
    await page.wait_for_url("**/console/where?q=evt_1")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_text("You are signed out.")).to_be_visible()
    await page.goto(f"{sqlite_gateway.url}/console/events")
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()


async def test_nobody_needs_a_script_to_sign_in(without_script: Page, sqlite_gateway: Gateway) -> None:
    await enter(without_script, sqlite_gateway, onward="/console/events")
    await without_script.get_by_role("button", name="Dark").click()
    await expect(without_script.locator("html")).to_have_attribute("data-theme", "dark")
    await expect(without_script).to_have_url(f"{sqlite_gateway.url}/console/events")


async def test_who_comes_back_after_the_session_has_ended_is_where_they_were(
    page: Page, sqlite_gateway: Gateway
) -> None:
    await enter(page, sqlite_gateway, onward="/console/events?status=dead")
    async with sqlite_gateway.running.services.runtime.database.transaction() as transaction:
        await transaction.execute("DELETE FROM sessions WHERE 1 = 1")
    await page.get_by_role("link", name="Instances").first.click()
    await sign_in(page, await somebody(sqlite_gateway, "administrator"))
    await page.wait_for_url("**/console/instances")


@pytest.mark.parametrize("role", ["power_user", "end_user"])
async def test_the_menu_leads_everybody_to_pages_that_they_may_see(
    page: Page, sqlite_gateway: Gateway, role: Role
) -> None:
    await enter(page, sqlite_gateway, role)
    menu = page.get_by_role("navigation", name="Main menu").get_by_role("link")
    for place in range(await menu.count()):
        await menu.nth(place).click()
        await expect(menu.nth(place)).to_have_attribute("aria-current", "page")
        await expect(page.locator("h1")).to_be_visible()
