"""`/console/dead-letters`: how many each destination has, and those of one, to be sent again or laid down."""

import re
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from gateway.api import read
from gateway.api.surface import DESK
from gateway.console.forms import Form, asked, posted
from gateway.console.letters.reasons import LONGEST_REASON, reason_of
from gateway.console.page import onwards, page
from gateway.console.recording import recorded
from gateway.console.replays.choices import instance_name
from gateway.console.replays.wanted import field_of, filter_of
from gateway.console.visitor import Visitor, services, visitor
from gateway.console.wording import text
from gateway.delivery.attempt import host_of
from gateway.errors import Conflict, Invalid, NotFound
from gateway.history.targets import store as targets
from gateway.replays.letters import model, store
from gateway.replays.letters.model import FIELDS, Letter, LetterFilter, Spot, spot_of

PATH = "/console/dead-letters"
#: Destinations of a page, and letters of one.
COUNTED, SIZE = 50, 50
#: So many may be ticked at once; more are a job's to do.
MOST_TICKED = 50
_SPOT = re.compile(r"[0-9]{1,15}x[0-9a-f]{0,32}")
_ID = re.compile(r"[0-9a-f]{32}")


def routes() -> list[web.AbstractRouteDef]:
    """The page, and its form."""
    return [web.get(PATH, show), web.post(PATH, act)]


async def show(request: web.Request) -> web.Response:
    """`GET /console/dead-letters`, or with a filter those that it finds."""
    who, form = await visitor(request), asked(request)
    chosen = chosen_of(form, who)
    if not form.ok:
        return await _counted(request, who, form, status=400)
    if chosen == LetterFilter():
        return await _counted(request, who, form)
    return await _listed(request, who, form, chosen)


async def act(request: web.Request) -> web.Response:
    """`POST /console/dead-letters?<filter>`: send the ticked ones again, or lay them down for a reason."""
    who, form = await posted(request, "change")
    filters = asked(request)
    chosen = chosen_of(filters, who)
    ticked = [one for one in dict.fromkeys(form.all("letter")) if _ID.fullmatch(one)]
    if not 0 < len(ticked) <= MOST_TICKED:
        form.refuse("", text("letters.tick", most=MOST_TICKED))
    elif form.get("act") == "down":
        await _lay_down(request, who, form, ticked)
    else:
        await _send_again(request, who, form, ticked)
    if form.ok:
        down = form.get("act") == "down"
        notice = "letters.laid_down" if down else "letters.sent_again"
        return onwards(services(request).runtime.config, request.path_qs, notice, count=len(ticked))
    if not filters.ok or chosen == LetterFilter():
        return await _counted(request, who, form, status=400)
    return await _listed(request, who, filters, chosen, sent=form, status=400)


async def _send_again(request: web.Request, who: Visitor, form: Form, ticked: list[str]) -> None:
    sending, sent = request.app[DESK].sending, list[str]()
    failed: dict[str, int] = {}
    for delivery_id in ticked:
        try:
            await sending.delivery(who.caller, delivery_id, None, only_dead=True)
            sent.append(delivery_id)
        except (Conflict, NotFound) as problem:
            failed[str(problem)] = failed.get(str(problem), 0) + 1
    if sent:
        await recorded(request, who, "letter.replayed", "letter", sent[0], "", number=len(sent), ids=sent)
    if failed:
        why = " ".join(text("letters.failed_for", number=number, reason=reason) for reason, number in failed.items())
        form.refuse("", text("letters.not_all", sent=len(sent), failed=len(ticked) - len(sent), why=why))


async def _lay_down(request: web.Request, who: Visitor, form: Form, ticked: list[str]) -> None:
    reason = reason_of(form)
    if reason is None:
        return
    gone = await request.app[DESK].laid_down(who.caller, ticked, reason)
    if gone:
        ids = sorted(gone)
        await recorded(request, who, "letter.discarded", "letter", ids[0], "", number=len(ids), ids=ids, reason=reason)
    if len(gone) < len(ticked):
        form.refuse("", text("letters.not_all_down", done=len(gone), failed=len(ticked) - len(gone)))


def chosen_of(form: Form, who: Visitor) -> LetterFilter:
    """The filter that the query names; what is wrong stands at its field."""
    found = model.parse(filter_of(form, FIELDS, who.zone))
    if isinstance(found, LetterFilter):
        return found
    form.refused_by(Invalid("", found))
    return LetterFilter()


async def _counted(request: web.Request, who: Visitor, form: Form, *, status: int = 200) -> web.Response:
    before = _spot(read.text(request, "before", longest=64))
    database = services(request).runtime.database
    found, more = await store.counts(database, who.caller, before, COUNTED)
    counts = [one for one in found if one.waiting]
    names = await targets.names(database, who.caller, [one.place.id for one in counts])
    return page(
        request,
        "letters/counts.html",
        status=status,
        form=form,
        counts=counts,
        names=names,
        host=host_of,
        older=None if more is None else f"{PATH}?{urlencode({'before': more.text})}",
        before=before,
    )


async def _listed(
    request: web.Request,
    who: Visitor,
    form: Form,
    chosen: LetterFilter,
    *,
    sent: Form | None = None,
    status: int = 200,
) -> web.Response:
    database, before = services(request).runtime.database, _spot(read.text(request, "before", longest=64))
    found = await store.below(database, who.caller, chosen, before, SIZE)
    letters = await store.letters(database, who.caller, [spot.delivery_id for spot, _ in found.spots])
    plain = model.as_json(chosen)
    older = found.looked_to.text if found.more and found.looked_to is not None else None
    ids = {one.place.id for one in letters} | ({chosen.destination_id} if chosen.destination_id else set())
    values: dict[str, Any] = {
        "letters": letters,
        "places": _places(letters),
        "names": await targets.names(database, who.caller, sorted(ids)),
        "instance": await instance_name(request, who, chosen.instance_id),
        "query": urlencode(plain),
        "older": None if older is None else f"{PATH}?{urlencode({**plain, 'before': older})}",
    }
    return page(
        request,
        "letters/list.html",
        status=status,
        form=form,
        sent=sent or Form(),
        chosen=chosen,
        before=before,
        host=host_of,
        since=field_of(form.get("since"), who.zone),
        until=field_of(form.get("until"), who.zone),
        answer=_answer,
        longest=LONGEST_REASON,
        **values,
    )


def _places(letters: list[Letter]) -> list[Any]:
    return list({one.place.id: one.place for one in letters}.values())


def _answer(letter: Letter) -> str:
    """How the last answer begins, as text; bytes that are none are told by a mark."""
    answer = b"" if letter.last is None else bytes(letter.last.answer or b"")
    plain = answer[:300].decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else " " for letter in plain).strip()


def _spot(given: str) -> Spot | None:
    return spot_of(given) if _SPOT.fullmatch(given) else None
