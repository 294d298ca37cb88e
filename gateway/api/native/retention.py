"""For how long an account's events and payloads are kept."""

from aiohttp import web

from gateway.accounts import store
from gateway.accounts.authorization import administrator
from gateway.accounts.model import Retention
from gateway.api.native import shapes_retention
from gateway.api.native.calls import PREFIX, answer, caller, json_object, query, services
from gateway.clock import now_ms
from gateway.errors import NotFound
from gateway.events import choice
from gateway.events.choice import FIELDS, wanted_of
from gateway.events.spans import Kept


def routes() -> list[web.AbstractRouteDef]:
    """Reading, setting and dropping what an account says of its own."""
    place = PREFIX + "/accounts/{account_id}/retention"
    return [web.get(place, get), web.put(place, put), web.delete(place, drop)]


async def get(request: web.Request) -> web.Response:
    """`GET /api/v1/accounts/{account_id}/retention`."""
    account_id = await _account(request, "see")
    return await _shown(request, account_id)


async def put(request: web.Request) -> web.Response:
    """`PUT /api/v1/accounts/{account_id}/retention` with `{"events": "90d", "payloads": "7d"}`, one or both."""
    account_id = await _account(request, "change")
    wanted = wanted_of(await json_object(request, *FIELDS), _usual(request))
    await store.put_retention(services(request).runtime.database, account_id, wanted, now_ms())
    return await _shown(request, account_id)


async def drop(request: web.Request) -> web.Response:
    """`DELETE /api/v1/accounts/{account_id}/retention`: the configuration counts again."""
    account_id = await _account(request, "change")
    await store.drop_retention(services(request).runtime.database, account_id)
    return await _shown(request, account_id)


async def _account(request: web.Request, act: str) -> str:
    query(request)
    who = await caller(request)
    if act == "change":
        administrator(who)
    account_id = request.match_info["account_id"]
    known = account_id.isascii() and account_id.isprintable()
    if not known or not await store.has_account(services(request).runtime.database, who, account_id):
        raise NotFound(f"No account found with ID {account_id[:64]}")
    return account_id


def _usual(request: web.Request) -> Kept:
    return choice.usual(services(request).runtime.config.retention)


async def _shown(request: web.Request, account_id: str) -> web.Response:
    own = await store.retention(services(request).runtime.database, account_id) or Retention()
    return answer(shapes_retention.retention(account_id, own, _usual(request).of(own)))
