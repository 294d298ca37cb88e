"""3rd-party connectors in a real browser: made, looked at while they are typed, tried, fired by events, switched."""

import re

import orjson
import pytest
from playwright.async_api import Locator, Page, expect

from gateway.thirdparty import connectors
from tests.browser.fixtures import IN_A_BROWSER
from tests.browser.judging import axe, fits, layout_shift, weight
from tests.browser.tabs import Tabs
from tests.console.browser.journey import enter, sign_in
from tests.console.browser.pictures import keep
from tests.console.person import signed_in
from tests.console.thirdparty_parts import PATH, arrive, caller, filled, made, stored
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway
from tests.thirdparty.parts import arrive as arrive_at_github

pytestmark = IN_A_BROWSER
ISSUE = b'{"action":"opened","issue":{"id":1,"number":7,"title":"Broken","price":12.50,"user":{"login":"ann"}}}'
LEAD = b'{"id":"lead-1","price":12.50,"customer":{"email":"ann@example.com","tags":["vip","eu"]}}'


async def opened(page: Page) -> Locator:
    """The editor in its dialog."""
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("Connector Name")).to_be_visible()
    return dialog


async def well(page: Page) -> None:
    """Nothing serious for people who see or hear it otherwise, and no sideways scrolling."""
    found = await axe(page)
    assert found.serious == []
    assert await fits(page)


async def test_a_connector_is_made_in_the_dialog_and_fires_with_the_values_of_a_real_event(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    instance = await sqlite_gateway.create("github")
    await arrive_at_github(sqlite_gateway, instance, ISSUE)
    await enter(page, sqlite_gateway, "power_user", PATH)
    await page.get_by_role("link", name="New Connector").click()
    dialog = await opened(page)
    await expect(dialog.get_by_role("heading", name="New 3rd Party Connector")).to_be_visible()
    await dialog.get_by_label("Connector Name").fill("Push Bullet Notification Service")
    await dialog.get_by_label("URL").fill(receiver.url("/notes/{body:issue.number}"))
    await dialog.get_by_label("Header name").fill("X-Api-Key")
    await dialog.get_by_label("Header value").fill("a-secret-key")
    await dialog.get_by_label("Data name").fill("contact.name")
    preview = dialog.locator("#preview")
    await expect(preview).to_contain_text("/notes/7")
    await dialog.get_by_label("Data value").click()
    await dialog.get_by_text("Insert a value of the event").click()
    await dialog.get_by_role("button", name="{body:issue.user.login}").click()
    await expect(preview).to_contain_text('{"contact":{"name":"ann"}}')
    await expect(preview).to_contain_text("X-Api-Key: ********")
    await dialog.get_by_role("button", name="+ Add JSON data").click()
    await dialog.get_by_label("Data name").nth(1).fill("price")
    await dialog.get_by_label("Data value").nth(1).fill("{body:issue.price}")
    await expect(preview).to_contain_text('"price":12.50')
    await dialog.get_by_text("Insert a value of the event").click()
    await dialog.get_by_label("Connector Name").focus()
    await keep(page, "third-party-editor")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_role("heading", name="The connector is created")).to_be_visible()
    secret = await dialog.get_by_label("Signing secret").input_value()
    assert secret.startswith("whsec_")
    # The table behind the dialog knows of it already.
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("link", name="Push Bullet Notification Service", exact=True)).to_be_visible()
    await arrive_at_github(sqlite_gateway, instance, ISSUE.replace(b"7", b"8"))
    [one] = await receiver.wait(1)
    assert (one.path, one.headers["X-Api-Key"]) == ("/notes/8", "a-secret-key")
    assert one.body == b'{"contact":{"name":"ann"},"price":12.50}'
    assert "webhook-signature" in one.headers
    await page.get_by_role("link", name="Calls of Push Bullet").click()
    await expect(page.locator("#calls")).to_contain_text("delivered")
    await keep(page, "third-party-calls")
    await page.reload()
    assert secret not in await page.content()


async def test_what_is_wrong_is_told_at_the_field_while_it_is_typed_and_mended_the_same_way(
    page: Page, sqlite_gateway: Gateway
) -> None:
    await enter(page, sqlite_gateway, "administrator", PATH)
    await page.get_by_role("link", name="New Connector").click()
    dialog = await opened(page)
    url = dialog.get_by_label("URL")
    await url.fill("http://127.0.0.1:9/x")
    await dialog.get_by_role("button", name="+ Add header").click()
    second = dialog.get_by_label("Header value").nth(1)
    await dialog.get_by_label("Header name").nth(1).fill("X-Id")
    await second.fill("{body:id")
    await expect(second).to_have_attribute("aria-invalid", "true")
    described = await second.get_attribute("aria-describedby")
    await expect(dialog.locator(f'[id="{described}"]')).to_be_visible()
    await expect(dialog.get_by_label("Header value").first).not_to_have_attribute("aria-invalid", "true")
    await second.fill("{body:id}")
    await expect(second).not_to_have_attribute("aria-invalid", "true")
    await url.fill("https://{body:host}/x")
    await expect(url).to_have_attribute("aria-invalid", "true")
    await expect(dialog.locator("#preview")).to_contain_text("host")
    assert await second.input_value() == "{body:id}"


async def test_a_refused_form_stays_open_with_everything_in_it(
    page: Page, sqlite_gateway: Gateway, expected_errors: list[str]
) -> None:
    expected_errors.append("400 (Bad Request)")
    await made(sqlite_gateway, "Chat")
    await enter(page, sqlite_gateway, "administrator", PATH)
    await page.get_by_role("link", name="New Connector").click()
    dialog = await opened(page)
    await dialog.get_by_label("Connector Name").fill("CHAT")
    await dialog.get_by_label("URL").fill("http://127.0.0.1:9/x")
    await dialog.get_by_label("Username").fill("ann")
    await dialog.get_by_label("Password").fill("her password")
    await dialog.get_by_label("Type", exact=True).select_option("XML")
    await dialog.get_by_label("Root element").fill("order")
    await dialog.get_by_label("Data name").fill("a.@b")
    await dialog.get_by_label("Data value").fill("1")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("One field needs your attention")
    await expect(dialog.locator('[id="name-problem"]')).to_contain_text("has this name")
    assert await dialog.get_by_label("Data name").input_value() == "a.@b"
    assert await dialog.get_by_label("Password").input_value() == ""
    await dialog.get_by_label("Connector Name").fill("Other")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_role("heading", name="The connector is created")).to_be_visible()
    found = await connectors.page(sqlite_gateway.running.services.runtime, await caller(sqlite_gateway), search="Other")
    assert (found.items[0].definition.password, found.items[0].definition.root) == ("her password", "order")


async def test_the_button_for_data_follows_the_type_and_xml_and_forms_are_sent(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    instance = await sqlite_gateway.create("generic")
    await arrive(sqlite_gateway, instance, LEAD)
    await enter(page, sqlite_gateway, "limited_power_user", f"{PATH}/new")
    await page.get_by_label("Connector Name").fill("Mail")
    await page.get_by_label("URL").fill(receiver.url("/xml"))
    await expect(page.get_by_role("button", name="+ Add JSON data")).to_be_visible()
    await expect(page.get_by_label("Root element")).to_be_hidden()
    await page.get_by_label("Type", exact=True).select_option("FORM")
    await page.get_by_role("button", name="+ Add form data").click()
    await page.get_by_label("Data name").nth(0).fill("customer.tags")
    await page.get_by_label("Data value").nth(0).fill("{body:customer.tags}")
    await page.get_by_label("Data name").nth(1).fill("note")
    await page.get_by_label("Data value").nth(1).fill("<b>&")
    await expect(page.locator("#preview")).to_contain_text("note=%3Cb%3E%26")
    await page.get_by_label("Type", exact=True).select_option("XML")
    await expect(page.get_by_role("button", name="+ Add XML element")).to_be_visible()
    await page.get_by_label("Root element").fill("lead")
    await expect(page.locator("#preview")).to_contain_text("<lead><customer><tags>vip</tags><tags>eu</tags></customer>")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="The connector is created")).to_be_visible()
    await arrive(sqlite_gateway, instance, LEAD.replace(b"lead-1", b"lead-2"))
    [one] = await receiver.wait(1)
    assert one.headers["Content-Type"].startswith("application/xml")
    assert one.body.endswith(b"</customer><note>&lt;b&gt;&amp;</note></lead>")


async def test_a_test_shows_the_request_and_the_answer_and_keeps_what_is_typed(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    receiver.status, receiver.headers = 202, {"X-Trace": "<i>trace</i>"}
    await enter(page, sqlite_gateway, "administrator", PATH)
    await page.get_by_role("link", name="New Connector").click()
    dialog = await opened(page)
    await dialog.get_by_label("URL").fill(receiver.url("/try"))
    await dialog.get_by_label("Password").fill("typed")
    await dialog.get_by_label("Username").fill("ann")
    await dialog.get_by_label("Data name").fill("a")
    await dialog.get_by_label("Data value").fill("b")
    await dialog.get_by_role("button", name="Test").click()
    await expect(dialog.get_by_text("Answered with status 202")).to_be_visible()
    await expect(dialog.get_by_text("X-Trace: <i>trace</i>")).to_be_visible()
    await keep(page, "third-party-test")
    assert orjson.loads(receiver.arrived[0].body) == {"a": "b"}
    assert await dialog.get_by_label("Password").input_value() == "typed"
    receiver.port = 9
    await dialog.get_by_label("URL").fill("http://127.0.0.1:9/")
    await dialog.get_by_role("button", name="Test").click()
    await expect(dialog.get_by_text("No answer after")).to_be_visible()
    await well(page)
    found = await connectors.page(sqlite_gateway.running.services.runtime, await caller(sqlite_gateway))
    assert found.total == 0


async def test_one_that_is_disabled_sends_nothing_until_it_is_active_again(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    instance = await sqlite_gateway.create("generic")
    for name, path in (("Push Bullet", "/push"), ("Billing", "/bills"), ("Team chat", "/chat/{event:type}")):
        await made(sqlite_gateway, name, url=receiver.url(path))
    await enter(page, sqlite_gateway, "power_user", PATH)
    await expect(page.get_by_role("button", name="Disable")).to_be_disabled()
    await page.get_by_label("Select Push Bullet").check()
    await page.get_by_label("Select Billing").check()
    await page.get_by_role("button", name="Disable").click()
    await expect(page.get_by_role("status").first).to_contain_text("2 connectors are disabled")
    await expect(page.get_by_role("row", name=re.compile("Push Bullet"))).to_contain_text("disabled")
    await keep(page, "third-party-table")
    await arrive(sqlite_gateway, instance, LEAD)
    assert [one.path for one in await receiver.wait(1)] == ["/chat/unknown"]
    await page.get_by_label("Select Push Bullet").check()
    await page.get_by_role("button", name="Activate").click()
    await expect(page.get_by_role("status").first).to_contain_text("The connector is active")
    await arrive(sqlite_gateway, instance, LEAD.replace(b"lead-1", b"lead-2"))
    assert sorted(one.path for one in await receiver.wait(3)) == ["/chat/unknown", "/chat/unknown", "/push"]


async def test_a_hundred_and_twenty_are_sorted_searched_and_leafed_through(page: Page, sqlite_gateway: Gateway) -> None:
    for number in range(120):
        await made(sqlite_gateway, f"Connector {number:03d}", type="XML" if number % 3 else "FORM")
    await enter(page, sqlite_gateway, "administrator", PATH)
    names = page.locator("tbody .third-name a")
    await expect(names).to_have_count(10)
    await expect(page.get_by_text("1 to 10 of 120")).to_be_visible()
    await page.get_by_label("Show").select_option("50")
    await expect(names).to_have_count(50)
    await page.get_by_role("link", name="Next").click()
    await expect(names.first).to_have_text("Connector 050")
    heading = page.get_by_role("columnheader", name="Connector Name")
    await heading.get_by_role("link").click()
    await expect(names.first).to_have_text("Connector 119")
    await expect(heading).to_have_attribute("aria-sort", "descending")
    await page.get_by_label("Search").fill("form")
    await expect(page.get_by_text("1 to 40 of 40")).to_be_visible()
    await expect(names.first).to_have_text("Connector 117")
    assert "q=form" in page.url
    assert "size=50" in page.url
    await page.reload()
    await expect(names.first).to_have_text("Connector 117")
    # Who edits from here comes back to here.
    await names.nth(1).click()
    dialog = await opened(page)
    await dialog.get_by_label("Connector Name").fill("Connector 999")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_be_hidden()
    await expect(names.first).to_have_text("Connector 999")
    await expect(page.get_by_text("1 to 40 of 40")).to_be_visible()


async def test_the_second_of_two_people_is_told_in_the_dialog_and_may_still_save(
    page: Page, sqlite_gateway: Gateway, expected_errors: list[str]
) -> None:
    expected_errors.append("409 (Conflict)")
    one = await made(sqlite_gateway, "Chat")
    await enter(page, sqlite_gateway, "administrator", PATH)
    await page.get_by_role("link", name="Chat", exact=True).click()
    dialog = await opened(page)
    async with signed_in(sqlite_gateway, "power_user") as other:
        fields = filled(url="http://127.0.0.1:9/theirs", version="1")
        assert (await other.post(f"{PATH}/{one.id}/edit", fields)).path == PATH
    await dialog.get_by_label("Connector Name").fill("Chat of mine")
    await dialog.get_by_role("button", name="Save").click()
    told = dialog.get_by_text("power_user@example.com has changed this connector")
    await expect(told).to_be_visible()
    await expect(dialog.locator(".third-overtaken")).to_contain_text("http://127.0.0.1:9/theirs")
    assert await dialog.get_by_label("Connector Name").input_value() == "Chat of mine"
    await dialog.get_by_label("URL").fill("http://127.0.0.1:9/theirs")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_be_hidden()
    after = (await stored(sqlite_gateway, one.id)).definition
    assert (after.name, after.url) == ("Chat of mine", "http://127.0.0.1:9/theirs")


@pytest.mark.parametrize("button", ["Save", "Test"])
async def test_what_was_typed_survives_a_session_that_ends_meanwhile(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer, expected_errors: list[str], button: str
) -> None:
    expected_errors.append("401 (Unauthorized)")
    await enter(page, sqlite_gateway, "administrator", PATH)
    await page.get_by_role("link", name="New Connector").click()
    dialog = await opened(page)
    await dialog.get_by_label("Connector Name").fill("Late")
    await dialog.get_by_label("URL").fill(receiver.url("/late"))
    await expect(dialog.locator("#preview")).to_contain_text("/late")
    await page.context.clear_cookies()
    await dialog.get_by_role("button", name=button).click()
    await sign_in(page, "administrator@example.com")
    await page.get_by_role("button", name="Send what I typed").click()
    if button == "Test":
        await expect(page.get_by_text("Answered with status 200")).to_be_visible()
        await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="The connector is created")).to_be_visible()
    found = await connectors.page(sqlite_gateway.running.services.runtime, await caller(sqlite_gateway))
    assert [one.definition.name for one in found.items] == ["Late"]


async def test_everything_is_reached_by_the_keyboard(page: Page, sqlite_gateway: Gateway) -> None:
    one = await made(sqlite_gateway, "Chat")
    await enter(page, sqlite_gateway, "administrator", PATH)
    await page.get_by_label("Select Chat").focus()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    dialog = await opened(page)
    name = dialog.get_by_label("Connector Name")
    await name.focus()
    await page.keyboard.press("End")
    await page.keyboard.type(" room")
    await page.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("link", name="Chat room", exact=True)).to_be_focused()
    assert (await stored(sqlite_gateway, one.id)).definition.name == "Chat room"
    await page.keyboard.press("Enter")
    await opened(page)
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("link", name="Chat room", exact=True)).to_be_focused()


async def test_all_of_it_works_without_a_script(
    without_script: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    page = without_script
    await enter(page, sqlite_gateway, "administrator", PATH)
    await page.get_by_role("link", name="New Connector").click()
    await page.get_by_label("Connector Name").fill("Plain")
    await page.get_by_label("URL").fill(receiver.url("/plain"))
    await page.get_by_label("Password").fill("kept")
    await page.get_by_label("Username").fill("ann")
    await page.get_by_label("Type", exact=True).select_option("FORM")
    await page.get_by_role("button", name="+ Add form data").click()
    await page.get_by_label("Data name").nth(1).fill("b")
    await page.get_by_label("Data value").nth(1).fill("2")
    await page.get_by_role("button", name="Remove this data").nth(0).click()
    await expect(page.get_by_label("Data name")).to_have_count(1)
    await page.get_by_role("button", name="Test").click()
    await expect(page.get_by_text("Answered with status 200")).to_be_visible()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="The connector is created")).to_be_visible()
    found = await connectors.page(sqlite_gateway.running.services.runtime, await caller(sqlite_gateway))
    assert (found.items[0].definition.password, found.items[0].definition.type) == ("kept", "FORM")
    assert receiver.arrived[0].body == b"b=2"
    await page.get_by_role("link", name="Done").click()
    await page.get_by_label("Select Plain").check()
    await page.get_by_role("button", name="Disable").click()
    await expect(page.get_by_text("The connector is disabled")).to_be_visible()
    await page.get_by_role("link", name="Calls of Plain").click()
    await page.get_by_role("link", name="Delete").click()
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_text("Plain is deleted")).to_be_visible()


@pytest.mark.parametrize("way", ["light", "dark", "phone"])
async def test_its_pages_are_sound(tabs: Tabs, sqlite_gateway: Gateway, receiver: Consumer, way: str) -> None:
    instance = await sqlite_gateway.create("generic")
    one = await made(
        sqlite_gateway,
        "<b>" + "W" * 240,
        url=receiver.url("/" + "x" * 300),
        headers=[{"name": "X-Note", "value": "\u202eevil"}],
        data=[{"name": "a", "value": "{body:id}"}],
        fires={"instance_ids": [instance["id"]]},
    )
    off = await made(sqlite_gateway, "Disabled one", enabled=False)
    await arrive(sqlite_gateway, instance, LEAD)
    await receiver.wait(1)
    page = await tabs.open(phone=way == "phone", dark=way == "dark")
    await enter(page, sqlite_gateway, "administrator", PATH)
    for path in ("", "/new", f"/{one.id}", f"/{off.id}", f"/{one.id}/edit", f"/{one.id}/rotate", f"/{one.id}/delete"):
        await page.goto(f"{sqlite_gateway.url}{PATH}{path}")
        await well(page)
        assert await weight(page) < 200_000
        assert await layout_shift(page) < 0.02
    await page.goto(f"{sqlite_gateway.url}{PATH}/{one.id}/edit")
    for fold in ("Insert a value of the event", "Which events fire it"):
        await page.get_by_text(fold).first.click()
    await well(page)
