"""Where the pages of instances are, and which instance a page is about."""

from aiohttp import web

from gateway.api import read
from gateway.console.visitor import Visitor, services
from gateway.provisioning.details import Details, details

LIST = "/console/instances"
ONE = LIST + "/{id:[0-9]+}"


def path_of(instance_id: int, *below: str) -> str:
    """The address of an instance's page, or of one below it."""
    return "/".join([LIST, str(instance_id), *below])


async def asked_for(request: web.Request, who: Visitor) -> Details:
    """The instance that the address names; NotFound where it is not one of the visitor's account."""
    return await details(services(request).runtime, who.caller, read.path_id(request))
