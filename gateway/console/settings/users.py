"""`/console/settings/users`: who may sign in to the account, and what they may do there."""

from aiohttp import web

from gateway import ids
from gateway.accounts import people, store
from gateway.accounts.model import User
from gateway.api import read
from gateway.console.forms import Form, number, posted
from gateway.console.page import onwards, page
from gateway.console.recording import recorded
from gateway.console.settings.accounts import names
from gateway.console.settings.ranks import decides_about, is_self, role_of, roles_below
from gateway.console.visitor import Visitor, services, visitor
from gateway.console.wording import text
from gateway.errors import Conflict, Invalid, NotFound

PATH = "/console/settings/users"
SIZE = 50
_ONE = PATH + "/{id}"


def routes() -> list[web.AbstractRouteDef]:
    """The list, and what can be done with each."""
    return [
        web.get(PATH, list_),
        web.get(PATH + "/new", new),
        web.post(PATH + "/new", add),
        web.get(_ONE, edit),
        web.post(_ONE, change),
        web.post(_ONE + "/sign-out", sign_out),
        web.get(_ONE + "/remove", ask),
        web.post(_ONE + "/remove", remove),
    ]


async def list_(request: web.Request) -> web.Response:
    """`GET /console/settings/users?q=&all=&after=`: by when they were added."""
    who = await visitor(request, "people")
    every = request.query.get("all") == "1" and who.may("partner")
    search, after = read.text(request, "q", longest=200), number(request.query.get("after", "")) or 0
    found = await store.users_page(
        services(request).runtime.database,
        who.session.user.partner_id,
        None if every else who.account.id,
        after=after,
        size=SIZE + 1,
        search=search,
    )
    users = found[:SIZE]
    return page(
        request,
        "settings/users.html",
        users=users,
        more=users[-1].id if len(found) > SIZE else None,
        after=after,
        every=every,
        search=search,
        accounts=await names(request, who, {user.account_id for user in users}) if every else {},
        decides=lambda user: decides_about(who, user),
        is_self=lambda user: is_self(who, user),
    )


async def new(request: web.Request) -> web.Response:
    """`GET /console/settings/users/new`."""
    who = await visitor(request, "people")
    return _new(request, who, Form())


async def add(request: web.Request) -> web.Response:
    """`POST /console/settings/users/new`: a password that nobody typed is made, and shown this once."""
    who, form = await posted(request, "people")
    rooms, role = services(request), role_of(form.get("role"), who)
    if role is None:
        form.refuse("role", text("settings.users.no_such_role"))
        return _new(request, who, form, status=400)
    typed = form.typed("password")
    password = typed or ids.token()[:20]
    try:
        made = await people.added(
            rooms.runtime.database, rooms.reception, who.account, form.get("username"), role, password
        )
    except Invalid as problem:
        form.refused_by(problem)
        return _new(request, who, form, status=400)
    except Conflict as problem:
        form.refuse("username", str(problem))
        return _new(request, who, form, status=409)
    await recorded(request, who, "user.created", "user", made.user.id, made.user.username, role=role)
    shown = "" if typed else password
    return page(request, "settings/user_made.html", user=made.user, password=shown, secret=made.secret)


async def edit(request: web.Request) -> web.Response:
    """`GET /console/settings/users/{id}`."""
    who = await visitor(request, "people")
    return _edited(request, who, await _user(request, who), Form())


async def change(request: web.Request) -> web.Response:
    """`POST /console/settings/users/{id}`: another role, another password, or both; they are signed out."""
    who, form = await posted(request, "people")
    user, rooms = await _user(request, who), services(request)
    role, password = role_of(form.get("role", user.role), who), form.typed("password") or None
    if role is None:
        form.refuse("role", text("settings.users.no_such_role"))
    elif is_self(who, user):
        form.refuse("", text("settings.users.not_yourself"))
    try:
        if not form.ok:
            return _edited(request, who, user, form, status=400)
        await people.changed(rooms.runtime.database, rooms.reception, user, role=role, password=password)
    except (Invalid, Conflict) as problem:
        form.refused_by(problem)
        return _edited(request, who, user, form, status=409 if isinstance(problem, Conflict) else 400)
    if role != user.role:
        await recorded(request, who, "user.changed", "user", user.id, user.username, was_role=user.role, role=role)
    if password is not None:
        await recorded(request, who, "user.password", "user", user.id, user.username)
    return onwards(rooms.runtime.config, PATH, "settings.users.changed", name=user.username)


async def sign_out(request: web.Request) -> web.Response:
    """`POST /console/settings/users/{id}/sign-out`: whatever they are signed in with ends."""
    who, _ = await posted(request, "people")
    user, rooms = await _user(request, who), services(request)
    await people.signed_out(rooms.runtime.database, rooms.reception, user)
    await recorded(request, who, "user.signed_out", "user", user.id, user.username)
    return onwards(rooms.runtime.config, PATH, "settings.users.signed_out", name=user.username)


async def ask(request: web.Request) -> web.Response:
    """`GET /console/settings/users/{id}/remove`: whether it is meant."""
    who = await visitor(request, "people")
    return page(request, "settings/user_remove.html", user=await _user(request, who), form=Form())


async def remove(request: web.Request) -> web.Response:
    """`POST /console/settings/users/{id}/remove`."""
    who, form = await posted(request, "people")
    user, rooms = await _user(request, who), services(request)
    try:
        if is_self(who, user):
            raise Conflict(text("settings.users.not_yourself"))
        await people.removed(rooms.runtime.database, rooms.reception, user)
    except Conflict as problem:
        form.refused_by(problem)
        return page(request, "settings/user_remove.html", status=409, user=user, form=form)
    await recorded(request, who, "user.removed", "user", user.id, user.username, role=user.role)
    return onwards(rooms.runtime.config, PATH, "settings.users.removed", name=user.username)


def _new(request: web.Request, who: Visitor, form: Form, *, status: int = 200) -> web.Response:
    return page(request, "settings/user_new.html", status=status, form=form, roles=roles_below(who))


def _edited(request: web.Request, who: Visitor, user: User, form: Form, *, status: int = 200) -> web.Response:
    values = {"user": user, "form": form, "roles": roles_below(who), "is_self": is_self(who, user)}
    return page(request, "settings/user_edit.html", status=status, **values)


async def _user(request: web.Request, who: Visitor) -> User:
    """The user of the path; NotFound where the visitor does not decide about them."""
    user_id = read.path_id(request, what="user")
    found = await people.of_partner(services(request).runtime.database, who.session.user.partner_id, user_id)
    if not decides_about(who, found):
        raise NotFound(f"No user found with ID {user_id}")
    return found
