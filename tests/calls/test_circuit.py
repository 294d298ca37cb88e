"""A host that does not answer is left alone, and tried again by one call at a time."""

import pytest

from gateway.calls import circuit
from gateway.calls.circuit import FAILURES, LONGEST_S, SHORTEST_S, Circuits


class Clock:
    """A clock that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def circuits(clock: Clock) -> Circuits:
    found = Circuits(clock)
    for _ in range(FAILURES):
        found.failed("down")
    return found


def test_a_few_failures_are_no_outage(clock: Clock) -> None:
    few = Circuits(clock)
    for _ in range(FAILURES - 1):
        few.failed("h")
    assert few.wait_s("h") == 0.0
    few.answered("h")
    for _ in range(FAILURES - 1):
        few.failed("h")
    assert few.wait_s("h") == 0.0


def test_a_host_that_fails_again_and_again_is_left_alone_and_others_are_not(circuits: Circuits) -> None:
    assert circuits.wait_s("down") == SHORTEST_S
    assert circuits.wait_s("up") == 0.0


def test_after_the_pause_one_call_goes_ahead_alone(circuits: Circuits, clock: Clock) -> None:
    clock.now = SHORTEST_S
    assert [circuits.wait_s("down") for _ in range(3)] == [0.0, SHORTEST_S, SHORTEST_S]
    circuits.answered("down")
    assert [circuits.wait_s("down") for _ in range(3)] == [0.0, 0.0, 0.0]


def test_a_trial_that_ends_without_a_word_lets_the_next_one_try(circuits: Circuits, clock: Clock) -> None:
    clock.now = SHORTEST_S
    assert circuits.wait_s("down") == 0.0
    circuits.given_up("down")
    assert circuits.wait_s("down") == 0.0


def test_pauses_grow_up_to_a_bound(circuits: Circuits, clock: Clock) -> None:
    waits = []
    for _ in range(12):
        waits.append(circuits.wait_s("down"))
        clock.now += waits[-1]
        assert circuits.wait_s("down") == 0.0
        circuits.failed("down")
    assert waits[:4] == [5.0, 10.0, 20.0, 40.0]
    assert max(waits) == LONGEST_S


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit, "MOST_HOSTS", 10)
    circuits = Circuits()
    for number in range(100):
        circuits.failed(f"h{number}")
    assert len(circuits._hosts) <= 10
