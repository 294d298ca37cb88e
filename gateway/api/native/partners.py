"""The gateway's partners, for administrators of the first one."""

from aiohttp import web

from gateway.accounts import partners, store
from gateway.accounts.model import Partner
from gateway.api.native import shapes_accounts as shapes
from gateway.api.native.calls import PAGING, PREFIX, answer, json_object, page, position, query, services, size
from gateway.api.native.ruling import of_the_gateway, required, text

ADMINISTRATOR = "admin"


def routes() -> list[web.AbstractRouteDef]:
    """The routes of partners."""
    place, one = PREFIX + "/partners", PREFIX + "/partners/{id}"
    return [
        web.get(place, list_),
        web.post(place, add),
        web.get(one, get),
        web.post(one + "/rotate", rotate),
        web.post(one + "/revoke", revoke),
    ]


async def list_(request: web.Request) -> web.Response:
    """`GET /api/v1/partners`, the oldest first."""
    query(request, *PAGING)
    await of_the_gateway(request)
    most = size(request)
    found = await store.partners(
        services(request).runtime.database, after=position(request, "partners") or "", size=most + 1
    )
    more = found[most - 1].id if len(found) > most else None
    return page([shapes.partner(one) for one in found[:most]], more, "partners")


async def add(request: web.Request) -> web.Response:
    """`POST /api/v1/partners` with `{"name", "username"?}`; the answer alone has the secrets."""
    query(request)
    await of_the_gateway(request)
    body = await json_object(request, "name", "username")
    name, administrator = required(body, "name"), text(body, "username") or ADMINISTRATOR
    return answer(
        shapes.made_partner(await partners.made(services(request).runtime.database, name, administrator)), 201
    )


async def get(request: web.Request) -> web.Response:
    """`GET /api/v1/partners/{id}`."""
    query(request)
    return answer(shapes.partner(await _partner(request)))


async def rotate(request: web.Request) -> web.Response:
    """`POST /api/v1/partners/{id}/rotate`: another organization secret."""
    query(request)
    found = await _partner(request)
    await json_object(request, optional=True)
    below = services(request)
    secret = await partners.rotated(below.runtime.database, below.reception, found)
    return answer({**shapes.partner(found), "organization_secret": secret})


async def revoke(request: web.Request) -> web.Response:
    """`POST /api/v1/partners/{id}/revoke`: every secret of the partner stops working."""
    query(request)
    found = await _partner(request)
    await json_object(request, optional=True)
    below = services(request)
    await partners.revoked(below.runtime.database, below.reception, found)
    return answer(shapes.partner(found))


async def _partner(request: web.Request) -> Partner:
    await of_the_gateway(request)
    given = request.match_info["id"]
    return await partners.found(services(request).runtime.database, given if given.isalnum() else "")
