"""When the database is asked again."""

import asyncio
import time

from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery.agenda import Agenda
from gateway.delivery.lane import Lane

NOTES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 50)), max_size=60)


def everything(agenda: Agenda, now: int) -> list[int]:
    found = []
    while (lane := agenda.take(now)) is not None:
        found.append(lane.destination_id)
    return found


def test_the_earliest_comes_first_and_nothing_before_its_time() -> None:
    agenda, first, second = Agenda(), Lane(1), Lane(2)
    agenda.note(first, 20)
    agenda.note(second, 10)
    assert everything(agenda, 9) == []
    assert everything(agenda, 20) == [2, 1]
    assert everything(agenda, 1_000) == []


def test_an_earlier_time_overtakes_and_a_later_one_changes_nothing() -> None:
    agenda, lane = Agenda(), Lane(1)
    for due_at in (30, 10, 50, 10):
        agenda.note(lane, due_at)
    assert everything(agenda, 10) == [1]
    assert everything(agenda, 100) == []


def test_a_lane_that_was_taken_may_be_noted_again_for_the_same_time() -> None:
    agenda, lane = Agenda(), Lane(1)
    for _ in range(3):
        agenda.note(lane, 10)
        assert everything(agenda, 10) == [1]


@given(NOTES)
def test_no_note_is_lost_and_every_lane_comes_once(notes: list[tuple[int, int]]) -> None:
    agenda, lanes = Agenda(), [Lane(number) for number in range(6)]
    for number, due_at in notes:
        agenda.note(lanes[number], due_at)
    earliest = {number: min(at for other, at in notes if other == number) for number, _ in notes}
    for now in range(51):
        assert sorted(everything(agenda, now)) == sorted(number for number, at in earliest.items() if at == now)
    assert len(agenda) == 0


def test_times_that_were_overtaken_do_not_pile_up() -> None:
    agenda, lane = Agenda(), Lane(1)
    for _ in range(10_000):
        agenda.note(lane, 86_400_000)
        agenda.note(lane, 1)
        assert everything(agenda, 1) == [1]
    agenda.note(lane, 86_400_000)
    assert len(agenda._heap) < 200


async def test_news_of_an_earlier_time_ends_the_waiting() -> None:
    agenda, began = Agenda(), time.monotonic()
    agenda.note(Lane(1), 1_000_000)
    waiting = asyncio.create_task(agenda.wait(0, 30))
    await asyncio.sleep(0.01)
    agenda.note(Lane(2), 5)
    await waiting
    assert time.monotonic() - began < 5


async def test_what_was_noted_before_the_waiting_is_waited_for() -> None:
    agenda, began = Agenda(), time.monotonic()
    agenda.note(Lane(1), 50)
    await agenda.wait(0, 30)
    await agenda.wait(60, 30)
    assert 0.04 < time.monotonic() - began < 5
