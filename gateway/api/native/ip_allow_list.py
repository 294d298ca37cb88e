"""The addresses that a partner's callers may come from: `calls` for method calls, `api` for its whole API."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from gateway.accounts.authorization import administrator
from gateway.accounts.ip_allowed import store
from gateway.accounts.ip_allowed.model import LISTS, Allowed, List
from gateway.accounts.model import Caller
from gateway.accounts.networks import is_listed, network_of
from gateway.api.native.calls import PREFIX, answer, caller, invalid, json_object, query, services
from gateway.api.source import address
from gateway.clock import iso_ms, now_ms
from gateway.errors import Conflict, NotFound, Problem

MOST_ENTRIES = 1_000
LONGEST_NOTE = 255


def routes() -> list[web.RouteDef]:
    """The routes of both lists."""
    one = PREFIX + "/ip-allow-list"
    return [web.get(one, list_), web.put(one, put), web.post(one, post), web.delete(one, delete)]


async def list_(request: web.Request) -> web.Response:
    """`GET /api/v1/ip-allow-list?list=calls`: both lists, or one."""
    who = await _partner(request)
    name = query(request, "list").get("list")
    if name is not None:
        _named(name)
    return answer(await _shown(request, who, name))


async def put(request: web.Request) -> web.Response:
    """`PUT /api/v1/ip-allow-list` with `{"list": "calls", "entries": ["192.0.2.0/24"]}`: just these from now on."""
    who = await _partner(request)
    body = await json_object(request, "list", "entries")
    name, entries = _named(body.get("list")), _entries(body)
    _keeps_caller(request, name, [one.network for one in entries])
    await store.replace(services(request).runtime.database, who.partner_id, name, entries)
    services(request).reception.forget()
    return answer(await _shown(request, who, name))


async def post(request: web.Request) -> web.Response:
    """`POST /api/v1/ip-allow-list` with a list and an `address`, or several `entries`: these too."""
    who = await _partner(request)
    database = services(request).runtime.database
    body = await json_object(request, "list", "entries", "address", "note")
    name, entries = _named(body.get("list")), _entries(body)
    known = {*await store.networks(database, who.partner_id, name), *(one.network for one in entries)}
    if len(known) > MOST_ENTRIES:
        raise invalid(Problem("entries", f"would be {len(known)} on this list; at most {MOST_ENTRIES} are kept"))
    _keeps_caller(request, name, sorted(known))
    await store.add(database, who.partner_id, entries)
    services(request).reception.forget()
    return answer(await _shown(request, who, name))


async def delete(request: web.Request) -> web.Response:
    """`DELETE /api/v1/ip-allow-list?list=calls&address=192.0.2.0/24`."""
    who = await _partner(request)
    asked, database = query(request, "list", "address"), services(request).runtime.database
    name, network = _named(asked.get("list")), network_of(asked.get("address", ""))
    if network is None:
        raise invalid(Problem("address", "expected an address or a network such as 192.0.2.0/24"))
    left = [one for one in await store.networks(database, who.partner_id, name) if one != network]
    _keeps_caller(request, name, left)
    if not await store.remove(database, who.partner_id, name, network):
        raise NotFound(f"{network} is not on the list {name}.")
    services(request).reception.forget()
    return answer(await _shown(request, who, name))


async def _partner(request: web.Request) -> Caller:
    return administrator(await caller(request))


async def _shown(request: web.Request, who: Caller, name: str | None) -> dict[str, Any]:
    found = await store.every(services(request).runtime.database, who.partner_id)
    return {
        "items": [
            {"list": one.list, "address": one.network, "note": one.note, "created_at": iso_ms(one.created_at)}
            for one in found
            if name in (None, one.list)
        ],
        "your_address": address(request),
    }


def _named(given: object) -> List:
    if given not in LISTS:
        raise invalid(Problem("list", f"expected one of {', '.join(LISTS)}"))
    return given


def _entries(body: dict[str, Any]) -> list[Allowed]:
    given = body.get(
        "entries", [{"address": body["address"], "note": body.get("note", "")}] if "address" in body else None
    )
    if not isinstance(given, list) or len(given) > MOST_ENTRIES:
        raise invalid(Problem("entries", f"expected a list of at most {MOST_ENTRIES} addresses or networks"))
    problems: list[Problem] = []
    entries = [_entry(_named(body.get("list")), number, one, problems) for number, one in enumerate(given)]
    if problems:
        raise invalid(*problems)
    return list({one.network: one for one in entries}.values())


def _entry(name: List, number: int, given: object, problems: list[Problem]) -> Allowed:
    found = given if isinstance(given, dict) else {"address": given}
    address, note = found.get("address"), found.get("note", "")
    network = network_of(address) if isinstance(address, str) else None
    if network is None:
        problems.append(Problem(f"entries[{number}].address", "expected an address or a network such as 192.0.2.0/24"))
    if not isinstance(note, str) or len(note) > LONGEST_NOTE or not note.isprintable():
        problems.append(Problem(f"entries[{number}].note", f"expected a text of at most {LONGEST_NOTE} characters"))
        note = ""
    return Allowed(list=name, network=network or "", note=note, created_at=now_ms())


def _keeps_caller(request: web.Request, name: List, networks: Sequence[str]) -> None:
    """Nobody locks themselves out: a first entry of `api` must let its author in."""
    if name == "api" and networks and not is_listed(address(request), networks):
        raise Conflict(f"This list would lock you out: it does not hold your own address, {address(request)}.")
