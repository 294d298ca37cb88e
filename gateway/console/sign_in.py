"""`/console/sign-in` and `/console/sign-out`: a person comes in with a password, and goes; nothing typed is lost."""

import math
from urllib.parse import urlencode

from aiohttp import web

from gateway.accounts import sign_in
from gateway.accounts.model import AccountId
from gateway.api import auditing, cookie
from gateway.api.onwards import own_path
from gateway.api.source import address
from gateway.console import forms, recording
from gateway.console.forms import UNSENT, Form, posted
from gateway.console.page import THEME, THEMES, onwards, page
from gateway.console.visitor import VISITOR, Visitor, csrf_of, found, refuse_foreign, secret_of, services
from gateway.console.wording import text

PATH = "/console/sign-in"
HOME = "/console"


def routes() -> list[web.AbstractRouteDef]:
    """Coming and going, and how pages look."""
    return [
        web.get(PATH, show),
        web.post(PATH, enter),
        web.post("/console/sign-out", leave),
        web.post("/console/theme", theme),
        web.post("/console/account", move),
    ]


def way_in(request: web.Request) -> web.Response:
    """For somebody who is not signed in: the page to sign in at, which knows where they were and what they sent."""
    unsent = request.get(UNSENT)
    if unsent is None:
        return onwards(services(request).runtime.config, f"{PATH}?{urlencode({'next': request.path_qs})}")
    again = {"path": request.path_qs, "fields": urlencode([item for item in unsent.items() if item[0] != "csrf"])}
    return page(request, "frame/sign_in.html", status=401, form=Form(), next="", again=again)


async def show(request: web.Request) -> web.Response:
    """`GET /console/sign-in?next=`."""
    onward = _own(request.query.get("next", ""))
    if await found(request) is not None:
        return onwards(services(request).runtime.config, onward)
    return page(request, "frame/sign_in.html", form=Form(), next=onward, again=None)


async def enter(request: web.Request) -> web.Response:
    """`POST /console/sign-in`."""
    refuse_foreign(request)
    form, rooms = await forms.read(request), services(request)
    unsent = forms.pairs(form.typed("again_fields"))
    database, config = rooms.runtime.database, rooms.runtime.config
    signed_in = await sign_in.by_password(
        database, rooms.reception, form.get("username"), form.typed("password"), address(request)
    )
    again = {"path": form.get("again_path"), "fields": form.typed("again_fields")} if "again_path" in form else None
    if isinstance(signed_in, float):
        if not signed_in:
            recording.refused(request, form.get("username"))
        return _refused(request, form, signed_in, again)
    await auditing.signed_in(request, signed_in)
    if again is None:
        response = onwards(config, _own(form.get("next")))
    else:
        session = signed_in.session
        who = Visitor(session=session, account=signed_in.account, csrf=csrf_of(signed_in.secret))
        request[VISITOR] = who
        response = page(request, "frame/again.html", action=_own(again["path"]), fields=unsent)
    cookie.give(response, config, signed_in.secret)
    return response


def _refused(request: web.Request, form: Form, wait_s: float, again: dict[str, str] | None) -> web.Response:
    if wait_s > 0:
        form.refuse("", text("frame.sign_in.slower", seconds=math.ceil(wait_s)))
    else:
        form.refuse("", text("frame.sign_in.wrong"))
    status, onward = 429 if wait_s > 0 else 401, _own(form.get("next"))
    response = page(request, "frame/sign_in.html", status=status, form=form, next=onward, again=again)
    if wait_s > 0:
        response.headers["Retry-After"] = str(math.ceil(wait_s))
    return response


async def leave(request: web.Request) -> web.Response:
    """`POST /console/sign-out`."""
    who, _ = await posted(request, "read")
    config = services(request).runtime.config
    user = who.session.user
    await recording.recorded(request, who, "session.ended", "user", user.id, user.username)
    await sign_in.ended(services(request).runtime.database, secret_of(request))
    response = onwards(config, PATH, "frame.sign_in.left")
    cookie.take(response, config)
    return response


async def theme(request: web.Request) -> web.Response:
    """`POST /console/theme`: light, dark, or as the system is."""
    refuse_foreign(request)
    form, config = await forms.read(request), services(request).runtime.config
    chosen = form.get("theme")
    response = onwards(config, _own(form.get("next")))
    if chosen in THEMES:
        response.set_cookie(THEME, chosen, max_age=31_536_000, path="/", samesite="Lax", secure=cookie.secure(config))
    return response


async def move(request: web.Request) -> web.Response:
    """`POST /console/account`: look at another account of the partner."""
    who, form = await posted(request, "partner")
    rooms = services(request)
    account = AccountId(form.get("account"))
    await sign_in.moved(rooms.runtime.database, secret_of(request), who.session, account)
    await recording.recorded(request, who, "session.moved", "account", account, "")
    return onwards(rooms.runtime.config, HOME, "frame.account.moved")


def _own(wanted: str) -> str:
    """A page of the console; its first page where it is anything else."""
    path = own_path(wanted)
    return path if path is not None and (path == HOME or path.startswith((HOME + "/", HOME + "?"))) else HOME
