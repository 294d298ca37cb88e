"""How failed log-ins slow down who fails, and whom they do not slow down."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from gateway.accounts.throttle import ADDRESS, FORGOTTEN_S, MOST_KEPT, NAME, PAIR, Throttle


@dataclass
class Clock:
    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


def failing(throttle: Throttle, clock: Clock, name: str, address: str, times: int) -> None:
    """Fail so often, as somebody does who waits as long as is asked of them."""
    for _ in range(times):
        clock.at += throttle.wait_s(name, address)
        throttle.failed(name, address)


def test_a_few_failures_are_free_and_then_each_doubles_the_pause() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    pauses = []
    for _ in range(PAIR.free + 5):
        clock.at += throttle.wait_s("bob", "192.0.2.1")
        throttle.failed("bob", "192.0.2.1")
        pauses.append(throttle.wait_s("bob", "192.0.2.1"))
    assert pauses == [0.0] * PAIR.free + [1.0, 2.0, 4.0, 8.0, 16.0]


@given(st.integers(0, 10**6))
def test_no_pause_is_longer_than_the_longest(failures: int) -> None:
    for pace in (PAIR, ADDRESS, NAME):
        assert 0 <= pace.pause_s(failures) <= pace.longest_s
        assert pace.pause_s(failures) <= pace.pause_s(failures + 1)


def test_a_guesser_does_not_lock_others_out_of_the_name_they_guess_at() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    failing(throttle, clock, "bob", "192.0.2.1", NAME.free + 100)
    assert throttle.wait_s("bob", "192.0.2.1") == PAIR.longest_s
    assert throttle.wait_s("bob", "198.51.100.7") <= NAME.longest_s
    assert throttle.wait_s("alice", "198.51.100.7") == 0


def test_who_got_in_from_an_address_before_waits_for_nobody_else_there() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    throttle.passed("alice", "192.0.2.1")
    for number in range(ADDRESS.free + 20):
        failing(throttle, clock, f"user{number}", "192.0.2.1", 1)
    assert throttle.wait_s("new", "192.0.2.1") > 0
    assert throttle.wait_s("alice", "192.0.2.1") == 0


def test_the_right_secret_ends_the_pause_and_time_forgets() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    failing(throttle, clock, "bob", "192.0.2.1", PAIR.free + 3)
    clock.at += throttle.wait_s("bob", "192.0.2.1")
    throttle.passed("bob", "192.0.2.1")
    throttle.failed("bob", "192.0.2.1")
    assert throttle.wait_s("bob", "192.0.2.1") == 0
    failing(throttle, clock, "eve", "192.0.2.2", PAIR.free + 3)
    clock.at += FORGOTTEN_S
    throttle.failed("eve", "192.0.2.2")
    assert throttle.wait_s("eve", "192.0.2.2") == 0


def test_names_without_end_take_no_memory_without_end() -> None:
    throttle = Throttle(Clock())
    for number in range(MOST_KEPT + 500):
        throttle.failed(f"{number}" * 1000, "192.0.2.1")
        throttle.passed(f"{number}", "192.0.2.1")
    kept = (throttle._pairs.kept, throttle._names.kept, throttle._known)
    assert [len(one) <= MOST_KEPT for one in kept] == [True, True, True]
    assert max(len(str(name)) for name in throttle._names.kept) <= 256
