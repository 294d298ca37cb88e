"""A partner's credential sets, for its administrators."""

from aiohttp import web

from gateway.accounts.credentials import sets, store
from gateway.api.native import shapes_accounts as shapes
from gateway.api.native.calls import PREFIX, answer, json_object, query, services
from gateway.api.native.ruling import PARTNER, partner_meant, text


def routes() -> list[web.AbstractRouteDef]:
    """The routes of credential sets."""
    place, one = PREFIX + "/credentials", PREFIX + "/credentials/{client_id}"
    return [web.get(place, list_), web.post(place, add), web.delete(one, revoke), web.post(one + "/rotate", rotate)]


async def list_(request: web.Request) -> web.Response:
    """`GET /api/v1/credentials`: all that are not revoked; there are never many."""
    query(request, PARTNER)
    _, partner_id = await partner_meant(request)
    found = await store.credential_sets(services(request).runtime.database, partner_id)
    return answer({"items": [shapes.credential(one) for one in found], "next": None})


async def add(request: web.Request) -> web.Response:
    """`POST /api/v1/credentials` with `{"name"?}`; the answer alone has the secret."""
    query(request, PARTNER)
    _, partner_id = await partner_meant(request)
    body = await json_object(request, "name", optional=True)
    made = await sets.added(services(request).runtime.database, partner_id, text(body, "name") or "")
    return answer(shapes.made_credential(made), 201)


async def rotate(request: web.Request) -> web.Response:
    """`POST /api/v1/credentials/{client_id}/rotate`: another secret; tokens stay."""
    query(request, PARTNER)
    _, partner_id = await partner_meant(request)
    await json_object(request, optional=True)
    return answer(
        shapes.made_credential(await sets.rotated(services(request).runtime.database, partner_id, _client_id(request)))
    )


async def revoke(request: web.Request) -> web.Response:
    """`DELETE /api/v1/credentials/{client_id}`: the set and all its tokens stop working."""
    query(request, PARTNER)
    _, partner_id = await partner_meant(request)
    below = services(request)
    await sets.revoked(below.runtime.database, below.reception, partner_id, _client_id(request))
    return web.Response(status=204)


def _client_id(request: web.Request) -> str:
    given = request.match_info["client_id"]
    return given if given.isascii() and given.isprintable() else ""
