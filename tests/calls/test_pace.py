"""The vendor's pace: buckets, calls at once, pauses; in the order of asking, and never a slot too few."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from gateway.calls import pace as module
from gateway.calls.model import Access
from gateway.calls.pace import Keys, Pace, TooMany, credential_of, key_of
from gateway.catalogue.call_model import Limits
from gateway.catalogue.config_view import ConfigView
from tests.calls.shop import SHOP, access_to


def limits(
    requests: int | None = None, per: int | None = None, burst: int | None = None, concurrency: int | None = None
) -> Limits:
    return Limits(
        requests=requests, per=per, burst=burst, concurrency=concurrency, scope="credential", status=(),
        retry_after=(), reset_at=(), reset_unit="s", remaining=None, used=None,
    )  # fmt: skip


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def tried(pace: Pace, allowed: Limits | None, *, patience: float = 0.0, yields: bool = False) -> float:
    """0 where a turn came at once or in time, else the wait that was told."""
    async with pace.turn("k", allowed, patience, yields=yields) as refused:
        return refused.wait_s if isinstance(refused, TooMany) else 0.0


async def test_a_bucket_gives_its_burst_at_once_and_then_its_rate() -> None:
    clock = Clock()
    pace, allowed = Pace(clock), limits(requests=10, per=1000, burst=3)
    assert [await tried(pace, allowed) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert await tried(pace, allowed) == pytest.approx(0.1)
    clock.now += 0.1001
    assert await tried(pace, allowed) == 0.0
    assert await tried(pace, allowed) > 0
    clock.now += 60
    assert [await tried(pace, allowed) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert await tried(pace, allowed) > 0


async def test_a_bucket_without_a_burst_gives_a_whole_period_s_calls() -> None:
    pace, allowed = Pace(Clock()), limits(requests=5, per=60_000)
    assert [await tried(pace, allowed) for _ in range(5)] == [0.0] * 5
    assert await tried(pace, allowed) == pytest.approx(12.0)


async def test_never_more_than_the_rate_over_any_time() -> None:
    pace, allowed = Pace(), limits(requests=100, per=1000, burst=5)
    began = time.monotonic()

    async def one() -> float:
        await tried(pace, allowed, patience=5)
        return time.monotonic() - began

    moments = sorted(await asyncio.gather(*(one() for _ in range(35))))
    assert all(at >= (number - 5) / 100 - 0.011 for number, at in enumerate(moments, 1))
    assert moments[-1] < 2.0


async def test_no_more_calls_at_once_than_allowed_and_all_get_their_turn() -> None:
    pace, allowed = Pace(), limits(concurrency=3)
    now = most = done = 0

    async def one() -> None:
        nonlocal now, most, done
        async with pace.turn("k", allowed, 10.0) as refused:
            assert refused is None
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.001)
            now -= 1
            done += 1

    await asyncio.gather(*(one() for _ in range(100)))
    assert (most, done) == (3, 100)


async def test_turns_come_in_the_order_of_asking_and_nobody_slips_in() -> None:
    pace, allowed = Pace(), limits(concurrency=1)
    order: list[int] = []

    async def one(number: int) -> None:
        async with pace.turn("k", allowed, 10.0):
            order.append(number)
            await asyncio.sleep(0)

    async with pace.turn("k", allowed, 0.0):
        tasks = []
        for number in range(20):
            tasks.append(asyncio.create_task(one(number)))
            await asyncio.sleep(0)
    # The slot is free, and twenty wait for it: who comes now waits too.
    assert await tried(pace, allowed) > 0
    await asyncio.gather(*tasks)
    assert order == list(range(20))


async def test_who_would_wait_too_long_hears_at_once_how_long() -> None:
    pace, allowed = Pace(Clock()), limits(requests=1, per=1000, burst=1)
    assert await tried(pace, allowed) == 0.0
    began = time.perf_counter()
    assert await tried(pace, allowed, patience=0.5) == pytest.approx(1.0)
    assert time.perf_counter() - began < 0.2


async def test_those_who_wait_count_in_what_is_told() -> None:
    pace, allowed = Pace(), limits(requests=1, per=1000, burst=1)
    await tried(pace, allowed)
    waiting = [asyncio.create_task(tried(pace, allowed, patience=30)) for _ in range(4)]
    await asyncio.sleep(0)
    assert await tried(pace, allowed, patience=3) == pytest.approx(5.0, abs=0.1)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await tried(pace, allowed) == pytest.approx(1.0, abs=0.1)


async def test_patience_that_ends_leaves_nothing_behind() -> None:
    pace, allowed = Pace(), limits(concurrency=1)
    async with pace.turn("k", allowed, 0.0):
        assert await tried(pace, allowed, patience=0.3) > 0
    assert await tried(pace, allowed) == 0.0


async def test_polls_let_people_go_first() -> None:
    pace, allowed = Pace(), limits(concurrency=1)
    order: list[str] = []

    async def one(name: str, *, yields: bool) -> None:
        async with pace.turn("k", allowed, 10.0, yields=yields):
            order.append(name)
            await asyncio.sleep(0)

    async with pace.turn("k", allowed, 0.0):
        tasks = [asyncio.create_task(one(f"poll {n}", yields=True)) for n in range(2)]
        await asyncio.sleep(0)
        tasks += [asyncio.create_task(one(f"call {n}", yields=False)) for n in range(2)]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert order == ["call 0", "call 1", "poll 0", "poll 1"]


async def test_a_pause_holds_everybody_of_the_allowance_and_nobody_else() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.pause("k", 30.0)
    pace.pause("k", 10.0)
    assert pace.wait_s("k") == 30.0
    assert await tried(pace, None) == 30.0
    async with pace.turn("other", None, 0.0) as refused:
        assert refused is None
    clock.now += 30.1
    assert await tried(pace, None) == 0.0


async def test_a_vendor_that_says_to_come_back_at_once_is_left_alone_for_a_moment() -> None:
    pace = Pace(Clock())
    pace.pause("k", 0.0)
    assert pace.wait_s("k") == pytest.approx(0.1)
    pace.pause("l", None)
    assert pace.wait_s("l") == pytest.approx(1.0)


async def test_a_cancelled_call_never_takes_a_slot_with_it() -> None:
    pace, allowed = Pace(), limits(concurrency=2)

    async def one(seconds: float) -> None:
        async with pace.turn("k", allowed, 10.0):
            await asyncio.sleep(seconds)

    for round_ in range(50):
        tasks = [asyncio.create_task(one(0.0 if n % 3 else 0.001)) for n in range(8)]
        for _ in range(round_ % 6):
            await asyncio.sleep(0)
        for task in tasks[round_ % 3 :: 2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    async with AsyncExitStack() as stack:
        assert await stack.enter_async_context(pace.turn("k", allowed, 0.0)) is None
        assert await stack.enter_async_context(pace.turn("k", allowed, 0.0)) is None
        assert await tried(pace, allowed) > 0


async def test_a_call_cancelled_in_the_moment_of_its_turn_hands_it_on() -> None:
    pace, allowed = Pace(), limits(concurrency=1)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(pace.turn("k", allowed, 0.0))
        first = asyncio.create_task(tried(pace, allowed, patience=10))
        second = asyncio.create_task(tried(pace, allowed, patience=10))
        await asyncio.sleep(0)
    first.cancel()  # its turn was called, and it has not run since
    assert await second == 0.0
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await tried(pace, allowed) == 0.0


async def test_an_exception_in_a_call_gives_its_slot_back() -> None:
    pace, allowed = Pace(), limits(concurrency=1)
    with pytest.raises(RuntimeError):
        async with pace.turn("k", allowed, 0.0):
            raise RuntimeError
    assert await tried(pace, allowed) == 0.0


async def test_what_is_remembered_is_bounded_and_who_calls_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEYS", 100)
    pace, allowed = Pace(), limits(concurrency=1)
    async with pace.turn("busy", allowed, 0.0):
        for number in range(1000):
            pace.pause(f"k{number}", 1000.0)
        assert len(pace._lines) <= 101
        async with pace.turn("busy", allowed, 0.0) as refused:
            assert isinstance(refused, TooMany)


def test_instances_with_the_same_credential_share_an_allowance(tmp_path: Path) -> None:
    one = access_to(tmp_path, config={"key": "a", "hook.secret": "1"})
    same = Access(connector=one.connector, config=ConfigView({"key": "a", "hook.secret": "2"}))
    other = Access(connector=one.connector, config=ConfigView({"key": "b", "hook.secret": "1"}))
    elsewhere = Access(connector=one.connector, config=ConfigView({"key": "a", "base.url": "https://eu.shop.example"}))
    assert credential_of(one) == credential_of(same)
    assert len({credential_of(access) for access in (one, other, elsewhere)}) == 3
    assert "a" not in key_of(one, None).removeprefix("shop:").split(":")


@pytest.mark.parametrize(("scope", "shared"), [("connector", 1), ("config:user", 2), ("credential", 3)])
def test_an_allowance_is_shared_as_the_file_says(tmp_path: Path, scope: str, shared: int) -> None:
    access = access_to(tmp_path, SHOP + f'[http.limits]\nscope = "{scope}"\n')
    values = [{"key": "a", "user": "x"}, {"key": "b", "user": "x"}, {"key": "c", "user": "y"}]
    found = {
        key_of(Access(connector=access.connector, config=ConfigView(one)), access.connector.http.limits)
        for one in values
    }
    assert len(found) == shared


def test_the_key_of_an_allowance_is_remembered_for_as_long_as_it_is_right(
    shop: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_REMEMBERED", 10)
    keys = Keys()
    assert keys.of(shop) == keys.of(shop) == key_of(shop, None)
    changed = Access(connector=shop.connector, config=ConfigView({"key": "changed"}))
    assert keys.of(changed) == key_of(changed, None) != keys.of(shop)
    for number in range(50):
        keys.of(Access(connector=shop.connector, config=ConfigView({"key": str(number)})))
    assert len(keys._known) <= 10
