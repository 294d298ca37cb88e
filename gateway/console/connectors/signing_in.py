"""`/console/instances/{id}/sign-in` and `/console/oauth/…`: a person agrees at the vendor, and comes back."""

from aiohttp import web

from gateway.api import read
from gateway.calls.authenticate import way_of
from gateway.calls.model import Access
from gateway.catalogue.call_model import Auth
from gateway.catalogue.config_view import ConfigView
from gateway.console.connectors import catalogue, login
from gateway.console.connectors.login import State
from gateway.console.page import onwards, page
from gateway.console.recording import recorded
from gateway.console.visitor import Visitor, services, visitor
from gateway.console.wording import text
from gateway.errors import Conflict, GatewayError, Invalid, NotFound, VendorDown, VendorRefused
from gateway.provisioning import instances
from gateway.provisioning.details import Details, details
from gateway.provisioning.draft import Draft

_LONGEST_WORDS = 500
_LONGEST_CODE = 4096


async def show(request: web.Request) -> web.Response:
    """`GET /console/instances/{id}/sign-in`: what will happen, and the button that begins."""
    who = await visitor(request, "change")
    return _page(request, await _instance(request, who, read.path_id(request)))


async def start(request: web.Request) -> web.Response:
    """`GET /console/oauth/start?instance=&popup=`: on to the vendor."""
    who = await visitor(request, "change")
    current = await _instance(request, who, _number(request))
    own = f"/console/instances/{current.instance.id}/sign-in"
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        # Another site may lead people to the page, and not through the vendor's login.
        return onwards(services(request).runtime.config, own)
    wanted = State(current.instance.id, request.query.get("popup") == "1")
    try:
        url = login.address(request, who, current.connector, current.values, login.state(request, wanted))
    except Invalid as problem:
        return _page(request, current, status=400, problem=str(problem))
    return web.Response(status=303, headers={"Location": url})


async def callback(request: web.Request) -> web.Response:
    """`GET /console/oauth/callback?code=&state=`: back from the vendor, with an agreement or without."""
    who = await visitor(request, "change")
    given = request.query.get("state", "")
    wanted = login.known(request, given)
    if wanted is None:
        return await _unknown(request, who, login.said(given))
    current = await _instance(request, who, wanted.instance_id)
    code = request.query.get("code", "")[:_LONGEST_CODE]
    if "error" in request.query or not code:
        said = request.query.get("error_description") or request.query.get("error", "")
        problem = text("connectors.sign_in.denied", name=current.connector.name)
        return _page(request, current, status=400, problem=problem, said=said, in_popup=wanted.in_popup)
    return await _redeemed(request, who, current, code, in_popup=wanted.in_popup)


async def done(request: web.Request) -> web.Response:
    """`GET /console/oauth/done?instance=&first=`: the last page of the window, which tells the one that opened it."""
    who = await visitor(request)
    current = await details(services(request).runtime, who.caller, _number(request))
    onward = _onward(current.instance.id, first=request.query.get("first") == "1")
    return page(request, "connectors/signed_in.html", instance=current.instance, onward=onward)


async def _redeemed(request: web.Request, who: Visitor, current: Details, code: str, *, in_popup: bool) -> web.Response:
    rooms, first = services(request), login.is_first(current)
    changed = login.brings_back(current, login.redirect_url(request))
    try:
        found = await instances.change(
            rooms, who.caller, current.instance.id, Draft(code=code, configuration=changed or None)
        )
    except (Invalid, Conflict, VendorRefused, VendorDown) as problem:
        said = problem.provider or "" if isinstance(problem, VendorRefused | VendorDown) else ""
        return _page(request, current, status=_status(problem), problem=str(problem), said=said, in_popup=in_popup)
    one = found.instance
    await recorded(request, who, "instance.reauthenticated", "instance", one.id, one.name, connector=one.connector)
    if in_popup:
        return onwards(rooms.runtime.config, f"{login.PATH}/done?instance={one.id}&first={int(first)}")
    notice = "" if first else "connectors.sign_in.done"
    return onwards(rooms.runtime.config, _onward(one.id, first=first), notice)


def _number(request: web.Request) -> int:
    """The instance that the query names; 0, which is none, where it names nothing."""
    return login.said(request.query.get("instance", "")) or 0


def _status(problem: GatewayError) -> int:
    return 502 if isinstance(problem, VendorDown) else 409 if isinstance(problem, Conflict) else 400


def _onward(instance_id: int, *, first: bool) -> str:
    return f"/console/instances/{instance_id}" + ("/next" if first else "")


async def _unknown(request: web.Request, who: Visitor, instance_id: int | None) -> web.Response:
    """Somebody comes back whom this session did not send; they may begin anew with an instance of their own."""
    problem = text("connectors.sign_in.unknown")
    if instance_id is None:
        raise Invalid(problem)
    return _page(request, await _instance(request, who, instance_id), status=400, problem=problem)


async def _instance(request: web.Request, who: Visitor, instance_id: int) -> Details:
    found = await details(services(request).runtime, who.caller, instance_id)
    if not login.takes_code(_way(found)):
        raise NotFound(text("connectors.sign_in.no_login", name=found.instance.name))
    return found


def _way(found: Details) -> Auth:
    way = way_of(Access(connector=found.connector, config=ConfigView(found.values)))
    if way is None:
        raise NotFound(text("connectors.sign_in.no_login", name=found.instance.name))
    return way


def _page(
    request: web.Request,
    current: Details,
    *,
    status: int = 200,
    problem: str = "",
    said: str = "",
    in_popup: bool = False,
) -> web.Response:
    return page(
        request,
        "connectors/sign_in.html",
        status=status,
        instance=current.instance,
        connector=current.connector,
        first=login.is_first(current),
        redirect_url=login.redirect_url(request),
        catalogue=catalogue,
        problem=problem,
        said=said[:_LONGEST_WORDS],
        in_popup=in_popup,
        onward=_onward(current.instance.id, first=login.is_first(current)),
    )
