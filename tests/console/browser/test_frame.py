"""What holds for every page: a notice is said once and moves nothing, focus stays, and long names fit."""

import re

from playwright.async_api import Page, expect

from tests.browser.fixtures import IN_A_BROWSER
from tests.browser.judging import fits, layout_shift
from tests.console.browser.journey import enter
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway
from tests.kit.signed import github

pytestmark = IN_A_BROWSER
LONG = "<b>long</b> \u05e9\u05dc\u05d5\u05dd \U0001f389 " + "x" * 180
THIRD_PARTY = "/console/settings/third-party-connectors"


async def test_a_dialog_that_leads_to_another_page_leaves_its_notice_there_and_nothing_moves(
    page: Page, sqlite_gateway: Gateway
) -> None:
    made = await sqlite_gateway.create("generic")
    await enter(page, sqlite_gateway, onward=f"/console/instances/{made['id']}")
    await page.locator("#delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await page.wait_for_url(re.compile("/console/instances$"))
    await expect(page.locator("#notice")).to_have_text("“generic” is deleted.")
    assert await layout_shift(page) < 0.01
    await page.reload()
    await expect(page.locator("#notice")).to_have_text("")


async def test_a_notice_that_came_with_a_part_is_not_said_again_on_the_next_page(
    page: Page, sqlite_gateway: Gateway
) -> None:
    await enter(page, sqlite_gateway, onward="/console/settings/accounts")
    await page.locator("#new-account").click()
    await page.get_by_role("dialog").get_by_label("Name").fill("Shoes")
    await page.get_by_role("dialog").locator("button.primary").click()
    await expect(page.locator("#notice")).to_have_text(re.compile("Shoes"))
    await page.goto(f"{sqlite_gateway.url}/console/events")
    await expect(page.locator("#notice")).to_have_text("")


async def test_a_dialog_begins_at_its_first_field_and_focus_comes_back(page: Page, sqlite_gateway: Gateway) -> None:
    await enter(page, sqlite_gateway, onward=THIRD_PARTY)
    await page.locator("#new-connector").click()
    await expect(page.get_by_label("Connector Name")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator("#new-connector")).to_be_focused()


async def test_who_leafs_by_keyboard_stays_at_the_list(page: Page, sqlite_gateway: Gateway) -> None:
    for _ in range(51):
        await sqlite_gateway.create("generic")
    await enter(page, sqlite_gateway, onward="/console/instances")
    await page.get_by_role("link", name="Older").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("link", name="Newer")).to_be_visible()
    assert await page.evaluate("document.getElementById('list').contains(document.activeElement)")


async def test_a_name_of_two_hundred_characters_widens_no_page(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    receiver.status = 500
    name, gateway = LONG[:200], sqlite_gateway
    made = await gateway.create("github", receiver.url())
    await gateway.call("PATCH", f"/instances/{made['id']}", json={"name": name})
    wanted = {"name": name, "url": receiver.url("/" + "y" * 200), "method": "POST", "type": "JSON"}
    third = await gateway.call("POST", "/api/v1/third-party-connectors", json=wanted)
    assert third.status == 201, third.body
    body = b'{"action":"opened","issue":{"id":1}}'
    await gateway.send(made["webhookUrl"], body, github(made["webhookSecret"], body))
    await receiver.wait(8)
    await enter(page, gateway, onward="/console/dead-letters")
    await expect(page.locator("tbody tr")).to_have_count(2)
    letters = [await link.get_attribute("href") for link in await page.locator("tbody td:first-child a").all()]
    own = f"/console/instances/{made['id']}"
    paths = ["/console", "/console/instances", own, f"{own}/edit", f"{own}/delete", "/console/events", THIRD_PARTY]
    for path in [*paths, f"{THIRD_PARTY}/{third.json['id']}", *letters]:
        await page.goto(f"{gateway.url}{path}")
        assert await fits(page), path
