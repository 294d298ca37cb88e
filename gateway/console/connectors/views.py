"""`/console/connectors`: the catalogue as cards, and the page of one connector."""

from urllib.parse import urlencode

from aiohttp import web

from gateway.catalogue.model import Connector
from gateway.console.connectors import catalogue
from gateway.console.connectors.catalogue import CAPABILITIES, PAGE, Chosen
from gateway.console.forms import number
from gateway.console.page import page
from gateway.console.visitor import Visitor, services, visitor
from gateway.instances import store as instances
from gateway.provisioning.instances import connector_of

PATH = "/console/connectors"


async def cards(request: web.Request) -> web.Response:
    """`GET /console/connectors?q=&hub=&can=&page=`."""
    who, rooms = await visitor(request), services(request)
    every = rooms.runtime.catalogue.visible_to(who.caller.partner_id)
    wanted = Chosen.of(request.query)
    found = catalogue.chosen(every, wanted)
    shown = _number(request.query.get("page", ""), len(found))
    return page(
        request,
        "connectors/list.html",
        connectors=found[(shown - 1) * PAGE : shown * PAGE],
        total=len(found),
        number=shown,
        size=PAGE,
        wanted=wanted,
        hubs=catalogue.hubs(every),
        capabilities=CAPABILITIES,
        counts=dict(await instances.count_by_connector(rooms.runtime.database, who.caller)),
        catalogue=catalogue,
        link=lambda one: f"{PATH}?{urlencode({**wanted.query, 'page': one})}",
    )


def _number(given: str, total: int) -> int:
    last = max(1, -(-total // PAGE))
    return min(number(given) or 1, last)


async def one(request: web.Request) -> web.Response:
    """`GET /console/connectors/{key}`."""
    who = await visitor(request)
    connector = found(request, who)
    counts = dict(await instances.count_by_connector(services(request).runtime.database, who.caller))
    return page(
        request,
        "connectors/one.html",
        connector=connector,
        count=counts.get(connector.key, 0),
        catalogue=catalogue,
        methods=catalogue.methods(connector),
        ways=catalogue.ways(connector),
    )


def found(request: web.Request, who: Visitor) -> Connector:
    """The connector that the path names; NotFound where there is none for this partner."""
    return connector_of(services(request), who.caller, request.match_info["key"])
