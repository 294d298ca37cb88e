"""Where is it? asked in a browser: by a name, by a body, and for what never came."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.fixtures import IN_A_BROWSER
from tests.browser.judging import axe, fits, layout_shift, weight
from tests.browser.tabs import Tabs
from tests.console.browser.journey import enter
from tests.console.browser.pictures import keep
from tests.console.parts import send
from tests.kit import signed
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway

pytestmark = IN_A_BROWSER

BODY = b'{\n  "action": "opened",\n  "issue": {"id": 4711}\n}\n'


async def test_a_name_of_the_vendors_leads_to_its_event(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    made = await sqlite_gateway.create("github", receiver.url())
    for _ in range(2):
        await send(sqlite_gateway, made, BODY, delivery="order-4711")
    await receiver.wait(1)
    await enter(page, sqlite_gateway, "end_user", "/console/where")
    await expect(page.get_by_label("Event, object or hash")).to_be_focused()
    await page.keyboard.type("order-4711")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="It arrived 2 times")).to_be_visible()
    await expect(page).to_have_url(f"{sqlite_gateway.url}/console/where?q=order-4711")
    assert (await axe(page)).serious == []
    await keep(page, "where")
    await page.get_by_role("link", name="Open the event", exact=True).first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("issues.opened")


async def test_a_pasted_body_is_found_without_script(without_script: Page, sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    await send(sqlite_gateway, made, BODY)
    await enter(without_script, sqlite_gateway, "end_user", "/console/where")
    await without_script.get_by_text("I have only the body").click()
    await without_script.get_by_label("Body").fill(BODY.decode())
    await without_script.get_by_role("button", name="Find this body").click()
    await expect(without_script.get_by_text("Stored, but it has no destination")).to_be_visible()


@pytest.mark.parametrize("look", [{}, {"dark": True}, {"phone": True}], ids=["light", "dark", "phone"])
async def test_every_answer_is_for_everybody(
    look: dict[str, bool], tabs: Tabs, sqlite_gateway: Gateway, expected_errors: list[str]
) -> None:
    expected_errors += ["400"]
    tab = await tabs.open(**look)
    made = await sqlite_gateway.create("github")
    await sqlite_gateway.send(
        made["webhookUrl"], BODY, signed.github("wrong", BODY, delivery="<b>wrong</b>" + "x" * 90)
    )
    await enter(tab, sqlite_gateway, "end_user", "/console/where")
    for query in ("", "?q=nothing", "?q=%3Cb%3Ewrong%3C/b%3E" + "x" * 90, "?q=" + "x" * 1001):
        await tab.goto(f"{sqlite_gateway.url}/console/where{query}")
        assert (await axe(tab)).serious == []
        assert await weight(tab) < 200_000
        assert await layout_shift(tab) < 0.02
        assert await fits(tab)
