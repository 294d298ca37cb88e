"""`/console/events`: the newest first, by the filter that stands in the URL."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from aiohttp import web

from gateway.accounts.model import Caller
from gateway.clock import now_ms
from gateway.console.events.asked import PATH, RANGES, Asked, asked, fields
from gateway.console.events.rows import lines
from gateway.console.forms import Form
from gateway.console.forms import asked as form_of
from gateway.console.page import page
from gateway.console.visitor import Visitor, services, visitor
from gateway.console.wording import text
from gateway.errors import NotFound
from gateway.events.model import Source
from gateway.history.cursor import cursor, position_of
from gateway.history.feed.following import made_at
from gateway.history.filter import END, EventFilter, Status
from gateway.history.listing.store import events_after, events_among, events_before
from gateway.history.model import Listed
from gateway.instances import store as instances
from gateway.instances.model import Instance
from gateway.storage.database import Database, Reader

SIZE = 50
#: A page that a filter finds little for is looked for so many times before people are asked to go on.
LOOKS = 5
#: Instances that are offered by their names; of more, one is named by its number.
MOST_OFFERED = 200
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Found:
    """The events of a page, and where the older ones begin; `newest` where there are none before it."""

    events: Sequence[Listed]
    older: str | None
    newest: bool


async def show(request: web.Request) -> web.Response:
    """`GET /console/events?<filter>`."""
    who = await visitor(request)
    form, database = form_of(request), services(request).runtime.database
    wanted = asked(form, who.zone, now_ms())
    found = await _asked_for(database, who.caller, wanted, form)
    about = about_of(who.caller, wanted)
    shown = await lines(database, found.events, about)
    offered = await instances.page(database, who.caller, instances.Filter(), after=0, size=MOST_OFFERED + 1)
    return page(
        request,
        "events/list.html",
        status=200 if form.ok else 400,
        form=form,
        asked=wanted,
        lines=shown,
        older=_place(wanted, "before", found.older, about),
        newer="" if found.newest else _place(wanted, "after", shown[0].event.id if shown else None, about),
        looked_to=made_at(found.older) if found.older is not None and len(shown) < SIZE else None,
        dates=fields(form, who.zone),
        instances=offered if len(offered) <= MOST_OFFERED else (),
        connectors=[key for key, _ in await instances.count_by_connector(database, who.caller)],
        statuses=get_args(Status),
        sources=get_args(Source),
        ranges=tuple(RANGES),
        first=not (wanted.given or wanted.place or shown) and not await _ever(database, who, offered),
        has_instances=bool(offered),
    )


async def rows(request: web.Request) -> web.Response:
    """`GET /console/events/rows?id=…`: some lines anew, for a page that stays."""
    who = await visitor(request)
    ids = [one for one in request.query.getall("id", []) if _ID.fullmatch(one)][:SIZE]
    database = services(request).runtime.database
    found = await events_among(database, who.caller, EventFilter(), ids) if ids else []
    return page(request, "events/rows_page.html", lines=await lines(database, found, ""))


def event_id(request: web.Request) -> str:
    """The id in the path; what is none names nothing."""
    given = request.match_info["id"]
    if not _ID.fullmatch(given):
        raise NotFound(f"No event found with ID {given[:64]}")
    return given


def about_of(caller: Caller, wanted: Asked) -> str:
    """What tells this list from every other."""
    return "\n".join(("console events", caller.partner_id, caller.account_id or "", wanted.name))


async def _asked_for(database: Database, caller: Caller, wanted: Asked, form: Form) -> Found:
    """The page that was asked for; nothing where the question is wrong, which is said to the form."""
    about = about_of(caller, wanted)
    place = {name: position_of(given, about) for name, given in wanted.place.items()}
    if any(found is None or not _ID.fullmatch(found) for found in place.values()):
        form.refuse("", text("events.filters.no_place"))
    if wanted.chosen is None or not form.ok:
        return Found((), None, True)
    try:
        return await _found(database, caller, wanted.chosen, place.get("before"), place.get("after"))
    except NotFound as problem:
        form.refuse("instance_id", str(problem) + ".")
        return Found((), None, True)


async def _found(reader: Reader, caller: Caller, chosen: EventFilter, before: str | None, after: str | None) -> Found:
    if after is not None:
        newer, more = await _newer(reader, caller, chosen, after)
        if more:
            return Found(newer, newer[-1].id, False)
    events: list[Listed] = []
    position = before
    for _ in range(LOOKS):
        look = await events_before(reader, caller, chosen, position, SIZE - len(events))
        events += look.items
        position = look.position
        if position is None or len(events) >= SIZE:
            break
    return Found(events, position, before is None)


async def _newer(reader: Reader, caller: Caller, chosen: EventFilter, after: str) -> tuple[list[Listed], bool]:
    """The page above a place, and whether there is more above it; the first page shows it else."""
    events: list[Listed] = []
    position: str | None = after
    for _ in range(LOOKS):
        look = await events_after(reader, caller, chosen, position or after, END, SIZE - len(events))
        events += look.items
        position = look.position
        if position is None or len(events) >= SIZE:
            break
    return events[::-1], position is not None and len(events) >= SIZE


def _place(wanted: Asked, name: str, position: str | None, about: str) -> str:
    return "" if position is None else wanted.link(PATH, **{name: cursor(position, about)})


async def _ever(database: Database, who: Visitor, offered: Sequence[Instance]) -> bool:
    """Whether the account has ever had an event."""
    if not offered:
        return False
    return bool((await events_before(database, who.caller, EventFilter(), None, 1)).items)
