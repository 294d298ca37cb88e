"""`/console/instances/{id}/docs`: what one instance can be asked, call by call, as its own OpenAPI document says."""

from dataclasses import dataclass

import orjson
from aiohttp import web

from gateway.api import read
from gateway.api.openapi.instance import DOCUMENT
from gateway.console.forms import Form
from gateway.console.instances.described import Json, Operation, base_of, curl, fitting, grouped, operations
from gateway.console.instances.place import ONE
from gateway.console.page import page
from gateway.console.visitor import Visitor, services, visitor
from gateway.errors import NotFound
from gateway.instances import store
from gateway.instances.view import InstanceView

CALL = ONE + "/docs/{operation:[^/]+}"
_LONGEST_SEARCH = 200


@dataclass(frozen=True, slots=True)
class Described:
    """An instance as it is called, and the document of its API."""

    view: InstanceView
    document: Json


def routes() -> list[web.AbstractRouteDef]:
    """The list of calls, the document, and a page for each call."""
    return [web.get(ONE + "/docs", show), web.get(ONE + "/openapi.json", document), web.get(CALL, show_one)]


async def show(request: web.Request) -> web.Response:
    """`GET …/docs?q=`."""
    who = await visitor(request)
    found = await described(request, who)
    every, search = list(operations(found.document)), request.query.get("q", "")[:_LONGEST_SEARCH]
    shown = fitting(every, search)
    return page(
        request,
        "instances/docs.html",
        view=found.view,
        base=base_of(found.document),
        groups=grouped(shown),
        number=len(shown),
        every=len(every),
        search=search,
    )


async def document(request: web.Request) -> web.Response:
    """`GET …/openapi.json`: the document itself, to be kept."""
    found = await described(request, await visitor(request))
    name = f"instance-{found.view.instance.id}.openapi.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=orjson.dumps(found.document), content_type="application/json", headers=headers)


async def show_one(request: web.Request) -> web.Response:
    """`GET …/docs/{operation}`."""
    found = await described(request, await visitor(request))
    return shown(request, found, chosen(request, found), Form())


def shown(
    request: web.Request, found: Described, operation: Operation, form: Form, *, answer: object = None
) -> web.Response:
    """The page of one call, with what came of it where it was just made."""
    base = base_of(found.document)
    values = {"view": found.view, "operation": operation, "base": base, "curl": curl(operation, base)}
    status = 200 if form.ok else 400
    return page(request, "instances/call.html", status=status, form=form, answer=answer, **values)


async def described(request: web.Request, who: Visitor) -> Described:
    """The instance that the address names, as it is called."""
    rooms, instance_id = services(request), read.path_id(request)
    await store.get(rooms.runtime.database, who.caller, instance_id)
    view = await rooms.index.by_id(instance_id)
    if view is None:
        raise NotFound(f"No instance found with ID {instance_id}")
    return Described(view, request.app[DOCUMENT](view))


def chosen(request: web.Request, found: Described) -> Operation:
    """The call that the address names."""
    named = request.match_info["operation"]
    operation = next((one for one in operations(found.document) if one.id == named), None)
    if operation is None:
        raise NotFound(f"No operation found with ID {named[:100]}")
    return operation
