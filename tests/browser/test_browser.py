"""The browser of the tests is real, and its judgements can fail a page."""

from playwright.async_api import Page, expect

from tests.browser.fixtures import IN_A_BROWSER
from tests.browser.judging import axe, layout_shift, weight
from tests.browser.site import site
from tests.browser.tabs import Tabs
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway

pytestmark = IN_A_BROWSER

COUNTER = """document.querySelector("button").addEventListener("click", event => {
    document.querySelector("output").textContent = Number(document.querySelector("output").textContent) + 1;
});"""
BUTTON = "<button>More</button> <output>0</output>"
SCRIPT = '<script type="module" src="/a.js"></script>'
PUSHES = """requestAnimationFrame(() => setTimeout(() => {
    const pushed = document.createElement("div");
    pushed.className = "tall";
    document.querySelector("main").prepend(pushed);
    document.body.dataset.done = "yes";
}, 50));"""
STYLE = '<link rel="stylesheet" href="/a.css">'


async def test_a_click_runs_the_page_s_script(page: Page) -> None:
    async with site(BUTTON, head=SCRIPT, files={"a.js": COUNTER}) as url:
        await page.goto(url)
        await page.get_by_role("button", name="More").click()
        await expect(page.get_by_role("status")).to_have_text("1")


async def test_without_script_a_click_does_nothing(without_script: Page) -> None:
    async with site(BUTTON, head=SCRIPT, files={"a.js": COUNTER}) as url:
        await without_script.goto(url)
        await without_script.get_by_role("button", name="More").click()
        await expect(without_script.get_by_role("status")).to_have_text("0")


async def test_a_page_of_the_running_gateway_can_be_opened(page: Page, sqlite_gateway: Gateway) -> None:
    answered = await page.goto(f"{sqlite_gateway.url}/healthz")
    assert answered is not None
    assert answered.status == 200


async def test_a_form_reaches_a_consumer(page: Page, receiver: Consumer) -> None:
    await page.goto(receiver.url("/hook?from=browser"))
    assert [one.path for one in receiver.arrived] == ["/hook?from=browser"]


async def test_a_phone_is_narrow_and_touched_and_the_dark_is_dark(phone: Page, dark: Page) -> None:
    async with site() as url:
        await phone.goto(url)
    assert await phone.evaluate("[innerWidth, innerHeight, navigator.maxTouchPoints > 0]") == [390, 844, True]
    assert await dark.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert not await phone.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")


async def test_a_page_reads_english_lives_in_utc_and_stands_still(page: Page) -> None:
    assert await page.evaluate("[navigator.language, new Date().getTimezoneOffset()]") == ["en", 0]
    assert await page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
    assert await page.evaluate("[innerWidth, innerHeight]") == [1280, 800]


async def test_an_image_without_a_text_is_a_serious_finding(page: Page) -> None:
    async with site('<img src="/a.css">', files={"a.css": ""}) as url:
        await page.goto(url)
        found = await axe(page)
    assert [text.split(",")[0] for text in found.serious] == ["critical: image-alt"]
    assert "<img" in found.serious[0]


async def test_a_heading_out_of_turn_is_a_moderate_finding(page: Page) -> None:
    async with site("<h4>Below</h4>") as url:
        await page.goto(url)
        found = await axe(page)
    assert found.serious == []
    assert [text.split(",")[0] for text in found.moderate] == ["moderate: heading-order"]


async def test_a_good_page_under_a_strict_csp_has_no_findings(page: Page) -> None:
    async with site("<p>Well.</p>") as url:
        await page.goto(url)
        found = await axe(page)
    assert (found.serious, found.moderate) == ([], [])


async def test_what_an_expected_error_names_must_be_said(tabs: Tabs, page: Page) -> None:
    async with site("<script>1</script>") as url:
        await page.goto(url)
        await tabs.heard()
    [complaint] = tabs.complaints
    assert tabs.unexpected(["Content Security Policy"]) == []
    assert tabs.unexpected([]) == [complaint]
    assert tabs.unexpected(["Content Security Policy", "404"]) == ["expected, but nothing said so: 404"]
    tabs.complaints.clear()


async def test_a_provoked_complaint_that_was_announced_fails_nothing(page: Page, expected_errors: list[str]) -> None:
    expected_errors += ["404", "not caught: broken"]
    async with site(head=SCRIPT + STYLE, files={"a.js": "throw new Error('broken')"}) as url:
        await page.goto(url)


async def test_what_is_pushed_down_late_is_a_layout_shift(page: Page) -> None:
    files = {"a.js": PUSHES, "a.css": ".tall { height: 300px }"}
    async with site("<p>Text</p>" * 20, head=SCRIPT + STYLE, files=files) as url:
        await page.goto(url)
        await expect(page.locator("body")).to_have_attribute("data-done", "yes")
        assert 0.1 < await layout_shift(page) < 1


async def test_a_page_that_stands_still_has_no_layout_shift(page: Page) -> None:
    async with site("<p>Text</p>" * 20) as url:
        await page.goto(url)
        assert await layout_shift(page) == 0


async def test_the_weight_is_the_document_with_its_assets(page: Page) -> None:
    files = {"a.js": "// " + "x" * 20_000, "a.css": "/* " + "y" * 30_000 + " */"}
    async with site("<p>Text</p>", head=SCRIPT + STYLE, files=files) as url:
        await page.goto(url)
        assert 50_000 < await weight(page) < 53_000
