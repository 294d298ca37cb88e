"""`GET /api/v1/events/stream`: events as they become durable, as server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from gateway.accounts.model import Caller
from gateway.api.following import HEARTBEAT_S, followed, goes_on, write
from gateway.api.native.calls import PREFIX, caller, event_filter, invalid, query, services
from gateway.api.native.shapes_history import event as listed
from gateway.api.native.shapes_live import forwarded
from gateway.api.surface import FEED
from gateway.errors import Problem
from gateway.event_stream import Message, comment, written
from gateway.history.feed import store
from gateway.history.feed.feed import MOST_FOLLOWERS
from gateway.history.feed.following import Following, made_at
from gateway.history.feed.shown import notification
from gateway.history.filter import FIELDS, EventFilter
from gateway.history.model import Listed
from gateway.instances import store as instances

#: How often it is asked whether the caller may still read.
_ASKED_AGAIN_S = 60.0
_TICK_S = 0.5
#: What comes within this time is read and shown together.
_PACE_S = 0.1
#: Payloads that are in memory at once, for one stream.
_MOST_BYTES = 1 << 20
_NOT_HERE = ("since", "until")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a stream was asked for."""

    who: Caller
    chosen: EventFilter
    after: str | None
    notifications: bool


def routes() -> list[web.AbstractRouteDef]:
    """What following has."""
    return [web.get(PREFIX + "/events/stream", stream, allow_head=False)]


async def stream(request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/events/stream`."""
    wanted = await _wanted(request)
    full = f"{MOST_FOLLOWERS} streams are open at this node, or it is leaving; come again later."
    return await followed(request, lambda response: _flow(request, response, wanted), full)


async def _wanted(request: web.Request) -> _Wanted:
    who = await caller(request)
    given = query(request, *(name for name in FIELDS if name not in _NOT_HERE), "include", "last_event_id")
    after = request.headers.get("Last-Event-ID") or given.get("last_event_id") or None
    include = given.get("include")
    if include not in (None, "notification"):
        raise invalid(Problem("include", "expected notification"))
    chosen = event_filter({name: value for name, value in given.items() if name in FIELDS})
    if chosen.instance_id is not None:
        await instances.get(services(request).runtime.database, who, chosen.instance_id)
    return _Wanted(who, chosen, None if after is None else _event_id(after), include is not None)


def _event_id(text: str) -> str:
    try:
        made_at(text)
    except ValueError:
        raise invalid(Problem("last_event_id", "expected the id of an event, 32 hex digits")) from None
    return text


async def _flow(request: web.Request, response: web.StreamResponse, wanted: _Wanted) -> None:
    """Write until the reader goes, or the gateway does; TimeoutError where the reader does not read."""
    loop, feed, database = asyncio.get_running_loop(), request.app[FEED], services(request).runtime.database
    following = Following(feed, database, wanted.who, wanted.chosen, wanted.after)
    await write(response, b"retry: 1000\n" + written(Message("ready", "{}", following.last)))
    wrote = asked = loop.time()
    while goes_on(request):
        found = await following.next(_TICK_S)
        if found:
            async for message in _messages(request, wanted, found):
                await write(response, message)
            wrote = loop.time()
            await asyncio.sleep(_PACE_S)
        elif loop.time() - wrote >= HEARTBEAT_S:
            await write(response, comment("alive"))
            wrote = loop.time()
        if loop.time() - asked >= _ASKED_AGAIN_S:
            await caller(request)
            asked = loop.time()


async def _messages(request: web.Request, wanted: _Wanted, found: Sequence[Listed]) -> AsyncIterator[bytes]:
    if not wanted.notifications:
        yield b"".join(_message(one, listed(one)) for one in found)
        return
    runtime, index = services(request).runtime, services(request).index
    for group in _groups(found):
        events = await store.with_payload(runtime.database, wanted.who, [one.id for one in group])
        for one in group:
            event = events.get(one.id)
            sent = None if event is None else await notification(runtime, index, event)
            yield _message(one, listed(one) | {"notification": None if sent is None else forwarded(sent)})


def _message(one: Listed, shown: Mapping[str, Any]) -> bytes:
    return written(Message("event", orjson.dumps(shown).decode(), one.id))


def _groups(found: Sequence[Listed]) -> Iterator[list[Listed]]:
    """The same in groups whose payloads are read together."""
    group: list[Listed] = []
    size = 0
    for one in found:
        if group and size + one.size > _MOST_BYTES:
            yield group
            group, size = [], 0
        group.append(one)
        size += one.size
    if group:
        yield group
