"""The page of one 3rd-party connector: what it is, the calls it has made; its secret rotated, itself deleted."""

import re
from dataclasses import dataclass

from aiohttp import web

from gateway.console.forms import Form, posted
from gateway.console.page import onwards, page
from gateway.console.recording import recorded
from gateway.console.roles import Act
from gateway.console.thirdparty.table import PATH
from gateway.console.visitor import Visitor, services, visitor
from gateway.errors import Conflict
from gateway.instances import store as instances
from gateway.provisioning import third_party
from gateway.thirdparty import connectors
from gateway.thirdparty.calls.store import calls_of
from gateway.thirdparty.masking import shown
from gateway.thirdparty.model import ThirdParty

CALLS = 25
HOUR_MS = 3_600_000
#: How long an earlier signing secret still signs, by what the form calls it.
OVERLAPS = {"now": 0, "hour": HOUR_MS, "day": 24 * HOUR_MS, "week": 7 * 24 * HOUR_MS}
_CURSOR = re.compile(r"[0-9a-zA-Z_-]{1,64}")
#: So much of an answer is shown in the table of calls.
_ANSWER = 2_000


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of firing, and the values that meet it."""

    name: str
    values: tuple[str, ...]


def routes() -> list[web.AbstractRouteDef]:
    """The addresses of one connector."""
    place = PATH + "/{id:[0-9]{1,15}}"
    return [
        web.get(place, show),
        web.get(place + "/rotate", ask_rotate),
        web.post(place + "/rotate", rotate),
        web.get(place + "/delete", ask_remove),
        web.post(place + "/delete", remove),
    ]


async def show(request: web.Request) -> web.Response:
    """`GET …/{id}?before=`: the connector and its calls, newest first."""
    who, connector = await _one(request, "read")
    before = request.query.get("before", "")
    found = await calls_of(
        services(request).runtime.database,
        who.caller,
        connector.id,
        before=before if _CURSOR.fullmatch(before) else None,
        size=CALLS + 1,
    )
    calls = found[:CALLS]
    return page(
        request,
        "thirdparty/one.html",
        connector=connector,
        shown=shown(connector.definition),
        conditions=await _conditions(request, who, connector),
        calls=calls,
        answers={(call.id, tried.number): _text(tried.answer) for call in calls for tried in call.tried},
        later=bool(before),
        older=calls[-1].id if len(found) > CALLS else "",
        here=PATH,
    )


async def ask_rotate(request: web.Request) -> web.Response:
    """`GET …/{id}/rotate`: for how long the earlier secret still counts."""
    _, connector = await _one(request, "change")
    return _asking_rotation(request, connector, Form())


async def rotate(request: web.Request) -> web.Response:
    """`POST …/{id}/rotate`: the new signing secret, shown this once."""
    who, form = await posted(request, "change")
    connector = await connectors.one(services(request).runtime, who.caller, int(request.match_info["id"]))
    overlap = OVERLAPS.get(form.get("overlap"), OVERLAPS["day"])
    try:
        secret = await third_party.rotate_signing_secret(services(request), who.caller, connector.id, overlap)
    except Conflict as problem:
        form.refused_by(problem)
        return _asking_rotation(request, connector, form, status=409)
    await recorded(
        request,
        who,
        "third_party.rotated",
        "third_party",
        connector.id,
        connector.definition.name,
        what="signing-secret",
    )
    return page(request, "thirdparty/secret.html", connector=connector, secret=secret, here=PATH, rotated=True)


def _asking_rotation(request: web.Request, connector: ThirdParty, form: Form, *, status: int = 200) -> web.Response:
    values = {"connector": connector, "form": form, "overlaps": tuple(OVERLAPS), "here": PATH}
    return page(request, "thirdparty/rotate.html", status=status, **values)


async def ask_remove(request: web.Request) -> web.Response:
    """`GET …/{id}/delete`: what would be lost."""
    _, connector = await _one(request, "change")
    return page(request, "thirdparty/delete.html", connector=connector, here=PATH)


async def remove(request: web.Request) -> web.Response:
    """`POST …/{id}/delete`."""
    who, _ = await posted(request, "change")
    connector = await connectors.one(services(request).runtime, who.caller, int(request.match_info["id"]))
    name = connector.definition.name
    await third_party.remove(services(request), who.caller, connector.id)
    await recorded(request, who, "third_party.removed", "third_party", connector.id, name)
    return onwards(services(request).runtime.config, PATH, "thirdparty.done.removed", name=name)


async def _one(request: web.Request, act: Act) -> tuple[Visitor, ThirdParty]:
    who = await visitor(request, act)
    return who, await connectors.one(services(request).runtime, who.caller, int(request.match_info["id"]))


async def _conditions(request: web.Request, who: Visitor, connector: ThirdParty) -> list[Condition]:
    fires, database = connector.definition.fires, services(request).runtime.database
    named = []
    for instance_id in fires.instance_ids:
        known = await instances.belongs(database, who.caller, instance_id)
        named.append((await instances.get(database, who.caller, instance_id)).name if known else str(instance_id))
    every = (
        Condition("instances", tuple(named)),
        Condition("connectors", fires.connectors),
        Condition("event_types", fires.event_types),
        Condition("object_types", fires.object_types),
    )
    return [one for one in every if one.values]


def _text(answer: bytes | None) -> str:
    return (answer or b"")[:_ANSWER].decode("utf-8", "replace")
