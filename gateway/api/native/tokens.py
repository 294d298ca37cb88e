"""The access tokens of a partner, for its administrators."""

from aiohttp import web

from gateway.accounts.credentials import sets, store
from gateway.api.native import shapes_accounts as shapes
from gateway.api.native.calls import PAGING, PREFIX, page, position, query, services, size
from gateway.api.native.ruling import PARTNER, partner_meant
from gateway.clock import now_ms


def routes() -> list[web.AbstractRouteDef]:
    """The routes of access tokens."""
    return [web.get(PREFIX + "/tokens", list_), web.delete(PREFIX + "/tokens/{id}", revoke)]


async def list_(request: web.Request) -> web.Response:
    """`GET /api/v1/tokens`: those that can be used or refreshed, the oldest first."""
    query(request, *PAGING, PARTNER)
    _, partner_id = await partner_meant(request)
    about, most = f"tokens\n{partner_id}", size(request)
    found = await store.tokens(
        services(request).runtime.database,
        partner_id,
        now=now_ms(),
        after=position(request, about) or "",
        size=most + 1,
    )
    more = found[most - 1].id if len(found) > most else None
    return page([shapes.token(one) for one in found[:most]], more, about)


async def revoke(request: web.Request) -> web.Response:
    """`DELETE /api/v1/tokens/{id}`: it stops working, and so does its refresh token."""
    query(request, PARTNER)
    _, partner_id = await partner_meant(request)
    below, given = services(request), request.match_info["id"]
    await sets.token_revoked(below.runtime.database, below.reception, partner_id, given if given.isalnum() else "")
    return web.Response(status=204)
