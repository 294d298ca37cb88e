"""What can be done with an instance at once: switch it, look after its registration, poll, begin again."""

from aiohttp import web

from gateway.console.forms import posted
from gateway.console.instances.one import shown
from gateway.console.instances.place import ONE, asked_for, path_of
from gateway.console.page import onwards
from gateway.console.recording import recorded
from gateway.console.visitor import Visitor, services
from gateway.provisioning import instances, polling, registration
from gateway.provisioning.details import Details


def routes() -> list[web.AbstractRouteDef]:
    """A form for each."""
    return [
        web.post(ONE + "/enabled", switch),
        web.post(ONE + "/registration", register),
        web.post(ONE + "/poll", poll),
        web.post(ONE + "/resume", resume),
        web.post(ONE + "/destination", destination),
    ]


async def switch(request: web.Request) -> web.Response:
    """`POST …/enabled` with `enabled=true`, or without."""
    who, form = await posted(request)
    wanted = form.ticked("enabled")
    found = await asked_for(request, who)
    await instances.switch(services(request), who.caller, found.instance.id, enabled=wanted)
    await _kept(request, who, found, "enabled" if wanted else "disabled")
    return _back(request, found, "enabled" if wanted else "disabled")


async def register(request: web.Request) -> web.Response:
    """`POST …/registration`: make the vendor's webhook now, or ask whether it still stands."""
    who, _ = await posted(request)
    found = await asked_for(request, who)
    after = await registration.tried(services(request), who.caller, found.instance.id)
    await _kept(request, who, found, "registered")
    status = after.registered
    state = status.state if status is not None else "off"
    return _back(request, found, "registered" if state == "active" else "registration_tried")


async def poll(request: web.Request) -> web.Response:
    """`POST …/poll`: poll now; the page says what was found."""
    who, _ = await posted(request)
    found = await asked_for(request, who)
    polled = await polling.polled_now(services(request), who.caller, found.instance.id)
    await _kept(request, who, found, "polled")
    return await shown(request, who, await asked_for(request, who), polled=polled)


async def resume(request: web.Request) -> web.Response:
    """`POST …/resume`: pollers that have stopped go on from where they stood."""
    who, _ = await posted(request)
    found = await asked_for(request, who)
    await polling.resumed(services(request), who.caller, found.instance.id)
    await _kept(request, who, found, "resumed")
    return _back(request, found, "resumed")


async def destination(request: web.Request) -> web.Response:
    """`POST …/destination`: send to the callback URL again."""
    who, _ = await posted(request)
    found = await asked_for(request, who)
    await instances.enable_destination(services(request), who.caller, found.instance.id)
    await _kept(request, who, found, "destination_enabled")
    return _back(request, found, "destination_on")


async def _kept(request: web.Request, who: Visitor, found: Details, act: str) -> None:
    await recorded(request, who, f"instance.{act}", "instance", found.instance.id, found.instance.name)


def _back(request: web.Request, found: Details, done: str) -> web.Response:
    notice = f"instances.done.{done}"
    return onwards(services(request).runtime.config, path_of(found.instance.id), notice, name=found.instance.name)
