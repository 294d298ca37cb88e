"""What the form of a new replay offers to choose from."""

from typing import Any, get_args

from aiohttp import web

from gateway.console.forms import Form
from gateway.console.replays.wanted import field_of
from gateway.console.visitor import Visitor, services
from gateway.console.wording import text
from gateway.errors import NotFound
from gateway.events.model import Source
from gateway.history.filter import Status
from gateway.instances import store as instances
from gateway.instances.listing import store as listing
from gateway.replays.letters.model import number_of
from gateway.replays.model import DEFAULT_RATE
from gateway.thirdparty import connectors

#: An account with more instances writes the number of one.
MOST_OFFERED = 200


async def offered(request: web.Request, who: Visitor, form: Form) -> dict[str, Any]:
    """Instances, destinations, states and sources; and the moments of the form as fields show them."""
    any_ = ("", text("replays.any"))
    return {
        "instances": await _instances(request, who, form, any_),
        "destinations": await _destinations(request, who, form),
        "statuses": [any_, *((one, text(f"frame.states.{one}")) for one in get_args(Status))],
        "sources": [any_, *((one, text(f"replays.sources.{one}")) for one in get_args(Source))],
        "backfills": [any_, ("true", text("replays.yes")), ("false", text("replays.no"))],
        "since": field_of(form.get("since"), who.zone),
        "until": field_of(form.get("until"), who.zone),
        "usual_rate": str(DEFAULT_RATE),
    }


async def instance_name(request: web.Request, who: Visitor, given: object) -> str | None:
    """What an instance of the account is called; None where there is none any more."""
    number = number_of(given)
    if number is None:
        return None
    try:
        return (await instances.get(services(request).runtime.database, who.caller, number)).name or str(number)
    except NotFound:
        return None


async def _instances(
    request: web.Request, who: Visitor, form: Form, any_: tuple[str, str]
) -> list[tuple[str, str]] | None:
    """None where there are too many to choose from."""
    found, total = await listing.page(
        services(request).runtime.database,
        who.caller,
        search="",
        order="name",
        ascending=True,
        first=0,
        size=MOST_OFFERED,
    )
    if total > MOST_OFFERED:
        return None
    choices = [any_, *((str(one.id), one.name or str(one.id)) for one in found)]
    return _with(choices, form.get("instance_id"))


async def _destinations(request: web.Request, who: Visitor, form: Form) -> list[tuple[str, str]]:
    found = await connectors.page(services(request).runtime, who.caller, size=MOST_OFFERED)
    own = ("", text("replays.own_destination"))
    choices = [own, *((str(one.id), one.definition.name) for one in found.items)]
    return _with(choices, form.get("destination"))


def _with(choices: list[tuple[str, str]], given: str) -> list[tuple[str, str]]:
    """The choices with one that was given, though it is none of them: it is told so when it is tried."""
    return choices if given in dict(choices) else [*choices, (given, given)]
