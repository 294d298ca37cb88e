"""`/console/instances/{id}`: one instance: how it stands, what came last, what is configured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from gateway.access import logins
from gateway.calls.authenticate import way_of
from gateway.calls.model import Access
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.core import entries_of
from gateway.clock import now_ms
from gateway.console.connectors.login import takes_code
from gateway.console.instances.place import ONE, asked_for
from gateway.console.instances.standing import marks, road
from gateway.console.page import page
from gateway.console.shown import cut
from gateway.console.visitor import Visitor, services, visitor
from gateway.history.filter import EventFilter
from gateway.history.listing import store as events
from gateway.polling.poll import Polled
from gateway.provisioning import generate
from gateway.provisioning.details import Details
from gateway.provisioning.health import store as health
from gateway.provisioning.health.model import NOTHING, Attempts
from gateway.registrations.wanted import subscribe_of

_DAY_MS = 86_400_000
_EVENTS = 10
#: Longer values are cut; all of it stands in the form that changes it.
_SHOWN = 1_000


@dataclass(frozen=True, slots=True)
class Value:
    """A configured value as it is shown; a secret says only that it is there."""

    key: str
    name: str
    text: str
    secret: bool
    #: Whether it is the connector's own, and nobody set it.
    usual: bool


def routes() -> list[web.AbstractRouteDef]:
    """The page of one."""
    return [web.get(ONE, show)]


async def show(request: web.Request) -> web.Response:
    """`GET /console/instances/{id}`."""
    who = await visitor(request)
    return await shown(request, who, await asked_for(request, who))


async def shown(
    request: web.Request, who: Visitor, found: Details, *, polled: Sequence[Polled] | None = None
) -> web.Response:
    """The page of an instance, with what polls have just found where somebody asked for them."""
    database, instance_id = services(request).runtime.database, found.instance.id
    callback = found.callback if found.callback is not None and found.callback.state != "removed" else None
    figures = await health.figures(database, [instance_id])
    waits = attempts = None
    if callback is not None:
        waits = await health.waits_since(database, callback.id)
        attempts = await health.attempts(database, callback.id, now_ms() - _DAY_MS)
    latest = await events.events_before(database, who.caller, EventFilter(instance_id=instance_id), None, _EVENTS)
    return page(
        request,
        "instances/one.html",
        found=found,
        marks=marks(found),
        road=road(found),
        figures=figures.get(instance_id, NOTHING),
        callback=callback,
        waits_since=waits,
        attempts=attempts or Attempts(),
        latest=latest.items,
        ledger=await health.ledger(database, instance_id),
        polled=polled,
        values=configured(found),
        **_facts(found),
    )


def configured(found: Details) -> list[Value]:
    """What of an instance's configuration is worth a line: what is set, and what counts because nothing is."""
    values, stored = found.values, found.stored
    return [
        Value(key, entry.name, cut(values[key], _SHOWN), entry.secret or entry.sealed, key not in stored)
        for key, entry in entries_of(found.connector).items()
        if values.get(key) and not entry.internal and (key in stored or not entry.hidden)
    ]


def _facts(found: Details) -> dict[str, Any]:
    """What follows from the instance and its connector alone."""
    config = ConfigView(found.values)
    way = way_of(Access(connector=found.connector, config=config))
    return {
        "registered": found.registered,
        "registers": subscribe_of(found.connector) is not None,
        "way": way,
        "is_login": takes_code(way),
        "token_ends": None if way is None else logins.end_of(way, config),
        "polling": [one for one in found.pollers if one.state != "paused"],
        "stopped": any(one.state in ("disabled", "reauth", "failing") for one in found.pollers),
        "makes_secret": generate.secret_entry(found.connector, found.values) is not None,
    }
