"""Judgements of a page: accessibility by axe-core, its weight, how much it moved while it was laid out."""

import asyncio
from dataclasses import dataclass
from functools import cache
from typing import Any

from playwright.async_api import Page

from tests.browser import chromium

_PATIENCE_S = 30
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
_AXE = "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})"
_WEIGHT = """() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .reduce((sum, entry) => sum + entry.transferSize, 0)"""
#: What is buffered is handed over in a task of its own, after the next frame.
_SHIFT = """() => new Promise(done => {
    let sum = 0;
    const add = entries => entries.forEach(entry => { if (!entry.hadRecentInput) sum += entry.value; });
    const observer = new PerformanceObserver(list => add(list.getEntries()));
    observer.observe({type: 'layout-shift', buffered: true});
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
        add(observer.takeRecords());
        done(sum);
    })));
})"""


@dataclass(frozen=True)
class Findings:
    """What axe-core found, a readable text for each rule: what must be mended, and what should be."""

    serious: list[str]
    moderate: list[str]


async def axe(page: Page) -> Findings:
    """Judge the page as it stands by WCAG 2.1 AA and by best practice; its script must be allowed to run."""
    await _asked(page, _source())
    found: list[dict[str, Any]] = (await _asked(page, _AXE, _RULES))["violations"]
    texts = [(one["impact"], _readable(one)) for one in found]
    return Findings(
        [text for impact, text in texts if impact in ("serious", "critical")],
        [text for impact, text in texts if impact not in ("serious", "critical")],
    )


async def weight(page: Page) -> int:
    """How many bytes were transferred for the document and its assets; what came from the cache weighs nothing."""
    found: int = await _asked(page, _WEIGHT)
    return found


async def layout_shift(page: Page) -> float:
    """The sum of all layout shifts so far that did not follow an act of the user."""
    found: float = await _asked(page, _SHIFT)
    return found


async def fits(page: Page) -> bool:
    """Whether the page is no wider than what is seen of it."""
    found: bool = await _asked(page, "document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    return found


async def _asked(page: Page, expression: str, argument: object = None) -> Any:
    # In a page without script a promise is never kept, and nobody would say so.
    async with asyncio.timeout(_PATIENCE_S):
        return await page.evaluate(expression, argument)


@cache
def _source() -> str:
    return chromium.axe()


def _readable(violation: dict[str, Any]) -> str:
    places = [f"    {' '.join(map(str, node['target']))}: {node['html'][:160]}" for node in violation["nodes"][:5]]
    more = len(violation["nodes"]) - len(places)
    head = f"{violation['impact']}: {violation['id']}, {violation['help']}"
    return "\n".join([head, *places, *([f"    and {more} more"] if more else [])])
