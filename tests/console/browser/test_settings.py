"""The settings in a browser: the account, users, accounts, the audit log."""

import re

from playwright.async_api import Page, expect

from tests.browser.fixtures import IN_A_BROWSER
from tests.browser.judging import axe
from tests.console.browser.everyone import is_right_for_everyone
from tests.console.browser.journey import enter, sign_in
from tests.console.browser.pictures import keep
from tests.console.person import add_user
from tests.kit.gateway import Gateway

pytestmark = IN_A_BROWSER
SETTINGS = "/console/settings"


async def test_a_user_is_added_comes_in_changes_their_password_and_is_removed(
    page: Page, sqlite_gateway: Gateway, expected_errors: list[str]
) -> None:
    expected_errors.append("400 (Bad Request)")
    await enter(page, sqlite_gateway, "power_user", f"{SETTINGS}/users")
    await page.get_by_role("link", name="Add a user").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("User name").fill("dora@example.com")
    await dialog.get_by_label("Password").fill("short")
    await dialog.get_by_role("button", name="Add a user").click()
    await expect(dialog.get_by_text("expected a text of 8 to 1024 characters")).to_be_visible()
    await expect(dialog.get_by_label("User name")).to_have_value("dora@example.com")
    await dialog.get_by_label("Password").fill("")
    await dialog.get_by_role("radio", name="Limited power user").check()
    await dialog.get_by_role("button", name="Add a user").click()
    await expect(dialog.get_by_role("heading", name="The user is added")).to_be_visible()
    assert (await axe(page)).serious == []
    password = await dialog.get_by_label("Password").input_value()
    await dialog.get_by_role("link", name="Done").click()
    await expect(page.get_by_role("cell", name="dora@example.com", exact=True)).to_be_visible()
    await is_right_for_everyone(page)
    await keep(page, "settings-users")

    await page.get_by_role("button", name="Sign out", exact=True).click()
    await sign_in(page, "dora@example.com", password)
    await page.goto(f"{sqlite_gateway.url}{SETTINGS}/account")
    await expect(page.get_by_role("link", name="Users")).to_have_count(0)
    await page.get_by_label("Current password").fill(password)
    await page.get_by_label("New password", exact=True).fill("a password of my own")
    await page.get_by_label("New password once more").fill("a password of my own")
    await page.get_by_role("button", name="Change the password").click()
    await expect(page.get_by_text("Your password is changed.")).to_be_visible()
    await sign_in(page, "dora@example.com", "a password of my own")
    await expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible()

    await page.get_by_role("button", name="Sign out", exact=True).click()
    await enter(page, sqlite_gateway, "power_user", f"{SETTINGS}/users")
    await page.get_by_role("link", name="Remove dora@example.com").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    await expect(page.get_by_text("dora@example.com is removed.")).to_be_visible()
    await expect(page.get_by_role("cell", name="dora@example.com", exact=True)).to_have_count(0)


async def test_an_administrator_makes_an_account_and_looks_at_it(page: Page, sqlite_gateway: Gateway) -> None:
    await enter(page, sqlite_gateway, onward=f"{SETTINGS}/accounts")
    await page.get_by_role("link", name="New account").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name").fill("Northwind <b>Traders</b>")
    await dialog.get_by_label("Time zone").select_option("Asia/Tokyo")
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("cell", name="Northwind <b>Traders</b>", exact=True)).to_be_visible()
    await is_right_for_everyone(page)
    await page.get_by_label("Search by name or ID").fill("northwind")
    await expect(page.get_by_role("row")).to_have_count(2)
    await page.get_by_role("button", name=re.compile("^Switch to")).click()
    await expect(page.get_by_text("You are now looking at another account.")).to_be_visible()
    await expect(page.locator(".person-account")).to_have_text("Northwind <b>Traders</b>")
    await page.goto(f"{sqlite_gateway.url}{SETTINGS}/audit")
    await expect(page.get_by_role("cell", name="Created an account")).to_be_visible()
    await is_right_for_everyone(page)
    await keep(page, "audit-log")
    await page.get_by_label("What was done").select_option("Signed in")
    await expect(page.get_by_role("cell", name="Created an account")).to_have_count(0)
    assert "act=session.begun" in page.url


async def test_two_people_edit_an_account_and_the_second_is_told(
    page: Page, dark: Page, sqlite_gateway: Gateway, expected_errors: list[str]
) -> None:
    expected_errors.append("409 (Conflict)")
    await enter(page, sqlite_gateway, onward=f"{SETTINGS}/account")
    await enter(dark, sqlite_gateway, "power_user", f"{SETTINGS}/account")
    await page.get_by_label("Name").fill("By the first")
    await page.get_by_role("button", name="Save").first.click()
    await expect(page.get_by_text("The account is saved.")).to_be_visible()
    await dark.get_by_label("Name").fill("By the second")
    await dark.get_by_label("Description").fill("Typed with care")
    await dark.get_by_role("button", name="Save").click()
    await expect(dark.get_by_text("Somebody has changed this account meanwhile")).to_be_visible()
    await expect(dark.get_by_label("Description")).to_have_value("Typed with care")
    await expect(dark.get_by_text("By the first").first).to_be_visible()


async def test_the_pages_are_right_on_a_phone_and_in_the_dark(phone: Page, dark: Page, sqlite_gateway: Gateway) -> None:
    await add_user(sqlite_gateway, "x" * 200, "end_user")
    await add_user(sqlite_gateway, "ben <i>italic</i>", "end_user")
    for page in (phone, dark):
        await enter(page, sqlite_gateway)
        for path in ("account", "users", "users?all=1", "users/new", "users/2", "accounts", "accounts/new", "audit"):
            await page.goto(f"{sqlite_gateway.url}{SETTINGS}/{path}")
            await is_right_for_everyone(page)


async def test_a_user_is_added_without_script(without_script: Page, sqlite_gateway: Gateway) -> None:
    page = without_script
    await enter(page, sqlite_gateway, onward=f"{SETTINGS}/users")
    await page.get_by_role("link", name="Add a user").click()
    await page.get_by_label("User name").fill("dora")
    await page.get_by_role("button", name="Add a user").click()
    await expect(page.get_by_role("heading", name="The user is added")).to_be_visible()
    await page.get_by_role("link", name="Done").click()
    await expect(page.get_by_role("cell", name="dora", exact=True)).to_be_visible()
