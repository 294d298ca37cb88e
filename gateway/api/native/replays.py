"""Replays: one event, one delivery, or all that a filter finds; tried dry, watched, stopped."""

import re
from typing import Any

from aiohttp import web

from gateway.accounts.model import Caller
from gateway.api.native import calls, shapes_replays
from gateway.api.surface import DESK
from gateway.errors import NotFound, Problem
from gateway.history.model import DeliveryRecord
from gateway.replays.again import store as again
from gateway.replays.desk import REPLAYS
from gateway.replays.letters.model import number_of
from gateway.replays.model import DEFAULT_RATE, LARGEST_RATE, Kind, Wanted

_ID = re.compile(r"[0-9a-f]{32}")


def routes() -> list[web.AbstractRouteDef]:
    """The routes of replays."""
    one = calls.PREFIX + "/replays/{id}"
    return [
        web.post(calls.PREFIX + "/events/{id}/replay", again_event),
        web.post(calls.PREFIX + "/deliveries/{id}/replay", again_delivery),
        web.post(calls.PREFIX + "/replays", begin),
        web.get(calls.PREFIX + "/replays", list_),
        web.get(one, get),
        web.post(one + "/cancel", cancel),
        web.post(one + "/resume", resume),
    ]


async def again_event(request: web.Request) -> web.Response:
    """`POST /api/v1/events/{id}/replay` with `{"destination_id"?}`."""
    who, destination_id = await one_of(request)
    found = await request.app[DESK].sending.event(who, path_id(request, "event"), destination_id)
    return await made(request, who, found)


async def again_delivery(request: web.Request) -> web.Response:
    """`POST /api/v1/deliveries/{id}/replay` with `{"destination_id"?}`."""
    who, destination_id = await one_of(request)
    found = await request.app[DESK].sending.delivery(who, path_id(request, "delivery"), destination_id)
    return await made(request, who, found)


async def one_of(request: web.Request) -> tuple[Caller, int | None]:
    """Who wants one sent again, and to which destination, where one is named."""
    calls.query(request)
    who = await calls.caller(request)
    return who, destination_of(await calls.json_object(request, "destination_id", optional=True))


async def made(request: web.Request, who: Caller, found: DeliveryRecord) -> web.Response:
    """The answer to a replay of one."""
    place = await again.place(calls.services(request).runtime.database, who, found.destination_id)
    return calls.answer(shapes_replays.replayed(found, place), 201)


async def begin(request: web.Request) -> web.Response:
    """`POST /api/v1/replays` with `{"filter", "destination_id"?, "rate"?, "dry_run"?, "everything"?}`."""
    calls.query(request)
    who = await calls.caller(request)
    body = await calls.json_object(request, "filter", "destination_id", "rate", "dry_run", "everything")
    wanted = await request.app[DESK].wanted_again(
        who,
        "events",
        filter_of(body),
        destination_of(body),
        rate_of(body),
        everything=flag_of(body, "everything"),
    )
    return await begun(request, who, wanted, dry=flag_of(body, "dry_run"))


async def begun(request: web.Request, who: Caller, wanted: Wanted, *, dry: bool) -> web.Response:
    """The answer to a job that was asked for: what it would find, or itself."""
    desk = request.app[DESK]
    if dry:
        return calls.answer(shapes_replays.matched(await desk.matched(who, wanted)))
    return calls.answer(shapes_replays.job(await desk.begin(who, wanted)), 202)


async def list_(request: web.Request) -> web.Response:
    """`GET /api/v1/replays`, newest first; discards of dead letters among them."""
    return await page(request, "replays", REPLAYS)


async def page(request: web.Request, name: str, kinds: tuple[Kind, ...]) -> web.Response:
    """A page of the caller's jobs of some kinds."""
    calls.query(request, *calls.PAGING)
    who = await calls.caller(request)
    about = calls.about(name, who)
    before = calls.position(request, about) or ""
    found, more = await request.app[DESK].jobs(who, kinds, before, calls.size(request))
    return calls.page([shapes_replays.job(one) for one in found], more, about)


async def get(request: web.Request) -> web.Response:
    """`GET /api/v1/replays/{id}`."""
    return await shown(request, REPLAYS)


async def shown(request: web.Request, kinds: tuple[Kind, ...]) -> web.Response:
    """One job of the caller's."""
    calls.query(request)
    who = await calls.caller(request)
    return calls.answer(shapes_replays.job(await request.app[DESK].job(who, path_id(request, kinds[0]), kinds)))


async def cancel(request: web.Request) -> web.Response:
    """`POST /api/v1/replays/{id}/cancel`."""
    return await stopped(request, REPLAYS)


async def stopped(request: web.Request, kinds: tuple[Kind, ...]) -> web.Response:
    """The answer to a job's end by its caller."""
    who = await _bare(request)
    return calls.answer(shapes_replays.job(await request.app[DESK].cancel(who, path_id(request, kinds[0]), kinds)))


async def resume(request: web.Request) -> web.Response:
    """`POST /api/v1/replays/{id}/resume`."""
    return await resumed(request, REPLAYS)


async def resumed(request: web.Request, kinds: tuple[Kind, ...]) -> web.Response:
    """The answer to a failed job's going on."""
    who = await _bare(request)
    return calls.answer(shapes_replays.job(await request.app[DESK].resume(who, path_id(request, kinds[0]), kinds)))


async def _bare(request: web.Request) -> Caller:
    calls.query(request)
    who = await calls.caller(request)
    await calls.json_object(request, optional=True)
    return who


def path_id(request: web.Request, what: str) -> str:
    """The id in the path; what is none names nothing."""
    given = request.match_info["id"]
    if not _ID.fullmatch(given):
        raise NotFound(f"No {what} found with ID {given[:64]}")
    return given


def filter_of(body: dict[str, Any]) -> dict[str, Any]:
    """The filter of a body, not yet read."""
    found = body.get("filter", {})
    if not isinstance(found, dict):
        raise calls.invalid(Problem("filter", "expected a JSON object"))
    return found


def destination_of(body: dict[str, Any]) -> int | None:
    """The destination that a body names."""
    given = body.get("destination_id")
    found = number_of(given)
    if given is not None and found is None:
        raise calls.invalid(Problem("destination_id", "expected the number of a destination"))
    return found


def rate_of(body: dict[str, Any]) -> int:
    """How many a second."""
    found = body.get("rate", DEFAULT_RATE)
    if type(found) is not int or not 1 <= found <= LARGEST_RATE:
        raise calls.invalid(Problem("rate", f"expected a whole number from 1 to {LARGEST_RATE}, of events a second"))
    return found


def flag_of(body: dict[str, Any], name: str) -> bool:
    """A truth value of a body."""
    found = body.get(name, False)
    if not isinstance(found, bool):
        raise calls.invalid(Problem(name, "expected true or false"))
    return found
