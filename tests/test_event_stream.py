"""Server-sent events, written and read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import event_stream
from gateway.event_stream import Message, Reading, TooLongError, comment, written

_LINE = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=30)
_MESSAGE = st.builds(
    Message,
    event=st.sampled_from(["event", "ready"]),
    data=st.lists(_LINE, min_size=1, max_size=3).map("\n".join),
    id=st.one_of(st.none(), _LINE),
)


@given(st.lists(_MESSAGE, max_size=5), st.integers(1, 9))
def test_what_is_written_is_read_again_wherever_it_is_cut(messages: list[Message], size: int) -> None:
    content = comment("alive").join([written(one) for one in messages])
    reading = Reading()
    found: list[Message] = []
    for start in range(0, len(content), size):
        found += reading.feed(content[start : start + size])
    assert found == messages


def test_lines_may_end_as_they_do_on_windows_and_fields_may_lack_their_space() -> None:
    assert list(Reading().feed(b"id:7\r\ndata:a\r\ndata: b\r\n\r\n")) == [Message("message", "a\nb", "7")]


def test_an_id_alone_is_no_message() -> None:
    assert list(Reading().feed(b"id: 7\n\n: alive\n\ndata: x\n\n")) == [Message("message", "x", None)]


@pytest.mark.parametrize("endless", [b"x" * 2000, b"data: x\n" * 2000])
def test_a_message_without_an_end_is_given_up(endless: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "MOST_CHARACTERS", 1000)
    with pytest.raises(TooLongError):
        list(Reading().feed(endless))
