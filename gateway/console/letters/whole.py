"""`/console/dead-letters/all`: all that a filter finds is sent again or laid down, after a look at what that is."""

from typing import Any

from aiohttp import web

from gateway.api.surface import DESK
from gateway.console.forms import Form, asked, posted
from gateway.console.letters.reasons import reason_of
from gateway.console.letters.views import PATH
from gateway.console.page import page
from gateway.console.replays.choices import instance_name
from gateway.console.replays.progress import conditions_of
from gateway.console.replays.views import began
from gateway.console.replays.wanted import filter_of, mark_of, rate_of
from gateway.console.visitor import Visitor, services, visitor
from gateway.errors import Conflict, Invalid
from gateway.history.targets import store as targets
from gateway.replays.letters.model import FIELDS, number_of
from gateway.replays.model import DEFAULT_RATE, Wanted

#: Stands for a reason while nobody has given one; what is found is the same for every reason.
_LOOKING = "-"


def routes() -> list[web.AbstractRouteDef]:
    """The dialog, and what it sends."""
    return [web.get(PATH + "/all", ask), web.post(PATH + "/all", begin)]


async def ask(request: web.Request) -> web.Response:
    """`GET /console/dead-letters/all?act=again|down&<filter>`: what would be found, before anything is done."""
    who, form = await visitor(request, "bulk"), asked(request)
    wanted = await _wanted(request, who, form, _LOOKING, DEFAULT_RATE)
    return await _looked(request, who, form, wanted, 200 if form.ok else 400)


async def begin(request: web.Request) -> web.Response:
    """`POST /console/dead-letters/all`: a job, where what it finds was looked at."""
    who, form = await posted(request, "bulk")
    down = _is_down(form)
    reason, rate = (reason_of(form), DEFAULT_RATE) if down else (_LOOKING, rate_of(form))
    wanted = await _wanted(request, who, form, reason or _LOOKING, rate)
    if wanted is None or not form.ok or form.get("looked") != mark_of(wanted):
        return await _looked(request, who, form, wanted, 200 if form.ok else 400)
    try:
        job = await request.app[DESK].begin(who.caller, wanted)
    except Conflict as problem:
        form.refused_by(problem)
        return await _looked(request, who, form, wanted, 409)
    return await began(request, who, job)


def _is_down(form: Form) -> bool:
    return form.get("act") == "down"


async def _wanted(request: web.Request, who: Visitor, form: Form, reason: str, rate: int) -> Wanted | None:
    """The job that a form describes; None where its filter is refused. The page shows what it is: all may be meant."""
    desk, chosen = request.app[DESK], filter_of(form, FIELDS, who.zone)
    try:
        if _is_down(form):
            return desk.wanted_discard(chosen, reason, everything=True)
        return await desk.wanted_again(who.caller, "dead_letters", chosen, None, rate, everything=True)
    except (Invalid, Conflict) as problem:
        form.refused_by(problem)
    return None


async def _looked(request: web.Request, who: Visitor, form: Form, wanted: Wanted | None, status: int) -> web.Response:
    database, chosen = services(request).runtime.database, filter_of(form, FIELDS, who.zone)
    destination_id = number_of(chosen.get("destination_id"))
    named = {"destination_id": destination_id} if destination_id is not None else {}
    values: dict[str, Any] = {
        "found": None,
        "mark": "",
        "conditions": conditions_of({**chosen, **named}),
        "chosen": chosen,
        "names": await targets.names(database, who.caller, list(named.values())),
        "instance": await instance_name(request, who, chosen.get("instance_id")),
        "usual_rate": str(DEFAULT_RATE),
        "down": _is_down(form),
    }
    if wanted is not None:
        found = await request.app[DESK].matched(who.caller, wanted)
        values |= {"found": found, "mark": mark_of(wanted)}
    return page(request, "letters/all.html", status=status, form=form, **values)
