"""What an instance offers and whether its vendor answers: `/objects`, `/ping`, and the document of its API."""

from aiohttp import web

from gateway.access.act import Manner
from gateway.api import read
from gateway.api.open_connectors import answers, docs
from gateway.api.open_connectors.calls import INSTANCE, answer, caller, refused
from gateway.api.open_connectors.desk import DESK, Granted
from gateway.calls.model import Access
from gateway.calls.render import plain
from gateway.clock import iso, now_ms
from gateway.errors import Forbidden, NotFound
from gateway.instances import store as instances
from gateway.instances.view import InstanceView

_DETAILED = "Helium"
_MANNER = Manner(patience_s=5.0, timeout_s=15.0)


async def objects(request: web.Request) -> web.Response:
    """`GET /objects`: the names of the resources; with `Elements-Version: Helium` what the vendor calls them too."""
    view = (await _granted(request)).view
    named = [one for name, one in view.connector.resources.items() if "{" not in name]
    if request.headers.get("Elements-Version", "").lower() != _DETAILED.lower():
        return answer([one.name for one in named])
    return answer([{"name": one.name, "vendorName": one.objects, "type": "vendor"} for one in named])


async def ping(request: web.Request) -> web.StreamResponse:
    """`GET /ping`: 200 where the vendor takes the credentials, or where its connector has no way to ask."""
    view = (await _granted(request)).view
    if not view.instance.enabled:
        raise Forbidden("The instance is disabled.")
    check = view.connector.http.check
    if check is not None:
        call = plain(Access(connector=view.connector, config=view.config), check, {})
        async with request.app[DESK].services.vendors.send(view, call, _MANNER) as outcome:
            failure = answers.failure_of(view, outcome)
            if failure is not None:
                return refused(request, failure)
    return answer({"dateTime": iso(now_ms()), "endpoint": view.connector.key})


async def document(request: web.Request) -> web.Response:
    """`GET /instances/{id}/docs`: an OpenAPI document of exactly what this instance can do."""
    view = await _view(request)
    desk = request.app[DESK]
    found = docs.document(view, desk.offers(view.connector), desk.services.runtime.config.public_url)
    return answer(found)


async def operation(request: web.Request) -> web.Response:
    """`GET /instances/{id}/docs/{operationId}`: the same for one operation alone."""
    view = await _view(request)
    desk, wanted = request.app[DESK], request.match_info["operationId"]
    found = docs.document(view, desk.offers(view.connector), desk.services.runtime.config.public_url, only=wanted)
    if not found["paths"]:
        raise NotFound(f"No operation found with ID {wanted[:100]}")
    return answer(found)


async def _granted(request: web.Request) -> Granted:
    granted = await request.app[DESK].granted(request)
    request[INSTANCE] = granted.view.instance.id
    return granted


async def _view(request: web.Request) -> InstanceView:
    who, instance_id = await caller(request), read.path_id(request)
    services = request.app[DESK].services
    await instances.get(services.runtime.database, who, instance_id)
    view = await services.index.by_id(instance_id)
    if view is None:
        raise NotFound(f"No instance found with ID {instance_id}")
    return view


def routes(prefix: str) -> list[web.AbstractRouteDef]:
    """The routes of discovery."""
    found: list[web.AbstractRouteDef] = [
        web.get(f"{prefix}/instances/{{id}}/docs", document, allow_head=False),
        web.get(f"{prefix}/instances/{{id}}/docs/{{operationId}}", operation, allow_head=False),
    ]
    for start in (f"{prefix}/hubs/{{hub}}", *([prefix] if prefix else [])):
        found += [
            web.get(f"{start}/objects", objects, allow_head=False),
            web.get(f"{start}/ping", ping, allow_head=False),
        ]
    return found
