"""The routes of connectors and of the way to a new instance."""

from aiohttp import web

from gateway.console.connectors import authenticate, login, next_steps, signing_in, views

_ONE = views.PATH + "/{key}"
_INSTANCE = "/console/instances/{id:[0-9]+}"


def routes() -> list[web.AbstractRouteDef]:
    """Looking, authenticating, signing in, and what comes next."""
    return [
        web.get(views.PATH, views.cards),
        web.get(_ONE, views.one),
        web.get(_ONE + "/authenticate", authenticate.show),
        web.post(_ONE + "/authenticate", authenticate.send),
        web.get(_INSTANCE + "/sign-in", signing_in.show),
        web.get(_INSTANCE + "/next", next_steps.show),
        web.post(_INSTANCE + "/test", next_steps.test),
        web.get(login.PATH + "/start", signing_in.start, allow_head=False),
        web.get(login.PATH + "/callback", signing_in.callback, allow_head=False),
        web.get(login.PATH + "/done", signing_in.done),
    ]
