"""The ledger, and the destinations with their half of it."""

from aiohttp import web

from gateway.api.native import calls, shapes_history
from gateway.errors import Problem
from gateway.history.ledgers import store

_LONGEST = 15


def routes() -> list[web.AbstractRouteDef]:
    """The routes of the ledger."""
    return [web.get(calls.PREFIX + "/ledger", ledger), web.get(calls.PREFIX + "/destinations", destinations)]


async def ledger(request: web.Request) -> web.Response:
    """`GET /api/v1/ledger`: of all that is the caller's, of one instance, of one destination."""
    who = await calls.caller(request)
    given = calls.query(request, "instance_id", "destination_id")
    instance_id, destination_id = _number(given, "instance_id"), _number(given, "destination_id")
    found = await store.ledger(calls.services(request).runtime.database, who, instance_id, destination_id)
    return calls.answer(shapes_history.ledger(found))


async def destinations(request: web.Request) -> web.Response:
    """`GET /api/v1/destinations`: in the order of their ids, those that were removed among them."""
    who = await calls.caller(request)
    instance_id = _number(calls.query(request, "instance_id", *calls.PAGING), "instance_id")
    about = calls.about("destinations", who, str(instance_id))
    after = _number({"cursor": calls.position(request, about) or "0"}, "cursor") or 0
    size = calls.size(request)
    database = calls.services(request).runtime.database
    found, position = await store.goals_after(database, who, instance_id, after, size)
    shown = [shapes_history.goal(one) for one in found]
    return calls.page(shown, None if position is None else str(position), about)


def _number(given: dict[str, str], name: str) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST):
        raise calls.invalid(Problem(name, "expected a number"))
    return int(text)
