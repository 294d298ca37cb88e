"""Instances in a real browser: found, changed, rotated, polled, tried out and deleted."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.fixtures import IN_A_BROWSER
from tests.browser.judging import axe, fits, layout_shift, weight
from tests.console.browser.journey import enter
from tests.console.browser.pictures import keep
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway
from tests.vendors import API_KEY, Vendor, vendor

pytestmark = IN_A_BROWSER

LIST = "/console/instances"
OPEN = {"webhook.verify": "none"}


@pytest_asyncio.fixture(loop_scope="session")
async def there() -> AsyncIterator[Vendor]:
    async with vendor() as found:
        yield found


async def close(gateway: Gateway, there: Vendor, callback: str | None = None, **values: object) -> str:
    """The address of an instance of the simulated Close."""
    wanted = {"base.url": f"{there.url}/api/v1", "username": API_KEY, **values}
    return f"{LIST}/{(await gateway.create('closeio', callback, **wanted))['id']}"


async def generic(gateway: Gateway, callback: str | None = None, name: str = "generic") -> str:
    """The address of an instance that takes every delivery."""
    made = await gateway.create("generic", callback, **OPEN)
    await gateway.call("PATCH", f"/instances/{made['id']}", json={"name": name})
    return f"{LIST}/{made['id']}"


async def test_the_list_is_searched_as_one_types(page: Page, sqlite_gateway: Gateway) -> None:
    for name in ("Orders of the shop", "Leads of the office", "Invoices"):
        await generic(sqlite_gateway, name=name)
    await enter(page, sqlite_gateway, onward=LIST)
    await expect(page.locator(".instance-name")).to_have_count(3)
    await keep(page, "instances-list")
    await page.get_by_label("Search").fill("leads")
    await expect(page.locator(".instance-name")).to_have_count(1)
    await expect(page).to_have_url(f"{sqlite_gateway.url}{LIST}?q=leads")
    await page.get_by_label("State").select_option("Disabled")
    await expect(page.get_by_text("No instance matches")).to_be_visible()


async def test_an_instance_is_edited_and_what_is_wrong_is_said_at_the_field(
    page: Page, sqlite_gateway: Gateway, expected_errors: list[str]
) -> None:
    expected_errors.append("400")
    one = await generic(sqlite_gateway)
    await enter(page, sqlite_gateway, onward=one)
    await page.get_by_role("link", name="Edit").first.click()
    await page.get_by_label("Name", exact=True).fill("Orders")
    await page.get_by_label("Tags").fill("shop, europe")
    callback = page.get_by_label("Callback URL")
    await callback.fill("http://169.254.169.254/latest")
    await page.get_by_role("button", name="Save").click()
    await expect(callback).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Orders")
    await callback.fill("")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="Orders", level=1)).to_be_visible()
    await expect(page.get_by_text("is saved")).to_be_visible()
    await expect(page.get_by_text("europe")).to_be_visible()


async def test_two_people_edit_and_the_second_is_told(
    page: Page, dark: Page, sqlite_gateway: Gateway, expected_errors: list[str]
) -> None:
    expected_errors.append("409")
    one = await generic(sqlite_gateway)
    await enter(page, sqlite_gateway, onward=f"{one}/edit")
    await enter(dark, sqlite_gateway, "power_user", f"{one}/edit")
    await dark.get_by_label("Name", exact=True).fill("Theirs")
    await dark.get_by_role("button", name="Save").click()
    await expect(dark.get_by_role("heading", name="Theirs")).to_be_visible()
    await page.get_by_label("Description").fill("Mine")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Somebody else has changed this instance")).to_be_visible()
    await expect(page.get_by_text("Now: Theirs")).to_be_visible()
    await expect(page.get_by_label("Description")).to_have_value("Mine")
    assert (await axe(page)).serious == []
    await keep(page, "instances-conflict")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="Theirs")).to_be_visible()
    await expect(page.get_by_text("Mine")).to_be_visible()


async def test_a_webhook_url_is_rotated_in_a_dialog_and_taken_by_the_gateway(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    one = await generic(sqlite_gateway, receiver.url())
    await enter(page, sqlite_gateway, onward=one)
    await page.get_by_role("link", name="Rotate Webhook URL").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Keep the old one valid for").select_option("an hour")
    await dialog.get_by_role("button", name="Create a new one").click()
    shown = dialog.get_by_label("Webhook URL")
    await expect(shown).to_be_visible()
    url = await shown.input_value()
    await dialog.get_by_role("link", name="Open the instance").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    body = b'{"id": 7}'
    token = url.rsplit("/", 1)[-1]
    answered = await sqlite_gateway.send(f"{sqlite_gateway.url}/in/{token}", body, {"Content-Type": "application/json"})
    assert answered.status < 300
    await receiver.wait(1)


async def test_a_poll_brings_what_the_vendor_has_and_the_page_shows_it(
    page: Page, sqlite_gateway: Gateway, there: Vendor, receiver: Consumer
) -> None:
    one = await close(sqlite_gateway, there, receiver.url(), **{"event.vendor.type": "polling"})
    await enter(page, sqlite_gateway, onward=one)
    there.close.add("lead", name="Acme")
    await page.get_by_role("button", name="Poll now").click()
    await expect(page.get_by_text("One new event was found.")).to_be_visible()
    await expect(page.locator("#events tbody tr")).to_have_count(1)
    await expect(page).to_have_url(sqlite_gateway.url + one)
    await receiver.wait(1)
    await keep(page, "instances-one", whole=True)


async def test_a_call_is_tried_out_from_the_instance_s_own_docs(
    page: Page, sqlite_gateway: Gateway, there: Vendor
) -> None:
    one = await close(sqlite_gateway, there)
    await enter(page, sqlite_gateway, onward=one)
    await page.get_by_role("link", name="API docs").click()
    await page.get_by_label("Search").fill("create lead")
    await page.get_by_role("link", name="/accounts Create lead").click()
    await page.get_by_role("textbox", name="Body").fill('{"name": "Made in the console"}')
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#answer")).to_contain_text("Made in the console")
    assert [lead["name"] for lead in there.close.all("lead")] == ["Made in the console"]
    assert (await axe(page)).serious == []
    await keep(page, "instances-try")


async def test_an_instance_is_switched_off_and_deleted(page: Page, sqlite_gateway: Gateway) -> None:
    one = await generic(sqlite_gateway, name="Short-lived")
    await enter(page, sqlite_gateway, onward=one)
    await page.get_by_role("button", name="Disable").click()
    await expect(page.get_by_role("button", name="Enable")).to_be_visible()
    await page.get_by_role("link", name="Delete").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Delete this instance?")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("link", name="Delete")).to_be_focused()
    await page.keyboard.press("Enter")
    await dialog.get_by_role("button", name="Delete").click()
    await expect(page).to_have_url(sqlite_gateway.url + LIST)
    await expect(page.get_by_text("“Short-lived” is deleted.")).to_be_visible()


async def test_without_script_everything_can_still_be_done(
    without_script: Page, sqlite_gateway: Gateway, there: Vendor
) -> None:
    page, one = without_script, await close(sqlite_gateway, there, **{"event.vendor.type": "polling"})
    await enter(page, sqlite_gateway, onward=one)
    there.close.add("lead", name="Acme")
    await page.get_by_role("button", name="Poll now").click()
    await expect(page.get_by_text("One new event was found.")).to_be_visible()
    await page.goto(sqlite_gateway.url + one)
    await page.get_by_role("link", name="Rotate Signing secret").click()
    await page.get_by_role("button", name="Create a new one").click()
    await expect(page.get_by_label("Signing secret")).to_be_visible()
    await page.goto(f"{sqlite_gateway.url}{one}/docs/users.list")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#answer")).to_contain_text("200")
    await page.goto(f"{sqlite_gateway.url}{one}/delete")
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_text("is deleted")).to_be_visible()


@pytest.mark.parametrize(
    "where", ["", "/edit", "/docs", "/docs/accounts.update", "/rotate/webhook-url", "/delete", "list", "empty"]
)
async def test_every_page_is_sound_on_desk_phone_and_in_the_dark(
    page: Page, phone: Page, dark: Page, sqlite_gateway: Gateway, there: Vendor, where: str
) -> None:
    path = LIST
    if where != "empty":
        one = await close(sqlite_gateway, there, "http://127.0.0.1:9/hook", **{"event.vendor.type": "polling"})
        await sqlite_gateway.call(
            "PATCH", one.replace("/console", ""), json={"name": "ABCDEFGHIJ" * 20, "tags": ["long" * 30, "b"]}
        )
        await generic(sqlite_gateway, name="\u202egnirts <b>x</b>")
        path = LIST if where == "list" else one + where
    for one_page in (page, phone, dark):
        await enter(one_page, sqlite_gateway, onward=path)
        assert (await axe(one_page)).serious == []
        assert await fits(one_page)
    await page.reload()
    assert await layout_shift(page) < 0.01
    assert await weight(page) < 200_000
