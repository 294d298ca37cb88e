"""When a poller's turn comes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.polling.interval import (
    LONGEST_WAIT,
    SLOW,
    after_failure,
    after_success,
    first_slot,
    next_slot,
    phase,
    slowest,
    wake_up,
)
from gateway.polling.model import Cursor, Failure, FailureKind, Plan, Step
from tests.polling.parts import MINUTE, NOW, SECOND, plan, poller

HOUR = 60 * MINUTE
CALM = Cursor(started=True, empty_in_a_row=1)
BUSY = Cursor(started=True, empty_in_a_row=0)


def success(of: Plan, cursor: Cursor, **changed: Any) -> Step:
    return after_success(of, poller(planned_at=NOW), cursor, now=NOW + SECOND, dice=0.0, **changed)


def failure(kind: FailureKind, *, failures: int = 0, dice: float = 1.0, wait: int | None = None) -> Step:
    broken = Failure(kind, "it says no", wait)
    return after_failure(plan(), poller(failures=failures), CALM, broken, now=NOW, dice=dice)


@given(st.text(), st.integers(1, 10**9), st.integers(0, 10**13))
def test_a_poller_s_slots_lie_on_its_own_phase(poller_id: str, interval: int, now: int) -> None:
    slot = first_slot(poller_id, interval, now)
    assert now < slot <= now + interval
    assert slot % interval == phase(poller_id, interval)


@given(st.integers(0, 10**13), st.integers(1, 10**9), st.integers(0, 10**10))
def test_the_next_slot_keeps_to_the_plan_and_leaves_out_what_was_missed(planned: int, interval: int, late: int) -> None:
    slot = next_slot(planned, interval, planned + late)
    assert (slot - planned) % interval == 0
    assert planned + late < slot
    assert slot - max(planned + late, planned) <= interval


def test_jitter_is_a_tenth_at_most_and_never_becomes_the_plan() -> None:
    kept = plan(interval=MINUTE, fixed=True)
    assert NOW <= wake_up(NOW, MINUTE, 0.999) < NOW + 6 * SECOND
    at = poller(planned_at=NOW)
    for number in range(1, 100):
        step = after_success(kept, at, CALM, now=NOW + number * MINUTE - SECOND, dice=0.9, again=False)
        at = at.after(step, CALM)
        assert at.planned_at == NOW + number * MINUTE
        assert at.next_due == NOW + number * MINUTE + 5_400


def test_an_interval_that_a_user_set_is_kept() -> None:
    kept = plan(interval=MINUTE, fixed=True)
    for cursor in (BUSY, Cursor(started=True, empty_in_a_row=500)):
        step = success(kept, cursor)
        assert step.next_due == NOW + MINUTE
        assert step.interval is None


def test_another_one_halves_with_changes_down_to_its_minimum() -> None:
    assert success(plan(interval=MINUTE), BUSY).interval == 30 * SECOND
    quick = Cursor(started=True, interval_ms=20 * SECOND)
    assert success(plan(interval=MINUTE), quick).interval == 15 * SECOND


def test_five_empty_polls_make_it_half_as_long_again_up_to_its_maximum() -> None:
    for empty, expected in ((4, MINUTE), (5, 90 * SECOND), (6, MINUTE), (10, 90 * SECOND)):
        step = success(plan(interval=MINUTE), Cursor(started=True, empty_in_a_row=empty))
        assert step.interval == expected
    slow = Cursor(started=True, empty_in_a_row=5, interval_ms=25 * MINUTE)
    assert success(plan(interval=MINUTE), slow).interval == 30 * MINUTE


def test_what_the_source_allows_is_a_floor_also_for_a_user() -> None:
    for of in (plan(interval=MINUTE), plan(interval=MINUTE, fixed=True)):
        assert success(of, CALM, floor=2 * MINUTE).next_due == NOW + 2 * MINUTE


def test_a_webhook_that_lives_slows_reconciling_down_and_nothing_else() -> None:
    reconcile = plan(interval=MINUTE, source="reconcile")
    assert success(reconcile, BUSY, webhook_alive=True).interval == slowest(reconcile) == 30 * MINUTE
    assert success(reconcile, BUSY).interval == 30 * SECOND
    assert success(plan(interval=MINUTE), BUSY, webhook_alive=True).interval == 30 * SECOND


def test_on_demand_only_nobody_waits() -> None:
    never = plan(interval=None)
    assert success(never, BUSY).next_due is None
    assert success(never, BUSY, again=True).next_due == NOW + SECOND
    assert after_failure(never, poller(), CALM, Failure("unavailable", "x"), now=NOW, dice=1.0).next_due is None


def test_what_is_not_finished_goes_on_at_once_and_the_plan_stays() -> None:
    step = success(plan(fixed=True), BUSY, again=True)
    assert (step.next_due, step.planned_at) == (NOW + SECOND, NOW)


@pytest.mark.parametrize(("failures", "most"), [(0, 5), (1, 10), (2, 20), (5, 160), (9, 1_800), (50, 1_800)])
def test_a_source_that_is_down_is_tried_again_after_anything_up_to_twice_as_long(failures: int, most: int) -> None:
    assert failure("unavailable", failures=failures).next_due == NOW + most * SECOND
    assert failure("unavailable", failures=failures, dice=0.5).next_due == NOW + most * SECOND // 2
    assert failure("unavailable", failures=failures, dice=0.0).next_due == NOW + SECOND


def test_what_the_source_asks_for_is_waited_for_at_least_but_never_longer_than_an_hour() -> None:
    assert failure("rate_limited", wait=10 * MINUTE).next_due == NOW + 10 * MINUTE
    assert failure("rate_limited", wait=SECOND).next_due == NOW + 5 * SECOND
    assert failure("unavailable", wait=10 * MINUTE).next_due == NOW + 10 * MINUTE
    assert failure("rate_limited", wait=48 * HOUR).next_due == NOW + HOUR
    assert failure("rate_limited", wait=-5).next_due == NOW + 5 * SECOND


def test_waiting_for_ones_turn_at_the_vendor_changes_nothing_but_the_time() -> None:
    waits = Failure("waits", "the limit is reached", 20 * SECOND)
    for at in (poller(), poller(failures=99, state="failing", reason="500")):
        step = after_failure(plan(), at, CALM, waits, now=NOW, dice=1.0)
        assert (step.state, step.failures, step.next_due) == (at.state, at.failures, NOW + 20 * SECOND)
        assert step.reason == (at.reason or "the limit is reached")
    assert after_failure(plan(interval=None), poller(), CALM, waits, now=NOW, dice=1.0).next_due is None


def test_a_wrong_configuration_is_tried_seldom_and_seen() -> None:
    step = failure("configuration")
    assert (step.state, step.reason, step.next_due) == ("failing", "it says no", NOW + SLOW)
    assert SLOW == LONGEST_WAIT


def test_refused_credentials_stop_it() -> None:
    step = failure("reauth")
    assert (step.state, step.next_due) == ("reauth", None)


@pytest.mark.parametrize("kind", ["rate_limited", "unavailable", "configuration", "malformed"])
def test_a_hundred_failures_in_a_row_switch_it_off(kind: FailureKind) -> None:
    assert failure(kind, failures=98).state == "failing"
    step = failure(kind, failures=99)
    assert (step.state, step.failures, step.next_due) == ("disabled", 100, None)


def test_a_success_forgets_all_failures() -> None:
    at = poller(failures=99, state="failing", reason="x", planned_at=NOW)
    step = after_success(plan(), at, CALM, now=NOW, dice=0.0)
    after = at.after(step, CALM)
    assert (after.state, after.reason, after.failures) == ("ok", None, 0)


def test_a_reason_that_no_store_can_hold_is_made_one_that_can() -> None:
    broken = Failure("malformed", "a\x00b\ud800" + "x" * 9_000)
    reason = after_failure(plan(), poller(), CALM, broken, now=NOW, dice=0.0).reason
    assert reason is not None
    assert len(reason) <= 512
    assert "\x00" not in reason
    reason.encode()
