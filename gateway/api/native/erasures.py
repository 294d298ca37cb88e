"""Erasures: what is stored of an account, or of one of its objects, is taken away."""

from typing import Any

from aiohttp import web

from gateway.api.native import calls, replays, shapes_replays
from gateway.api.surface import DESK
from gateway.errors import Problem
from gateway.history.filter import LONGEST_TEXT
from gateway.replays.desk import ERASURES


def routes() -> list[web.AbstractRouteDef]:
    """The routes of erasures."""
    one = calls.PREFIX + "/erasures/{id}"
    return [
        web.post(calls.PREFIX + "/erasures", begin),
        web.get(calls.PREFIX + "/erasures", list_),
        web.get(one, get),
        web.post(one + "/cancel", cancel),
        web.post(one + "/resume", resume),
    ]


async def begin(request: web.Request) -> web.Response:
    """`POST /api/v1/erasures` with `{"account_id", "object_type"?, "object_id"?}`."""
    calls.query(request)
    who = await calls.caller(request)
    body = await calls.json_object(request, "account_id", "object_type", "object_id")
    account_id, object_id, object_type = (_text(body, name) for name in ("account_id", "object_id", "object_type"))
    if account_id is None:
        raise calls.invalid(Problem("account_id", "is required"))
    if object_type is not None and object_id is None:
        raise calls.invalid(Problem("object_id", "is required where object_type is given"))
    desk = request.app[DESK]
    wanted = await desk.wanted_erasure(who, account_id, object_type, object_id)
    return calls.answer(shapes_replays.job(await desk.begin(who, wanted)), 202)


def _text(body: dict[str, Any], name: str) -> str | None:
    found = body.get(name)
    if found is None:
        return None
    if not isinstance(found, str) or not 0 < len(found) <= LONGEST_TEXT or "\x00" in found:
        raise calls.invalid(Problem(name, f"expected a text of 1 to {LONGEST_TEXT} characters"))
    return found


async def list_(request: web.Request) -> web.Response:
    """`GET /api/v1/erasures`, newest first."""
    return await replays.page(request, "erasures", ERASURES)


async def get(request: web.Request) -> web.Response:
    """`GET /api/v1/erasures/{id}`."""
    return await replays.shown(request, ERASURES)


async def cancel(request: web.Request) -> web.Response:
    """`POST /api/v1/erasures/{id}/cancel`."""
    return await replays.stopped(request, ERASURES)


async def resume(request: web.Request) -> web.Response:
    """`POST /api/v1/erasures/{id}/resume`."""
    return await replays.resumed(request, ERASURES)
