"""A partner's accounts: made, read, changed and removed, with what they used and who signs in to them."""

from dataclasses import replace

from aiohttp import web

from gateway.accounts import people, sign_in, store
from gateway.accounts.directory import store as directory
from gateway.accounts.directory.store import Order
from gateway.accounts.metering import periods
from gateway.accounts.metering import store as metering
from gateway.accounts.model import Account, AccountId, Caller, User
from gateway.api.cyclr.account_bodies import changed, external_id, shape
from gateway.api.cyclr.authorize import named_account, partner_call
from gateway.api.cyclr.lists import listed, page_of, paging
from gateway.api.cyclr.wire import Given, answer, given, moment, services, wrong
from gateway.clock import now_ms
from gateway.errors import Conflict, Invalid, NotFound
from gateway.ids import time_ordered
from gateway.provisioning.emptying import remove_account

_ORDERS: dict[str, Order] = {"Id": "id", "Name": "name", "CreatedDate": "created"}
_LONGEST_PASSWORD = 1_024


def routes() -> list[web.RouteDef]:
    """The routes of accounts."""
    one = "/v1.0/accounts/{id}"
    return [
        web.get("/v1.0/accounts", list_, allow_head=False),
        web.post("/v1.0/accounts", post),
        web.get(one, get, allow_head=False),
        web.put(one, put),
        web.delete(one, delete),
        web.get(one + "/subaccounts", subaccounts, allow_head=False),
        web.get(one + "/usage", usage, allow_head=False),
        web.post(one + "/signintoken", signintoken),
        web.get(one + "/users", users, allow_head=False),
        web.put(one + "/users", put_user),
        web.delete(one + "/users", delete_user),
    ]


async def list_(request: web.Request) -> web.Response:
    """`GET /v1.0/accounts?page=&pageSize=&orderBy=&sortOrderAsc=`."""
    caller, asked = await partner_call(request), paging(request, tuple(_ORDERS))
    found = await services(request).reception.listing.page(
        caller.partner_id,
        page=asked.page,
        size=asked.size,
        order=_ORDERS[asked.order],
        ascending=asked.ascending,
    )
    now = now_ms()
    return listed([shape(one, now) for one in found.items], found.total, asked)


async def post(request: web.Request) -> web.Response:
    """`POST /v1.0/accounts`: a name is all that is needed."""
    caller = await partner_call(request)
    body, now, database = await given(request), now_ms(), services(request).runtime.database
    bills = periods.first(now)
    fresh = Account(
        id=AccountId(time_ordered()),
        partner_id=caller.partner_id,
        name="",
        external_id=external_id(body),
        parent_id=await _parent(request, caller, body),
        last_bill_at=bills.last,
        next_bill_at=bills.next,
        billing_day=bills.day,
        created_at=now,
        updated_at=now,
    )
    account = changed(fresh, body)
    try:
        async with database.transaction() as transaction:
            await directory.add(transaction, account)
    except Conflict as problem:
        raise Invalid(str(problem)) from problem
    services(request).reception.forget()
    return answer(shape(account, now))


async def get(request: web.Request) -> web.Response:
    """`GET /v1.0/accounts/{id}`."""
    _, account = await named_account(request, request.match_info["id"])
    return answer(shape(account, now_ms()))


async def put(request: web.Request) -> web.Response:
    """`PUT /v1.0/accounts/{id}`: what the body does not mention stays."""
    caller, named = await _of_partner(request)
    body, now = await given(request), now_ms()
    async with services(request).runtime.database.transaction() as transaction:
        # Two changes at once take turns, and the later one begins with what the former has written.
        await metering.lock_bills(transaction, named.id)
        current = await directory.find(transaction, caller.partner_id, named.id)
        if current is None:
            raise NotFound("The account was removed.")
        account = replace(changed(current, body), updated_at=now)
        await directory.change(transaction, account)
    services(request).reception.forget()
    return answer(shape(account, now))


async def delete(request: web.Request) -> web.Response:
    """`DELETE /v1.0/accounts/{id}`: with its account connectors, users and tokens."""
    caller, account = await _of_partner(request)
    await remove_account(services(request), caller, account)
    return web.Response()


async def subaccounts(request: web.Request) -> web.Response:
    """`GET /v1.0/accounts/{id}/subaccounts`."""
    _, account = await named_account(request, request.match_info["id"])
    found = await directory.children(services(request).runtime.database, account)
    orders = {
        "Id": lambda one: one.id,
        "Name": lambda one: (one.name.casefold(), one.id),
        "CreatedDate": lambda one: (one.created_at, one.id),
    }
    asked, now = paging(request, tuple(orders)), now_ms()
    return listed([shape(one, now) for one in page_of(found, asked, orders)], len(found), asked)


async def usage(request: web.Request) -> web.Response:
    """`GET /v1.0/accounts/{id}/usage`: the tasks since the last billing date."""
    _, account = await named_account(request, request.match_info["id"])
    period = periods.current(periods.of_account(account, now_ms()))
    used = await metering.used(services(request).runtime.database, account.id, period.start, period.end)
    told = {"TasksUsed": used.tasks, "StartTime": moment(period.start), "EndTime": moment(period.end)}
    return answer(told)


async def signintoken(request: web.Request) -> web.Response:
    """`POST /v1.0/accounts/{id}/signintoken` with `{Username}`."""
    _, account = await _of_partner(request)
    made = await sign_in.make(services(request).runtime.database, account, _username(await given(request)))
    return answer({"Token": made.token, "ExpiresAtUtc": moment(made.expires_at)})


async def users(request: web.Request) -> web.Response:
    """`GET /v1.0/accounts/{id}/users`: their names."""
    _, account = await _of_partner(request)
    found = await _every_user(request, account)
    asked = paging(request, ("UserName",), usual="UserName")
    names = page_of([one.username for one in found], asked, {"UserName": lambda name: name.casefold()})
    return listed(names, len(found), asked)


async def put_user(request: web.Request) -> web.Response:
    """`PUT /v1.0/accounts/{id}/users` with `{UserName, Password}`."""
    _, account = await _of_partner(request)
    body, rooms = await given(request), services(request)
    name, password = _username(body), body.text("Password", longest=_LONGEST_PASSWORD)
    if not password:
        raise wrong("Password", "is required")
    await people.with_password(rooms.runtime.database, rooms.reception, account, name, password)
    return web.Response()


async def delete_user(request: web.Request) -> web.Response:
    """`DELETE /v1.0/accounts/{id}/users` with `{UserName}`."""
    _, account = await _of_partner(request)
    rooms, name = services(request), _username(await given(request))
    user = await store.user_named(rooms.runtime.database, account.partner_id, name)
    if user is None or user.account_id != account.id:
        raise NotFound(f"User {name} not found.")
    await people.removed(rooms.runtime.database, rooms.reception, user)
    return web.Response()


async def _every_user(request: web.Request, account: Account) -> list[User]:
    database, found = services(request).runtime.database, list[User]()
    while some := await store.users_page(database, account.partner_id, account.id, after=found[-1].id if found else 0):
        found += some
    return found


async def _of_partner(request: web.Request) -> tuple[Caller, Account]:
    """The account of the path, for who may decide about accounts."""
    await partner_call(request)
    return await named_account(request, request.match_info["id"])


async def _parent(request: web.Request, caller: Caller, body: Given) -> AccountId | None:
    named = body.text("ParentAccountId")
    if not named:
        return None
    found = await directory.find(services(request).runtime.database, caller.partner_id, named)
    if found is None:
        raise Invalid(f"Parent account {named} not found.")
    return found.id


def _username(body: Given) -> str:
    name = body.text("UserName")
    if not name or not name.strip():
        raise wrong("Username", "is required")
    return name.strip()
