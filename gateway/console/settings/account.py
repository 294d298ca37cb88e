"""`/console/settings/account`: what the account says of itself, for how long it keeps events, what it has used."""

from typing import Any

from aiohttp import web

from gateway.accounts import store as accounts
from gateway.accounts.directory import editing
from gateway.accounts.directory import store as directory
from gateway.accounts.directory.editing import Wanted, zones
from gateway.accounts.model import Account, Retention
from gateway.clock import now_ms
from gateway.console.forms import Form, number, posted
from gateway.console.overview.usage import used_by
from gateway.console.page import onwards, page
from gateway.console.recording import recorded
from gateway.console.visitor import Visitor, services, visitor
from gateway.errors import Conflict, Invalid
from gateway.events import choice

PATH = "/console/settings/account"


def routes() -> list[web.AbstractRouteDef]:
    """The page and its forms."""
    return [web.get(PATH, show), web.post(PATH, change), web.post(PATH + "/retention", keep)]


async def show(request: web.Request) -> web.Response:
    """`GET /console/settings/account`."""
    return await shown(request, await visitor(request))


async def change(request: web.Request) -> web.Response:
    """`POST /console/settings/account`: name, time zone, description."""
    who, form = await posted(request, "people")
    rooms = services(request)
    try:
        before, after = await editing.changed(
            rooms.runtime.database, rooms.reception, who.account, wanted_of(form), version_of(form)
        )
    except (Invalid, Conflict) as problem:
        form.refused_by(problem)
        return await shown(request, who, status=409 if isinstance(problem, Conflict) else 400, form=form)
    changed = editing.differences(before, after)
    if changed:
        await recorded(request, who, "account.changed", "account", after.id, after.name, changed=changed)
    return onwards(rooms.runtime.config, PATH, "settings.account.saved")


async def keep(request: web.Request) -> web.Response:
    """`POST /console/settings/account/retention`: for how long events and payloads are kept; empty is the usual."""
    who, form = await posted(request, "partner")
    rooms, given = services(request), {name: form.get(name) or None for name in choice.FIELDS}
    database, usual = rooms.runtime.database, choice.usual(rooms.runtime.config.retention)
    try:
        if any(given.values()):
            await accounts.put_retention(database, who.account.id, choice.wanted_of(given, usual), now_ms())
        else:
            await accounts.drop_retention(database, who.account.id)
    except Invalid as problem:
        form.refused_by(problem)
        return await shown(request, who, status=400, keeping=form)
    now = {name: value or "" for name, value in given.items()}
    await recorded(request, who, "account.retention", "account", who.account.id, who.account.name, **now)
    return onwards(rooms.runtime.config, PATH, "settings.account.kept")


def wanted_of(form: Form) -> Wanted:
    """What a form says of an account."""
    description = form.get("description").replace("\r\n", "\n")
    return Wanted(
        name=form.get("name"),
        timezone=form.get("timezone", "UTC"),
        description=description,
        external_id=form.get("external_id"),
    )


def version_of(form: Form) -> int:
    """Which state of the account was looked at when the form was filled in; -1 for none that could be."""
    found = number(form.get("version"))
    return -1 if found is None else found


async def shown(request: web.Request, who: Visitor, *, status: int = 200, **forms: Form) -> web.Response:
    """The page; with what was typed into one of its forms, where that was refused."""
    # Who was overtaken sees what the other one has written, beside their own.
    account = await directory.get(services(request).runtime.database, who.account.id) or who.account
    own = await accounts.retention(services(request).runtime.database, account.id) or Retention()
    usual = choice.usual(services(request).runtime.config.retention)
    values: dict[str, Any] = {
        "form": Form(),
        "keeping": Form(),
        "password": Form(),
        **forms,
        "account": account,
        "zones": offered(account),
        "own": {name: _text(getattr(own, f"{name}_ms")) for name in choice.FIELDS},
        "usual": {name: choice.written(getattr(usual, f"{name}_ms")) for name in choice.FIELDS},
        "usage": await used_by(services(request).runtime, account, now_ms()),
    }
    return page(request, "settings/account.html", status=status, **values)


def offered(account: Account | None) -> list[tuple[str, str]]:
    """The time zones to choose from; the account's own among them, whatever it is."""
    known = zones()
    own = () if account is None or account.timezone in known else (account.timezone,)
    return [(name, name.replace("_", " ")) for name in (*own, *known)]


def _text(length_ms: int | None) -> str:
    return "" if length_ms is None else choice.written(length_ms)
