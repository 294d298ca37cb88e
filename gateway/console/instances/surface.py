"""All pages of instances."""

from aiohttp import web

from gateway.console.instances import acts, docs, editing, listing, one, removal, rotation, trying


def routes() -> list[web.AbstractRouteDef]:
    """The pages of instances."""
    parts = (listing, one, editing, acts, rotation, removal, docs, trying)
    return [route for part in parts for route in part.routes()]
