"""Pictures for the documentation, taken while a journey passes; only where GATEWAY_PICTURES says so."""

import os
from pathlib import Path

from playwright.async_api import Page

FOLDER = Path(__file__).parents[3] / "docs" / "pictures"


async def keep(page: Page, name: str, *, whole: bool = False) -> None:
    """Write what is seen of a page, or the whole of it, to `docs/pictures/<name>.png`."""
    if os.environ.get("GATEWAY_PICTURES") != "1":
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    if whole:
        # What sticks to the window's edge would stand in the middle of the picture.
        await page.evaluate("scrollTo(0, 0)")
    await page.screenshot(
        path=FOLDER / f"{name}.png", full_page=whole, animations="disabled", caret="hide", scale="css"
    )
