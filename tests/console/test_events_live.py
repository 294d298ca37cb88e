"""Fresh lines for an open list: in order, once, never more than people can read, and only as long as somebody may."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.accounts.sign_in import IDLE_MS
from gateway.console.events import live
from gateway.event_stream import Message, Reading
from gateway.history.feed.feed import MOST_OF_ONE
from gateway.ids import first_at
from tests.console.parts import send
from tests.console.person import Person, signed_in
from tests.kit.gateway import Gateway, settings, started

_ID = re.compile(r'<tr id="event-([0-9a-f]{32})"')


@dataclass
class Stream:
    """What a list's stream has said so far."""

    pieces: Any
    messages: list[Message] = field(default_factory=list)
    reading: Reading = field(default_factory=Reading)

    async def until(self, name: str, number: int = 1) -> list[Message]:
        """Read on until there are so many messages of a name."""
        async with asyncio.timeout(15):
            while len(found := [one for one in self.messages if one.event == name]) < number:
                piece = await self.pieces.readany()
                assert piece, "the stream has ended"
                self.messages += self.reading.feed(piece)
        return found

    async def ids(self, number: int) -> list[str]:
        """The events of all lines, the newest of each message first, once so many have come."""
        turn = 1
        while len(found := self.shown()) < number:
            await self.until("lines", turn)
            turn += 1
        return found

    def shown(self) -> list[str]:
        every = [orjson.loads(one.data)["lines"] for one in self.messages if one.event == "lines"]
        return [found for html in every for found in reversed(_ID.findall(html))]


@asynccontextmanager
async def following(person: Person, query: str = "", **headers: str) -> AsyncIterator[Stream]:
    """An open stream that has begun."""
    url = f"{person.gateway.url}/console/events/live{query}"
    async with person.session.get(url, headers=headers) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        stream = Stream(answer.content)
        await stream.until("begin")
        yield stream


async def test_fresh_events_come_as_lines_in_their_order(gateway: Gateway) -> None:
    made = await gateway.create("github")
    async with signed_in(gateway, "end_user") as person, following(person) as stream:
        for number in range(3):
            await send(gateway, made, {"action": "opened", "issue": {"id": number, "title": "<b>"}})
        found = await stream.ids(3)
        assert found == sorted(found)
        assert "issues.opened" in stream.messages[-1].data


async def test_only_what_fits_the_filter_comes(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    async with signed_in(sqlite_gateway) as person, following(person, "?type=issues.closed&within=1h") as stream:
        for action in ("opened", "closed", "opened"):
            await send(sqlite_gateway, made, {"action": action})
        await send(sqlite_gateway, made, {"action": "closed", "issue": {"id": "last"}})
        assert len(await stream.ids(2)) == 2
        assert "issues.opened" not in "".join(one.data for one in stream.messages)


async def test_a_flood_is_counted_and_only_its_newest_are_shown(
    sqlite_gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_LINES", 3)
    made = await sqlite_gateway.create("github")
    async with signed_in(sqlite_gateway) as person, following(person) as stream:
        await asyncio.gather(*(send(sqlite_gateway, made, {"action": "opened", "n": each}) for each in range(200)))
        told: list[dict[str, Any]] = []
        while sum(one["number"] for one in told) < 200:
            told = [orjson.loads(one.data) for one in await stream.until("lines", len(told) + 1)]
        assert max(len(_ID.findall(one["lines"])) for one in told) == 3
        assert sum(one["more"] for one in told) == 200 - len(stream.shown())
        assert len(told) < 6


async def test_who_comes_again_soon_misses_nothing_and_after_long_gets_the_list_anew(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    async with signed_in(sqlite_gateway) as person:
        async with following(person) as stream:
            await send(sqlite_gateway, made, {"action": "opened"})
            await stream.ids(1)
            last = next(one.id for one in reversed(stream.messages) if one.id)
        await send(sqlite_gateway, made, {"action": "closed"})
        async with following(person, **{"Last-Event-ID": last}) as stream:
            assert len(await stream.ids(1)) == 1
        for old in (first_at(1_700_000_000_000), "nonsense"):
            async with following(person, **{"Last-Event-ID": old}) as stream:
                await stream.until("anew")


async def test_a_stream_ends_with_its_session(sqlite_gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "ASKED_AGAIN_S", 0.1)
    async with signed_in(sqlite_gateway) as person, following(person) as stream:
        await person.post("/console/sign-out")
        await stream.until("ended")
        assert not await asyncio.wait_for(stream.pieces.read(), 5)


async def test_a_stream_ends_with_a_session_that_nobody_uses(
    sqlite_gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "ASKED_AGAIN_S", 0.1)
    async with signed_in(sqlite_gateway) as person, following(person) as stream:
        await aged(sqlite_gateway, IDLE_MS + 60_000)
        await stream.until("ended")


async def test_a_list_that_comes_back_by_itself_keeps_no_session_alive(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        before = await aged(sqlite_gateway, IDLE_MS - 120_000)
        async with following(person, Accept="text/event-stream"):
            assert await aged(sqlite_gateway, 0) == before


async def test_one_person_cannot_take_every_place(sqlite_gateway: Gateway) -> None:
    async with (
        signed_in(sqlite_gateway) as person,
        signed_in(sqlite_gateway, "end_user") as other,
        AsyncExitStack() as stack,
    ):
        for _ in range(MOST_OF_ONE):
            await stack.enter_async_context(following(person))
        assert (await person.get("/console/events/live")).status == 503
        await stack.enter_async_context(following(other))


async def aged(gateway: Gateway, by_ms: int) -> int:
    """When the only session was seen, after that was laid back."""
    database = gateway.running.services.runtime.database
    async with database.transaction() as transaction:
        await transaction.execute("UPDATE sessions SET seen_at = seen_at - $1", by_ms)
    row = await database.one("SELECT seen_at FROM sessions")
    assert row is not None
    return int(row["seen_at"])


async def test_a_quiet_stream_says_that_it_is_alive(sqlite_gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.1)
    async with signed_in(sqlite_gateway) as person, following(person) as stream:
        assert await asyncio.wait_for(stream.pieces.readany(), 5) == b": alive\n\n"


async def test_who_is_not_signed_in_or_asks_wrongly_gets_no_stream(sqlite_gateway: Gateway) -> None:
    answered = await sqlite_gateway.call("GET", "/console/events/live", headers={}, allow_redirects=False)
    assert answered.status == 303
    async with signed_in(sqlite_gateway) as person:
        assert (await person.get("/console/events/live?status=lost")).status == 400


async def test_an_open_stream_does_not_keep_the_gateway_from_leaving(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(started(settings(tmp_path, "")))
        person = await stack.enter_async_context(signed_in(gateway))
        stream = await stack.enter_async_context(following(person))
        reading = asyncio.create_task(stream.pieces.read())
        began = time.monotonic()
    assert time.monotonic() - began < 5
    assert reading.done()
