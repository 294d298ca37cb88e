"""Delivery as a consumer lives it: what fails, what is tried again, what ends, and what is never dropped."""

import asyncio
import base64
import gzip
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from gateway.config import Config
from tests.delivery.road import attempts, deliveries, never, patch, send, until
from tests.kit.consumer import Arrived, Consumer, consumer
from tests.kit.gateway import Gateway, settings, started

SLOW = {"retry_schedule": ["60s"], "timeout": "2s"}


@pytest.fixture(params=["lean", "aiohttp"])
async def either(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway with each of the two HTTP clients."""
    async with started(settings(tmp_path, "", delivery={"client": request.param, "timeout": "1s"})) as found:
        yield found


# Answers


@pytest.mark.parametrize("status", [301, 302, 307])
async def test_a_redirect_is_a_failed_attempt_and_is_not_followed(
    either: Gateway, receiver: Consumer, status: int
) -> None:
    receiver.status, receiver.headers = status, {"Location": receiver.url("/elsewhere")}
    await send(either, await either.create("github", receiver.url()))
    await until(either, dead=1)
    assert {one.path for one in receiver.arrived} == {"/hook"}
    assert [made["status"] for made in await attempts(either)] == [status] * 4


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_every_2xx_is_a_delivery(either: Gateway, receiver: Consumer, status: int) -> None:
    receiver.status = status
    await send(either, await either.create("github", receiver.url()))
    await until(either, delivered=1)
    assert len(receiver.arrived) == 1


async def test_all_attempts_carry_the_same_id_and_bytes_and_a_fresh_signature(
    either: Gateway, receiver: Consumer
) -> None:
    async def one_second_later(_: Arrived) -> web.StreamResponse:
        return web.Response(status=200 if len(receiver.arrived) > 1 else 503, headers={"Retry-After": "1"})

    receiver.answer = one_second_later
    made = await either.create("github", receiver.url())
    await send(either, made)
    await until(either, delivered=1)
    first, last = receiver.arrived
    assert (first.id, first.body) == (last.id, last.body)
    assert int(last.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
    assert last.headers["webhook-signature"] != first.headers["webhook-signature"]
    for one in (first, last):
        assert Webhook(made["signingSecret"]).verify(one.body, dict(one.headers))


async def test_custom_headers_and_basic_auth_arrive(either: Gateway, receiver: Consumer) -> None:
    values = {
        "event.notification.callback.headers": '{"X-Team": "blue", "Authorization": "Bearer x"}',
        "event.notification.basic.username": "user",
        "event.notification.basic.password": "pass:word",
    }
    await send(either, await either.create("github", receiver.url("/hook?a=b%20c"), **values))
    [one] = await receiver.wait(1)
    assert (one.path, one.headers["X-Team"]) == ("/hook?a=b%20c", "blue")
    assert one.headers.getall("Authorization") == ["Basic " + base64.b64encode(b"user:pass:word").decode()]


async def test_a_consumer_that_hangs_up_gets_another_attempt(either: Gateway, receiver: Consumer) -> None:
    async def hang_up(_: Arrived) -> web.StreamResponse:
        if len(receiver.arrived) == 1:
            raise asyncio.CancelledError
        return web.Response()

    receiver.answer = hang_up
    await send(either, await either.create("github", receiver.url()))
    await until(either, delivered=1)
    assert [made["status"] for made in await attempts(either)] == [None, 200]


async def test_an_answer_without_an_end_ends_at_the_limit_or_the_deadline(either: Gateway) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.1)

    async with listening({"/endless": endless, "/drip": drip}) as base:
        began = time.monotonic()
        await send(either, await either.create("github", base + "/endless"))
        await until(either, delivered=1)
        await send(either, await either.create("github", base + "/drip"), 2)
        await until(either, dead=1, timeout_s=20)
        assert time.monotonic() - began < 20
    kept = [made for made in await attempts(either) if made["status"] == 200 and made["answer"]]
    assert all(len(bytes(made["answer"])) <= 1024 for made in kept)


async def test_a_bomb_is_not_unpacked_beyond_the_limit(either: Gateway, receiver: Consumer) -> None:
    bomb = gzip.compress(b"\0" * (64 << 20))

    async def answer(_: Arrived) -> web.StreamResponse:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    receiver.answer = answer
    await send(either, await either.create("github", receiver.url()))
    await until(either, delivered=1)
    [made] = await attempts(either)
    assert len(bytes(made["answer"])) <= 1024


class listening:  # noqa: N801 - read as a word of the test
    """A consumer with handlers of its own, until the block ends."""

    def __init__(self, handlers: dict[str, Any]) -> None:
        app = web.Application()
        for path, handler in handlers.items():
            app.router.add_post(path, handler)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2)

    async def __aenter__(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


# Retry-After, and the end of the schedule


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_puts_the_next_attempt_off(gateway: Gateway, receiver: Consumer, status: int) -> None:
    times: list[float] = []

    async def busy(_: Arrived) -> web.StreamResponse:
        times.append(time.monotonic())
        return web.Response(status=status if len(times) == 1 else 200, headers={"Retry-After": "1"})

    receiver.answer = busy
    made = await gateway.create("github", receiver.url())
    await send(gateway, made)
    await receiver.wait(1)
    await send(gateway, made, 2)
    await until(gateway, delivered=2)
    assert times[1] - times[0] >= 0.99


async def test_retry_after_is_capped(tmp_path: Path, receiver: Consumer) -> None:
    receiver.status, receiver.headers = 500, {"Retry-After": "9999999999"}
    async with started(settings(tmp_path, "", delivery={"retry_after_cap": "300ms"})) as gateway:
        await send(gateway, await gateway.create("github", receiver.url()))
        await until(gateway, dead=1)


async def test_when_the_schedule_is_used_up_the_delivery_is_dead_kept_and_counted(
    gateway: Gateway, receiver: Consumer
) -> None:
    receiver.status = 500
    await send(gateway, await gateway.create("github", receiver.url()))
    await until(gateway, dead=1, pending=0)
    [one] = await deliveries(gateway)
    assert (one["state"], one["attempts"]) == ("dead", 4)
    assert one["reason"] == "schedule used up; last: status 500"
    assert [(made["number"], made["status"]) for made in await attempts(gateway)] == [(n, 500) for n in (1, 2, 3, 4)]
    assert len(receiver.arrived) == 4
    await asyncio.sleep(0.5)
    assert len(receiver.arrived) == 4


async def test_a_forbidden_address_is_a_failed_attempt_that_says_so_and_nothing_is_dialled(
    database_url: str, tmp_path: Path, receiver: Consumer
) -> None:
    config = settings(tmp_path, database_url)
    async with started(config) as gateway:
        made = await gateway.create("github", receiver.url())
    async with started(_without_networks(config)) as gateway:
        made["webhookUrl"] = f"{gateway.url}/in/{made['webhookUrl'].rsplit('/', 1)[-1]}"
        await send(gateway, made)
        await until(gateway, dead=1)
        reasons = {one["reason"] for one in await attempts(gateway)}
    assert all(reason.startswith("forbidden_address: ") for reason in reasons)
    assert receiver.arrived == []


def _without_networks(config: Config) -> Config:
    return msgspec.structs.replace(config, egress=msgspec.structs.replace(config.egress, allow_networks=()))


# Nobody delays another


async def test_a_hanging_consumer_ends_at_the_deadline(either: Gateway, receiver: Consumer) -> None:
    receiver.answer = never
    await send(either, await either.create("github", receiver.url()))
    await until(either, dead=1, timeout_s=20)
    made = await attempts(either)
    assert [one["reason"].split(":")[0] for one in made] == ["timeout"] * 4
    assert all(900 <= one["duration_ms"] <= 2_500 for one in made)


async def test_destinations_that_hang_or_fail_delay_no_other(gateway: Gateway) -> None:
    async with consumer() as good, consumer() as hanging, consumer() as failing:
        hanging.answer, failing.status = never, 500
        places = [hanging] * 10 + [failing] * 10 + [good] * 80
        every = [await gateway.create("github", place.url(f"/{n}")) for n, place in enumerate(places)]
        for turn in range(3):
            sent = time.monotonic()
            await asyncio.gather(*(send(gateway, made, turn) for made in every))
            await good.wait(80 * (turn + 1))
            assert time.monotonic() - sent < 3
        assert len(set(good.ids)) == 240


async def test_three_hundred_hanging_destinations_do_not_stop_a_healthy_one(tmp_path: Path) -> None:
    config = settings(tmp_path, "", delivery={**SLOW, "concurrency": 64})
    async with started(config) as gateway, consumer() as good, consumer() as hanging:
        hanging.answer = never
        known = await gateway.create("github", good.url())
        await send(gateway, known, 0)
        await good.wait(1)
        bad = [await gateway.create("github", hanging.url(f"/{number}")) for number in range(300)]
        for place in range(0, 300, 100):
            await asyncio.gather(*(send(gateway, made) for made in bad[place : place + 100]))
        for number in range(1, 6):
            sent = time.monotonic()
            await send(gateway, known, number)
            await good.wait(1 + number)
            assert time.monotonic() - sent < 2
        hanging.answer = None


async def test_a_destination_that_recovers_gets_all_of_its_backlog_once(gateway: Gateway, receiver: Consumer) -> None:
    receiver.status, receiver.headers = 503, {"Retry-After": "1"}
    made = await gateway.create("github", receiver.url())
    for number in range(100):
        await send(gateway, made, number)
    receiver.status, receiver.headers = 200, {}
    await until(gateway, delivered=100, pending=0)
    good = [one for one in await attempts(gateway) if one["status"] == 200]
    assert len(good) == 100
    assert len(set(receiver.ids)) == 100


async def test_history_and_ledger_agree_after_all_kinds_of_ends(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    await send(gateway, made, 1)
    await until(gateway, delivered=1)
    receiver.status = 500
    await send(gateway, made, 2)
    await until(gateway, dead=1)
    await patch(gateway, made, None)
    await send(gateway, made, 3)
    ledger = await until(gateway, unrouted=1)
    rows = await deliveries(gateway)
    assert sorted(row["state"] for row in rows) == ["dead", "delivered"]
    assert (ledger["accepted"], ledger["routed"], ledger["created"]) == (3, 2, 2)
