"""Connections that are kept: used again, bounded, replaced when they are dead or old, and let go."""

import asyncio

import pytest

from gateway.egress import limits
from gateway.egress.guard import Guard
from gateway.egress.lean_pool import Pool
from gateway.egress.model import Answer, Client, Failure
from gateway.egress.open import ClientKind, open_client
from tests.egress.certificates import Authority
from tests.egress.peer import Names, StartPeer, Talk, post

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def test_a_connection_is_used_again(client: Client, peer: StartPeer) -> None:
    there = await peer(OK)
    outcomes = [await client.send(post(there.url(f"/{number}"))) for number in range(5)]
    assert all(isinstance(outcome, Answer) for outcome in outcomes)
    assert there.connections == 1
    assert outcomes[0].connect_ms > 0
    assert outcomes[1].connect_ms == 0


async def test_a_lane_that_gave_its_last_slot_back_is_the_same_when_it_is_used_again() -> None:
    pool = Pool(2)
    lane = pool.lane("https://example.com")
    await pool.slot(lane)
    pool.vacate(lane)
    await pool.slot(lane)
    assert pool.lane("https://example.com") is lane


async def test_a_connection_after_an_idle_one_has_ended_is_kept_like_the_first(
    client: Client, peer: StartPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "IDLE_SECONDS", 0.1)
    there = await peer(OK)
    for _ in range(3):
        for _ in range(2):
            assert isinstance(await client.send(post(there.url())), Answer)
        await asyncio.sleep(0.3)
    assert there.connections <= 3


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
async def test_a_peer_that_wants_to_close_is_not_asked_again(client: Client, peer: StartPeer, answer: bytes) -> None:
    there = await peer(answer)
    for _ in range(2):
        assert isinstance(await client.send(post(there.url())), Answer)
    assert there.connections == 2


async def test_a_kept_connection_that_the_peer_has_closed_is_replaced(client: Client, peer: StartPeer) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(OK)

    there = await peer(script)
    for _ in range(3):
        assert isinstance(await client.send(post(there.url())), Answer)
        await asyncio.sleep(0.05)
    assert there.connections == 3


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_kept_connection_that_dies_without_an_answer_is_replaced_once(
    client: Client, peer: StartPeer, method: str
) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        if talk.number == 1:
            await talk.say(OK)
            await talk.request()
        elif talk.number == 2:
            await talk.say(OK)

    there = await peer(script)
    for _ in range(2):
        outcome = await client.send(post(there.url(), method=method))
        assert isinstance(outcome, Answer)
    assert there.connections == 2


async def test_a_new_connection_that_dies_without_an_answer_is_not_tried_again(client: Client, peer: StartPeer) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()

    there = await peer(script)
    outcome = await client.send(post(there.url()))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "reset"
    assert there.connections == 1


async def test_a_kept_connection_that_dies_within_its_answer_is_not_tried_again(
    client: Client, peer: StartPeer
) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(OK)
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\nX-Half: ")

    there = await peer(script)
    await client.send(post(there.url()))
    outcome = await client.send(post(there.url()))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "reset"
    assert there.connections == 1


async def test_an_old_connection_is_not_used_again(
    kind: ClientKind, loopback: Guard, peer: StartPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "AGE_SECONDS", 0.1)
    there = await peer(OK)
    async with open_client(kind, loopback) as client:
        await client.send(post(there.url()))
        await asyncio.sleep(0.2)
        await client.send(post(there.url()))
    assert there.connections == 2


async def test_no_more_connections_are_made_than_permitted(kind: ClientKind, loopback: Guard, peer: StartPeer) -> None:
    open_now, most = 0, 0

    async def script(talk: Talk) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        try:
            while True:
                await talk.request()
                await asyncio.sleep(0.01)
                await talk.say(OK)
        finally:
            open_now -= 1

    there = await peer(script)
    async with open_client(kind, loopback, connections_per_host=3) as client:
        outcomes = await asyncio.gather(*[client.send(post(there.url())) for _ in range(20)])
    assert all(isinstance(outcome, Answer) for outcome in outcomes)
    assert most == 3


async def test_waiting_for_a_connection_counts_against_the_deadline(
    kind: ClientKind, loopback: Guard, peer: StartPeer
) -> None:
    async def script(talk: Talk) -> None:
        await talk.wait_for_the_end()

    there = await peer(script)
    async with open_client(kind, loopback, connections_per_host=1) as client:
        first = asyncio.create_task(client.send(post(there.url(), timeout=0.6)))
        await asyncio.sleep(0.05)
        second = await client.send(post(there.url(), timeout=0.2))
        assert not first.done()
        assert isinstance(second, Failure)
        assert second.reason == "timeout"
        assert isinstance(await first, Failure)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_cancelling_closes_the_connection_and_frees_its_place(
    kind: ClientKind, loopback: Guard, peer: StartPeer, authority: Authority, scheme: str
) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        if talk.number == 1:
            await talk.wait_for_the_end()
        await talk.say(OK)

    there = await peer(script, authority.server("127.0.0.1") if scheme == "https" else None)
    async with open_client(kind, loopback, connections_per_host=1, ssl_context=authority.trusting) as client:
        task = asyncio.create_task(client.send(post(there.url(scheme=scheme))))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert isinstance(await client.send(post(there.url(scheme=scheme))), Answer)
        await asyncio.sleep(0.1)
        assert there.ended >= 1


@pytest.mark.parametrize("delay", [0.0, 0.001, 0.003, 0.01])
async def test_cancelling_at_any_moment_loses_no_place(
    kind: ClientKind, loopback: Guard, peer: StartPeer, authority: Authority, delay: float
) -> None:
    there = await peer(OK, authority.server("127.0.0.1"))
    async with open_client(kind, loopback, connections_per_host=2, ssl_context=authority.trusting) as client:
        tasks = [asyncio.create_task(client.send(post(there.url(scheme="https")))) for _ in range(12)]
        await asyncio.sleep(delay)
        for task in tasks[::2]:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(outcome, Answer) for outcome in outcomes[1::2])
        for _ in range(3):
            assert isinstance(await client.send(post(there.url(scheme="https"))), Answer)


async def test_a_failed_connection_frees_its_place(kind: ClientKind, peer: StartPeer) -> None:
    there = await peer(OK)
    resolver = Names(turning_example=[["127.0.0.9"], ["10.0.0.1"], [], ["127.0.0.1"]])
    guard = Guard(allow_http=True, allow_networks=["127.0.0.0/8"])
    async with open_client(kind, guard, connections_per_host=1, resolver=resolver) as client:
        reasons = []
        for _ in range(4):
            outcome = await client.send(post(there.url(host="turning.example")))
            reasons.append(outcome.status if isinstance(outcome, Answer) else outcome.reason)
    assert reasons == ["connect", "forbidden_address", "dns", 200]


async def test_closing_ends_what_is_under_way_as_a_failure(kind: ClientKind, loopback: Guard, peer: StartPeer) -> None:
    async def script(talk: Talk) -> None:
        await talk.wait_for_the_end()

    there = await peer(script)
    async with open_client(kind, loopback) as client:
        task = asyncio.create_task(client.send(post(there.url())))
        await asyncio.sleep(0.1)
    assert isinstance(await task, Failure)
    assert isinstance(await client.send(post(there.url())), Failure)
