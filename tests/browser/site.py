"""A tiny site on loopback with a strict CSP, made for the tests of the browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

HEAD = (
    '<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width"><title>A page</title>'
    "{head}</head><body><main><h1>A page</h1>"
)
TAIL = "</main></body></html>"
CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"


@asynccontextmanager
async def site(body: str = "", *, head: str = "", files: dict[str, str] | None = None) -> AsyncIterator[str]:
    """The URL of a page with this body; its files by name."""
    app = web.Application()

    async def answer(request: web.Request) -> web.Response:
        name = request.path.removeprefix("/")
        if not name:
            text = HEAD.format(head=head) + body + TAIL
            return web.Response(text=text, content_type="text/html", headers={"content-security-policy": CSP})
        found = (files or {}).get(name)
        kind = "text/javascript" if name.endswith(".js") else "text/css"
        return web.Response(text=found, content_type=kind) if found is not None else web.Response(status=404)

    app.router.add_get("/{name:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()
