"""`/api/partner`, the older partner API: accounts, what they used, sign-in tokens, connectors installed."""

from typing import Any

from aiohttp import web

from gateway.accounts import sign_in
from gateway.accounts.directory import store as directory
from gateway.accounts.directory.store import Order
from gateway.accounts.metering import periods
from gateway.accounts.metering import store as metering
from gateway.accounts.model import Account, AccountId, Caller
from gateway.api.cyclr import partner_bodies, partner_installing
from gateway.api.cyclr import partner_shapes as shapes
from gateway.api.cyclr.account_connectors import free_name
from gateway.api.cyclr.authorize import any_call, named_account, partner_call
from gateway.api.cyclr.connectors import visible
from gateway.api.cyclr.lists import listed, page_of, paging, text
from gateway.api.cyclr.wire import Given, answer, given, moment, services, wrong
from gateway.catalogue.by_name import only
from gateway.catalogue.model import Connector
from gateway.clock import now_ms
from gateway.config import Config
from gateway.errors import NotFound
from gateway.ids import time_ordered
from gateway.provisioning import instances
from gateway.provisioning.draft import LONGEST_NAME, Draft, plain

PREFIX = "/api/partner"
_ORDERS: dict[str, Order] = {"Id": "id", "Name": "name"}


def routes() -> list[web.RouteDef]:
    """The routes of the partner API."""
    return [
        web.get(PREFIX + "/accounts", list_, allow_head=False),
        web.put(PREFIX + "/accounts/{id}", put),
        web.get(PREFIX + "/accounts/{id}/billing", billing, allow_head=False),
        web.get(PREFIX + "/details", details, allow_head=False),
        web.post(PREFIX + "/createaccount", create),
        web.post(PREFIX + "/createaccountsignintoken", sign_in_token),
        web.post(PREFIX + "/installconnector", install),
        web.get(PREFIX + "/priceplans", price_plans, allow_head=False),
    ]


async def list_(request: web.Request) -> web.Response:
    """`GET /api/partner/accounts`."""
    caller, asked = await partner_call(request), paging(request, tuple(_ORDERS))
    found = await services(request).reception.listing.page(
        caller.partner_id, page=asked.page, size=asked.size, order=_ORDERS[asked.order], ascending=asked.ascending
    )
    now, plans = now_ms(), _config(request).price_plans
    return listed([shapes.account(one, plans, now) for one in found.items], found.total, asked)


async def details(request: web.Request) -> web.Response:
    """`GET /api/partner/details`."""
    await partner_call(request)
    return answer(shapes.details(_config(request)))


async def create(request: web.Request) -> web.Response:
    """`POST /api/partner/createaccount`."""
    caller, body, now = await partner_call(request), await given(request), now_ms()
    fresh = Account(id=AccountId(time_ordered()), partner_id=caller.partner_id, name="", created_at=now)
    account = partner_bodies.changed(fresh, body, _config(request).price_plans, now)
    async with services(request).runtime.database.transaction() as transaction:
        await directory.add(transaction, account)
    services(request).reception.forget()
    return answer({"Id": account.id})


async def put(request: web.Request) -> web.Response:
    """`PUT /api/partner/accounts/{id}`: what the body does not mention stays."""
    await partner_call(request)
    caller, named = await named_account(request, request.match_info["id"])
    body, rooms = await given(request, optional=True), services(request)
    async with rooms.runtime.database.transaction() as transaction:
        await metering.lock_bills(transaction, named.id)
        current = await directory.find(transaction, caller.partner_id, named.id)
        if current is None:
            raise NotFound("The account was removed.")
        account = partner_bodies.changed(current, body, _config(request).price_plans, now_ms())
        await directory.change(transaction, account)
    rooms.reception.forget()
    return answer({"Id": account.id})


async def billing(request: web.Request) -> web.Response:
    """`GET /api/partner/accounts/{id}/billing?fromDate=`."""
    _, account = await named_account(request, request.match_info["id"])
    bills, wanted = periods.of_account(account, now_ms()), text(request, "fromDate").strip()
    period = periods.current(bills)
    if wanted:
        period = periods.since(bills, partner_bodies.day_or_moment(wanted, "fromDate"))
    used = await metering.used(services(request).runtime.database, account.id, period.start, period.end)
    return answer(shapes.billing(account, period, used, _config(request).price_plans))


async def sign_in_token(request: web.Request) -> web.Response:
    """`POST /api/partner/createaccountsignintoken`."""
    await partner_call(request)
    body = await given(request)
    _, account = await _account_of(request, body)
    username = body.text("Username")
    if not username or not username.strip():
        raise wrong("Username", "is required")
    made = await sign_in.make(services(request).runtime.database, account, username)
    return answer({"ExpiresAtUtc": moment(made.expires_at), "Token": made.token})


async def install(request: web.Request) -> web.Response:
    """`POST /api/partner/installconnector`: connectors that sign in with a key, or a user name and a password."""
    await any_call(request)
    body = await given(request)
    caller, account = await _account_of(request, body)
    caller = Caller(partner_id=caller.partner_id, account_id=account.id, user=caller.user)
    connector = _connector(request, caller, body)
    configuration = partner_installing.configuration(connector, body)
    asked = plain(body.text("InstalledName", longest=LONGEST_NAME) or "") or None
    name = await free_name(request, caller, asked, connector.name)
    draft = Draft(connector=connector.key, name=name, configuration=configuration)
    await instances.create(services(request), caller, draft)
    return web.Response()


async def price_plans(request: web.Request) -> web.Response:
    """`GET /api/partner/priceplans`."""
    await partner_call(request)
    plans = _config(request).price_plans
    asked = paging(request, ("Id", "Name"))
    orders: dict[str, Any] = {"Id": lambda one: one.id, "Name": lambda one: one.name.casefold()}
    return listed([shapes.price_plan(one) for one in page_of(plans, asked, orders)], len(plans), asked)


async def _account_of(request: web.Request, body: Given) -> tuple[Caller, Account]:
    """The account that a body names."""
    named = (body.text("AccountId") or "").strip()
    if not named:
        raise wrong("AccountId", "is required")
    return await named_account(request, named)


def _connector(request: web.Request, caller: Caller, body: Given) -> Connector:
    """The connector that a body names; NotFound where there is none, or several and none without a version."""
    name, version = body.text("ConnectorName"), body.text("ConnectorVersion")
    if not name or not name.strip():
        raise wrong("ConnectorName", "is required")
    found = only(visible(request, caller), name, version or None)
    if found is None:
        raise NotFound(f"Connector {' '.join(filter(None, (name[:64], (version or '')[:64])))} not found.")
    return found


def _config(request: web.Request) -> Config:
    return services(request).runtime.config
