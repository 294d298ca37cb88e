"""Every page of the settings but those of 3rd-party connectors."""

from aiohttp import web

from gateway.console.settings import account, accounts, audit, password, users


def routes() -> list[web.AbstractRouteDef]:
    """The settings; they begin with the 3rd-party connectors."""
    return [
        web.get("/console/settings", first),
        *account.routes(),
        *password.routes(),
        *users.routes(),
        *accounts.routes(),
        *audit.routes(),
    ]


async def first(request: web.Request) -> web.Response:
    """`GET /console/settings`."""
    del request
    return web.Response(status=302, headers={"Location": "/console/settings/third-party-connectors"})
