"""The null filter explained ahead: a changed setting over the last events of an instance."""

import asyncio
from collections.abc import Sequence
from itertools import accumulate

from aiohttp import web

from gateway.accounts.model import Caller
from gateway.api import read
from gateway.api.native import calls, shapes_history
from gateway.errors import Problem
from gateway.history import store as history
from gateway.history.filter import EventFilter
from gateway.history.listing.store import events_before
from gateway.history.model import Listed
from gateway.history.preview import Difference, difference
from gateway.instances import store as instances
from gateway.storage.database import Database

FILTER = "filter.response.nulls"
DEFAULT_LAST = 100
MOST_LAST = 500
#: Payloads that one preview reads in all, and at once.
MOST_BYTES = 16 << 20
_AT_ONCE = 20


def routes() -> list[web.AbstractRouteDef]:
    """The route of previews."""
    return [web.post(calls.PREFIX + "/instances/{id}/filter/preview", preview)]


async def preview(request: web.Request) -> web.Response:
    """`POST /api/v1/instances/{id}/filter/preview`: what would have been sent, beside what was; changes nothing."""
    calls.query(request)
    who, instance_id = await calls.caller(request), read.path_id(request)
    filtered, last = _wanted(await calls.json_object(request, FILTER, "last"))
    database = calls.services(request).runtime.database
    await instances.get(database, who, instance_id)
    listed = await _last(database, who, instance_id, last)
    fitting = _fitting(listed)
    found = await _differences(database, fitting, filtered)
    return calls.answer(
        {
            "instance_id": instance_id,
            FILTER: filtered,
            "events": len(found),
            "changed": sum(one.changes for one in found),
            "bytes_now": sum(one.now.size for one in found),
            "bytes_then": sum(one.then.size for one in found),
            "complete": len(fitting) == len(listed),
            "items": [shapes_history.difference(one) for one in found],
        }
    )


def _wanted(body: dict[str, object]) -> tuple[bool, int]:
    known: dict[object, bool] = {"true": True, "false": False}
    setting, last = body.get(FILTER), body.get("last", DEFAULT_LAST)
    problems = []
    if isinstance(setting, str):
        setting = known.get(setting)
    if not isinstance(setting, bool):
        problems.append(Problem(FILTER, "expected true or false"))
    if not isinstance(last, int) or isinstance(last, bool) or not 1 <= last <= MOST_LAST:
        problems.append(Problem("last", f"expected a number from 1 to {MOST_LAST}"))
    if problems or not isinstance(last, int):
        raise calls.invalid(*problems)
    return bool(setting), last


async def _last(database: Database, who: Caller, instance_id: int, last: int) -> Sequence[Listed]:
    """The last events whose payloads are still there."""
    page = await events_before(database, who, EventFilter(instance_id=instance_id), None, last)
    return [one for one in page.items if one.size]


def _fitting(listed: Sequence[Listed]) -> Sequence[Listed]:
    """The newest events whose payloads may be read in one preview, at least one."""
    totals = accumulate(one.size for one in listed)
    return listed[: max(1, sum(total <= MOST_BYTES for total in totals))]


async def _differences(database: Database, listed: Sequence[Listed], filtered: bool) -> list[Difference]:
    found: list[Difference] = []
    for start in range(0, len(listed), _AT_ONCE):
        events = await history.events(database, [one.id for one in listed[start : start + _AT_ONCE]])
        for event in events:
            found.append(
                await asyncio.to_thread(
                    difference, event.id, event.payload, filtered_now=event.filter_nulls, filtered_then=filtered
                )
            )
    return found
