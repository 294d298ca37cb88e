"""`/console/where`: what became of something that a vendor says it has sent."""

from collections.abc import Sequence
from urllib.parse import urlencode

from aiohttp import web

from gateway.accounts import store as accounts
from gateway.accounts.model import Retention
from gateway.console.forms import Form, posted
from gateway.console.forms import asked as form_of
from gateway.console.page import onwards, page
from gateway.console.shown import cut
from gateway.console.visitor import Visitor, services, visitor
from gateway.console.where.asking import hashes, is_name, newest, questions
from gateway.console.wording import text
from gateway.delivery.attempt import host_of
from gateway.events import choice
from gateway.events.spans import Kept
from gateway.events.sweep import REFUSALS_KEPT_MS
from gateway.history.fates.asking import fates
from gateway.history.fates.model import Fate, Question
from gateway.history.targets.store import instance_names
from gateway.storage.database import Database

PATH = "/console/where"
MOST = 50


def routes() -> list[web.AbstractRouteDef]:
    """The question, and a body that is pasted instead of a name."""
    return [web.get(PATH, show), web.post(PATH, pasted)]


async def show(request: web.Request) -> web.Response:
    """`GET /console/where?q=`."""
    who = await visitor(request)
    form = form_of(request)
    wanted = form.get("q")
    asked = questions(wanted) if wanted else ()
    if wanted and not asked:
        form.refuse("q", text("where.no_name"))
    return await _answer(request, who, form, asked)


async def pasted(request: web.Request) -> web.Response:
    """`POST /console/where` with a name, or the body of a request."""
    who, form = await posted(request, "read")
    given = form.typed("body")
    if not given.strip():
        form.refuse("body", text("where.no_body"))
        return await _answer(request, who, form, (), 400)
    if is_name(given.strip()):
        return _onwards(request, given.strip())
    database, found = services(request).runtime.database, hashes(given)
    for one in found:
        if (await fates(database, who.caller, Question("body_hash", one), None, 1))[0]:
            return _onwards(request, one)
    return _onwards(request, found[0])


def _onwards(request: web.Request, wanted: str) -> web.Response:
    return onwards(services(request).runtime.config, f"{PATH}?{urlencode({'q': wanted})}")


async def _answer(
    request: web.Request, who: Visitor, form: Form, asked: Sequence[Question], status: int = 200
) -> web.Response:
    database = services(request).runtime.database
    found, more = await _found(database, who, asked)
    return page(
        request,
        "where/page.html",
        status=status if form.ok else 400,
        form=form,
        asked=bool(asked),
        fates=found,
        more=more,
        names=await instance_names(database, {one.instance_id for one in found}),
        kept=await _kept(request, who),
        refusals_kept_ms=REFUSALS_KEPT_MS,
        cut=cut,
        host=host_of,
    )


async def _found(database: Database, who: Visitor, asked: Sequence[Question]) -> tuple[list[Fate], bool]:
    """What is known under these names, and whether there may be more."""
    pages = [await fates(database, who.caller, one, None, MOST) for one in asked]
    found = newest([page[0] for page in pages], MOST)
    return found, any(position is not None for _, position in pages)


async def _kept(request: web.Request, who: Visitor) -> Kept:
    """For how long the account's events are remembered."""
    rooms = services(request).runtime
    own = await accounts.retention(rooms.database, who.account.id) or Retention()
    return choice.usual(rooms.config.retention).of(own)
