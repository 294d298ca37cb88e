"""`/console/settings/accounts`: the partner's accounts, for its administrators."""

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from gateway.accounts.directory import editing
from gateway.accounts.directory import store as directory
from gateway.accounts.directory.store import Order
from gateway.accounts.model import Account
from gateway.api import read
from gateway.console.forms import Form, posted
from gateway.console.page import onwards, page
from gateway.console.recording import recorded
from gateway.console.settings.account import offered, version_of, wanted_of
from gateway.console.visitor import Visitor, services, visitor
from gateway.console.wording import text
from gateway.errors import Conflict, Invalid, NotFound
from gateway.provisioning.emptying import remove_account

PATH = "/console/settings/accounts"
SIZES = (25, 50, 100)
MOST_FOUND = 100
_ONE = PATH + "/{id}"
_ORDERS: Mapping[str, Order] = {"name": "name", "created": "created"}


def routes() -> list[web.AbstractRouteDef]:
    """The list, and what can be done with each."""
    return [
        web.get(PATH, list_),
        web.get(PATH + "/new", new),
        web.post(PATH + "/new", add),
        web.get(_ONE, edit),
        web.post(_ONE, change),
        web.get(_ONE + "/remove", ask),
        web.post(_ONE + "/remove", remove),
    ]


async def list_(request: web.Request) -> web.Response:
    """`GET /console/settings/accounts?q=&sort=&down=&page=&size=`; what is searched for comes on one page."""
    who = await visitor(request, "partner")
    search = read.text(request, "q", longest=directory.LONGEST_ID)
    number = read.number(request, "page", default=1, most=1_000_000)
    size = read.number(request, "size", default=SIZES[0], most=SIZES[-1])
    order, down = _ORDERS.get(request.query.get("sort", ""), "name"), request.query.get("down") == "1"
    partner_id = who.session.user.partner_id
    if search:
        found = await directory.search(services(request).runtime.database, partner_id, search, MOST_FOUND)
        total = len(found)
    else:
        listed = await services(request).reception.listing.page(
            partner_id, page=number, size=size, order=order, ascending=not down
        )
        found, total = listed.items, listed.total

    def link(**changed: object) -> str:
        asked = {"sort": order, "down": int(down), "size": size, "page": 1, **changed}
        return f"{PATH}?{urlencode(asked)}"

    values: dict[str, Any] = {
        "accounts": found,
        "total": total,
        "number": number,
        "size": size,
        "sizes": SIZES,
        "search": search,
        "sort": order,
        "down": down,
        "link": link,
        "page_link": lambda wanted: link(page=wanted),
        "most": MOST_FOUND if search and total == MOST_FOUND else 0,
    }
    return page(request, "settings/accounts.html", **values)


async def new(request: web.Request) -> web.Response:
    """`GET /console/settings/accounts/new`."""
    await visitor(request, "partner")
    return _filled(request, None, Form())


async def add(request: web.Request) -> web.Response:
    """`POST /console/settings/accounts/new`."""
    who, form = await posted(request, "partner")
    rooms = services(request)
    try:
        made = await editing.created(
            rooms.runtime.database, rooms.reception, who.session.user.partner_id, wanted_of(form)
        )
    except Invalid as problem:
        form.refused_by(problem)
        return _filled(request, None, form, status=400)
    except Conflict as problem:
        form.refuse("external_id", str(problem))
        return _filled(request, None, form, status=409)
    await recorded(request, who, "account.created", "account", made.id, made.name)
    return onwards(rooms.runtime.config, PATH, "settings.accounts.created", name=made.name)


async def edit(request: web.Request) -> web.Response:
    """`GET /console/settings/accounts/{id}`."""
    who = await visitor(request, "partner")
    return _filled(request, await _account(request, who), Form())


async def change(request: web.Request) -> web.Response:
    """`POST /console/settings/accounts/{id}`."""
    who, form = await posted(request, "partner")
    account, rooms = await _account(request, who), services(request)
    try:
        before, after = await editing.changed(
            rooms.runtime.database, rooms.reception, account, wanted_of(form), version_of(form)
        )
    except (Invalid, Conflict) as problem:
        form.refused_by(problem)
        return _filled(request, account, form, status=409 if isinstance(problem, Conflict) else 400)
    changed = editing.differences(before, after)
    if changed:
        await recorded(request, who, "account.changed", "account", after.id, after.name, changed=changed)
    return onwards(rooms.runtime.config, PATH, "settings.accounts.changed", name=after.name)


async def ask(request: web.Request) -> web.Response:
    """`GET /console/settings/accounts/{id}/remove`: whether it is meant."""
    who = await visitor(request, "partner")
    return page(request, "settings/account_remove.html", account=await _account(request, who), form=Form())


async def remove(request: web.Request) -> web.Response:
    """`POST /console/settings/accounts/{id}/remove`, with the account's name typed, since all in it goes."""
    who, form = await posted(request, "partner")
    account, rooms = await _account(request, who), services(request)
    try:
        if account.id in (who.account.id, who.session.user.account_id):
            raise Conflict(text("settings.accounts.not_this_one"))
        if form.get("name") != account.name.strip():
            form.refuse("name", text("settings.accounts.other_name"))
            return page(request, "settings/account_remove.html", status=400, account=account, form=form)
        await remove_account(rooms, who.caller, account)
    except Conflict as problem:
        form.refused_by(problem)
        return page(request, "settings/account_remove.html", status=409, account=account, form=form)
    await recorded(request, who, "account.removed", "account", account.id, account.name)
    return onwards(rooms.runtime.config, PATH, "settings.accounts.removed", name=account.name)


async def names(request: web.Request, who: Visitor, account_ids: Collection[str]) -> dict[str, str]:
    """The names of some of the partner's accounts."""
    partner_id = who.session.user.partner_id
    found = await directory.with_ids(services(request).runtime.database, partner_id, sorted(account_ids))
    return {account.id: account.name for account in found}


def _filled(request: web.Request, account: Account | None, form: Form, *, status: int = 200) -> web.Response:
    template = "settings/account_edit.html"
    return page(request, template, status=status, account=account, form=form, zones=offered(account))


async def _account(request: web.Request, who: Visitor) -> Account:
    given = request.match_info["id"]
    found = await directory.find(services(request).runtime.database, who.session.user.partner_id, given)
    if found is None or found.id != given:
        raise NotFound(f"No account found with ID {given[:64]}")
    return found
