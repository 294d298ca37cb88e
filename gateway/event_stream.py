"""Server-sent events: messages written for the wire, and read from it piece by piece."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

#: What a message may hold before its reader gives it up.
MOST_CHARACTERS = 64 << 20


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `id` is the place to go on from after it, None where it names none."""

    event: str
    data: str
    id: str | None = None


class TooLongError(Exception):
    """A message that has no end."""


def written(message: Message) -> bytes:
    """A message as it stands on the wire."""
    lines = [f"event: {message.event}"] if message.id is None else [f"id: {message.id}", f"event: {message.event}"]
    lines += [f"data: {line}" for line in message.data.split("\n")]
    return ("\n".join(lines) + "\n\n").encode()


def comment(text: str) -> bytes:
    """A line that says nothing but that the stream is alive."""
    return f": {text}\n\n".encode()


class Reading:
    """Reads a stream; bytes in, messages out, wherever the pieces were cut."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._open: list[str] = []
        self._size = 0
        self._data: list[str] = []
        self._event = ""
        self._id: str | None = None

    def feed(self, piece: bytes) -> Iterator[Message]:
        """The messages that are complete with this piece; TooLongError for one without an end."""
        first, *others = self._decoder.decode(piece).split("\n")
        self._open.append(first)
        self._size += len(first)
        self._bounded()
        for text in others:
            line = "".join(self._open).removesuffix("\r")
            self._open = [text]
            message = self._line(line)
            self._size = len(text) + sum(map(len, self._data))
            self._bounded()
            if message is not None:
                yield message

    def _bounded(self) -> None:
        if self._size > MOST_CHARACTERS:
            raise TooLongError

    def _line(self, line: str) -> Message | None:
        if not line:
            return self._ended()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        return None

    def _ended(self) -> Message | None:
        message = Message(self._event or "message", "\n".join(self._data), self._id) if self._data else None
        self._data, self._event, self._id = [], "", None
        return message
