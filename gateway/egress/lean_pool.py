"""Connections kept for the next request: so many slots per origin, and first come, first served."""

import asyncio
from collections import deque

from gateway.egress import limits
from gateway.egress.lean_connection import Connection


class Lane:
    """The slots of one origin; a slot is an open connection, or one that is being made."""

    __slots__ = ("idle", "origin", "taken", "waiters")

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.taken = 0
        self.idle: list[Connection] = []
        self.waiters: deque[asyncio.Future[Connection | None]] = deque()


class Pool:
    """Hands out slots, with a connection or without one; every slot taken is given back once."""

    def __init__(self, per_origin: int) -> None:
        self._per_origin = per_origin
        self._lanes: dict[str, Lane] = {}
        self._open: set[Connection] = set()
        self._emptied: asyncio.Future[None] | None = None
        self._idle = 0

    @property
    def closed(self) -> bool:
        """Whether nothing may be opened any more."""
        return self._emptied is not None

    async def close(self) -> None:
        """Abort every connection and wait until they are gone."""
        self._emptied = asyncio.get_running_loop().create_future()
        for connection in tuple(self._open):
            connection.abort()
        if self._open:
            await self._emptied

    def opened(self, connection: Connection) -> None:
        """A connection was made; a pool that is closed wants it no more."""
        self._open.add(connection)
        if self.closed:
            connection.abort()

    def lost(self, connection: Connection) -> None:
        """A connection is gone; a slot in use is returned by the one who uses it."""
        self._open.discard(connection)
        lane = self._lanes.get(connection.target.origin)
        if lane is not None and connection in lane.idle:
            lane.idle.remove(connection)
            self._idle -= 1
            self.vacate(lane)
        if self._emptied is not None and not self._open and not self._emptied.done():
            self._emptied.set_result(None)

    def lane(self, origin: str) -> Lane:
        """The slots of an origin."""
        lane = self._lanes.get(origin)
        if lane is None:
            lane = self._lanes[origin] = Lane(origin)
        return lane

    def idle_connection(self, lane: Lane) -> Connection | None:
        """A slot with a connection that can be used at once, the one used last."""
        while lane.idle:
            connection = lane.idle.pop()
            self._idle -= 1
            if connection.usable():
                return connection
            connection.abort()
            self.vacate(lane)
        return None

    async def slot(self, lane: Lane) -> Connection | None:
        """A slot, as soon as there is one; with a connection where another request has just left it."""
        if lane.taken < self._per_origin:
            # A lane that gave its last slot back a moment ago was forgotten, and is in use again.
            self._lanes[lane.origin] = lane
            lane.taken += 1
            return None
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        lane.waiters.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            self._turn_away(lane, waiter)
            raise

    def give_back(self, lane: Lane, connection: Connection) -> None:
        """Return a slot together with its connection, which is kept when another request may follow."""
        if not connection.usable():
            connection.abort()
            self.vacate(lane)
        elif not self._hand_over(lane, connection):
            self._keep(lane, connection)

    def vacate(self, lane: Lane) -> None:
        """Return a slot whose connection is gone."""
        if self._hand_over(lane, None):
            return
        lane.taken -= 1
        if lane.taken == 0:
            self._lanes.pop(lane.origin, None)

    def _keep(self, lane: Lane, connection: Connection) -> None:
        if self._idle >= limits.MAX_IDLE:
            connection.abort()
            self.vacate(lane)
        else:
            lane.idle.append(connection)
            self._idle += 1

    def _hand_over(self, lane: Lane, connection: Connection | None) -> bool:
        while lane.waiters:
            waiter = lane.waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

    def _turn_away(self, lane: Lane, waiter: "asyncio.Future[Connection | None]") -> None:
        if waiter.cancelled():
            return
        connection = waiter.result()
        if connection is None:
            self.vacate(lane)
        else:
            self.give_back(lane, connection)
