"""Following events live: nothing is missed, over breaks and restarts; who does not read is let go."""

import asyncio
import json
import socket
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from gateway.api import following as streaming
from gateway.client import ANYWHERE, Api
from gateway.clock import now_ms
from gateway.egress.open import open_streaming_client
from gateway.event_stream import Message
from gateway.history.feed import feed as feeding
from tests.kit import postgres, signed
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway, settings, started

STREAM = "/api/v1/events/stream"
BODY = b'{"action":"opened","issue":{"id":7,"title":"Bug","body":null}}'


@asynccontextmanager
async def api_of(gateway: Gateway) -> AsyncIterator[Api]:
    async with open_streaming_client(ANYWHERE) as client:
        yield Api(client, gateway.url, gateway.auth["Authorization"])


class Follower:
    """Reads a stream in a task of its own."""

    def __init__(self, api: Api, query: dict[str, Any] | None = None, after: str | None = None) -> None:
        self.events: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.lost: list[str] = []
        self._news = asyncio.Event()
        self.ready = asyncio.Event()
        self._task = asyncio.create_task(self._read(api, query or {}, after))

    async def _read(self, api: Api, query: dict[str, Any], after: str | None) -> None:
        async with aclosing(api.stream(STREAM, query, after=after, lost=self.lost.append)) as messages:
            async for message in messages:
                self._take(message)

    def _take(self, message: Message) -> None:
        if message.event == "ready":
            self.ready.set()
            return
        assert message.event == "event"
        assert message.id is not None
        self.ids.append(message.id)
        self.events.append(json.loads(message.data))
        self._news.set()

    @property
    def vendor_ids(self) -> set[str]:
        return {one["vendor_event_id"] for one in self.events}

    async def has(self, vendor_ids: Iterable[str]) -> None:
        """Wait until all of these were told."""
        wanted = set(vendor_ids)
        async with asyncio.timeout(30):
            while not wanted <= self.vendor_ids:
                self._news.clear()
                await self._news.wait()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@asynccontextmanager
async def following(api: Api, query: dict[str, Any] | None = None, after: str | None = None) -> AsyncIterator[Follower]:
    follower = Follower(api, query, after)
    try:
        async with asyncio.timeout(10):
            await follower.ready.wait()
        yield follower
    finally:
        await follower.close()


async def post(gateway: Gateway, made: dict[str, Any]) -> str:
    """One event; the id that the vendor gave it."""
    headers = signed.github(made["webhookSecret"], BODY) | {"X-GitHub-Delivery": str(uuid.uuid4())}
    url = f"{gateway.url}/in/{made['webhookUrl'].rsplit('/', 1)[-1]}"
    assert (await gateway.send(url, BODY, headers)).status == 200
    return headers["X-GitHub-Delivery"]


async def test_an_event_is_told_as_lists_show_it(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    async with api_of(gateway) as api, following(api) as follower:
        vendor_id = await post(gateway, made)
        await follower.has([vendor_id])
        [told] = follower.events
        [listed] = (await api.get("/api/v1/events"))["items"]
    assert told["status"] in ("pending", "delivered")
    assert told | {"status": ""} == listed | {"status": ""}
    assert follower.ids == [listed["id"]]


async def test_what_is_shown_for_forwarding_is_what_the_consumer_gets(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url(), **{"event.notification.callback.headers": "X-Own: secret"})
    async with api_of(gateway) as api, following(api, {"include": "notification"}) as follower:
        await follower.has([await post(gateway, made)])
    [arrived], [told] = await receiver.wait(1), follower.events
    sent = told["notification"]
    assert sent["body"].encode() == arrived.body
    headers = dict(sent["headers"])
    assert Webhook(made["signingSecret"]).verify(sent["body"], headers)
    assert "secret" not in json.dumps(sent)
    assert headers["webhook-id"] == arrived.id


async def test_events_that_go_nowhere_are_signed_for_those_who_follow(gateway: Gateway) -> None:
    made = await gateway.create("github")
    query = {"include": "notification", "status": "unrouted"}
    async with api_of(gateway) as api, following(api, query) as follower:
        await follower.has([await post(gateway, made)])
    sent = follower.events[0]["notification"]
    assert Webhook(made["signingSecret"]).verify(sent["body"], dict(sent["headers"]))


async def test_a_filter_holds_back_what_does_not_fit(gateway: Gateway) -> None:
    one, other = await gateway.create("github"), await gateway.create("github")
    async with api_of(gateway) as api, following(api, {"instance_id": other["id"]}) as follower:
        await post(gateway, one)
        vendor_id = await post(gateway, other)
        await follower.has([vendor_id])
    assert follower.vendor_ids == {vendor_id}


async def test_a_stream_that_is_resumed_where_one_node_stores_everything_repeats_nothing(
    sqlite_gateway: Gateway,
) -> None:
    gateway = sqlite_gateway
    made = await gateway.create("github")
    async with api_of(gateway) as api:
        async with following(api) as first:
            seen = [await post(gateway, made) for _ in range(5)]
            await first.has(seen)
        missed = [await post(gateway, made) for _ in range(5)]
        async with following(api, after=first.ids[-1]) as second:
            await second.has([*missed, await post(gateway, made)])
    assert len(second.events) == 6
    assert not set(second.ids) & set(first.ids)


async def test_nothing_is_missed_under_load_over_a_restart(database_url: str, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    wanted = settings(tmp_path, database_url, server={"port": port})
    posted: list[str] = []
    async with open_streaming_client(ANYWHERE) as client:
        async with started(wanted) as gateway:
            made = await gateway.create("github")
            api = Api(client, gateway.url, gateway.auth["Authorization"])
            follower = Follower(api)
            await follower.ready.wait()
            await _load(gateway, made, posted)
        async with started(wanted) as gateway:
            # These are stored before the follower is back, or while it comes back.
            await _load(gateway, made, posted)
            await follower.has(posted)
            await _load(gateway, made, posted)
            await follower.has(posted)
    await follower.close()
    assert len(posted) == 600
    assert follower.vendor_ids == set(posted)
    assert follower.lost


async def test_what_one_node_stores_is_told_by_the_other(postgres_server: str, tmp_path: Path) -> None:
    wanted = settings(tmp_path, await postgres.fresh(postgres_server, f"following_{now_ms()}"))
    async with started(wanted) as one, started(wanted) as other:
        made = await one.create("github")
        async with api_of(other) as api, following(api) as follower:
            posted = [await post(gateway, made) for gateway in (one, other) * 10]
            await follower.has(posted)
    assert len(follower.events) == 20


async def _load(gateway: Gateway, made: dict[str, Any], posted: list[str]) -> None:
    async def some() -> None:
        for _ in range(20):
            posted.append(await post(gateway, made))

    await asyncio.gather(*(some() for _ in range(10)))


async def test_a_reader_that_never_reads_is_let_go(sqlite_gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = sqlite_gateway
    monkeypatch.setattr(streaming, "PATIENCE_S", 0.3)
    made = await gateway.create("github")
    with socket.create_connection(("127.0.0.1", gateway.running.port)) as silent:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = f"GET {STREAM}?include=notification HTTP/1.1\r\nHost: x\r\nAuthorization: "
        silent.sendall(request.encode() + gateway.auth["Authorization"].encode() + b"\r\n\r\n")
        await _streams(gateway, 1)
        body = json.dumps({"action": "opened", "issue": {"id": 7, "text": "x" * 200_000}}).encode()
        url = made["webhookUrl"]
        for _ in range(60):
            headers = signed.github(made["webhookSecret"], body)
            assert (await gateway.send(url, body, headers)).status == 200
        await _streams(gateway, 0)
    async with api_of(gateway) as api, following(api) as follower:
        await follower.has([await post(gateway, made)])


async def test_streams_beyond_the_limit_are_told_to_come_again(
    sqlite_gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "MOST_FOLLOWERS", 1)
    async with api_of(sqlite_gateway) as api, following(api):
        refused = await sqlite_gateway.call("GET", STREAM)
    assert refused.status == 503
    assert refused.headers["Retry-After"] == "5"
    assert "streams" in refused.json["detail"]


async def test_a_gateway_that_leaves_ends_its_streams(tmp_path: Path) -> None:
    async with open_streaming_client(ANYWHERE) as client:
        async with started(settings(tmp_path, "")) as gateway:
            follower = Follower(Api(client, gateway.url, gateway.auth["Authorization"]))
            await follower.ready.wait()
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 5
        await follower.close()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "colour"),
        ("since=2026-01-01", "since"),
        ("last_event_id=7", "last_event_id"),
        ("include=everything", "include"),
        ("status=lost", "status"),
    ],
)
async def test_a_stream_of_something_unknown_is_refused(sqlite_gateway: Gateway, query: str, field: str) -> None:
    refused = await sqlite_gateway.call("GET", f"{STREAM}?{query}")
    assert refused.status == 400
    assert refused.json["errors"][0]["field"] == field


async def test_an_instance_of_nobody_cannot_be_followed(sqlite_gateway: Gateway) -> None:
    assert (await sqlite_gateway.call("GET", f"{STREAM}?instance_id=4711")).status == 404


async def test_following_needs_credentials(sqlite_gateway: Gateway) -> None:
    assert (await sqlite_gateway.call("GET", STREAM, headers={})).status == 401


async def _streams(gateway: Gateway, number: int) -> None:
    """Wait until so many streams are open."""
    async with asyncio.timeout(20):
        while f"gateway_event_streams {number}.0" not in (await gateway.call("GET", "/metrics")).body.decode():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
