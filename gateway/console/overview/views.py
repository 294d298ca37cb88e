"""`/console`: the overview of an account, or of all accounts of a partner."""

from dataclasses import replace
from urllib.parse import urlencode

from aiohttp import web

from gateway.accounts.model import Caller
from gateway.clock import now_ms
from gateway.console.overview import beginning, ranges, reasons
from gateway.console.overview.drawn import Charts
from gateway.console.overview.ranges import Range
from gateway.console.overview.tiles import Tiles
from gateway.console.overview.usage import used_by
from gateway.console.page import page
from gateway.console.shown import Shown
from gateway.console.visitor import Visitor, services, visitor
from gateway.delivery.attempt import host_of
from gateway.doctor.attention import store as attention
from gateway.doctor.judging import ENDS_SOON_MS
from gateway.history.ledgers import store as ledgers
from gateway.history.ledgers.model import Ledger
from gateway.instances.listing import store as instances
from gateway.traffic import store as traffic
from gateway.traffic.model import total

PATH = "/console"
#: The figures of all accounts of a partner.
ALL = "all"


def routes() -> list[web.AbstractRouteDef]:
    """The first page."""
    return [web.get(PATH, show)]


async def show(request: web.Request) -> web.Response:
    """`GET /console?range=&of=`: figures of a stretch of time; how to begin where no event ever came."""
    who = await visitor(request)
    every = request.query.get("of") == ALL and who.may("partner")
    caller = replace(who.caller, account_id=None) if every else who.caller
    database = services(request).runtime.database
    ledger = await ledgers.ledger(database, caller, None, None)
    if not beginning.has_begun(ledger) and not every:
        return await _begin(request, who, ledger)
    return await _figures(request, who, caller, ranges.named(request.query.get("range", "")), ledger)


def address(chosen: Range, every: bool) -> str:
    """The overview of another stretch, or of other accounts."""
    return f"{PATH}?{urlencode({'range': chosen.name} | ({'of': ALL} if every else {}))}"


async def _begin(request: web.Request, who: Visitor, ledger: Ledger) -> web.Response:
    database = services(request).runtime.database
    newest, _ = await instances.page(database, who.caller, search="", order="id", ascending=False, first=0, size=1)
    steps = beginning.steps(newest[0].id if newest else None, ledger)
    return page(request, "overview/begin.html", steps=steps)


async def _figures(request: web.Request, who: Visitor, caller: Caller, chosen: Range, ledger: Ledger) -> web.Response:
    runtime, now, every = services(request).runtime, now_ms(), caller.account_id is None
    database = runtime.database
    window, shown = chosen.window(now), Shown(who.zone)
    points = await traffic.series(database, caller, window)
    return page(
        request,
        "overview/overview.html",
        chosen=chosen,
        ranges=ranges.RANGES,
        every=every,
        address=address,
        since=window.since,
        tiles=Tiles(total(points), ledger, window.since, shown).all(),
        charts=Charts(points, window, shown).all(),
        failing=await traffic.failing(database, caller, window.since),
        needs=[] if every else await attention.needs(database, caller, ends_before=now + ENDS_SOON_MS),
        usage=None if every else await used_by(runtime, who.account, now),
        reason=reasons.told,
        host=host_of,
        now=now,
        stuck=ledger.events["routed"] == 0,
    )
