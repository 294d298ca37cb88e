"""The overview in a browser: from nothing to the first event without a reload, and the figures for everyone."""

import pytest
from playwright.async_api import Page, expect

from gateway.clock import now_ms
from gateway.traffic.count import Owner
from gateway.traffic.flush import Flushing
from tests.browser.fixtures import IN_A_BROWSER
from tests.console.browser.everyone import is_right_for_everyone
from tests.console.browser.journey import enter
from tests.console.browser.pictures import keep
from tests.console.person import first_account
from tests.delivery.road import body, send, until
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway
from tests.traffic.parts import days

pytestmark = IN_A_BROWSER


async def traffic(gateway: Gateway, receiver: Consumer) -> None:
    """Events that are delivered, one that is dead, a refusal; flushed."""
    made = await gateway.create("github", receiver.url())
    for number in range(12):
        await send(gateway, made, number)
    await until(gateway, delivered=12)
    receiver.status = 503
    await send(gateway, made, 99)
    assert (await gateway.send(made["webhookUrl"], body(), {})).status == 401
    await until(gateway, dead=1, refused=1)
    runtime = gateway.running.services.runtime
    await Flushing(runtime.traffic, runtime.database).flush()


async def test_the_first_steps_show_themselves_done_and_give_way_to_the_figures(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    await enter(page, sqlite_gateway)
    await expect(page.get_by_role("heading", name="Authenticate an instance")).to_be_visible()
    await is_right_for_everyone(page)
    await keep(page, "overview-begin")
    made = await sqlite_gateway.create("github", receiver.url())
    await expect(page.get_by_text("done", exact=True)).to_have_count(1, timeout=15_000)
    await send(sqlite_gateway, made)
    await expect(page.get_by_text("Events in")).to_be_visible(timeout=15_000)
    await expect(page.get_by_role("navigation", name="Over how long")).to_be_visible()


async def test_the_overview_of_traffic_is_right_for_everyone_in_light(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    await traffic(sqlite_gateway, receiver)
    await enter(page, sqlite_gateway, onward="/console?range=hour")
    await expect(page.get_by_role("img", name="In and out: accepted, delivered")).to_be_visible()
    await expect(page.get_by_role("row").filter(has_text="It answered 503.")).to_be_visible()
    await is_right_for_everyone(page)


async def test_two_days_of_figures_are_drawn_and_still_light(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    await traffic(sqlite_gateway, receiver)
    account = await first_account(sqlite_gateway)
    owner = Owner(account.partner_id, account.id)
    await days(sqlite_gateway.running.services.runtime.database, owner, now_ms(), 2)
    await enter(page, sqlite_gateway)
    for name in ("hour", "week", "day"):
        await page.goto(f"{sqlite_gateway.url}/console?range={name}")
        assert await page.locator("#through .slot").count() >= 24
        await is_right_for_everyone(page)
    await page.locator("#attempts .slot").nth(60).hover()
    await keep(page, "overview", whole=True)


async def test_the_overview_of_traffic_is_right_for_everyone_in_the_dark(
    dark: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    await traffic(sqlite_gateway, receiver)
    await enter(dark, sqlite_gateway)
    await is_right_for_everyone(dark)


@pytest.mark.parametrize("begun", [False, True])
async def test_the_overview_fits_a_phone(phone: Page, sqlite_gateway: Gateway, receiver: Consumer, begun: bool) -> None:
    if begun:
        await traffic(sqlite_gateway, receiver)
    await enter(phone, sqlite_gateway)
    await is_right_for_everyone(phone)


async def test_a_chart_can_be_read_as_a_table_by_the_keyboard_and_stays_open_when_it_is_taken_anew(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    await traffic(sqlite_gateway, receiver)
    await enter(page, sqlite_gateway, onward="/console?range=hour")
    table = page.locator("#attempts-table")
    await table.locator("summary").focus()
    await page.keyboard.press("Enter")
    await expect(table.get_by_role("columnheader", name="failed")).to_be_visible()
    await page.locator("h1").click()
    await page.evaluate("document.activeElement.blur()")
    now = await page.locator(".as-of time").get_attribute("datetime")
    assert now is not None
    await expect(page.locator(".as-of time")).not_to_have_attribute("datetime", now, timeout=15_000)
    await expect(table.get_by_role("columnheader", name="failed")).to_be_visible()


async def test_ranges_stand_in_the_url_and_work_without_script(
    without_script: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    page = without_script
    await traffic(sqlite_gateway, receiver)
    await enter(page, sqlite_gateway)
    await page.get_by_role("link", name="Week").click()
    await expect(page).to_have_url(f"{sqlite_gateway.url}/console?range=week")
    await expect(page.get_by_role("link", name="Week")).to_have_attribute("aria-current", "page")
    await page.get_by_role("link", name="All accounts").click()
    await expect(page).to_have_url(f"{sqlite_gateway.url}/console?range=week&of=all")
    await expect(page.get_by_text("Events in")).to_be_visible()
