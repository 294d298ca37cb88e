"""The addresses of events."""

from aiohttp import web

from gateway.console.events import again, listing, live, one
from gateway.console.events.asked import PATH


def routes() -> list[web.AbstractRouteDef]:
    """The list, what comes in meanwhile, and one event with what can be done about it."""
    event = PATH + "/{id:[^/]+}"
    return [
        web.get(PATH, listing.show),
        web.get(PATH + "/live", live.follow, allow_head=False),
        web.get(PATH + "/rows", listing.rows),
        web.get(event, one.show),
        web.get(event + "/payload", one.payload),
        web.get(event + "/notification", one.notification),
        web.get(event + "/replay", again.ask),
        web.post(event + "/replay", again.send),
        web.post(event + "/deliveries/{delivery}/again", again.send_delivery),
    ]
