"""The recent past of a node: which events became durable, one after the other."""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

#: So many events back a reader may be before it has to look in the database; at 5,000 a second, 40 s.
MOST = 200_000


class Told(NamedTuple):
    """An event that is durable, and whose it is."""

    id: str
    instance_id: int
    account_id: str


class Order:
    """Events in the order in which they were told, each once; places count on for ever, the oldest are forgotten."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._told: deque[Told] = deque()
        self._places: dict[str, int] = {}
        #: The place behind the newest.
        self.end = 0
        #: The largest id that was forgotten: below it nobody knows any more what was told.
        self.forgotten = ""

    @property
    def begin(self) -> int:
        """The place of the oldest that is still known."""
        return self.end - len(self._told)

    @property
    def newest(self) -> str | None:
        """The one that was told last."""
        return self._told[-1].id if self._told else None

    def tell(self, events: Iterable[Told]) -> bool:
        """Take what was not told yet; whether there was any."""
        before = self.end
        for one in events:
            if one.id not in self._places:
                self._places[one.id] = self.end
                self._told.append(one)
                self.end += 1
        while len(self._told) > self._most:
            oldest = self._told.popleft().id
            del self._places[oldest]
            self.forgotten = max(self.forgotten, oldest)
        return self.end > before

    def place_after(self, event_id: str) -> int | None:
        """The place behind an event; None where it is not known, or not any more."""
        place = self._places.get(event_id)
        return None if place is None else place + 1

    def since(self, place: int, most: int) -> Sequence[Told] | None:
        """What was told from a place on, at most so many; None where that is forgotten."""
        start = place - self.begin
        return None if start < 0 else list(islice(self._told, start, start + most))
