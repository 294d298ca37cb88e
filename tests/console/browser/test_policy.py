"""What pages are made of: nothing that their policy forbids, whatever names hold; `tabs` hears of a breach."""

from playwright.async_api import Page

from tests.browser.fixtures import IN_A_BROWSER
from tests.console.browser.journey import enter
from tests.console.scene import routes, scene
from tests.console.thirdparty_parts import made as third_party
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway

pytestmark = IN_A_BROWSER
_MARKUP = "<img src=x onerror=document.title='run'><style>*{color:red}</style>"
#: No page of their own: files, streams, ways on to elsewhere, and what is answered with an error.
_NONE = ("/live", "/payload", "/notification", "openapi.json", "favicon.ico", "{name}", "{rest}", "/oauth/", "/sign-in")


async def test_no_page_breaks_the_policy_that_it_comes_with(
    page: Page, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    there = await scene(sqlite_gateway, receiver)
    renamed = {"name": _MARKUP, "configuration": {"event.notification.callback.url": receiver.url() + "?<b>"}}
    await sqlite_gateway.call("PATCH", f"/instances/{there.instance}", json=renamed)
    await third_party(sqlite_gateway, _MARKUP, data=[{"name": "a", "value": "<b onclick=x>"}])
    await enter(page, sqlite_gateway)
    seen = 0
    for pattern in routes("GET"):
        if not any(part in pattern for part in _NONE):
            answer = await page.goto(sqlite_gateway.url + there.place(pattern))
            assert answer is not None
            assert answer.status == 200, pattern
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert await page.title() != "run"
            seen += 1
    assert seen > 30
