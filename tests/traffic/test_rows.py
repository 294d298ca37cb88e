"""From counts in memory to rows, and from rows to points; pure."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.traffic.count import Owner, Traffic
from gateway.traffic.model import HOUR_MS, MINUTE_MS, NOTHING, WIDTH, Figures, Point, Window, dense, total
from gateway.traffic.rows import Owed

MINE = Owner("partner", "mine")
NUMBERS = st.lists(st.integers(0, 10**6), min_size=WIDTH, max_size=WIDTH)


@given(NUMBERS)
def test_figures_are_what_their_columns_say(numbers: list[int]) -> None:
    assert list(Figures.of(numbers).numbers) == numbers


@given(st.lists(NUMBERS, max_size=5))
def test_the_total_of_points_is_the_sum_of_each_column(several: list[list[int]]) -> None:
    found = total([Point(0, Figures.of(numbers)) for numbers in several])
    assert list(found.numbers) == [sum(column) for column in zip(*several, strict=True)] or not several


@given(st.integers(0, 2**42), st.sampled_from([MINUTE_MS, 15 * MINUTE_MS, HOUR_MS]), st.integers(1, 200))
def test_a_window_ends_with_the_step_that_is_running_and_has_a_point_for_each(now: int, step: int, number: int) -> None:
    window = Window.ending(now, number * step, step)
    assert window.until - step <= now < window.until
    points = dense(window, [Point(window.since, Figures(accepted=3))])
    assert len(points) == number
    assert [one.at for one in points] == list(range(window.since, window.until, step))
    assert (points[0].figures.accepted, total(points).accepted) == (3, 3)
    assert all(one.figures == NOTHING for one in points[1:])


def test_an_account_counts_by_the_minute_and_the_hour_and_so_does_its_partner() -> None:
    owed = Owed()
    minute = 7 * HOUR_MS + 5 * MINUTE_MS
    owed.add({(MINE, minute): [1] * WIDTH, (Owner("partner", "other"), minute + MINUTE_MS): [2] * WIDTH})
    hours = {key[1]: numbers[0] for key, numbers in owed.rows.items() if key[2] == HOUR_MS}
    assert hours == {"mine": 1, "other": 2, "": 3}
    assert {key[3] for key in owed.rows if key[2] == HOUR_MS} == {7 * HOUR_MS}
    assert len(owed.rows) == 7


def test_a_destination_that_is_nobody_s_any_more_is_left_out() -> None:
    traffic, owed = Traffic(), Owed()
    traffic.attempted(1, 10, None)
    owed.add_aims([(*place, aim) for place, aim in traffic.aims.items()], {})
    assert len(owed) == 0


def test_the_last_failure_of_an_hour_is_told_and_a_success_does_not_hide_it() -> None:
    traffic, owed = Traffic(), Owed()
    for reason in ("status 500", "timeout: nothing came for 2 s", None):
        traffic.attempted(1, 10, reason, 20)
    owed.add_aims([(*place, aim) for place, aim in traffic.aims.items()], {1: MINE})
    [row] = owed.aims.values()
    assert (row.ok, row.failed, row.reason) == (1, 2, "timeout")


def test_replays_count_as_attempts_and_say_nothing_of_how_long_events_are_on_their_way() -> None:
    traffic = Traffic()
    traffic.attempted(1, 10, None, None)
    [aim] = traffic.aims.values()
    figures = Figures.of(aim.numbers)
    assert (figures.attempts_ok, figures.latency(0.5)) == (1, None)
    assert figures.duration(1.0) == 10


def test_a_state_that_is_no_end_is_not_counted() -> None:
    traffic = Traffic()
    traffic.settled(1, "pending")
    traffic.settled(1, "cancelled")
    assert traffic.aims == {}
