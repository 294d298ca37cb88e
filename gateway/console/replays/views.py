"""`/console/replays`: jobs, one job's progress, and a new replay of what a filter finds."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from gateway.accounts import store as accounts
from gateway.accounts.model import Caller
from gateway.api import read
from gateway.api.surface import DESK
from gateway.clock import now_ms
from gateway.console.forms import Form, asked, posted
from gateway.console.page import onwards, page
from gateway.console.recording import recorded
from gateway.console.replays import choices
from gateway.console.replays.progress import conditions, filter_shown, progress, subject_of
from gateway.console.replays.wanted import destination_of, filter_of, mark_of, rate_of
from gateway.console.visitor import Visitor, services, visitor
from gateway.errors import Conflict, Invalid, NotFound
from gateway.history.filter import FIELDS
from gateway.history.targets import store as targets
from gateway.replays.desk import REPLAYS
from gateway.replays.model import Again, Job, Kind

PATH = "/console/replays"
SIZE = 25
_ONE = PATH + "/{id:[0-9a-f]{32}}"
#: The account is the visitor's, whatever a form says.
ASKED = tuple(name for name in FIELDS if name != "account_id")


def routes() -> list[web.AbstractRouteDef]:
    """The list, one job, a new one."""
    return [
        web.get(PATH, list_),
        web.get(PATH + "/new", ask),
        web.post(PATH + "/new", begin),
        web.get(_ONE, show),
        web.post(_ONE + "/cancel", cancel),
        web.post(_ONE + "/resume", resume),
    ]


async def list_(request: web.Request) -> web.Response:
    """`GET /console/replays?before=`: what runs stands first."""
    who, desk = await visitor(request), request.app[DESK]
    before = read.text(request, "before", longest=32)
    jobs, more = await desk.jobs(who.caller, REPLAYS, before, SIZE)
    running = [] if before else await desk.running(who.caller, REPLAYS)
    at_work = {job.id for job in running}
    return page(
        request,
        "replays/list.html",
        running=running,
        jobs=[job for job in jobs if job.id not in at_work],
        older=None if more is None else f"{PATH}?{urlencode({'before': more})}",
        before=before,
        people=await _people(request, who, [*running, *jobs]),
        progress=lambda job: progress(job, now_ms()),
        subject=subject_of,
        conditions=conditions,
    )


async def show(request: web.Request) -> web.Response:
    """`GET /console/replays/{id}`."""
    who = await visitor(request)
    return await _shown(request, who, request.match_info["id"])


async def _shown(
    request: web.Request, who: Visitor, job_id: str, *, status: int = 200, problem: str = ""
) -> web.Response:
    job = await request.app[DESK].job(who.caller, job_id, REPLAYS)
    destination = getattr(job.wanted, "destination_id", None)
    shown = filter_shown(job)
    ids = [one for one in (destination, shown.get("destination_id")) if isinstance(one, int)]
    return page(
        request,
        "replays/one.html",
        status=status,
        job=job,
        progress=progress(job, now_ms()),
        subject=subject_of(job),
        conditions=conditions(job),
        destination=destination,
        names=await targets.names(services(request).runtime.database, who.caller, ids),
        instance=await choices.instance_name(request, who, shown.get("instance_id")),
        people=await _people(request, who, [job]),
        found_at=_found_at(job),
        problem=problem,
    )


async def ask(request: web.Request) -> web.Response:
    """`GET /console/replays/new?<a filter of events>`: filled in as far as the query says."""
    who = await visitor(request, "bulk")
    return await _filled(request, who, asked(request))


async def begin(request: web.Request) -> web.Response:
    """`POST /console/replays/new`: shows what it would find; begins where that was looked at."""
    who, form = await posted(request, "bulk")
    desk = request.app[DESK]
    wanted = await _wanted(request, who, form)
    if wanted is None:
        return await _filled(request, who, form, status=400)
    if "go" not in form or form.get("looked") != mark_of(wanted):
        found = await desk.matched(who.caller, wanted)
        return await _filled(request, who, form, found=found, mark=mark_of(wanted))
    try:
        job = await desk.begin(who.caller, wanted)
    except Conflict as problem:
        form.refused_by(problem)
        return await _filled(request, who, form, status=409)
    return await began(request, who, job)


async def began(request: web.Request, who: Visitor, job: Job) -> web.Response:
    """A job is begun: it is written down, and its page is shown."""
    conditions = [f"{name}={value}" for name, value in filter_shown(job).items()]
    await recorded(request, who, "job.begun", "job", job.id, "", kind=job.kind, filter=conditions, number=job.expected)
    return onwards(services(request).runtime.config, f"{PATH}/{job.id}", f"replays.begun.{job.kind}")


async def cancel(request: web.Request) -> web.Response:
    """`POST /console/replays/{id}/cancel`: what it has done stays done."""
    return await _told(request, request.app[DESK].cancel, "cancelled")


async def resume(request: web.Request) -> web.Response:
    """`POST /console/replays/{id}/resume`: one that failed goes on from where it stood."""
    return await _told(request, request.app[DESK].resume, "resumed")


async def _told(
    request: web.Request, act: Callable[[Caller, str, tuple[Kind, ...]], Awaitable[Job]], done: str
) -> web.Response:
    """Do this to the job in the path; its page says what came of it."""
    who, _ = await posted(request, "bulk")
    job_id = request.match_info["id"]
    try:
        job = await act(who.caller, job_id, REPLAYS)
    except Conflict as problem:
        return await _shown(request, who, job_id, status=409, problem=str(problem))
    await recorded(request, who, f"job.{done}", "job", job.id, "", kind=job.kind)
    return onwards(services(request).runtime.config, f"{PATH}/{job.id}", f"replays.{done}")


async def _wanted(request: web.Request, who: Visitor, form: Form) -> Again | None:
    """The replay that a form describes; None where it says what is wrong with it."""
    rate, destination_id = rate_of(form), destination_of(form)
    if not form.ok:
        return None
    chosen, everything = filter_of(form, ASKED, who.zone), form.ticked("everything")
    try:
        return await request.app[DESK].wanted_again(
            who.caller, "events", chosen, destination_id, rate, everything=everything
        )
    except NotFound as problem:
        form.refuse("destination" if destination_id is not None else "instance_id", str(problem))
    except (Invalid, Conflict) as problem:
        form.refused_by(problem)
        if "filter" in form.problems:
            form.refuse("everything", form.problems.pop("filter"))
    return None


async def _filled(
    request: web.Request, who: Visitor, form: Form, *, status: int = 200, found: Any = None, mark: str = ""
) -> web.Response:
    offered = await choices.offered(request, who, form)
    return page(request, "replays/new.html", status=status, form=form, found=found, mark=mark, **offered)


async def _people(request: web.Request, who: Visitor, jobs: list[Job]) -> dict[int, str]:
    ids = sorted({job.user_id for job in jobs})
    found = await accounts.users(services(request).runtime.database, who.session.user.partner_id, ids)
    return {user.id: user.username for user in found.values()}


def _found_at(job: Job) -> str:
    """The list of what the job's filter finds now."""
    base = "/console/events" if subject_of(job) == "events" else "/console/dead-letters"
    shown = filter_shown(job)
    return f"{base}?{urlencode(shown)}" if shown else base
