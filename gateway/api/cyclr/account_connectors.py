"""Account connectors: instances as this wire has them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from gateway.accounts.model import Caller
from gateway.api import read
from gateway.api.cyclr import connectors, custom, shapes
from gateway.api.cyclr.authorize import account_call, any_call
from gateway.api.cyclr.desk import DESK
from gateway.api.cyclr.installing import wanted
from gateway.api.cyclr.lists import listed, paging, text
from gateway.api.cyclr.wire import answer, given, said, services
from gateway.catalogue.model import Connector
from gateway.errors import Forbidden, Invalid, NotFound
from gateway.instances.listing import store as listing
from gateway.instances.listing.store import Order
from gateway.provisioning import instances
from gateway.provisioning.details import Details, details, details_of
from gateway.provisioning.draft import Draft
from gateway.provisioning.signing_out import sign_out

_ORDERS: Mapping[str, Order] = {"Id": "id", "Name": "name", "CreatedDate": "created"}
_MOST_NUMBERED = 1_000


def routes() -> list[web.RouteDef]:
    """The routes of account connectors."""
    one = "/v1.0/account/connectors/{id}"
    return [
        web.post("/v1.0/connectors/{name}/install", install),
        web.post("/v1.0/connectors/{name}/{version}/install", install),
        web.get("/v1.0/account/connectors", list_, allow_head=False),
        web.get(one, get, allow_head=False),
        web.put(one, put),
        web.delete(one, delete),
        web.put(one + "/deauthenticate", deauthenticate),
    ]


async def install(request: web.Request) -> web.Response:
    """`POST /v1.0/connectors/{id|name}[/{version}]/install`."""
    caller, _ = await account_call(request)
    body = await given(request, optional=True)
    connector = await _to_install(request, caller)
    members = await request.app[DESK].members.of(connector)
    draft = await _permitted(request, wanted(body, members, {}).draft(connector.key))
    name = await free_name(request, caller, draft.name, connector.name)
    made, _ = await instances.create(services(request), caller, replace(draft, name=name))
    return answer(await shaped(request, made))


async def _to_install(request: web.Request, caller: Caller) -> Connector:
    try:
        return connectors.of_path(request, connectors.visible(request, caller))
    except NotFound:
        await custom.refuse_draft(request, caller)
        raise


async def list_(request: web.Request) -> web.Response:
    """`GET /v1.0/account/connectors?page=&pageSize=&orderBy=&sortOrderAsc=&query=`."""
    caller, _ = await account_call(request)
    runtime, asked = services(request).runtime, paging(request, tuple(_ORDERS))
    found, total = await listing.page(
        runtime.database,
        caller,
        search=text(request, "query"),
        order=_ORDERS[asked.order],
        ascending=asked.ascending,
        first=asked.first,
        size=asked.size,
    )
    shown = await details_of(runtime, found)
    return listed([await shaped(request, one) for one in shown], total, asked)


async def get(request: web.Request) -> web.Response:
    """`GET /v1.0/account/connectors/{id}`."""
    caller, _ = await account_call(request)
    return answer(await shaped(request, await of_caller(request, caller)))


async def put(request: web.Request) -> web.Response:
    """`PUT /v1.0/account/connectors/{id}`: what the body does not mention stays."""
    caller, _ = await account_call(request)
    body = await given(request)
    current = await of_caller(request, caller)
    members = await request.app[DESK].members.of(current.connector)
    draft = wanted(body, members, current.stored, current.settings).draft()
    if not current.instance.native:
        draft = await _permitted(request, draft)
    if draft.name is not None and draft.name != current.instance.name:
        await _refuse_taken(request, caller, draft.name, current.instance.id)
    changed = await instances.change(services(request), caller, current.instance.id, draft)
    return answer(await shaped(request, changed))


async def delete(request: web.Request) -> web.Response:
    """`DELETE /v1.0/account/connectors/{id}`."""
    caller, _ = await account_call(request)
    number = _number(request)
    try:
        await instances.remove(services(request), caller, number)
    except NotFound as problem:
        raise _missing(number) from problem
    return web.Response()


async def deauthenticate(request: web.Request) -> web.Response:
    """`PUT /v1.0/account/connectors/{id}/deauthenticate`."""
    caller, _ = await account_call(request)
    await given(request, optional=True)
    current = await of_caller(request, caller)
    await sign_out(services(request), caller, current.instance.id)
    return said(200, f"Connector '{current.instance.name}' successfully de-authenticated.")


async def of_caller(request: web.Request, caller: Caller) -> Details:
    """The account connector of the path; NotFound, in this wire's words, where the account has none such."""
    number = _number(request)
    try:
        return await details(services(request).runtime, caller, number)
    except NotFound as problem:
        raise _missing(number) from problem


async def shaped(request: web.Request, found: Details) -> dict[str, Any]:
    """An account connector as it is answered."""
    runtime = services(request).runtime
    members = await request.app[DESK].members.of(found.connector)
    in_clear = runtime.config.security.echo_auth_value
    return shapes.account_connector(found, runtime.connector_ids[found.connector.key], members, in_clear=in_clear)


async def _permitted(request: web.Request, draft: Draft) -> Draft:
    """The draft, where its author may lift the restriction of addresses, or leaves it alone."""
    if draft.native and (await any_call(request)).account_id is not None:
        raise Forbidden("A token for one account cannot set IsPartnerIntegrationConnector.")
    return draft


def _number(request: web.Request) -> int:
    return read.path_id(request, what="account connector")


def _missing(number: int) -> NotFound:
    return NotFound(f"Account connector {number} not found.")


async def free_name(request: web.Request, caller: Caller, asked: str | None, usual: str) -> str:
    """The name that is asked for, where it is free; else the connector's, with a number where it has to be."""
    if asked is not None:
        await _refuse_taken(request, caller, asked, 0)
        return asked
    database = services(request).runtime.database
    for number in range(1, _MOST_NUMBERED):
        name = usual if number == 1 else f"{usual} {number}"
        if not await listing.has_name(database, caller, name):
            return name
    return usual


async def _refuse_taken(request: web.Request, caller: Caller, name: str, but: int) -> None:
    if await listing.has_name(services(request).runtime.database, caller, name, but=but):
        raise Invalid(f"Account connector name {name} is in use.")
