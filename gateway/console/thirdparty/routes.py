"""The addresses of the area."""

from aiohttp import web

from gateway.console.thirdparty import editor, listing, one


def routes() -> list[web.AbstractRouteDef]:
    """All of them."""
    return [*listing.routes(), *editor.routes(), *one.routes()]
