"""3rd-party connectors on the gateway's own wire: kept, switched, tried, and what they were called with."""

from typing import Any

from aiohttp import web

from gateway.api import read
from gateway.api.native import calls
from gateway.api.native import third_party_shapes as shapes
from gateway.errors import Problem
from gateway.ids import first_at
from gateway.provisioning import third_party
from gateway.provisioning.rotate import DEFAULT_OVERLAP, overlap_ms
from gateway.thirdparty import connectors
from gateway.thirdparty.calls import store as history
from gateway.thirdparty.draft import FIELDS
from gateway.thirdparty.draft import read as drafted
from gateway.thirdparty.model import SORTS, SortBy

PLACE = calls.PREFIX + "/third-party-connectors"
LONGEST_SEARCH = 200
_LARGEST = 10**15 - 1
_END = first_at(0xFFFF_FFFF_FFFF)


def routes() -> list[web.AbstractRouteDef]:
    """The routes of 3rd-party connectors."""
    one = PLACE + "/{id}"
    return [
        web.get(PLACE, list_),
        web.post(PLACE, create),
        web.post(PLACE + "/activate", activate),
        web.post(PLACE + "/disable", disable),
        web.post(PLACE + "/preview", preview_new),
        web.get(one, get),
        web.patch(one, change),
        web.delete(one, remove),
        web.post(one + "/rotate/signing-secret", rotate),
        web.post(one + "/preview", preview),
        web.post(one + "/test", test),
        web.get(one + "/calls", listed_calls),
    ]


async def list_(request: web.Request) -> web.Response:
    """`GET /api/v1/third-party-connectors?search=&sort=-date`: by name, where nothing else is asked for."""
    who = await calls.caller(request)
    calls.query(request, *calls.PAGING, "search", "sort")
    search, sort, ascending = _order(request)
    about, size = calls.about("third-party", who, search, sort, str(ascending)), calls.size(request)
    # The cursor is the number of a page of this size.
    given = calls.position(request, f"{about}\n{size}") or "1"
    number = int(given) if given.isdigit() and len(given) <= 9 else 1
    runtime = calls.services(request).runtime
    found = await connectors.page(runtime, who, search=search, sort=sort, ascending=ascending, number=number, size=size)
    more = str(number + 1) if number * size < found.total else None
    return calls.page([shapes.connector(one) for one in found.items], more, f"{about}\n{size}")


async def create(request: web.Request) -> web.Response:
    """`POST /api/v1/third-party-connectors`; only the answer has the signing secret."""
    who = await calls.caller(request)
    body = await calls.json_object(request, *FIELDS, "account_id")
    made = await third_party.create(calls.services(request), who, _text(body, "account_id"), drafted(body))
    return calls.answer(shapes.made(made), 201)


async def get(request: web.Request) -> web.Response:
    """`GET /api/v1/third-party-connectors/{id}`."""
    who = await calls.caller(request)
    return calls.answer(shapes.connector(await connectors.one(calls.services(request).runtime, who, _id(request))))


async def change(request: web.Request) -> web.Response:
    """`PATCH /api/v1/third-party-connectors/{id}` with the version that was read, and what is to be otherwise."""
    who = await calls.caller(request)
    body = await calls.json_object(request, *FIELDS, "version")
    version = body.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or not 0 < version <= _LARGEST:
        raise calls.invalid(Problem("version", "expected the version of the connector that this changes"))
    made = await third_party.change(calls.services(request), who, _id(request), drafted(body), version)
    return calls.answer(shapes.connector(made))


async def remove(request: web.Request) -> web.Response:
    """`DELETE /api/v1/third-party-connectors/{id}`."""
    who = await calls.caller(request)
    await third_party.remove(calls.services(request), who, _id(request))
    return web.Response(status=204)


async def activate(request: web.Request) -> web.Response:
    """`POST /api/v1/third-party-connectors/activate` with `{"ids": […]}`: all of them, or none."""
    return await _switch(request, enabled=True)


async def disable(request: web.Request) -> web.Response:
    """`POST /api/v1/third-party-connectors/disable` with `{"ids": […]}`: all of them, or none."""
    return await _switch(request, enabled=False)


async def _switch(request: web.Request, *, enabled: bool) -> web.Response:
    who = await calls.caller(request)
    ids = (await calls.json_object(request, "ids")).get("ids")
    if not isinstance(ids, list) or not all(type(one) is int and 0 < one <= _LARGEST for one in ids):
        raise calls.invalid(Problem("ids", "expected a list of numbers of connectors"))
    made = await third_party.switch(calls.services(request), who, ids, enabled=enabled)
    return calls.answer({"items": [shapes.connector(one) for one in made]})


async def rotate(request: web.Request) -> web.Response:
    """`POST /api/v1/third-party-connectors/{id}/rotate/signing-secret` with `{"overlap": "24h"}`."""
    who = await calls.caller(request)
    body = await calls.json_object(request, "overlap", optional=True)
    overlap = overlap_ms(body.get("overlap", DEFAULT_OVERLAP))
    secret = await third_party.rotate_signing_secret(calls.services(request), who, _id(request), overlap)
    return calls.answer({"signing_secret": secret})


async def preview_new(request: web.Request) -> web.Response:
    """`POST /api/v1/third-party-connectors/preview`: what a new one would send of an event."""
    who = await calls.caller(request)
    body = await calls.json_object(request, *FIELDS, "account_id", "event_id")
    found = await third_party.preview(
        calls.services(request),
        who,
        drafted(body),
        account_id=_text(body, "account_id"),
        event_id=_text(body, "event_id"),
    )
    return calls.answer(shapes.preview(found))


async def preview(request: web.Request) -> web.Response:
    """`POST /api/v1/third-party-connectors/{id}/preview`: the same of one that is changed a little."""
    who = await calls.caller(request)
    body = await calls.json_object(request, *FIELDS, "event_id", optional=True)
    found = await third_party.preview(
        calls.services(request), who, drafted(body), id=_id(request), event_id=_text(body, "event_id")
    )
    return calls.answer(shapes.preview(found))


async def test(request: web.Request) -> web.Response:
    """`POST /api/v1/third-party-connectors/{id}/test`: one real request, and what comes back."""
    who = await calls.caller(request)
    body = await calls.json_object(request, *FIELDS, "event_id", optional=True)
    found = await third_party.tested(
        calls.services(request), who, drafted(body), id=_id(request), event_id=_text(body, "event_id")
    )
    return calls.answer(shapes.tested(found))


async def listed_calls(request: web.Request) -> web.Response:
    """`GET /api/v1/third-party-connectors/{id}/calls`: newest first, with every attempt."""
    who = await calls.caller(request)
    calls.query(request, *calls.PAGING)
    connector_id, size = _id(request), calls.size(request)
    about = calls.about("third-party-calls", who, str(connector_id))
    found = await history.calls_of(
        calls.services(request).runtime.database,
        who,
        connector_id,
        before=calls.position(request, about) or _END,
        size=size + 1,
    )
    more = found[size - 1].id if len(found) > size else None
    return calls.page([shapes.call(one) for one in found[:size]], more, about)


def _id(request: web.Request) -> int:
    return read.path_id(request, what="3rd-party connector")


def _order(request: web.Request) -> tuple[str, SortBy, bool]:
    given = request.query.get("sort", "name")
    sort = given.removeprefix("-")
    if sort not in SORTS:
        raise calls.invalid(Problem("sort", f"expected one of {', '.join(SORTS)}, with a - before it from the last on"))
    return read.text(request, "search", longest=LONGEST_SEARCH), sort, not given.startswith("-")


def _text(body: dict[str, Any], name: str) -> str | None:
    found = body.get(name)
    if found is None or (isinstance(found, str) and 0 < len(found) <= 64 and found.isascii() and found.isprintable()):
        return found
    raise calls.invalid(Problem(name, "expected an id"))
