"""The catalogue: connectors by number, by name and by name and version, and their methods."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from gateway.accounts.model import Caller
from gateway.api.cyclr import shapes
from gateway.api.cyclr.authorize import ACCOUNT, account_call, any_call
from gateway.api.cyclr.desk import DESK
from gateway.api.cyclr.lists import flag, listed, page_of, paging, text
from gateway.api.cyclr.wire import answer, fits, services
from gateway.catalogue.by_name import named, only
from gateway.catalogue.call_model import Method
from gateway.catalogue.model import Connector
from gateway.errors import Invalid, NotFound

_LONGEST_NAME = 200
_LONGEST_NUMBER = 15


def routes() -> list[web.RouteDef]:
    """The routes of connectors and methods; what has a fixed last step stands first."""
    one = "/v1.0/connectors/{name}"
    return [
        web.get("/v1.0/connectors", list_, allow_head=False),
        web.get("/v1.0/methods/{id}", method, allow_head=False),
        web.get(one + "/methods", methods, allow_head=False),
        web.get(one + "/{version}/methods", methods, allow_head=False),
        web.get(one, get, allow_head=False),
        web.get(one + "/{version}", get, allow_head=False),
    ]


async def list_(request: web.Request) -> web.Response:
    """`GET /v1.0/connectors?query=&category=&page=&pageSize=&orderBy=&sortOrderAsc=`."""
    brought = flag(request, "includeCustomConnectors", default=True)
    found = [one for one in await _visible(request) if brought or one.partner_id is None]
    query, category = text(request, "query").casefold(), text(request, "category").casefold()
    chosen = [one for one in found if _matches(one, query) and _is_of(one, category)]
    asked = paging(request, tuple(_orders(request)), usual="Name")
    some = page_of(chosen, asked, _orders(request))
    return listed(await _shaped(request, some), len(chosen), asked)


async def get(request: web.Request) -> web.Response:
    """`GET /v1.0/connectors/{id}`: an object; `/{name}` and `/{name}/{version}`: an array."""
    found = await _visible(request)
    name, version = request.match_info["name"], request.match_info.get("version")
    if version is None and name.isascii() and name.isdigit():
        return answer((await _shaped(request, [_numbered(request, found, name)]))[0])
    if not fits(name) or len(name) > _LONGEST_NAME:
        raise Invalid("The name of the connector holds characters that no name has.")
    return answer(await _shaped(request, named(found, name, version)))


async def methods(request: web.Request) -> web.Response:
    """`GET /v1.0/connectors/{id|name}[/{version}]/methods?query=&category=`."""
    connector = of_path(request, await _visible(request))
    members = await request.app[DESK].members.of(connector)
    query, category = text(request, "query").casefold(), text(request, "category").casefold()
    chosen = [one for one in connector.methods.values() if _has(one, query) and category in ("", _category(one))]
    orders: Mapping[str, Callable[[Method], Any]] = {
        "Id": lambda one: members.methods[one.id],
        "Name": lambda one: (one.name.casefold(), one.id),
        "Category": lambda one: (_category(one), one.name.casefold(), one.id),
    }
    asked = paging(request, tuple(orders))
    some = page_of(chosen, asked, orders)
    return listed([shapes.method(connector, one, members) for one in some], len(chosen), asked)


async def method(request: web.Request) -> web.Response:
    """`GET /v1.0/methods/{id}`."""
    found, text_ = await _visible(request), request.match_info["id"]
    missing = NotFound(f"Method {text_[:64]} not found.")
    if not (text_.isascii() and text_.isdigit() and len(text_) <= _LONGEST_NUMBER):
        raise missing
    named_ = await request.app[DESK].members.method_of(int(text_))
    connector = next((one for one in found if named_ is not None and one.key == named_[0]), None)
    if named_ is None or connector is None or named_[1] not in connector.methods:
        raise missing
    members = await request.app[DESK].members.of(connector)
    return answer(shapes.method(connector, connector.methods[named_[1]], members))


def of_path(request: web.Request, found: Sequence[Connector]) -> Connector:
    """The connector of a path, by its number or its name and version; NotFound where none is meant, or several are."""
    name, version = request.match_info["name"], request.match_info.get("version")
    if version is None and name.isascii() and name.isdigit():
        return _numbered(request, found, name)
    connector = only(found, name, version)
    if connector is None:
        raise NotFound(f"Connector {' '.join(filter(None, (name[:64], (version or '')[:64])))} not found.")
    return connector


def visible(request: web.Request, caller: Caller) -> Sequence[Connector]:
    """The connectors that this caller may see and install."""
    return services(request).runtime.catalogue.visible_to(caller.partner_id)


async def _visible(request: web.Request) -> Sequence[Connector]:
    """The same for whoever calls; with an account's header it must be one of theirs."""
    if request.headers.get(ACCOUNT, "").strip():
        caller, _ = await account_call(request)
    else:
        caller = await any_call(request)
    return visible(request, caller)


def _numbered(request: web.Request, found: Sequence[Connector], text_: str) -> Connector:
    ids = services(request).runtime.connector_ids
    number = int(text_) if len(text_) <= _LONGEST_NUMBER else -1
    connector = next((one for one in found if ids.get(one.key) == number), None)
    if connector is None:
        raise NotFound(f"Connector {text_[:64]} not found.")
    return connector


async def _shaped(request: web.Request, some: Sequence[Connector]) -> list[dict[str, Any]]:
    ids, members = services(request).runtime.connector_ids, await request.app[DESK].members.of_all(some)
    return [shapes.connector(one, ids[one.key], members[one.key]) for one in some]


def _orders(request: web.Request) -> Mapping[str, Callable[[Connector], Any]]:
    ids = services(request).runtime.connector_ids
    return {"Name": lambda one: (one.name.casefold(), one.key), "Id": lambda one: ids[one.key]}


def _matches(connector: Connector, query: str) -> bool:
    return any(query in text_.casefold() for text_ in (connector.name, connector.key, connector.description))


def _is_of(connector: Connector, category: str) -> bool:
    return not category or category in {one.casefold() for one in connector.categories}


def _has(method_: Method, query: str) -> bool:
    return query in method_.name.casefold() or query in method_.description.casefold() or query == method_.id


def _category(method_: Method) -> str:
    return method_.category.casefold()
