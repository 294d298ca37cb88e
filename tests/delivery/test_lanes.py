"""Lanes: who may start, and who has to wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.delivery import lane as one_lane
from gateway.delivery import lanes as all_lanes
from gateway.delivery.lane import Lane
from gateway.delivery.lanes import Lanes
from tests.delivery.parts import event, job

EVENT = event()


def fill(lane: Lane, number: int = 1) -> Lane:
    """Put deliveries into the lane's queue."""
    lane.queue.extend(job(EVENT, destination_id=lane.destination_id) for _ in range(number))
    return lane


def start(lanes: Lanes, lane: Lane, now: int = 0) -> int:
    """Start as many as may start, as the worker does; how many it were."""
    begun = 0
    while lanes.enter(lane, now):
        lane.queue.popleft()
        begun += 1
    return begun


def start_waiting(lanes: Lanes, now: int = 0) -> dict[int, int]:
    """Start those that wait, as the worker does; how many of each."""
    begun: dict[int, int] = {}
    for lane in lanes.startable():
        begun[lane.destination_id] = begun.get(lane.destination_id, 0) + start(lanes, lane, now)
    return begun


def healthy(lanes: Lanes, destination_id: int) -> Lane:
    lane = lanes.lane(destination_id)
    for _ in range(5):
        lanes.succeeded(lane, 0.01)
    return lane


def failing(lanes: Lanes, destination_id: int, took_s: float = 0.01) -> Lane:
    lane = lanes.lane(destination_id)
    lanes.failed(lane, took_s, 0)
    return lane


def test_a_new_destination_has_two_slots_and_earns_twice_as_many_with_every_success() -> None:
    lanes = Lanes(256, 16)
    allowed = [lanes.lane(1).allowed]
    for _ in range(5):
        lanes.succeeded(lanes.lane(1), 0.01)
        allowed.append(lanes.lane(1).allowed)
    assert allowed == [2, 4, 8, 16, 16, 16]


def test_no_destination_gets_more_than_its_limit_from_the_first_moment_on() -> None:
    lanes = Lanes(256, 1)
    assert start(lanes, fill(lanes.lane(1), 5)) == 1
    assert start(lanes, fill(healthy(lanes, 2), 5)) == 1


@pytest.mark.parametrize("took_s", [0.01, 15.0])
def test_a_failure_leaves_one_slot_until_a_success(took_s: float) -> None:
    lanes = Lanes(256, 16)
    lane = healthy(lanes, 1)
    lanes.failed(lane, took_s, 0)
    assert (start(lanes, fill(lane, 5)), lane.allowed, lane.failing) == (1, 1, True)
    lanes.succeeded(lane, 0.01)
    assert (lane.allowed, lane.standing) == (2, "healthy")


def test_no_more_runners_start_than_there_are_deliveries() -> None:
    lanes = Lanes(256, 16)
    assert start(lanes, fill(healthy(lanes, 1), 3)) == 3


def test_a_destination_that_does_not_answer_falls_to_one_slot_before_its_timeout() -> None:
    lanes = Lanes(256, 16)
    lane = healthy(lanes, 1)
    lane.started["a"] = 100.0
    lanes.silence(100.9)
    assert not lane.failing
    lanes.silence(101.1)
    assert (lane.standing, lane.allowed) == ("silent", 1)


def test_a_destination_that_is_always_slow_is_given_the_time_it_takes() -> None:
    lanes = Lanes(256, 16)
    lane = lanes.lane(1)
    lanes.succeeded(lane, 2.0)
    lane.started["a"] = 100.0
    lanes.silence(105.9)
    assert not lane.failing
    lanes.silence(106.1)
    assert lane.failing


@pytest.mark.parametrize("took_s", [0.01, 15.0])
def test_those_that_fail_share_a_quarter_of_the_slots_however_many_they_are(took_s: float) -> None:
    lanes = Lanes(16, 4)
    begun = [start(lanes, fill(failing(lanes, number, took_s), 3)) for number in range(1_000)]
    assert (begun[:4], sum(begun)) == ([1, 1, 1, 1], 4)
    assert start(lanes, fill(healthy(lanes, 2_000), 9)) == 4
    assert start(lanes, fill(lanes.lane(3_000))) == 1


def test_the_silent_do_not_hold_up_those_that_answer_badly() -> None:
    lanes = Lanes(16, 4)
    for number in range(100):
        start(lanes, fill(failing(lanes, number, 15.0)))
    assert start(lanes, fill(failing(lanes, 2_000))) == 1


def test_those_that_have_not_answered_yet_leave_room_for_the_healthy_and_show_themselves_one_slot_each() -> None:
    lanes = Lanes(16, 4)
    begun = [start(lanes, fill(lanes.lane(number), 3)) for number in range(1_000)]
    assert sum(begun) == 4
    assert start(lanes, fill(healthy(lanes, 2_000), 9)) == 4
    first = lanes.lane(0)
    lanes.leave(first, 0)
    assert start_waiting(lanes) == {2: 1}


def test_a_healthy_destination_that_never_runs_dry_leaves_others_their_turn() -> None:
    lanes = Lanes(4, 4)
    greedy = fill(healthy(lanes, 1), 100)
    assert start(lanes, greedy) == 4
    assert lanes.may_go_on(greedy, 0)
    others = [fill(healthy(lanes, 2), 9), fill(lanes.lane(3), 9)]
    assert [start(lanes, lane) for lane in others] == [0, 0]
    assert not lanes.may_go_on(greedy, 0)
    lanes.leave(greedy, 0)
    lanes.leave(greedy, 0)
    assert start_waiting(lanes) == {3: 1, 2: 1}


def test_failing_destinations_take_turns() -> None:
    lanes = Lanes(4, 4)
    both = [fill(failing(lanes, number), 50) for number in (1, 2)]
    turns: list[int] = []
    assert [start(lanes, lane) for lane in both] == [1, 0]
    running = both[0]
    for _ in range(6):
        turns.append(running.destination_id)
        assert not lanes.may_go_on(running, 0)
        lanes.leave(running, 0)
        [(number, _)] = start_waiting(lanes).items()
        running = lanes.lane(number)
    assert turns == [1, 2, 1, 2, 1, 2]


def test_a_lane_that_changes_its_standing_while_it_waits_keeps_waiting() -> None:
    lanes = Lanes(4, 4)
    start(lanes, fill(failing(lanes, 1)))
    lane = fill(failing(lanes, 2))
    assert start(lanes, lane) == 0
    lanes.afresh(lane)
    assert start_waiting(lanes) == {2: 1}


def test_a_pause_is_kept_and_then_over() -> None:
    lanes = Lanes(4, 4)
    lane = fill(lanes.lane(1), 2)
    lanes.failed(lane, 0.1, pause_until=5_000)
    assert (start(lanes, lane, 4_999), lanes.rested(4_999)) == (0, [])
    assert lanes.rested(5_000) == [lane]
    assert start(lanes, lane, 5_000) == 1


def test_a_destination_that_was_moved_begins_afresh() -> None:
    lanes = Lanes(8, 4)
    lane = fill(failing(lanes, 1), 5)
    lanes.failed(lane, 20.0, pause_until=60_000)
    lanes.afresh(lane)
    assert start(lanes, lane, 0) == 2


def test_a_lane_that_is_closing_starts_and_admits_nothing() -> None:
    lanes = Lanes(8, 4)
    lane = fill(lanes.lane(1), 5)
    lane.closing = True
    assert (start(lanes, lane), lanes.admits(1, 10), lane.wanted) == (0, False, 0)


def test_memory_is_bounded_in_number_and_bytes_and_less_is_kept_for_those_that_fail() -> None:
    lanes = Lanes(8, 4)
    fill(lanes.lane(1), one_lane.MOST_QUEUED)
    fill(failing(lanes, 2), one_lane.MOST_QUEUED_FAILING)
    assert (lanes.admits(1, 1), lanes.admits(2, 1), lanes.admits(3, 1)) == (False, False, True)
    lanes.hold(lanes.lane(3), "big", all_lanes.MOST_BYTES)
    assert (lanes.admits(3, 1), lanes.admits(3, 0)) == (False, True)
    lanes.drop(lanes.lane(3), "big", all_lanes.MOST_BYTES)
    for number in range(all_lanes.MOST_JOBS):
        lanes.hold(lanes.lane(3), str(number), 1)
    assert (lanes.admits(4, 0), lanes.room) == (False, 0)


def test_dropping_twice_counts_once() -> None:
    lanes = Lanes(8, 4)
    lanes.hold(lanes.lane(1), "a", 100)
    for _ in range(2):
        lanes.drop(lanes.lane(1), "a", 100)
    assert (lanes.jobs, lanes.bytes) == (0, 0)


def test_destinations_with_nothing_to_do_are_forgotten_once_there_are_many() -> None:
    lanes = Lanes(8, 4)
    busy, due, asked = fill(lanes.lane(1)), lanes.lane(2), lanes.lane(3)
    due.next_due, asked.left = 5, set()
    for number in range(10, 20):
        lanes.lane(number)
    lanes.forget_idle(100)
    assert len(lanes.all()) == 13
    lanes.forget_idle(5)
    assert lanes.all() == [busy, due, asked]


def test_a_lane_that_was_forgotten_while_it_waited_neither_breaks_nor_blocks_its_successor() -> None:
    lanes = Lanes(4, 4)
    start(lanes, fill(failing(lanes, 1)))
    gone = fill(failing(lanes, 2))
    assert start(lanes, gone) == 0
    gone.queue.clear()
    lanes.forget_idle(0)
    assert start(lanes, fill(failing(lanes, 2))) == 0
    lanes.leave(lanes.lane(1), 0)
    assert start_waiting(lanes) == {2: 1}


def hang(lanes: Lanes, lane: Lane, since: float = 0.0) -> int:
    """Start what may start, and let none of it be answered."""
    begun = start(lanes, lane)
    lane.started.update((f"{since} {number}", since) for number in range(begun))
    return begun


def test_a_destination_that_was_idle_begins_with_few_slots_and_gets_them_back_with_its_answers() -> None:
    lanes = Lanes(256, 16)
    lane = fill(healthy(lanes, 1), 50)
    assert start(lanes, lane) == one_lane.IDLE_SLOTS
    lanes.succeeded(lane, 0.01)
    assert start(lanes, lane) == 4
    lanes.succeeded(lane, 0.01)
    assert start(lanes, lane) == 8


@pytest.mark.parametrize(
    ("latency_s", "after_s", "standing"),
    [(0.001, 0.04, "healthy"), (0.001, 0.06, "late"), (0.1, 0.29, "healthy"), (0.1, 0.31, "late")],
)
def test_an_answer_is_overdue_after_three_times_what_it_takes(latency_s: float, after_s: float, standing: str) -> None:
    lanes = Lanes(256, 16)
    lane = fill(lanes.lane(1), 9)
    lanes.succeeded(lane, latency_s)
    hang(lanes, lane)
    lanes.doubt(after_s)
    assert lane.standing == standing


def test_a_late_lane_starts_nothing_more_and_is_what_it_was_once_it_answers() -> None:
    lanes = Lanes(256, 16)
    lane = fill(healthy(lanes, 1), 50)
    hang(lanes, lane)
    lanes.doubt(1.0)
    assert (start(lanes, lane), lanes.may_go_on(lane, 0), lane.failing) == (0, False, False)
    lanes.succeeded(lane, 1.0)
    assert (lane.standing, start(lanes, lane)) == ("healthy", 4)


def test_late_lanes_take_no_room_from_the_healthy_as_far_as_slots_can_be_lent() -> None:
    lanes = Lanes(8, 4)
    wave = [fill(healthy(lanes, number), 9) for number in range(6)]
    assert [hang(lanes, lane) for lane in wave] == [4, 4, 0, 0, 0, 0]
    assert (lanes.short, start_waiting(lanes)) == (True, {})
    lanes.doubt(0.1)
    assert [hang(lanes, lane, 0.1) for lane in lanes.startable()] == [4, 4]
    lanes.doubt(0.2)
    assert (lanes.active, lanes.short, start_waiting(lanes)) == (16, True, {})
    lanes.silence(1.05)
    lanes.doubt(1.05)
    assert sum(start_waiting(lanes).values()) == 8


def test_where_lanes_wait_each_gets_one_slot_and_turn() -> None:
    lanes = Lanes(8, 4)
    holders = [fill(healthy(lanes, number), 4) for number in (1, 2)]
    waiting = [fill(healthy(lanes, number), 9) for number in (3, 4, 5)]
    assert [start(lanes, lane) for lane in (*holders, *waiting)] == [4, 4, 0, 0, 0]
    for lane in holders * 4:
        lanes.leave(lane, 0)
    turns = []
    for lane in lanes.startable():
        assert lanes.enter(lane, 0)
        lane.queue.popleft()
        turns.append(lane.destination_id)
    assert turns == [3, 4, 5, 3, 4, 5, 3, 4]


class Slots(RuleBasedStateMachine):
    """Whatever happens in whatever order: the counts are right, and nobody waits while there is room."""

    lanes_number = st.integers(0, 5)

    def __init__(self) -> None:
        super().__init__()
        self.lanes = Lanes(4, 3)
        self.now = 0

    @rule(number=lanes_number, size=st.integers(1, 4))
    def arrives(self, number: int, size: int) -> None:
        start(self.lanes, fill(self.lanes.lane(number), size), self.now)

    @precondition(lambda self: self.lanes.active)
    @rule(data=st.data(), outcome=st.sampled_from(["good", "bad", "late", "pause"]))
    def answers(self, data: st.DataObject, outcome: str) -> None:
        lane = data.draw(st.sampled_from([lane for lane in self.lanes.all() if lane.active]))
        if outcome == "good":
            self.lanes.succeeded(lane, 0.01)
            start(self.lanes, lane, self.now)
        else:
            pause = self.now + 50 if outcome == "pause" else 0
            self.lanes.failed(lane, 20.0 if outcome == "late" else 0.01, pause)
        if self.lanes.may_go_on(lane, self.now):
            lane.queue.popleft()
        else:
            self.lanes.leave(lane, self.now)
            start_waiting(self.lanes, self.now)

    @rule(number=lanes_number)
    def moved(self, number: int) -> None:
        self.lanes.afresh(self.lanes.lane(number))
        start(self.lanes, self.lanes.lane(number), self.now)

    @rule(number=lanes_number)
    def closed(self, number: int) -> None:
        self.lanes.lane(number).queue.clear()

    @rule(by=st.integers(1, 100))
    def ticks(self, by: int) -> None:
        self.now += by
        for lane in self.lanes.rested(self.now):
            start(self.lanes, lane, self.now)
        start_waiting(self.lanes, self.now)

    @invariant()
    def counts_are_right(self) -> None:
        assert self.lanes.active == sum(lane.active for lane in self.lanes.all())
        assert all(0 <= lane.active <= 3 for lane in self.lanes.all())

    @invariant()
    def whoever_has_work_runs_waits_or_rests(self) -> None:
        for lane in self.lanes.all():
            if lane.queue and not lane.active:
                waits = lane.destination_id in self.lanes._waiting[lane.standing]
                assert waits or lane.destination_id in self.lanes._paused

    @invariant()
    def the_shared_slots_are_bounded(self) -> None:
        assert sum(self.lanes._active[standing] for standing in ("fresh", "healthy")) <= 4 + 3

    def teardown(self) -> None:
        self.now += 10_000
        for _ in range(10_000):
            for lane in self.lanes.all():
                for _ in range(lane.active):
                    self.lanes.leave(lane, self.now)
            for lane in self.lanes.rested(self.now):
                start(self.lanes, lane, self.now)
            start_waiting(self.lanes, self.now)
            if not self.lanes.active:
                break
        assert not any(lane.queue for lane in self.lanes.all())


TestSlots = Slots.TestCase


@given(st.lists(st.sampled_from(["good", "bad", "late"]), max_size=30))
def test_slots_stay_between_one_and_the_limit(outcomes: list[str]) -> None:
    lanes = Lanes(256, 16)
    lane = lanes.lane(1)
    for outcome in outcomes:
        if outcome == "good":
            lanes.succeeded(lane, 0.01)
        else:
            lanes.failed(lane, 20.0 if outcome == "late" else 0.01, 0)
        assert 1 <= lane.allowed <= 16
