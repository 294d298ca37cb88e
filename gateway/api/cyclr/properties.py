"""The properties of an account connector: configuration entries, one by one."""

from aiohttp import web

from gateway.api import read
from gateway.api.cyclr import shapes
from gateway.api.cyclr.account_connectors import of_caller
from gateway.api.cyclr.authorize import account_call
from gateway.api.cyclr.desk import DESK
from gateway.api.cyclr.installing import entry_named, value_of
from gateway.api.cyclr.lists import listed, page_of, paging
from gateway.api.cyclr.wire import answer, given, services, wrong
from gateway.errors import NotFound
from gateway.instances.model import Setting
from gateway.provisioning import instances
from gateway.provisioning.details import Details
from gateway.provisioning.draft import Draft


def routes() -> list[web.RouteDef]:
    """The routes of properties."""
    every = "/v1.0/account/connectors/{id}/properties"
    one = every + "/{pid}"
    return [
        web.get(every, list_, allow_head=False),
        web.post(every, post),
        web.get(one, get, allow_head=False),
        web.put(one, put),
        web.delete(one, delete),
    ]


async def list_(request: web.Request) -> web.Response:
    """`GET …/properties`: those that are set."""
    caller, _ = await account_call(request)
    current = await of_caller(request, caller)
    found = [*shapes.shown_settings(current).values()]
    orders = {"Id": lambda one: one.id, "Name": lambda one: one.key}
    asked = paging(request, tuple(orders))
    some = page_of(found, asked, orders)
    return listed([shapes.property_(current, one) for one in some], len(found), asked)


async def post(request: web.Request) -> web.Response:
    """`POST …/properties` with `{Name, Value}`."""
    caller, _ = await account_call(request)
    body = await given(request)
    name = body.text("Name")
    if not name:
        raise wrong("Name", "is required")
    current = await of_caller(request, caller)
    key = entry_named(await request.app[DESK].members.of(current.connector), name)
    return await _set(request, current, key, value_of(body))


async def get(request: web.Request) -> web.Response:
    """`GET …/properties/{pid}`."""
    caller, _ = await account_call(request)
    current = await of_caller(request, caller)
    return answer(shapes.property_(current, _chosen(request, current)))


async def put(request: web.Request) -> web.Response:
    """`PUT …/properties/{pid}` with `{Value}`; a secret sent back as its mask stays."""
    caller, _ = await account_call(request)
    body = await given(request)
    current = await of_caller(request, caller)
    one = _chosen(request, current)
    name = body.text("Name")
    if name and entry_named(await request.app[DESK].members.of(current.connector), name) != one.key:
        raise wrong("Name", f"cannot be changed; this is the property {one.key}")
    if not body.has("Value") and body.raw("Value") is not None:
        return answer(shapes.property_(current, one))
    return await _set(request, current, one.key, value_of(body))


async def delete(request: web.Request) -> web.Response:
    """`DELETE …/properties/{pid}`: it is not set any more."""
    caller, _ = await account_call(request)
    current = await of_caller(request, caller)
    await _changed(request, current, _chosen(request, current).key, None)
    return web.Response()


async def _set(request: web.Request, current: Details, key: str, value: str | None) -> web.Response:
    changed = current if value == shapes.MASK else await _changed(request, current, key, value)
    found = changed.settings.get(key) or Setting(id=0, key=key, value=None)
    return answer(shapes.property_(changed, found))


async def _changed(request: web.Request, current: Details, key: str, value: str | None) -> Details:
    caller, _ = await account_call(request)
    draft = Draft(configuration={key: value}, unfinished=True)
    return await instances.change(services(request), caller, current.instance.id, draft)


def _chosen(request: web.Request, current: Details) -> Setting:
    number = read.path_id(request, "pid", what="property")
    found = shapes.shown_settings(current).get(number)
    if found is None:
        raise NotFound(f"Property {number} not found.")
    return found
