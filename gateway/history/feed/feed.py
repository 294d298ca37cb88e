"""What every follower of this node reads from: the order of events, told by the publisher and looked for besides."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Hashable, Sequence
from contextlib import asynccontextmanager

import structlog

from gateway.clock import now_ms
from gateway.errors import GatewayError
from gateway.events.model import Event
from gateway.history.feed import store
from gateway.history.feed.order import Order, Told
from gateway.ids import first_at
from gateway.metrics import Metrics
from gateway.storage.database import Database

MOST_FOLLOWERS = 100
#: So many places one person has at most, so that nobody takes all of them.
MOST_OF_ONE = 10
#: An id is made before its commit: on PostgreSQL a statement may take 30 s, and nodes' clocks differ a little.
OVERLAP_MS = 40_000
#: On SQLite one process makes and commits all ids, in the order of its queue.
OVERLAP_ALONE_MS = 5_000
LOOK_S = 1.0
_BACK_MS = 3_000
_FAR_EVERY = 10
_PAGE = 5_000
_MOST_DOUBTFUL = 5_000
_DOUBT_MS = 60_000
#: So long after the last follower has left the order is kept, for the one who comes again.
LINGER_S = 120.0

log = structlog.get_logger()


class Feed:
    """Follows the events of all accounts; whose they are is asked when they are read.

    `alone` where no other process stores events, so that the publisher tells of all of them.
    """

    def __init__(self, database: Database, metrics: Metrics, *, alone: bool) -> None:
        self._database = database
        self._gauge = metrics.followers
        self.alone = alone
        self.overlap_ms = OVERLAP_ALONE_MS if alone else OVERLAP_MS
        self.order = Order()
        self.followers = 0
        self._people: Counter[Hashable] = Counter()
        self.closed = False
        self._looking: asyncio.Task[None] | None = None
        self._begun: asyncio.Future[None] | None = None
        self._left_at = 0.0
        self._doubtful: dict[str, int] = {}
        self._bell = asyncio.Event()

    # What the publisher says

    def stored(self, events: Sequence[Event]) -> None:
        """These are durable now."""
        if self._looking is not None:
            self._tell([Told(one.id, one.instance_id, one.account_id) for one in events])

    def doubted(self, events: Sequence[Event]) -> None:
        """Nobody has waited for the commit of these: they may be durable in a moment, or never."""
        if self._looking is not None and len(self._doubtful) < _MOST_DOUBTFUL:
            self._doubtful.update(dict.fromkeys((one.id for one in events), now_ms() + _DOUBT_MS))

    # What followers do

    @asynccontextmanager
    async def followed(self, person: Hashable = None) -> AsyncIterator[bool]:
        """Whether one more may follow, for as long as it does; of one person not more than some."""
        own = 0 if person is None else self._people[person]
        if self.closed or self.followers >= MOST_FOLLOWERS or own >= MOST_OF_ONE:
            yield False
            return
        self.followers += 1
        self._people[person] += 1
        self._gauge.inc()
        try:
            await self._begin()
            yield True
        finally:
            self.followers -= 1
            self._people -= Counter((person,))
            self._gauge.dec()
            self._left_at = asyncio.get_running_loop().time()

    async def changed(self, place: int, timeout_s: float) -> None:
        """Wait until there is something from a place on, for no longer than that."""
        bell = self._bell
        if self.order.end > place or self.closed:
            return
        try:
            async with asyncio.timeout(timeout_s):
                await bell.wait()
        except TimeoutError:
            return

    async def close(self) -> None:
        """Let every follower end."""
        self.closed = True
        self._ring()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _begin(self) -> None:
        """The order is told from here on, and what other nodes stored before is in it already."""
        if self._looking is None:
            self.order, self._begun = Order(), asyncio.get_running_loop().create_future()
            self._looking = asyncio.create_task(self._look_forever(self._begun))
        if self._begun is not None:
            await asyncio.shield(self._begun)

    def _tell(self, events: Sequence[Told]) -> None:
        if self.order.tell(events):
            self._ring()

    def _ring(self) -> None:
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()

    # Looking

    async def _look_forever(self, begun: "asyncio.Future[None]") -> None:
        loop, turn = asyncio.get_running_loop(), 0
        try:
            while self.followers or loop.time() - self._left_at < LINGER_S:
                try:
                    await self._look(far=turn % _FAR_EVERY == 0)
                    turn += 1
                except GatewayError as problem:
                    log.warning("feed.not_looked", problem=str(problem))
                except Exception:
                    log.exception("feed.broke")
                if not begun.done():
                    begun.set_result(None)
                await asyncio.sleep(LOOK_S)
        finally:
            self._looking = None
            self._doubtful.clear()
            if not begun.done():
                begun.cancel()

    async def _look(self, *, far: bool) -> None:
        if not self.alone:
            back = self.overlap_ms if far else _BACK_MS
            await self._look_from(max(first_at(now_ms() - back), self.order.forgotten))
        if self._doubtful:
            self._tell(await store.which_exist_any_account(self._database, list(self._doubtful)))
            now = now_ms()
            known = self.order.place_after
            self._doubtful = {one: until for one, until in self._doubtful.items() if until > now and known(one) is None}

    async def _look_from(self, after: str) -> None:
        while True:
            found = await store.told_after_any_account(self._database, after, _PAGE)
            self._tell(found)
            if len(found) < _PAGE:
                return
            after = found[-1].id
