"""What every page owes to everybody."""

from playwright.async_api import Page

from tests.browser.judging import axe, fits, layout_shift, weight


async def is_right_for_everyone(page: Page) -> None:
    """Axe finds nothing, nothing hangs over, nothing moved, and it is light."""
    found = await axe(page)
    assert found.serious == []
    assert found.moderate == []
    assert await fits(page)
    assert await layout_shift(page) < 0.01
    assert await weight(page) < 200_000
