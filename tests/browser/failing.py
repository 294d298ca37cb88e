"""Tests that must not pass; only `test_install.py` runs them."""

from playwright.async_api import Page

from tests.browser.fixtures import IN_A_BROWSER
from tests.browser.site import site

pytestmark = IN_A_BROWSER


async def test_that_is_wrong(page: Page) -> None:
    async with site("<p>Seen</p>") as url:
        await page.goto(url)
    assert await page.title() == "Another page"


async def test_that_breaks_the_csp(page: Page) -> None:
    async with site("<script>1</script>") as url:
        await page.goto(url)


async def test_that_breaks_the_csp_without_script(without_script: Page) -> None:
    async with site('<img src="http://127.0.0.1:9/a.png" alt="">') as url:
        await without_script.goto(url)


async def test_that_logs_an_error(page: Page) -> None:
    async with site(head='<script src="/a.js"></script>', files={"a.js": "console.error('logged')"}) as url:
        await page.goto(url)


async def test_that_catches_nothing(page: Page) -> None:
    async with site(head='<script src="/a.js"></script>', files={"a.js": "throw new Error('thrown')"}) as url:
        await page.goto(url)


async def test_that_waits_for_an_error_in_vain(page: Page, expected_errors: list[str]) -> None:
    expected_errors.append("404")
    async with site() as url:
        await page.goto(url)
