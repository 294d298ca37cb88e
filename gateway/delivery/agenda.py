"""When the database must be asked again for a destination: the earliest time first."""

import asyncio
import heapq
import itertools

from gateway.delivery.lane import Lane

_SPARE = 64


class Agenda:
    """Due times of what is only in the database, and the waiting for the next of them."""

    def __init__(self) -> None:
        # An entry counts while its lane still waits for this very time; the number keeps lanes from being compared.
        self._heap: list[tuple[int, int, Lane]] = []
        self._numbers = itertools.count()
        self._lanes = 0
        self._news = asyncio.Event()

    def __len__(self) -> int:
        return self._lanes

    def note(self, lane: Lane, due_at: int) -> None:
        """The lane has something in the database that is due at this time."""
        if lane.next_due is not None and lane.next_due <= due_at:
            return
        self._lanes += lane.next_due is None
        lane.next_due = due_at
        heapq.heappush(self._heap, (due_at, next(self._numbers), lane))
        self._tidy()
        if self._heap[0][0] == due_at:
            self._news.set()

    def take(self, now: int) -> Lane | None:
        """The lane whose time came first; it is taken off the agenda."""
        while self._heap and self._heap[0][0] <= now:
            due_at, _, lane = heapq.heappop(self._heap)
            if lane.next_due == due_at:
                lane.next_due = None
                self._lanes -= 1
                return lane
        return None

    def wake(self) -> None:
        """End the waiting now."""
        self._news.set()

    async def wait(self, now: int, longest_s: float) -> None:
        """Wait for the next due time, for news of an earlier one, or for the longest time."""
        self._news.clear()
        until = (self._heap[0][0] - now) / 1000 if self._heap else longest_s
        try:
            async with asyncio.timeout(max(0.0, min(until, longest_s))):
                await self._news.wait()
        except TimeoutError:
            return

    def _tidy(self) -> None:
        """Entries that an earlier time has overtaken go, once they are most of the heap."""
        if len(self._heap) > 2 * self._lanes + _SPARE:
            self._heap = list({id(entry[2]): entry for entry in self._heap if entry[2].next_due == entry[0]}.values())
            heapq.heapify(self._heap)
