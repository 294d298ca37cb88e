"""A list without an end is read on, but not for ever at once."""

from dataclasses import replace

import msgspec

from gateway.polling.model import NEW, Chunk, Merged
from gateway.polling.poll import MOST_PARTIALS, _goes_on


def _read(partials: int, **fields: int) -> Merged:
    cursor = msgspec.structs.replace(NEW, partials=partials, **fields)
    return Merged(chunks=(Chunk(changes=(), cursor=cursor),), again=True)


def test_what_is_left_is_read_at_once() -> None:
    assert all(_goes_on(_read(partials)) for partials in range(1, MOST_PARTIALS))


def test_after_so_many_polls_in_a_row_the_next_one_waits_for_its_time() -> None:
    assert not _goes_on(_read(MOST_PARTIALS))
    assert _goes_on(_read(MOST_PARTIALS + 1))


def test_what_somebody_asked_to_be_read_from_the_beginning_goes_on_to_its_end() -> None:
    assert _goes_on(_read(MOST_PARTIALS, backfill_until=1))


def test_a_read_that_came_to_its_end_does_not_go_on() -> None:
    assert not _goes_on(replace(_read(1), again=False))
