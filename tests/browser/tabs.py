"""The pages that a test opens: how they are set up, what they complained of, what is kept of one that failed."""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, ConsoleMessage, Error, Page, ViewportSize, WebError

from tests.browser.install import VENV

SCREENSHOTS = VENV / "screenshots"
DESK = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)
_PATIENCE_MS = 10_000


@dataclass
class Tabs:
    """Each page stands in a context of its own: its cookies are nobody else's."""

    browser: Browser
    name: str
    pages: list[Page] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    async def open(self, *, phone: bool = False, dark: bool = False, script: bool = True) -> Page:
        """A new, empty page: a desk's or a phone's, light or dark, with or without JavaScript."""
        context = await self.browser.new_context(
            locale="en",
            timezone_id="UTC",
            viewport=PHONE if phone else DESK,
            device_scale_factor=2 if phone else 1,
            has_touch=phone,
            is_mobile=phone,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            java_script_enabled=script,
        )
        context.set_default_timeout(_PATIENCE_MS)
        context.on("console", self._console)
        context.on("weberror", self._raised)
        page = await context.new_page()
        self.pages.append(page)
        return page

    def unexpected(self, expected: list[str]) -> list[str]:
        """What no expected text is part of, and which expected text was part of nothing."""
        found = [one for one in self.complaints if not any(text in one for text in expected)]
        missing = [text for text in expected if not any(text in one for one in self.complaints)]
        return found + [f"expected, but nothing said so: {text}" for text in missing]

    async def heard(self) -> None:
        """Wait for what the pages have said already."""
        for page in self.pages:
            with suppress(Error, TimeoutError):
                async with asyncio.timeout(_PATIENCE_MS / 1000):
                    await page.evaluate("0")

    async def keep(self) -> Path:
        """Screenshots, the pages' HTML and what they complained of, in files named after the test."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        for number, page in enumerate(self.pages):
            place = self.place(number)
            with suppress(Error):
                await page.screenshot(path=place, full_page=True)
                place.with_suffix(".html").write_text(await page.content(), "utf-8")
        self.place().with_suffix(".txt").write_text("\n".join([*self._addresses(), *self.complaints, ""]), "utf-8")
        return self.place()

    def place(self, number: int = 0) -> Path:
        """Where the screenshot of a page is kept."""
        return place(self.name, number)

    async def close(self) -> None:
        for page in self.pages:
            await page.context.close()

    def _addresses(self) -> list[str]:
        return [page.url for page in self.pages]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "assert"):
            self.complaints.append(f"{message.text} ({message.location['url']}:{message.location['lineNumber'] + 1})")

    def _raised(self, problem: WebError) -> None:
        self.complaints.append(f"not caught: {problem.error}")


def place(name: str, number: int = 0) -> Path:
    """The path of a test's screenshot, from the test's name."""
    words = re.sub(r"[^\w.-]+", "_", name).strip("_")[:120]
    return SCREENSHOTS / f"{words}{f'-{number + 1}' if number else ''}.png"
