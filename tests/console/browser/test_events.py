"""Following events in a browser: the live list, its filter in the address, one event's page, and sending it again."""

import asyncio
import re
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Locator, Page, expect

from tests.browser.fixtures import IN_A_BROWSER
from tests.browser.judging import axe, fits, layout_shift, weight
from tests.browser.tabs import Tabs
from tests.console.browser.journey import enter
from tests.console.browser.pictures import keep
from tests.console.parts import send
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway

pytestmark = IN_A_BROWSER

ISSUE = {
    "action": "opened",
    "issue": {
        "id": 7012,
        "title": "Crash on start",
        "milestone": None,
        "labels": [{"name": "bug", "description": None}],
        "user": {"login": "octocat", "email": None},
    },
    "repository": {"full_name": "octo/hello"},
}
MARKUP = "<img src=x onerror=alert(1)><script>alert(1)</script>\u202e"


async def issues(gateway: Gateway, made: dict[str, Any], number: int, action: str = "opened", first: int = 0) -> None:
    for each in range(first, first + number):
        await send(gateway, made, {"action": action, "issue": {"id": 7000 + each, "body": None}})


def lines(page: Page) -> Locator:
    return page.locator("#list tbody tr")


async def test_fresh_events_come_in_at_the_top_while_somebody_looks(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    made = await sqlite_gateway.create("github", receiver.url())
    await issues(sqlite_gateway, made, 12)
    await enter(page, sqlite_gateway, "end_user", "/console/events")
    await page.mouse.move(5, 5)
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    await expect(lines(page)).to_have_count(12)
    await issues(sqlite_gateway, made, 2, "closed", 50)
    await expect(lines(page)).to_have_count(14)
    await expect(lines(page).first).to_contain_text("7051")
    await expect(lines(page).nth(1)).to_contain_text("7050")
    await expect(lines(page).first).to_contain_text("delivered", timeout=15_000)
    await expect(page.locator("[data-said]")).to_have_text("2 new events", timeout=15_000)
    await keep(page, "events-list")


async def test_a_paused_list_waits_and_goes_on_where_it_was(page: Page, sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    await issues(sqlite_gateway, made, 3)
    await enter(page, sqlite_gateway, "end_user", "/console/events")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_text("Paused")).to_be_visible()
    await issues(sqlite_gateway, made, 2, first=50)
    await expect(page.get_by_role("button", name="Pause")).to_have_attribute("data-held", "2")
    await expect(lines(page)).to_have_count(3)
    await page.get_by_role("button", name="Pause").click()
    await expect(lines(page)).to_have_count(5)
    await expect(lines(page).first).to_contain_text("7051")


async def test_lines_stand_still_under_a_pointer(page: Page, sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    await issues(sqlite_gateway, made, 3)
    await enter(page, sqlite_gateway, "end_user", "/console/events")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    await lines(page).nth(1).hover()
    await issues(sqlite_gateway, made, 2, first=50)
    await expect(page.get_by_text("Held while you point at the list")).to_be_visible()
    await expect(lines(page)).to_have_count(3)
    await page.mouse.move(5, 5)
    await expect(lines(page)).to_have_count(5)


async def test_a_flood_stays_readable_and_the_page_alive(page: Page, sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    await enter(page, sqlite_gateway, "end_user", "/console/events?type=issues.opened")
    await page.mouse.move(5, 5)
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    await asyncio.gather(
        *(send(sqlite_gateway, made, {"action": "opened", "issue": {"id": each}}) for each in range(600))
    )
    await expect(page.locator("[data-more]")).to_contain_text("more arrived than are shown", timeout=20_000)
    shown = await lines(page).count()
    assert 0 < shown <= 200
    assert await page.evaluate("new Promise(done => setTimeout(() => done(true), 0))")


async def test_the_filter_stands_in_the_address_and_narrows_what_comes(page: Page, sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    await issues(sqlite_gateway, made, 4)
    await issues(sqlite_gateway, made, 2, "closed", 20)
    await enter(page, sqlite_gateway, "end_user", "/console/events")
    await expect(lines(page)).to_have_count(6)
    await page.get_by_text("More filters").click()
    await page.get_by_label("Event type").fill("issues.closed")
    await expect(lines(page)).to_have_count(2)
    await expect(page).to_have_url(re.compile(r"/console/events\?type=issues\.closed$"))
    await expect(page.get_by_label("Event type")).to_be_focused()
    await page.mouse.move(5, 5)
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    await issues(sqlite_gateway, made, 1, "opened", 60)
    await issues(sqlite_gateway, made, 1, "closed", 61)
    await expect(lines(page)).to_have_count(3)
    await expect(lines(page).first).to_contain_text("7061")
    await page.reload()
    await expect(page.get_by_label("Event type")).to_have_value("issues.closed")
    await expect(lines(page)).to_have_count(3)
    await page.get_by_role("link", name="Clear all filters").click()
    await expect(lines(page)).to_have_count(8)


async def test_a_wrong_filter_is_told_at_its_field(
    page: Page, sqlite_gateway: Gateway, expected_errors: list[str]
) -> None:
    expected_errors += ["400"]
    await enter(page, sqlite_gateway, "end_user", "/console/where")
    await page.goto(f"{sqlite_gateway.url}/console/events?since=yesterday")
    field = page.get_by_label("From")
    await expect(field).to_have_value("yesterday")
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_text("Expected a date such as")).to_be_visible()
    assert (await axe(page)).serious == []


async def test_one_event_shows_its_road_and_what_was_taken_out_and_is_replayed(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    made = await sqlite_gateway.create("github", receiver.url("/hooks/issues"))
    await send(sqlite_gateway, made, ISSUE, delivery="5cd56576-5fab-4dfb-842b-82f414f63f32")
    await receiver.wait(1)
    await enter(page, sqlite_gateway, "limited_power_user", "/console/events")
    await lines(page).first.get_by_role("link").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("issues.opened")
    await expect(page.locator("#state")).to_contain_text("Delivered to github: answer 200, attempt 1")
    await expect(page.locator("pre del")).to_have_count(3)
    await page.get_by_text("Attempt 1", exact=True).click()
    await expect(page.get_by_text("Headers of the answer")).to_be_visible()
    assert (await axe(page)).serious == []
    await keep(page, "events-one", whole=True)
    await page.get_by_role("link", name="Replay", exact=True).click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("heading")).to_have_text("Replay this event")
    assert (await axe(page)).serious == []
    await dialog.get_by_role("button", name="Send").click()
    await expect(page.get_by_text("The event is on its way again.")).to_be_visible()
    await receiver.wait(2)
    assert receiver.ids[0] == receiver.ids[1]
    await expect(page.locator("#state")).to_contain_text("Sent again to github")
    await expect(page.locator("#deliveries-heading ~ article")).to_have_count(2)


async def test_an_event_on_its_way_is_looked_at_again_until_it_has_arrived(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    hold = asyncio.Event()

    async def slowly(_: Any) -> Any:
        await hold.wait()
        return web.Response(text="{}")

    receiver.answer = slowly
    made = await sqlite_gateway.create("github", receiver.url())
    await send(sqlite_gateway, made, ISSUE)
    await enter(page, sqlite_gateway, "end_user", "/console/events")
    await lines(page).first.get_by_role("link").click()
    await expect(page.locator("#road-heading")).to_contain_text("pending")
    hold.set()
    await expect(page.locator("#road-heading")).to_contain_text("delivered", timeout=20_000)


async def test_a_dead_delivery_is_sent_again_without_script(
    without_script: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    receiver.status = 500
    made = await sqlite_gateway.create("github", receiver.url())
    await send(sqlite_gateway, made, ISSUE)
    await receiver.wait(4)
    receiver.status = 200
    await enter(without_script, sqlite_gateway, "power_user", "/console/events")
    await without_script.get_by_label("Status").select_option("dead")
    await without_script.get_by_role("button", name="Show").click()
    await expect(lines(without_script)).to_have_count(1)
    await lines(without_script).first.get_by_role("link").click()
    await without_script.get_by_role("button", name="Send again").click()
    await expect(without_script.get_by_text("The event is on its way again.")).to_be_visible()
    assert (await receiver.wait(5))[-1].id == receiver.ids[0]


async def test_markup_of_a_vendor_is_shown_and_never_run(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    made = await sqlite_gateway.create("github", receiver.url())
    body = {"action": MARKUP, "issue": {"id": MARKUP + "x" * 10_000, MARKUP: None, "title": MARKUP}}
    await send(sqlite_gateway, made, body, delivery="<script>alert(1)</script>")
    await enter(page, sqlite_gateway, "power_user", "/console/events")
    await expect(lines(page).first).to_contain_text("<img src=x")
    assert await fits(page)
    await lines(page).first.get_by_role("link").click()
    await expect(page.locator("pre del")).to_contain_text("<script>")
    assert await page.locator("main img, main script").count() == 0
    assert await fits(page)


@pytest.mark.parametrize("look", [{}, {"dark": True}, {"phone": True}], ids=["light", "dark", "phone"])
async def test_every_page_of_events_is_for_everybody(
    look: dict[str, bool], tabs: Tabs, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    tab = await tabs.open(**look)
    made = await sqlite_gateway.create("github", receiver.url())
    await issues(sqlite_gateway, made, 60)
    big = {**ISSUE, "items": [{"id": each, "name": "x" * 40, "none": None} for each in range(60_000)]}
    await send(sqlite_gateway, made, big)
    await receiver.wait(61)
    await enter(tab, sqlite_gateway, "power_user", "/console/events")
    await expect(tab.get_by_text("Live", exact=True)).to_be_visible()
    await judged(tab)
    if look.get("phone"):
        await keep(tab, "events-phone")
    await lines(tab).first.get_by_role("link").click()
    await expect(tab.get_by_text("Only the beginning is shown").first).to_be_visible()
    await judged(tab)
    await tab.goto(f"{tab.url}/replay")
    await judged(tab)


async def judged(tab: Page) -> None:
    """Accessible, light, still, and no wider than its window."""
    assert (await axe(tab)).serious == []
    assert await weight(tab) < 200_000
    assert await layout_shift(tab) < 0.02
    assert await fits(tab)
