"""All routes below `/v1.0`."""

from aiohttp import web

from gateway.api.cyclr import account_connectors, accounts, calls, connectors, custom, properties


def routes() -> list[web.RouteDef]:
    """The routes, what is fixed before what is open."""
    return [
        *calls.routes(),
        *accounts.routes(),
        *custom.routes(),
        *account_connectors.routes(),
        *properties.routes(),
        *connectors.routes(),
    ]
