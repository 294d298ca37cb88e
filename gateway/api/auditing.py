"""Changes over the APIs and who came in, kept in the audit log: by whom, by which operation, of what."""

import structlog
from aiohttp import web

from gateway.accounts.audit import store
from gateway.accounts.audit.model import CALLED, Entry, entry
from gateway.accounts.model import Caller
from gateway.accounts.sign_in import SignedIn
from gateway.api.source import address
from gateway.api.surface import CALLER, SERVICES, Surface
from gateway.clock import now_ms
from gateway.errors import GatewayError

_CHANGING = ("POST", "PUT", "PATCH", "DELETE")

log = structlog.get_logger()


def route_of(request: web.Request) -> str:
    """The pattern that the request met: what stood in its place may be a token."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "none"


async def audited(surface: Surface, request: web.Request, status: int) -> None:
    """Keep a change that went well; it has happened, so that an entry which cannot be kept is only logged."""
    caller = request.get(CALLER)
    if caller is None or request.method not in _CHANGING or status >= 400 or not surface.audits(request, status):
        return
    # It rides along with the next commit of the road.
    await _kept(request, _entry(request, caller, status), urgent=False)


async def signed_in(request: web.Request, found: SignedIn) -> None:
    """Keep that a person came in, by whatever door."""
    user = found.session.user
    made = entry(
        partner_id=user.partner_id,
        account_id=found.account.id,
        user_id=user.id,
        username=user.username,
        at=now_ms(),
        via="console",
        act="session.begun",
        subject="user",
        subject_id=user.id,
        subject_name=user.username,
        details={},
        remote=address(request),
    )
    await _kept(request, made, urgent=True)


async def _kept(request: web.Request, made: Entry, *, urgent: bool) -> None:
    try:
        await store.add(request.app[SERVICES].runtime.database, made, urgent=urgent)
    except GatewayError as problem:
        log.warning("audit.lost", act=made.act, route=route_of(request), problem=str(problem))


def _entry(request: web.Request, caller: Caller, status: int) -> Entry:
    route, ids = route_of(request), dict(request.match_info)
    return entry(
        partner_id=caller.partner_id,
        account_id=caller.account_id or "",
        user_id=caller.user.id,
        username=caller.user.username,
        at=now_ms(),
        via="api",
        act=CALLED,
        subject="api",
        subject_id=next(iter(ids.values()), ""),
        subject_name=f"{request.method} {route}",
        details={"status": status, **ids},
        remote=address(request),
    )
