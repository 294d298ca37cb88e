"""Configuration records of an instance on the Open Connectors wire."""

from collections.abc import Sequence

from aiohttp import web

from gateway.api import read
from gateway.api.open_connectors import shapes
from gateway.api.open_connectors.calls import answer, chosen, page, services
from gateway.catalogue.core import entries_of
from gateway.errors import Invalid, NotFound, Problem
from gateway.instances.model import Setting
from gateway.provisioning import instances
from gateway.provisioning.details import Details, details
from gateway.provisioning.draft import Draft


async def list_(request: web.Request) -> web.Response:
    """`GET …/configuration`."""
    who, instance_id = await chosen(request)
    found = await details(services(request).runtime, who, instance_id)
    entries = entries_of(found.connector)
    records = [
        shapes.configuration_record(setting, entries[key], found)
        for key, setting in found.settings.items()
        if key in entries
    ]
    return page(records, None)


async def get(request: web.Request) -> web.Response:
    """`GET …/configuration/{configId}`."""
    who, instance_id = await chosen(request)
    found = await details(services(request).runtime, who, instance_id)
    return answer(_record(found, _setting(request, found)))


async def patch(request: web.Request) -> web.Response:
    """`PATCH …/configuration/{configId}`: the whole record with a new `propertyValue`."""
    who, instance_id = await chosen(request)
    found = await details(services(request).runtime, who, instance_id)
    setting = _setting(request, found)
    body = await read.json_body(request)
    if not isinstance(body, dict) or "propertyValue" not in body:
        message = "expected an object with the new value as propertyValue"
        raise Invalid(f"The body is not a configuration record: {message}.", (Problem("propertyValue", message),))
    if body.get("key", setting.key) != setting.key:
        raise Invalid(f"The record {setting.id} is {setting.key}.", (Problem("key", "is another record's"),))
    wanted = Draft(configuration={setting.key: body["propertyValue"]})
    found = await instances.change(services(request), who, instance_id, wanted)
    return answer(_record(found, _setting(request, found)))


def _setting(request: web.Request, found: Details) -> Setting:
    number = read.path_id(request, "configId", what="configuration")
    setting = next((setting for setting in found.settings.values() if setting.id == number), None)
    if setting is None or setting.key not in entries_of(found.connector):
        raise NotFound(f"No configuration found with ID {number}")
    return setting


def _record(found: Details, setting: Setting) -> dict[str, object]:
    return shapes.configuration_record(setting, entries_of(found.connector)[setting.key], found)


def routes(prefix: str) -> Sequence[web.AbstractRouteDef]:
    """The routes below a prefix."""
    bases = (prefix + "/instances", prefix + "/instances/{id:[^/]+}")
    return [
        route
        for base in bases
        for route in (
            web.get(base + "/configuration", list_),
            web.get(base + "/configuration/{configId}", get),
            web.patch(base + "/configuration/{configId}", patch),
        )
    ]
