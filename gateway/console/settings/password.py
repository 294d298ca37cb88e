"""`/console/settings/account/password`: people change their own password, and sign in with it."""

import math

from aiohttp import web

from gateway.accounts import people
from gateway.accounts.credentials import passwords
from gateway.api import cookie
from gateway.api.source import address
from gateway.console.forms import Form, posted
from gateway.console.page import onwards
from gateway.console.recording import recorded
from gateway.console.settings import account
from gateway.console.sign_in import PATH as SIGN_IN
from gateway.console.visitor import Visitor, services
from gateway.console.wording import text
from gateway.errors import Invalid


def routes() -> list[web.AbstractRouteDef]:
    """The form's address."""
    return [web.post(account.PATH + "/password", change)]


async def change(request: web.Request) -> web.Response:
    """`POST /console/settings/account/password`: the old one is asked for; all sessions end."""
    who, form = await posted(request, "read")
    rooms = services(request)
    if not await _is_theirs(request, who, form):
        return await account.shown(request, who, status=400, password=form)
    user, new = who.session.user, form.typed("new")
    if new != form.typed("again"):
        form.refuse("again", text("settings.password.differs"))
        return await account.shown(request, who, status=400, password=form)
    try:
        await people.changed(rooms.runtime.database, rooms.reception, user, password=new)
    except Invalid as problem:
        form.refuse("new", problem.problems[0].message if problem.problems else str(problem))
        return await account.shown(request, who, status=400, password=form)
    await recorded(request, who, "user.password", "user", user.id, user.username)
    response = onwards(rooms.runtime.config, SIGN_IN, "settings.password.changed")
    cookie.take(response, rooms.runtime.config)
    return response


async def _is_theirs(request: web.Request, who: Visitor, form: Form) -> bool:
    user, rooms = who.session.user, services(request)
    found = await passwords.checked(
        rooms.runtime.database,
        rooms.reception,
        user.partner_id,
        user.username,
        form.typed("old"),
        address(request),
    )
    if not isinstance(found, float):
        return True
    wait = text("frame.sign_in.slower", seconds=math.ceil(found))
    form.refuse("old", wait if found > 0 else text("settings.password.wrong"))
    return False
