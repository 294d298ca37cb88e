"""Connector methods called and tested through an account connector; the answer is the vendor's, to the byte."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from gateway.access.act import Manner
from gateway.accounts.ip_allowed import store as ip_allowed
from gateway.accounts.model import Caller
from gateway.accounts.networks import is_listed
from gateway.accounts.usage.model import Use
from gateway.api import read
from gateway.api.cyclr import raw
from gateway.api.cyclr.authorize import ELSEWHERE, account_call
from gateway.api.cyclr.desk import DESK
from gateway.api.cyclr.wire import ABSENT, Given, given, services, wrong
from gateway.api.front import REQUEST_ID
from gateway.api.source import address
from gateway.api.surface import of_error
from gateway.calls.filled import request_with
from gateway.calls.model import Access, Rendered, Unsent
from gateway.catalogue.call_model import Method
from gateway.catalogue.inputs import Input
from gateway.catalogue.member_ids.members import Members
from gateway.clock import now_ms
from gateway.errors import Forbidden, GatewayError, Invalid, NotFound
from gateway.ids import time_ordered
from gateway.instances.view import InstanceView

_GUID = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)
_MOST_VALUES = 1_000
_MANNER = Manner(whole=True)


@dataclass(slots=True)
class _Noted:
    """What the usage log will say of a call."""

    began: float = field(default_factory=time.perf_counter)
    method: str | None = None
    status: int = 500
    vendor_status: int | None = None
    size: int = 0
    #: Whether anything of it was sent to the vendor.
    sent: bool = False


def routes() -> list[web.RouteDef]:
    """The four calls that are restricted by address."""
    one = "/v1.0/account/connectors/{id}"
    return [
        web.get(one + "/methods/{methodId}", call, allow_head=False),
        web.post(one + "/methods/{methodId}", call),
        web.get(one + "/test/{methodId}", test, allow_head=False),
        web.post(one + "/test/{methodId}", test),
    ]


async def call(request: web.Request) -> web.StreamResponse:
    """`GET|POST /v1.0/account/connectors/{id}/methods/{methodId}`."""
    return await _recorded(request, is_test=False)


async def test(request: web.Request) -> web.StreamResponse:
    """`GET|POST /v1.0/account/connectors/{id}/test/{methodId}`: 400 where the vendor does not say that all is well."""
    return await _recorded(request, is_test=True)


async def view_of(request: web.Request, caller: Caller) -> InstanceView:
    """The account connector of the path, from memory; NotFound where it is none of this account."""
    number = read.path_id(request, what="account connector")
    found = await services(request).index.by_guess(number)
    if found is None:
        raise NotFound(f"Account connector {number} not found.")
    if not isinstance(found, InstanceView):
        raise NotFound(f"The connector of account connector {number} is not in the catalogue any more.")
    instance = found.instance
    if (instance.partner_id, instance.account_id) != (caller.partner_id, caller.account_id):
        raise NotFound(f"Account connector {number} not found.")
    return found


def method_of(members: Members, text: str) -> Method:
    """The method that a number or a GUID of a path names; Invalid where it is neither."""
    if _GUID.fullmatch(text):
        found = members.named.get(text.replace("-", "").lower())
    elif _NUMBER.fullmatch(text):
        found = members.named.get(int(text))
    else:
        raise Invalid(f"'{text[:64]}' is neither the Id of a method nor a MethodUniqueIdentifier.")
    if found is None:
        raise NotFound(f"Method {text} not found.")
    return members.connector.methods[found]


async def _recorded(request: web.Request, *, is_test: bool) -> web.StreamResponse:
    """The call's answer, and its line in the usage log whatever comes of it."""
    caller, _ = await account_call(request)
    view = await view_of(request, caller)
    await _admitted(request, view)
    noted = _Noted()
    try:
        response = await _answered(request, view, noted, is_test=is_test)
        noted.status = response.status
    except GatewayError as error:
        noted.status = of_error(error).status
        raise
    except web.HTTPException as error:
        noted.status = error.status
        raise
    finally:
        request.app[DESK].usage.note(_use(request, caller, view, noted), sent=noted.sent)
    return response


async def _admitted(request: web.Request, view: InstanceView) -> None:
    """Refuse who calls a standard connector from an address that its partner has not listed."""
    if view.instance.native:
        return
    rooms, key = services(request), ("calls", view.instance.partner_id)
    since = rooms.reception.changes
    networks = rooms.reception.recall(key, tuple)
    if networks is None:
        networks = await ip_allowed.networks(rooms.runtime.database, view.instance.partner_id, "calls")
        rooms.reception.believe(key, networks, since=since)
    if not is_listed(address(request), networks):
        raise Forbidden(ELSEWHERE)


async def _answered(request: web.Request, view: InstanceView, noted: _Noted, *, is_test: bool) -> web.StreamResponse:
    if not view.instance.enabled:
        raise Forbidden("The account connector is disabled.")
    if not request.app[DESK].is_complete(view):
        raise Invalid("The account connector is not authenticated, or lacks a property that its connector needs.")
    members = await request.app[DESK].members.of(view.connector)
    method = method_of(members, request.match_info["methodId"])
    noted.method = method.id
    values = Given({}) if request.method == "GET" else await given(request, optional=True)
    rendered = _rendered(view, method, members.inputs[method.id], values)
    async with services(request).vendors.send(view, rendered, _MANNER) as outcome:
        noted.sent = outcome.sent if isinstance(outcome, Unsent) else True
        noted.vendor_status = None if isinstance(outcome, Unsent) else outcome.status
        failure = raw.failed(view, outcome) if is_test else None
        if failure is not None:
            return failure
        if isinstance(outcome, Unsent):
            return raw.unsent(view, outcome)
        response, noted.size = await raw.passed(request, outcome)
        return response


def _rendered(view: InstanceView, method: Method, inputs: Mapping[int, Input], values: Given) -> Rendered:
    parameters = _chosen(inputs, values.raw("Parameters"), "Parameters", is_field=False)
    fields = _chosen(inputs, values.raw("Fields"), "Fields", is_field=True)
    return request_with(Access(connector=view.connector, config=view.config), method, [*parameters, *fields])


def _chosen(inputs: Mapping[int, Input], values: Any, name: str, *, is_field: bool) -> list[tuple[Input, object]]:
    """The inputs that the ids of a body name, with their values; Invalid where an id is not this method's."""
    if not isinstance(values, dict):
        if values is None or values is ABSENT:
            return []
        raise wrong(name, "must be an object of ids and values")
    if len(values) > _MOST_VALUES:
        raise wrong(name, f"holds more than {_MOST_VALUES} values")
    found = []
    for key, value in values.items():
        text = str(key).strip()
        one = inputs.get(int(text)) if _NUMBER.fullmatch(text) else None
        if one is None or one.is_field is not is_field:
            raise Invalid(f"'{text[:64]}' is not the Id of one of this method's {name.lower()}.")
        found.append((one, value))
    return found


def _use(request: web.Request, caller: Caller, view: InstanceView, noted: _Noted) -> Use:
    instance = view.instance
    return Use(
        id=time_ordered(),
        request_id=request[REQUEST_ID],
        partner_id=instance.partner_id,
        account_id=instance.account_id,
        user_id=caller.user.id,
        instance_id=instance.id,
        connector=instance.connector,
        method=noted.method,
        verb=request.method,
        path=request.path.encode("ascii", "replace").decode()[:512],
        status=noted.status,
        vendor_status=noted.vendor_status,
        bytes=noted.size,
        duration_ms=round(1000 * (time.perf_counter() - noted.began)),
        at=now_ms(),
    )
