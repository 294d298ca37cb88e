"""Connectors that a partner brings: drafts, changed as often as it likes, and releases, which its accounts install."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import orjson
from aiohttp import web

from gateway.accounts.model import Caller
from gateway.api.cyclr import custom_bodies as bodies
from gateway.api.cyclr.authorize import account_call, partner_call
from gateway.api.cyclr.lists import listed, page_of, paging
from gateway.api.cyclr.wire import answer, given, services, whole
from gateway.catalogue.custom import store
from gateway.catalogue.custom.model import Custom, Entry
from gateway.catalogue.custom.shelf import Shelf
from gateway.catalogue.custom.translate import File, Head, compiled, translated
from gateway.clock import now_ms
from gateway.errors import Conflict, Forbidden, Invalid, NotFound
from gateway.instances import store as instances

SHELF: web.AppKey[Shelf] = web.AppKey("custom_connectors", Shelf)
ORDERS: Mapping[str, Callable[[Entry], Any]] = {
    "Id": lambda one: one.id,
    "Name": lambda one: (one.name.casefold(), one.id),
    "CreatedDate": lambda one: (one.created_at, one.id),
}
_ROOT = "/v1.0/account/connectors/custom"
_FIRST = "1.0.0"


def routes() -> list[web.RouteDef]:
    """The routes of custom connectors."""
    one = _ROOT + "/{id}"
    return [
        web.get(_ROOT, list_, allow_head=False),
        web.post(_ROOT, post),
        web.get(one, get, allow_head=False),
        web.put(one, put),
        web.delete(one, delete),
        web.post(one + "/release", release),
    ]


async def list_(request: web.Request) -> web.Response:
    """`GET /v1.0/account/connectors/custom`: without the definitions."""
    caller = await _caller(request)
    found = await store.page(services(request).runtime.database, caller.partner_id)
    asked = paging(request, tuple(ORDERS))
    return listed([bodies.line(one) for one in page_of(found, asked, ORDERS)], len(found), asked)


async def post(request: web.Request) -> web.Response:
    """`POST /v1.0/account/connectors/custom`: a draft, or with `ReleaseStatus` `Live` a release."""
    caller = await _caller(request)
    body, now = await given(request), now_ms()
    definition, guid, is_live = bodies.definition(body), bodies.guid(body), bodies.wants_release(body)
    text = bodies.written(definition)
    # What is wrong with it is wrong under any number.
    await _file(definition, Head("custom-0", 1, _FIRST))
    async with services(request).runtime.database.transaction() as transaction:
        number, key = await store.number(transaction)
        made = Custom(
            id=number,
            partner_id=caller.partner_id,
            guid=guid or uuid4().hex,
            key=key,
            name=_name(definition),
            status="draft",
            definition=text,
            released=None,
            created_at=now,
            updated_at=now,
        )
        await store.add(transaction, made)
    return await _released(request, made) if is_live else answer(bodies.shape(made))


async def get(request: web.Request) -> web.Response:
    """`GET /v1.0/account/connectors/custom/{id}`, by number or by UniqueIdentifier."""
    return answer(bodies.shape(await _found(request, await _caller(request))))


async def put(request: web.Request) -> web.Response:
    """`PUT /v1.0/account/connectors/custom/{id}`: the draft; what the body does not mention stays."""
    caller = await _caller(request)
    body = await given(request)
    found = await _found(request, caller)
    if bodies.guid(body) not in (None, found.guid):
        raise Invalid("UniqueIdentifier cannot be changed.")
    definition, is_live = bodies.definition(body, bodies.read(found)), bodies.wants_release(body)
    text = bodies.written(definition)
    await _file(definition, Head(found.key, found.id, _FIRST))
    if text != found.definition:
        found = await _changed(request, found, name=_name(definition), status="draft", definition=text)
    return await _released(request, found) if is_live else answer(bodies.shape(found))


async def release(request: web.Request) -> web.Response:
    """`POST /v1.0/account/connectors/custom/{id}/release`: what the draft says counts from now on."""
    caller = await _caller(request)
    await given(request, optional=True)
    return await _released(request, await _found(request, caller))


async def delete(request: web.Request) -> web.Response:
    """`DELETE /v1.0/account/connectors/custom/{id}`: only where nothing is installed of it."""
    caller = await _caller(request)
    found = await _found(request, caller)
    database = services(request).runtime.database
    everywhere = Caller(partner_id=caller.partner_id, account_id=None, user=caller.user)
    installed = dict(await instances.count_by_connector(database, everywhere)).get(found.key, 0)
    if installed:
        raise Conflict(f"Connector '{found.name}' is installed {installed} times; delete its account connectors first.")
    async with database.transaction() as transaction:
        await store.remove(transaction, found, now_ms())
    await request.app[SHELF].look()
    return web.Response()


async def refuse_draft(request: web.Request, caller: Caller) -> None:
    """Invalid where the number of the path is a connector of the partner's that was never released."""
    number = whole(request.match_info["name"])
    if number is None or "version" in request.match_info:
        return
    found = await store.get(services(request).runtime.database, caller.partner_id, number)
    if found is not None and found.released is None:
        raise Invalid(f"Connector {number} is a draft and cannot be installed.")


async def _caller(request: web.Request) -> Caller:
    """Who speaks for the whole partner, in one of its accounts: all accounts call what is brought here."""
    if not services(request).runtime.config.partner.custom_connectors_enabled:
        await partner_call(request)
        raise Forbidden("Custom connectors are not enabled.")
    await partner_call(request)
    caller, _ = await account_call(request)
    return caller


async def _found(request: web.Request, caller: Caller) -> Custom:
    text, database = request.match_info["id"], services(request).runtime.database
    number, guid = whole(text), bodies.as_guid(text)
    found = None
    if guid is not None:
        found = await store.by_guid(database, caller.partner_id, guid)
    elif number is not None:
        found = await store.get(database, caller.partner_id, number)
    if found is None:
        raise NotFound(f"Connector {text[:64]} not found.")
    return found


async def _released(request: web.Request, found: Custom) -> web.Response:
    """Release what the draft says, where that is something new."""
    if found.status != "live":
        version = _FIRST if found.released is None else _next(orjson.loads(found.released)["version"])
        file = await _file(bodies.read(found), Head(found.key, found.id, version))
        found = await _changed(request, found, status="live", released=orjson.dumps(file).decode())
        await request.app[SHELF].look()
    return answer(bodies.shape(found))


async def _changed(request: web.Request, found: Custom, **changes: Any) -> Custom:
    async with services(request).runtime.database.transaction() as transaction:
        return await store.change(transaction, found, changes, now_ms())


async def _file(definition: bodies.Definition, head: Head) -> File:
    """The connector file that a definition becomes; Invalid says everything that is wrong with it."""
    found = await asyncio.to_thread(_checked, definition, head)
    if isinstance(found, tuple):
        raise Invalid(f"Invalid connector: ({'; '.join(found)[:2000]})")
    return found


def _checked(definition: bodies.Definition, head: Head) -> File | tuple[str, ...]:
    file = translated(definition, head)
    if isinstance(file, tuple):
        return file
    found = compiled(file, head)
    return found if isinstance(found, tuple) else file


def _name(definition: bodies.Definition) -> str:
    return next(str(value).strip() for name, value in definition.items() if name.lower() == "name")


def _next(version: str) -> str:
    major, minor, _ = version.split(".")
    return f"{major}.{int(minor) + 1}.0"
