"""Dead letters: listed, looked at, sent again, laid down, exported, counted."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import structlog
from aiohttp import web

from gateway.accounts.model import Caller
from gateway.api.front import REQUEST_ID
from gateway.api.native import calls, replays, shapes_replays
from gateway.api.surface import DESK
from gateway.errors import Conflict, GatewayError, Problem
from gateway.replays.letters import model, store
from gateway.replays.letters.model import FIELDS, LetterFilter, spot_of

EXPORTED_AT_ONCE = 100
#: Destinations of one page of counts: each is looked through.
COUNTED_AT_ONCE = 100
LONGEST_REASON = 500
#: How long a reader of an export may leave the socket full before it is let go.
PATIENCE_S = 60.0
_PIECE = 65_536

log = structlog.get_logger()


def routes() -> list[web.AbstractRouteDef]:
    """The routes of dead letters."""
    all_ = calls.PREFIX + "/dead-letters"
    return [
        web.get(all_, list_),
        web.get(all_ + "/counts", counts),
        web.get(all_ + "/export", export),
        web.post(all_ + "/replay", replay_all),
        web.post(all_ + "/discard", discard_all),
        web.get(all_ + "/{id}", get),
        web.post(all_ + "/{id}/replay", replay),
        web.post(all_ + "/{id}/discard", discard),
    ]


async def list_(request: web.Request) -> web.Response:
    """`GET /api/v1/dead-letters`: destination by destination, the newest first; a page may be short and go on."""
    who = await calls.caller(request)
    chosen = _chosen(calls.query(request, *FIELDS, *calls.PAGING))
    about = _about(who, chosen)
    given = calls.position(request, about)
    before = None if given is None else spot_of(given)
    database = calls.services(request).runtime.database
    found = await store.below(database, who, chosen, before, calls.size(request))
    letters = await store.letters(database, who, [spot.delivery_id for spot, _ in found.spots])
    more = found.looked_to.text if found.more and found.looked_to is not None else None
    return calls.page([shapes_replays.letter(one) for one in letters], more, about)


def _chosen(given: dict[str, str]) -> LetterFilter:
    found = model.parse({name: value for name, value in given.items() if name in FIELDS})
    if isinstance(found, tuple):
        raise calls.invalid(*found)
    return found


def _about(who: Caller, chosen: LetterFilter) -> str:
    return calls.about("dead-letters", who, orjson.dumps(model.as_json(chosen)).decode())


async def counts(request: web.Request) -> web.Response:
    """`GET /api/v1/dead-letters/counts`: how many each destination has."""
    calls.query(request, *calls.PAGING)
    who = await calls.caller(request)
    about = calls.about("dead-letter-counts", who)
    given = calls.position(request, about)
    before = None if given is None else spot_of(given)
    most = min(calls.size(request), COUNTED_AT_ONCE)
    found, more = await store.counts(calls.services(request).runtime.database, who, before, most)
    return calls.page([shapes_replays.count(one) for one in found], None if more is None else more.text, about)


async def get(request: web.Request) -> web.Response:
    """`GET /api/v1/dead-letters/{delivery_id}`."""
    calls.query(request)
    who = await calls.caller(request)
    database = calls.services(request).runtime.database
    found = await store.letter(database, who, replays.path_id(request, "dead letter"))
    return calls.answer(shapes_replays.whole(found, await store.payload(database, found.event_id)))


async def replay(request: web.Request) -> web.Response:
    """`POST /api/v1/dead-letters/{delivery_id}/replay` with `{"destination_id"?}`."""
    who, destination_id = await replays.one_of(request)
    found = await store.letter(calls.services(request).runtime.database, who, replays.path_id(request, "dead letter"))
    again = await request.app[DESK].sending.delivery(who, found.id, destination_id, only_dead=True)
    return await replays.made(request, who, again)


async def discard(request: web.Request) -> web.Response:
    """`POST /api/v1/dead-letters/{delivery_id}/discard` with `{"reason"}`."""
    calls.query(request)
    who = await calls.caller(request)
    reason = _reason(await calls.json_object(request, "reason"))
    found = await store.letter(calls.services(request).runtime.database, who, replays.path_id(request, "dead letter"))
    if not await request.app[DESK].laid_down(who, [found.id], reason):
        raise Conflict("It is no dead letter any more: somebody has just sent it again, or laid it down.")
    return calls.answer({"id": found.id, "state": "cancelled", "reason": store.discarded_for(reason)})


def _reason(body: dict[str, Any]) -> str:
    found = body.get("reason")
    if not isinstance(found, str) or not 0 < len(found.strip()) <= LONGEST_REASON or "\x00" in found:
        raise calls.invalid(Problem("reason", f"expected a text of 1 to {LONGEST_REASON} characters"))
    return found.strip()


async def replay_all(request: web.Request) -> web.Response:
    """`POST /api/v1/dead-letters/replay` with `{"filter", "destination_id"?, "rate"?, "dry_run"?, "everything"?}`."""
    calls.query(request)
    who = await calls.caller(request)
    body = await calls.json_object(request, "filter", "destination_id", "rate", "dry_run", "everything")
    wanted = await request.app[DESK].wanted_again(
        who,
        "dead_letters",
        replays.filter_of(body),
        replays.destination_of(body),
        replays.rate_of(body),
        everything=replays.flag_of(body, "everything"),
    )
    return await replays.begun(request, who, wanted, dry=replays.flag_of(body, "dry_run"))


async def discard_all(request: web.Request) -> web.Response:
    """`POST /api/v1/dead-letters/discard` with `{"filter", "reason", "dry_run"?, "everything"?}`."""
    calls.query(request)
    who = await calls.caller(request)
    body = await calls.json_object(request, "filter", "reason", "dry_run", "everything")
    everything = replays.flag_of(body, "everything")
    wanted = request.app[DESK].wanted_discard(replays.filter_of(body), _reason(body), everything=everything)
    return await replays.begun(request, who, wanted, dry=replays.flag_of(body, "dry_run"))


async def export(request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/dead-letters/export`: a line of JSON for each, and a last one that says that it is all."""
    who = await calls.caller(request)
    chosen = _chosen(calls.query(request, *FIELDS))
    # What cannot be had is refused while there is still a status to say it with.
    await store.below(calls.services(request).runtime.database, who, chosen, None, 1)
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/x-ndjson",
            "Content-Disposition": 'attachment; filename="dead-letters.ndjson"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Request-Id": request[REQUEST_ID],
        }
    )
    await response.prepare(request)
    try:
        async for line in _lines(request, who, chosen):
            await _write(response, line)
        await response.write_eof()
    except (GatewayError, TimeoutError, ConnectionError) as problem:
        # Its last line is missing, and so is its end: whoever reads it knows that it was cut.
        log.warning("export.broke_off", problem=str(problem) or type(problem).__name__, request_id=request[REQUEST_ID])
        if request.transport is not None:
            request.transport.abort()
    return response


async def _lines(request: web.Request, who: Caller, chosen: LetterFilter) -> AsyncIterator[bytes]:
    database, before, number = calls.services(request).runtime.database, None, 0
    while True:
        found = await store.below(database, who, chosen, before, EXPORTED_AT_ONCE)
        for one in await store.letters(database, who, [spot.delivery_id for spot, _ in found.spots]):
            # One payload at a time, so that large ones do not gather.
            yield orjson.dumps(shapes_replays.whole(one, await store.payload(database, one.event_id))) + b"\n"
            number += 1
        before = found.looked_to
        if not found.more:
            break
    yield orjson.dumps({"complete": True, "count": number}) + b"\n"


async def _write(response: web.StreamResponse, line: bytes) -> None:
    for start in range(0, len(line), _PIECE):
        async with asyncio.timeout(PATIENCE_S):
            await response.write(line[start : start + _PIECE])
