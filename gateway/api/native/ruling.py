"""Who rules: administrators over their partner, those of the first partner over every one."""

from typing import Any

from aiohttp import web

from gateway.accounts import partners, store
from gateway.accounts.authorization import administrator
from gateway.accounts.model import Caller, PartnerId
from gateway.api.native.calls import caller, invalid, services
from gateway.errors import Forbidden, Problem

#: In a query: the partner that is meant, where it is not the caller's own.
PARTNER = "partner_id"


async def of_the_gateway(request: web.Request) -> Caller:
    """The caller, who is an administrator of the first partner; else Forbidden."""
    who = administrator(await caller(request))
    if who.partner_id != await store.first_partner(services(request).runtime.database):
        raise Forbidden("Only an administrator of the first partner may do this.")
    return who


async def partner_meant(request: web.Request) -> tuple[Caller, PartnerId]:
    """The caller, an administrator, and the partner that the request is about."""
    given = request.query.get(PARTNER)
    who = administrator(await caller(request))
    if not given or given == who.partner_id:
        return who, who.partner_id
    await of_the_gateway(request)
    found = given if given.isascii() and given.isalnum() else ""
    return who, (await partners.found(services(request).runtime.database, found)).id


def text(body: dict[str, Any], name: str, *, longest: int = 200) -> str | None:
    """A text of the body; None where there is none, Invalid where it is something else."""
    found = body.get(name)
    if found is None:
        return None
    if not isinstance(found, str) or len(found) > longest or not found.isprintable():
        raise invalid(Problem(name, f"expected a text of at most {longest} printable characters"))
    return found


def required(body: dict[str, Any], name: str) -> str:
    """A text of the body that has to be there."""
    found = text(body, name)
    if not found:
        raise invalid(Problem(name, "is required"))
    return found
