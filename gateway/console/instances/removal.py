"""`/console/instances/{id}/delete`: what is lost with an instance, and its end."""

from aiohttp import web

from gateway.api import read
from gateway.console.forms import posted
from gateway.console.instances.place import LIST, ONE
from gateway.console.page import onwards, page
from gateway.console.recording import recorded
from gateway.console.visitor import services, visitor
from gateway.instances import store
from gateway.provisioning import instances
from gateway.provisioning.health import store as health
from gateway.provisioning.health.model import NOTHING


def routes() -> list[web.AbstractRouteDef]:
    """The question and the deed."""
    return [web.get(ONE + "/delete", ask), web.post(ONE + "/delete", remove)]


async def ask(request: web.Request) -> web.Response:
    """`GET …/delete`."""
    who = await visitor(request, "change")
    database = services(request).runtime.database
    # Not its details: one whose connector has left the catalogue must go as well.
    instance = await store.get(database, who.caller, read.path_id(request))
    figures = (await health.figures(database, [instance.id])).get(instance.id, NOTHING)
    return page(request, "instances/delete.html", instance=instance, figures=figures)


async def remove(request: web.Request) -> web.Response:
    """`POST …/delete`."""
    who, _ = await posted(request)
    instance = await store.get(services(request).runtime.database, who.caller, read.path_id(request))
    await instances.remove(services(request), who.caller, instance.id)
    details = {"connector": instance.connector}
    await recorded(request, who, "instance.removed", "instance", instance.id, instance.name, **details)
    return onwards(services(request).runtime.config, LIST, "instances.done.deleted", name=instance.name)
