"""What every Open Connectors handler needs: the caller, the chosen instance, answers with the wire's headers."""

from typing import Any

import orjson
from aiohttp import web

from gateway.accounts import store as accounts
from gateway.accounts.authorization import caller_of, parse
from gateway.accounts.model import Caller
from gateway.api import read
from gateway.api.front import REQUEST_ID
from gateway.api.surface import CALLER, SERVICES, Failure
from gateway.clock import now_ms
from gateway.errors import Unauthorized
from gateway.instances import store as instances
from gateway.provisioning.services import Services

REFUSED = "Invalid Organization or User secret, or invalid Element token provided."
#: The instance that a call goes through, once that is known.
INSTANCE = web.RequestKey("instance", int)
_EXPOSED = (
    "Elements-Returned-Count, Elements-Total-Count, Elements-Request-Id, Elements-Next-Page-Token, "
    "Elements-Trace-Id, Elements-Error, Elements-Element-Instance-Id, Content-Disposition"
)
_ALLOWED = "Authorization, Content-Type, Element-Instances, Elements-Version"


def services(request: web.Request) -> Services:
    """The rooms below."""
    return request.app[SERVICES]


async def caller(request: web.Request) -> Caller:
    """Whom User and Organization (or a bearer token) speak for."""
    credentials = parse(request.headers.get("Authorization", ""))
    found = await caller_of(services(request).runtime.database, credentials, now=now_ms())
    request[CALLER] = found
    return found


async def chosen(request: web.Request) -> tuple[Caller, int]:
    """The caller and the instance: the one in the path, or the one whose Element token is given."""
    if "id" in request.match_info:
        return await caller(request), read.path_id(request)
    found = await by_element(request)
    if found is None:
        raise Unauthorized
    return found


async def by_element(request: web.Request) -> tuple[Caller, int] | None:
    """The instance of the Element token and its caller; None where no token is given."""
    credentials = parse(request.headers.get("Authorization", ""))
    if credentials.element is None:
        return None
    database, now = services(request).runtime.database, now_ms()
    found: Caller | None
    if credentials.organization or credentials.bearer:
        found = await caller_of(database, credentials, now=now)
    else:
        found = await accounts.caller_by_user(database, credentials.user or "")
    instance_id = await instances.id_of_secret(database, "element", credentials.element, now)
    if found is None or instance_id is None or not await instances.belongs(database, found, instance_id):
        raise Unauthorized
    request[CALLER] = found
    return found, instance_id


def answer(body: Any, *, headers: dict[str, str] | None = None) -> web.Response:
    """A JSON answer with status 200, as this wire has it for everything that went well."""
    return web.Response(body=orjson.dumps(body), content_type="application/json", headers=headers)


def page(items: list[Any], next_token: str | None, total: int | None = None) -> web.Response:
    """A bare array; counts and the next page's token stand in headers."""
    headers = {"Elements-Returned-Count": str(len(items))}
    if total is not None:
        headers["Elements-Total-Count"] = str(total)
    if next_token is not None:
        headers["Elements-Next-Page-Token"] = next_token
    return answer(items, headers=headers)


def refuse(request: web.Request, failure: Failure) -> web.StreamResponse:
    """The wire's error shape."""
    is_ours = failure.status == 401 and failure.provider is None
    message = REFUSED if is_ours else failure.message
    body = {"requestId": request[REQUEST_ID], "message": message}
    if failure.provider is not None:
        body["providerMessage"] = failure.provider
    response = web.Response(
        status=failure.status,
        body=orjson.dumps(body),
        content_type="application/json",
        headers={"Elements-Error": "true"},
    )
    if is_ours:
        response.headers["WWW-Authenticate"] = 'User, Organization, Element, Bearer realm="connector-gateway"'
    return response


def refused(request: web.Request, failure: Failure) -> web.StreamResponse:
    """The same where a handler knows what went wrong, with the failure's own headers."""
    response = refuse(request, failure)
    response.headers.extend(failure.headers)
    return response


def finish(request: web.Request, response: web.StreamResponse) -> None:
    """Headers that every answer of this wire has."""
    if response.prepared:
        return  # Its head is on the way already, and was finished before.
    response.headers["Elements-Request-Id"] = request[REQUEST_ID]
    response.headers["Elements-Trace-Id"] = request[REQUEST_ID]
    if INSTANCE in request:
        response.headers["Elements-Element-Instance-Id"] = str(request[INSTANCE])
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = _EXPOSED
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"


async def preflight(request: web.Request) -> web.Response:
    """A browser asks before it calls; credentials are in a header of the caller's, never in a cookie."""
    del request
    return web.Response(
        status=204,
        headers={
            "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
            "Access-Control-Allow-Headers": _ALLOWED,
            "Access-Control-Max-Age": "600",
        },
    )
