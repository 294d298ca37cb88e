"""For how long an account's events and payloads are kept."""

from collections.abc import Mapping

from aiohttp import web

from gateway.accounts import store
from gateway.accounts.authorization import administrator
from gateway.accounts.model import Retention
from gateway.api.native import shapes_retention
from gateway.api.native.calls import PREFIX, answer, caller, invalid, json_object, query, services
from gateway.clock import duration_ms, now_ms
from gateway.errors import NotFound, Problem
from gateway.events.spans import Kept

FIELDS = ("events", "payloads")
_LONGEST_MS = 3650 * 86_400_000
_EXPECTED = 'expected a duration such as "90d", of more than 0s and at most 3650d'


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


def wanted_of(given: Mapping[str, object], usual: Kept) -> Retention:
    """What a body asks for; Invalid names the field that is wrong."""
    if all(given.get(name) is None for name in FIELDS):
        raise invalid(Problem("events", "is missing, and so is payloads; give one of them or both"))
    found = {name: _duration(given.get(name)) for name in FIELDS}
    problems = [Problem(name, _EXPECTED) for name, value in found.items() if value == 0]
    if problems:
        raise invalid(*problems)
    events_ms = usual.events_ms if found["events"] is None else found["events"]
    if found["payloads"] is not None and found["payloads"] > events_ms:
        raise invalid(Problem("payloads", "is longer than events; a payload goes with its event at the latest"))
    return Retention(events_ms=found["events"], payloads_ms=found["payloads"])


def _duration(given: object) -> int | None:
    """Milliseconds; 0 for what is no duration that may stand here."""
    if given is None:
        return None
    try:
        found = duration_ms(given) if isinstance(given, str) else 0
    except ValueError:
        return 0
    return found if found <= _LONGEST_MS else 0


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
    kept = services(request).runtime.config.retention
    return Kept(events_ms=kept.events.ms, payloads_ms=kept.payloads.ms)


async def _shown(request: web.Request, account_id: str) -> web.Response:
    own = await store.retention(services(request).runtime.database, account_id) or Retention()
    return answer(shapes_retention.retention(account_id, own, _usual(request).of(own)))
