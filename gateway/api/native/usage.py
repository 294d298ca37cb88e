"""`/api/v1/usage`: what an account used, as it is charged."""

from typing import Any

from aiohttp import web

from gateway.accounts.directory import store as directory
from gateway.accounts.metering import periods
from gateway.accounts.metering import store as metering
from gateway.accounts.metering.model import Used
from gateway.accounts.metering.periods import Period
from gateway.accounts.model import Account, Caller
from gateway.api import read
from gateway.api.native.calls import PREFIX, answer, caller, invalid, query, services
from gateway.clock import iso_ms, now_ms
from gateway.errors import NotFound, Problem

_LATEST = 32_503_680_000_000


def routes() -> list[web.RouteDef]:
    """The route of usage."""
    return [web.get(PREFIX + "/usage", get)]


async def get(request: web.Request) -> web.Response:
    """`GET /api/v1/usage?account_id=&from=&to=`: since the last billing date, where nothing else is asked for."""
    who = await caller(request)
    asked = query(request, "account_id", "from", "to")
    account = await _account(request, who, asked.get("account_id", ""))
    period = _period(request, account)
    used = await metering.used(services(request).runtime.database, account.id, period.start, period.end)
    return answer(_shape(account, period, used))


async def _account(request: web.Request, who: Caller, named: str) -> Account:
    own = who.account_id or who.user.account_id
    found = await directory.find(services(request).runtime.database, who.partner_id, named or own)
    if found is None or who.account_id not in (None, found.id):
        raise NotFound(f"No account found with ID {(named or own)[:200]}")
    return found


def _period(request: web.Request, account: Account) -> Period:
    now = now_ms()
    start, end = _moment(request, "from"), _moment(request, "to")
    if start is None:
        start = periods.of_account(account, now).last
    end = now + metering.HOUR_MS if end is None else end
    if end <= start:
        raise invalid(Problem("to", "must be later than from"))
    return Period(start, end)


def _moment(request: web.Request, name: str) -> int | None:
    found = read.date_ms(request, name)
    if found is not None and not 0 <= found < _LATEST:
        raise invalid(Problem(name, "must be a date from the years 1970 to 2999"))
    return found


def _shape(account: Account, period: Period, used: Used) -> dict[str, Any]:
    return {
        "account_id": account.id,
        "from": iso_ms(metering.hour_of(period.start)),
        "to": iso_ms(metering.hour_of(period.end)),
        "tasks": used.tasks,
        "calls": used.calls,
        "polls": used.polls,
        "events": used.events,
        "flows": used.flows,
    }
