"""Fixtures for tests in a browser; a folder's conftest takes them with `from tests.browser.fixtures import *`.

The browser lives as long as the session, and its tests run on the session's loop: a module says
`pytestmark = IN_A_BROWSER`, and what is started on a loop of its own for one test only has no place there.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.browser.chromium import NoBrowser, program
from tests.browser.tabs import Tabs, place
from tests.kit.consumer import Consumer, consumer
from tests.kit.gateway import Gateway, settings, started

__all__ = [
    "browser",
    "dark",
    "expected_errors",
    "page",
    "phone",
    "pytest_runtest_makereport",
    "receiver",
    "sqlite_gateway",
    "tabs",
    "without_script",
]
IN_A_BROWSER = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
_FAILED = pytest.StashKey[bool]()
_FLAGS = ["--font-render-hinting=none", "--force-color-profile=srgb"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all; without any, the tests fail and say so."""
    try:
        found = await asyncio.to_thread(program)
    except NoBrowser as problem:
        pytest.fail(str(problem), pytrace=False)
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=found.path, env={**os.environ, **found.environ}, args=_FLAGS
        )
        yield launched
        await launched.close()


@pytest.fixture
def expected_errors() -> list[str]:
    """Parts of the complaints that a test provokes; each must come, and no other may."""
    return []


@pytest_asyncio.fixture(loop_scope="session")
async def tabs(browser: Browser, expected_errors: list[str], request: pytest.FixtureRequest) -> AsyncIterator[Tabs]:
    """Opens pages, and fails the test where one complained: an error, logged or not caught, or a breach of the CSP."""
    mark = request.node.get_closest_marker("asyncio")
    if mark is None or mark.kwargs.get("loop_scope") != "session":
        pytest.fail(
            "A page is on the browser's loop, and so must its test be: pytestmark = IN_A_BROWSER", pytrace=False
        )
    found = Tabs(browser, request.node.name)
    yield found
    await found.heard()
    complaints = found.unexpected(expected_errors)
    kept = await found.keep() if complaints or request.node.stash.get(_FAILED, False) else None
    await found.close()
    if complaints:
        pytest.fail("\n".join(["The page complained:", *complaints, f"Screenshot: {kept}"]), pytrace=False)


@pytest_asyncio.fixture(loop_scope="session")
async def page(tabs: Tabs) -> Page:
    """A page on a desk: 1280 x 800, light."""
    return await tabs.open()


@pytest_asyncio.fixture(loop_scope="session")
async def phone(tabs: Tabs) -> Page:
    """A page on a phone: 390 x 844, touched."""
    return await tabs.open(phone=True)


@pytest_asyncio.fixture(loop_scope="session")
async def dark(tabs: Tabs) -> Page:
    """A page for somebody who likes it dark."""
    return await tabs.open(dark=True)


@pytest_asyncio.fixture(loop_scope="session")
async def without_script(tabs: Tabs) -> Page:
    """A page where no JavaScript runs."""
    return await tabs.open(script=False)


@pytest_asyncio.fixture(loop_scope="session")
async def sqlite_gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """A running gateway on SQLite, on the browser's loop."""
    async with started(settings(tmp_path, "")) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def receiver() -> AsyncIterator[Consumer]:
    """A consumer, on the browser's loop."""
    async with consumer() as found:
        yield found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say where the screenshot of a failed test will be."""
    report = yield
    if report.failed and report.when == "call" and "tabs" in getattr(item, "fixturenames", ()):
        item.stash[_FAILED] = True
        report.sections.append(("Screenshot", str(place(item.name))))
    return report
