"""Cursors hold for their own list, and for nothing else."""

from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.history.cursor import cursor, position_of

POSITIONS = st.text("0123456789abcdef", min_size=1, max_size=64)
ABOUT = st.text(max_size=20)


@given(POSITIONS, ABOUT)
def test_a_cursor_names_its_position(position: str, about: str) -> None:
    assert position_of(cursor(position, about), about) == position


@given(POSITIONS, ABOUT, ABOUT)
def test_a_cursor_of_another_list_is_none(position: str, about: str, other: str) -> None:
    assume(about != other)
    assert position_of(cursor(position, about), other) is None


@given(POSITIONS, ABOUT, st.data())
def test_a_cursor_with_any_character_changed_is_none(position: str, about: str, data: st.DataObject) -> None:
    text = cursor(position, about)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("ABCxyz019-_=é ").filter(lambda one: one != text[place]))
    assert position_of(text[:place] + other + text[place + 1 :], about) is None


@given(st.text() | st.text("ABCDabcd0189-_="))
def test_no_other_text_is_a_cursor(text: str) -> None:
    assert position_of(text, "events") is None
