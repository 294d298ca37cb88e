"""Dead letters and replays in a browser: looked at, ticked, sent again with a progress bar, stopped."""

import re

from playwright.async_api import Page, expect

from tests.browser.fixtures import IN_A_BROWSER
from tests.browser.judging import axe
from tests.console.browser.everyone import is_right_for_everyone
from tests.console.browser.journey import enter
from tests.console.browser.pictures import keep
from tests.console.test_letters import dead
from tests.console.test_replays import delivered
from tests.delivery.road import until
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway
from tests.replays import parts

pytestmark = IN_A_BROWSER


async def test_ticked_letters_are_sent_again_and_reach_the_consumer(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    await dead(sqlite_gateway, receiver, 4)
    await enter(page, sqlite_gateway, "limited_power_user", "/console/dead-letters")
    await expect(page.get_by_role("link", name=re.compile("^Send all again"))).to_have_count(0)
    await is_right_for_everyone(page)
    await page.get_by_role("link", name="github", exact=True).click()
    send = page.get_by_role("button", name="Send again")
    await expect(send).to_be_disabled()
    await is_right_for_everyone(page)
    boxes = page.get_by_role("checkbox", name=re.compile("^Tick issues"))
    await boxes.nth(0).check()
    await boxes.nth(1).check()
    await keep(page, "dead-letters")
    await send.click()
    await expect(page.get_by_text("2 are sent again.")).to_be_visible()
    await expect(boxes).to_have_count(2)
    await receiver.wait(2)
    await page.get_by_role("checkbox", name="Tick all").check()
    await page.get_by_label("Reason for discarding").fill("The order was cancelled")
    await page.get_by_role("button", name="Discard").click()
    await expect(page.get_by_text("2 are discarded.")).to_be_visible()
    await until(sqlite_gateway, cancelled=2)


async def test_all_letters_are_sent_again_from_a_dialog_and_the_bar_comes_to_its_end(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer, expected_errors: list[str]
) -> None:
    expected_errors.append("400 (Bad Request)")
    await dead(sqlite_gateway, receiver, 6)
    await enter(page, sqlite_gateway, "power_user", "/console/dead-letters")
    await page.get_by_role("link", name="Send all again…", exact=True).click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("heading", name="6 match")).to_be_visible()
    assert (await axe(page)).serious == []
    rate = dialog.get_by_label("Most events per second")
    await rate.fill("0")
    await dialog.get_by_role("button", name="Send 6 again").click()
    await expect(dialog.get_by_text("expected a whole number from 1 to 10000")).to_be_visible()
    await rate.fill("1")
    await dialog.get_by_role("button", name="Send 6 again").click()
    await page.wait_for_url(re.compile("/console/replays/[0-9a-f]{32}$"))
    await expect(page.get_by_role("progressbar")).to_be_visible()
    await expect(page.get_by_text("The replay has started.")).to_be_visible()
    await page.reload()
    await expect(page.locator("#job[data-state=running]")).to_be_visible()
    await is_right_for_everyone(page)
    await keep(page, "replay-progress")
    await expect(page.locator("#job[data-state=done]")).to_be_visible(timeout=20_000)
    await expect(page.get_by_role("button", name="Cancel the job")).to_be_hidden()
    await receiver.wait(6)


async def test_a_replay_is_looked_at_begun_and_cancelled(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer, expected_errors: list[str]
) -> None:
    expected_errors.append("400 (Bad Request)")
    await delivered(sqlite_gateway, receiver, 8)
    await enter(page, sqlite_gateway, "power_user", "/console/replays")
    await expect(page.get_by_role("heading", name="No replays yet")).to_be_visible()
    await is_right_for_everyone(page)
    await page.get_by_role("link", name="New replay").click()
    await is_right_for_everyone(page)
    await page.get_by_role("button", name="Preview").click()
    await expect(page.get_by_text("is empty")).to_be_visible()
    await page.get_by_label("Event type").fill("issues.opened")
    await page.get_by_label("Most events per second").fill("1")
    await page.get_by_role("button", name="Preview").click()
    await expect(page.get_by_role("heading", name="8 match")).to_be_visible()
    await page.get_by_role("button", name="Send 8 again").click()
    await page.get_by_role("button", name="Cancel the job").click()
    await expect(page.get_by_text("The job is cancelled.")).to_be_visible()
    await page.get_by_role("link", name="Replays").first.click()
    await expect(page.get_by_role("cell", name="cancelled")).to_be_visible()


async def test_the_pages_are_right_on_a_phone_and_in_the_dark(
    phone: Page, dark: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    destination = await dead(sqlite_gateway, receiver, 3)
    job_id = await parts.begun(sqlite_gateway, "/replays", {"filter": {"object_id": "1"}})
    paths = (
        "/console/dead-letters",
        f"/console/dead-letters?destination_id={destination}",
        "/console/dead-letters/all?act=down",
        "/console/replays",
        "/console/replays/new",
        f"/console/replays/{job_id}",
    )
    for page in (phone, dark):
        await enter(page, sqlite_gateway)
        for path in paths:
            await page.goto(sqlite_gateway.url + path)
            await is_right_for_everyone(page)


async def test_all_of_it_works_without_script(
    without_script: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    await dead(sqlite_gateway, receiver, 2)
    page = without_script
    await enter(page, sqlite_gateway, onward="/console/dead-letters")
    await page.get_by_role("link", name="Discard all…").click()
    await page.get_by_label("Reason for discarding").fill("Not wanted")
    await page.get_by_role("button", name="Discard 2").click()
    await expect(page.get_by_text("The dead letters are being discarded.")).to_be_visible()
    await until(sqlite_gateway, cancelled=2)
    await page.goto(sqlite_gateway.url + "/console/dead-letters")
    await expect(page.get_by_role("heading", name="No dead letters")).to_be_visible()
