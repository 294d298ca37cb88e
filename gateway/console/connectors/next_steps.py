"""`/console/instances/{id}/next`: what to do with a new instance; its secrets this once, and a test event."""

from typing import Literal

from aiohttp import web

from gateway.api import read
from gateway.api.surface import RECEIVER
from gateway.catalogue.model import Connector
from gateway.console.connectors import catalogue, commands, login
from gateway.console.connectors import made as handing
from gateway.console.connectors.entries import EVENTS
from gateway.console.forms import Form, posted
from gateway.console.page import page
from gateway.console.recording import recorded
from gateway.console.visitor import Visitor, services, visitor
from gateway.errors import Conflict, NotFound
from gateway.instances.polling_checks import is_polled
from gateway.provisioning import generate, samples
from gateway.provisioning.details import Details, details
from gateway.provisioning.instances import Made
from gateway.provisioning.samples import Sample, Sent
from gateway.registrations.wanted import wants

#: off: no events. polled: the gateway asks. registered: it tells the vendor its address itself. app: one address of the
#: vendor's app for all. hand: a person enters the address. none: the vendor has no way to send.
Road = Literal["off", "polled", "registered", "app", "hand", "none"]


async def show(request: web.Request) -> web.Response:
    """`GET /console/instances/{id}/next`."""
    who, instance_id = await visitor(request, "change"), read.path_id(request)
    current = await details(services(request).runtime, who.caller, instance_id)
    made = handing.brought(request, who, instance_id)
    response = await _page(request, who, current, made)
    handing.take(request, response, instance_id)
    return response


async def test(request: web.Request) -> web.Response:
    """`POST /console/instances/{id}/test`: one of the connector's recorded deliveries, as its vendor would send it."""
    who, form = await posted(request, "change")
    instance_id, rooms = read.path_id(request), services(request)
    current = await details(rooms.runtime, who.caller, instance_id)
    # The page that asks holds secrets that are shown once; it gets them back, sealed.
    made = handing.opened(request, who, instance_id, form.get("made")) if "made" in form else None
    try:
        sent = await samples.send(rooms, request.app[RECEIVER], who.caller, instance_id, form.get("sample") or None)
    except (Conflict, NotFound) as problem:
        form.refuse("sample", str(problem))
        return await _page(request, who, current, made, form=form, status=409)
    one = current.instance
    await recorded(request, who, "instance.tested", "instance", one.id, one.name, event=next(iter(sent.event_ids), ""))
    return await _page(request, who, current, made, form=form, sent=sent)


async def _page(
    request: web.Request,
    who: Visitor,
    current: Details,
    made: Made | None,
    *,
    form: Form | None = None,
    sent: Sent | None = None,
    status: int = 200,
) -> web.Response:
    rooms, connector = services(request), current.connector
    found = await _samples(request, who, current)
    return page(
        request,
        "connectors/next.html",
        status=status,
        current=current,
        instance=current.instance,
        connector=connector,
        road=road(current),
        made=made,
        sealed=handing.sealed(request, who, current.instance.id, made) if made is not None else "",
        generated=connector.entries.get(generate.secret_entry(connector, current.values) or ""),
        app_url=f"{rooms.runtime.config.public_url}/elements/api-v2/events/{connector.key}",
        samples=found,
        choices=[(one.name, one.name) for one in found],
        commands=commands.of(rooms.runtime.config.public_url, current, with_token=made is not None),
        waits=_waits(current),
        catalogue=catalogue,
        form=form or Form(),
        sent=sent,
    )


def road(current: Details) -> Road:
    """How events come to an instance."""
    connector, values = current.connector, current.values
    if values.get(EVENTS) != "true":
        return "off"
    if is_polled(connector, values):
        return "polled"
    if connector.webhook is None:
        return "none"
    if connector.webhook.scope == "connector":
        return "app"
    return "registered" if wants(connector, values, enabled=current.instance.enabled) else "hand"


def _waits(current: Details) -> bool:
    """Whether somebody still has to sign in at the vendor."""
    return not current.valid and login.is_first(current) and _signs_in(current.connector, current)


def _signs_in(connector: Connector, current: Details) -> bool:
    way = connector.auth.get(current.values.get("authentication.type", "")) or next(iter(connector.auth.values()), None)
    return login.takes_code(way)


async def _samples(request: web.Request, who: Visitor, current: Details) -> list[Sample]:
    """What can be sent as a test; nothing where the vendor has no webhook."""
    if current.connector.webhook is None:
        return []
    found = await samples.samples(services(request), who.caller, current.instance.id)
    # A published vector proves a signature, and may say nothing of any object: it comes last.
    found.sort(key=lambda one: not one.types)
    return [one for one in found if one.problem is None] or found[:1]
