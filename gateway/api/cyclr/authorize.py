"""Who calls on this wire, and for which account: a bearer token, and `X-Cyclr-Account` where an account is meant."""

import hashlib

from aiohttp import web

from gateway.accounts.authorization import caller_of, parse
from gateway.accounts.directory import store as directory
from gateway.accounts.ip_allowed import store as ip_allowed
from gateway.accounts.model import Account, Caller, Credentials
from gateway.accounts.networks import is_listed
from gateway.api.source import address
from gateway.api.surface import CALLER, SERVICES
from gateway.clock import now_ms
from gateway.errors import Forbidden, NotFound, Unauthorized

ACCOUNT = "X-Cyclr-Account"
ELSEWHERE = "Unknown client IP Address: contact support to request access for this IP address"
DENIED = "Authorization has been denied for this request."


async def any_call(request: web.Request) -> Caller:
    """Whom the bearer token speaks for, a whole partner or one of its accounts; else Unauthorized."""
    token = parse(request.headers.get("Authorization", "")).bearer
    if token is None:
        raise Unauthorized(DENIED)
    services = request.app[SERVICES]
    since = services.reception.changes
    key = ("bearer", hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest())
    found = services.reception.recall(key, Caller)
    if found is None:
        try:
            found = await caller_of(services.runtime.database, Credentials(bearer=token), now=now_ms())
        except Unauthorized as problem:
            raise Unauthorized(DENIED) from problem
        services.reception.believe(key, found, since=since)
    await _admitted(request, found)
    request[CALLER] = found
    return found


async def _admitted(request: web.Request, caller: Caller) -> None:
    """Refuse who calls from elsewhere, where the partner says from where it is called."""
    services, key = request.app[SERVICES], ("api", caller.partner_id)
    since = services.reception.changes
    networks = services.reception.recall(key, tuple)
    if networks is None:
        networks = await ip_allowed.networks(services.runtime.database, caller.partner_id, "api")
        services.reception.believe(key, networks, since=since)
    if networks and not is_listed(address(request), networks):
        raise Forbidden(ELSEWHERE)


async def partner_call(request: web.Request) -> Caller:
    """The caller of a request about the whole partner; Forbidden where the token is one account's."""
    caller = await any_call(request)
    if caller.account_id is not None:
        raise Forbidden("This token is for one account only; this request needs one for the whole partner.")
    return caller


async def account_call(request: web.Request) -> tuple[Caller, Account]:
    """The caller, narrowed to the account that `X-Cyclr-Account` names, and that account as it was a moment ago.

    Unauthorized without the header, NotFound where the token does not reach that account.
    """
    caller = await any_call(request)
    given = request.headers.get(ACCOUNT, "").strip()
    if not given:
        raise Unauthorized(f"This request needs the header {ACCOUNT}.")
    account = await _account(request, caller, given)
    request[CALLER] = _narrowed(caller, account)
    return request[CALLER], account


async def named_account(request: web.Request, given: str) -> tuple[Caller, Account]:
    """The caller, and the account that a path or a body names, as it stands now; NotFound as `account_call` does."""
    caller = await any_call(request)
    return caller, await _account(request, caller, given, fresh=True)


async def _account(request: web.Request, caller: Caller, given: str, *, fresh: bool = False) -> Account:
    services = request.app[SERVICES]
    since = services.reception.changes
    key = ("account", caller.partner_id, given)
    found = None if fresh else services.reception.recall(key, Account)
    if found is None:
        found = await directory.find(services.runtime.database, caller.partner_id, given)
        if found is not None:
            services.reception.believe(key, found, since=since)
    if found is None or caller.account_id not in (None, found.id):
        raise NotFound(f"Account {given[:200]} not found.")
    return found


def _narrowed(caller: Caller, account: Account) -> Caller:
    return Caller(partner_id=caller.partner_id, account_id=account.id, user=caller.user)
