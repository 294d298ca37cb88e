"""A partner's users, for its administrators."""

from typing import Any, cast, get_args

from aiohttp import web

from gateway.accounts import people, store
from gateway.accounts.model import Role, User
from gateway.api import read
from gateway.api.native import shapes_accounts as shapes
from gateway.api.native.calls import PAGING, PREFIX, answer, invalid, json_object, page, position, query, services, size
from gateway.api.native.ruling import PARTNER, partner_meant, required, text
from gateway.errors import Problem


def routes() -> list[web.AbstractRouteDef]:
    """The routes of users."""
    place, one = PREFIX + "/users", PREFIX + "/users/{id}"
    return [
        web.get(place, list_),
        web.post(place, add),
        web.get(one, get),
        web.patch(one, change),
        web.delete(one, remove),
        web.post(one + "/rotate", rotate),
    ]


async def list_(request: web.Request) -> web.Response:
    """`GET /api/v1/users`, or those of one account with `account_id`."""
    query(request, *PAGING, PARTNER, "account_id")
    _, partner_id = await partner_meant(request)
    database, given = services(request).runtime.database, request.query.get("account_id")
    account_id = None if not given else (await people.account_of(database, partner_id, given)).id
    about, most = f"users\n{partner_id}\n{account_id or ''}", size(request)
    after = position(request, about) or "0"
    found = await store.users_page(
        database, partner_id, account_id, after=int(after) if after.isdigit() else 0, size=most + 1
    )
    more = str(found[most - 1].id) if len(found) > most else None
    return page([shapes.user(one) for one in found[:most]], more, about)


async def add(request: web.Request) -> web.Response:
    """`POST /api/v1/users` with `{"username", "role"?, "account_id"?, "password"?}`; only the answer has the secret."""
    query(request, PARTNER)
    who, partner_id = await partner_meant(request)
    body = await json_object(request, "username", "role", "account_id", "password")
    username, role = required(body, "username"), _role(body) or "power_user"
    below = services(request)
    database, given = below.runtime.database, text(body, "account_id")
    if given is None and partner_id != who.partner_id:
        raise invalid(Problem("account_id", "is required for a user of another partner"))
    account = await people.account_of(database, partner_id, given or who.user.account_id)
    made = await people.added(database, below.reception, account, username, role, text(body, "password", longest=1024))
    return answer(shapes.made_user(made), 201)


async def get(request: web.Request) -> web.Response:
    """`GET /api/v1/users/{id}`."""
    return answer(shapes.user(await _user(request)))


async def change(request: web.Request) -> web.Response:
    """`PATCH /api/v1/users/{id}` with any of `{"role", "account_id", "password"}`; the user is signed out."""
    found = await _user(request)
    body = await json_object(request, "role", "account_id", "password")
    below, given = services(request), text(body, "account_id")
    account = None if given is None else await people.account_of(below.runtime.database, found.partner_id, given)
    changed = await people.changed(
        below.runtime.database,
        below.reception,
        found,
        role=_role(body),
        account_id=None if account is None else account.id,
        password=text(body, "password", longest=1024),
    )
    return answer(shapes.user(changed))


async def remove(request: web.Request) -> web.Response:
    """`DELETE /api/v1/users/{id}`."""
    found, below = await _user(request), services(request)
    await people.removed(below.runtime.database, below.reception, found)
    return web.Response(status=204)


async def rotate(request: web.Request) -> web.Response:
    """`POST /api/v1/users/{id}/rotate`: another secret."""
    found, below = await _user(request), services(request)
    await json_object(request, optional=True)
    return answer(shapes.made_user(await people.rotated(below.runtime.database, below.reception, found)))


async def _user(request: web.Request) -> User:
    query(request, PARTNER)
    _, partner_id = await partner_meant(request)
    return await people.of_partner(services(request).runtime.database, partner_id, read.path_id(request, what="user"))


def _role(body: dict[str, Any]) -> Role | None:
    given, known = body.get("role"), get_args(Role)
    if given is None:
        return None
    if given not in known:
        raise invalid(Problem("role", f"expected one of {', '.join(known)}"))
    return cast(Role, given)
