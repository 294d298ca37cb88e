"""When a delivery is tried again."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery.retry import longest_ms, next_step, retry_after_ms
from tests.delivery.parts import attempt

NOW = 1_767_323_045_000
DAY = 86_400_000
SCHEDULE = [5_000, 300_000, 1_800_000]
DICE = st.floats(0, 1, exclude_max=True)


@given(st.integers(1, 3), st.integers(0, 10**9), st.sampled_from([0, DAY]), DICE)
def test_no_attempt_is_put_off_for_longer_than_the_longest_time(
    attempts: int, asked: int, cap: int, dice: float
) -> None:
    step = next_step(attempt(503, retry_after_ms=asked), attempts, SCHEDULE, cap, dice, NOW)
    assert step.due_at - NOW <= longest_ms(SCHEDULE, cap) <= max(1_980_001, cap)


@given(st.integers(200, 299), st.integers(1, 20), DICE)
def test_every_2xx_is_a_success(status: int, attempts: int, dice: float) -> None:
    step = next_step(attempt(status), attempts, SCHEDULE, DAY, dice, NOW)
    assert (step.state, step.reason, step.switch_off) == ("delivered", None, False)


@pytest.mark.parametrize("status", [100, 199, 300, 301, 304, 307, 400, 401, 404, 409, 429, 500, 503, 599, 999, None])
def test_anything_else_is_tried_again(status: int | None) -> None:
    step = next_step(attempt(status), 1, SCHEDULE, DAY, 0.5, NOW)
    assert (step.state, step.due_at, step.switch_off) == ("pending", NOW + 5_000, False)


@given(st.integers(1, 3), DICE)
def test_each_attempt_waits_as_long_as_the_schedule_says_give_or_take_a_tenth(attempts: int, dice: float) -> None:
    delay = next_step(attempt(), attempts, SCHEDULE, DAY, dice, NOW).due_at - NOW
    assert 0.9 * SCHEDULE[attempts - 1] <= delay <= 1.1 * SCHEDULE[attempts - 1]


def test_the_dice_reach_from_a_tenth_less_to_a_tenth_more() -> None:
    delays = [next_step(attempt(), 1, SCHEDULE, DAY, dice, NOW).due_at - NOW for dice in (0.0, 0.5, 0.999999)]
    assert delays == [4_500, 5_000, 5_500]


def test_after_the_last_step_of_the_schedule_the_delivery_is_dead_and_says_why() -> None:
    assert next_step(attempt(), 3, SCHEDULE, DAY, 0.5, NOW).state == "pending"
    step = next_step(attempt(), 4, SCHEDULE, DAY, 0.5, NOW)
    assert (step.state, step.reason, step.switch_off) == ("dead", "schedule used up; last: status 500", False)
    assert next_step(attempt(), 1, [], DAY, 0.5, NOW).state == "dead"


@given(st.integers(1, 20), st.none() | st.integers(0, 10 * DAY))
def test_410_ends_it_at_once_and_switches_the_destination_off(attempts: int, asked: int | None) -> None:
    step = next_step(attempt(410, retry_after_ms=asked), attempts, SCHEDULE, DAY, 0.5, NOW)
    assert (step.state, step.reason, step.switch_off) == ("dead", "gone", True)


@given(st.integers(0, 10**15), st.integers(1, 3), DICE)
def test_retry_after_only_ever_delays_and_is_capped(asked: int, attempts: int, dice: float) -> None:
    without = next_step(attempt(503), attempts, SCHEDULE, DAY, dice, NOW).due_at
    due_at = next_step(attempt(503, retry_after_ms=asked), attempts, SCHEDULE, DAY, dice, NOW).due_at
    assert due_at == max(without, NOW + min(asked, DAY))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("120", 120_000),
        (" 120\t", 120_000),
        ("00", 0),
        ("-5", None),
        ("+5", None),
        ("1.5", None),
        ("1e9", None),
        ("٣", None),
        ("²", None),
        ("soon", None),
        ("5 seconds", None),
        ("1000000000", 10**12),
        ("Fri, 02 Jan 2026 03:04:35 GMT", 30_000),
        ("Friday, 02-Jan-26 03:04:35 GMT", 30_000),
        ("Fri Jan  2 03:04:35 2026", 30_000),
        ("Fri, 02 Jan 2026 04:04:35 +0100", 30_000),
        ("Fri, 02 Jan 2026 03:04:04 GMT", 0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Fri, 32 Jan 2026 03:04:35 GMT", None),
        ("Fri, 02 Jan 2026 25:04:35 GMT", None),
        ("Fri, 02 Jan 2026 03:04:35 +999999999999999", None),
        ("Fri, 02 Jan 99999999999999 03:04:35 GMT", None),
        (",", None),
    ],
)
def test_retry_after_is_read_in_both_forms_and_garbage_says_nothing(header: str | None, expected: int | None) -> None:
    assert retry_after_ms(header, NOW) == expected


@given(st.text() | st.from_regex(r"[A-Za-z0-9 ,:+.-]{0,60}", fullmatch=True) | st.text("0123456789", min_size=1))
def test_no_text_trips_it_up(header: str) -> None:
    assert (retry_after_ms(header, NOW) or 0) >= 0


@given(
    st.sampled_from(["Mon", "Fri", ""]), st.integers(-1, 99), st.integers(-1, 99_999), st.integers(-1, 99),
    st.integers(-(10**12), 10**12),
)  # fmt: skip
def test_no_date_trips_it_up(day: str, number: int, year: int, hour: int, zone: int) -> None:
    assert (retry_after_ms(f"{day}, {number} Jan {year} {hour}:00:00 {zone:+05d}", NOW) or 0) >= 0


@given(st.integers(-(10**8), 10**8))
def test_a_date_says_how_long_from_now(seconds: int) -> None:
    at = datetime.fromtimestamp(NOW / 1000, UTC) + timedelta(seconds=seconds)
    assert retry_after_ms(format_datetime(at, usegmt=True), NOW) == max(0, seconds * 1000)
