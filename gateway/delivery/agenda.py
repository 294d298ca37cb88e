"""When the database must be asked again for a destination: the earliest time first."""

import asyncio
import heapq

from gateway.delivery.lanes import Lane


class Agenda:
    """Due times of what is only in the database, and the waiting for the next of them."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []
        self._news = asyncio.Event()

    def note(self, lane: Lane, due_at: int) -> None:
        """The lane has something in the database that is due at this time."""
        if lane.next_due is None or due_at < lane.next_due:
            lane.next_due = due_at
            heapq.heappush(self._heap, (due_at, lane.destination_id))
            if self._heap[0][0] == due_at:
                self._news.set()

    def due(self, now: int) -> list[int]:
        """The destinations whose time has come; each is taken off the agenda."""
        found: dict[int, None] = {}
        while self._heap and self._heap[0][0] <= now:
            found[heapq.heappop(self._heap)[1]] = None
        return list(found)

    async def wait(self, now: int, longest_s: float) -> None:
        """Wait for the next due time, for news of an earlier one, or for the longest time."""
        self._news.clear()
        until = (self._heap[0][0] - now) / 1000 if self._heap else longest_s
        try:
            async with asyncio.timeout(max(0.0, min(until, longest_s))):
                await self._news.wait()
        except TimeoutError:
            return
