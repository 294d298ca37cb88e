"""`/console/events/live`: fresh lines for an open list, as server-sent events, never more than people can read."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

import orjson
from aiohttp import web

from gateway.accounts import sign_in
from gateway.api.following import HEARTBEAT_S, followed, goes_on, write
from gateway.api.surface import FEED
from gateway.clock import now_ms
from gateway.console.events.asked import Asked, asked
from gateway.console.events.listing import about_of
from gateway.console.events.rows import lines
from gateway.console.forms import asked as form_of
from gateway.console.page import rendered
from gateway.console.visitor import Visitor, secret_of, services, visitor
from gateway.errors import Invalid
from gateway.event_stream import Message, comment, written
from gateway.history.feed.following import Following, made_at
from gateway.history.model import Listed
from gateway.instances import store as instances

#: How often it is asked whether the session goes on.
ASKED_AGAIN_S = 15.0
#: Lines of one message, and how long it is until the next one.
MOST_LINES = 20
PACE_S = 1.0
#: Who was away for longer gets the list anew, and not all that came meanwhile.
MOST_AWAY_MS = 60_000
_TICK_S = 0.5
_GATHER_S = 0.1
_FULL = "Too many lists are open, or this node is leaving; close some, or load the page again later."


@dataclass(slots=True)
class _Gathered:
    """What came since the last message: the newest of it, and how many came in all."""

    newest: deque[Listed] = field(default_factory=lambda: deque(maxlen=MOST_LINES))
    number: int = 0


async def follow(request: web.Request) -> web.StreamResponse:
    """`GET /console/events/live?<filter>`."""
    who = await visitor(request)
    form = form_of(request)
    wanted = asked(form, who.zone, now_ms())
    if not form.ok:
        raise Invalid("; ".join(form.problems.values()))
    chosen = wanted.following
    if chosen.instance_id is not None:
        await instances.get(services(request).runtime.database, who.caller, chosen.instance_id)
    person = who.session.user.id
    return await followed(request, lambda response: _flow(request, response, who, wanted), _FULL, person)


async def _flow(request: web.Request, response: web.StreamResponse, who: Visitor, wanted: Asked) -> None:
    """Write until the reader goes, its session ends, or the gateway leaves."""
    loop, feed = asyncio.get_running_loop(), request.app[FEED]
    after, away = _after(request)
    following = Following(feed, services(request).runtime.database, who.caller, wanted.following, after)
    begin = b"retry: 2000\n" + written(Message("begin", "{}", following.last))
    await write(response, begin + (written(Message("anew", "{}")) if away else b""))
    wrote = asked_at = loop.time()
    sent = wrote - PACE_S
    gathered = _Gathered()
    while goes_on(request):
        for one in await following.next(_TICK_S if not gathered.number else _GATHER_S):
            gathered.newest.append(one)
            gathered.number += 1
        if gathered.number and loop.time() - sent >= PACE_S:
            await write(response, await _message(request, who, wanted, gathered, following.last))
            wrote = sent = loop.time()
            gathered = _Gathered()
        elif gathered.number:
            await asyncio.sleep(_GATHER_S)
        elif loop.time() - wrote >= HEARTBEAT_S:
            await write(response, comment("alive"))
            wrote = loop.time()
        if loop.time() - asked_at >= ASKED_AGAIN_S:
            if not await _is_signed_in(request, who):
                await write(response, written(Message("ended", "{}")))
                return
            asked_at = loop.time()


def _after(request: web.Request) -> tuple[str | None, bool]:
    """The last event that the reader has, and whether that is too long ago to go on from there."""
    given = request.headers.get("Last-Event-ID")
    try:
        if given is None or now_ms() - made_at(given) > MOST_AWAY_MS:
            return None, given is not None
    except ValueError:
        return None, True
    return given, False


async def _is_signed_in(request: web.Request, who: Visitor) -> bool:
    """Whether the session is there still, and about this account; looking does not keep it alive."""
    session = await sign_in.seen(services(request).runtime.database, secret_of(request), by_somebody=False)
    return session is not None and session.account_id == who.account.id


async def _message(request: web.Request, who: Visitor, wanted: Asked, gathered: _Gathered, last: str) -> bytes:
    shown = await lines(services(request).runtime.database, list(gathered.newest), about_of(who.caller, wanted))
    html = rendered(request, "events/rows.html", lines=shown[::-1])
    told = {"lines": html, "number": gathered.number, "more": gathered.number - len(shown)}
    return written(Message("lines", orjson.dumps(told).decode(), last))
