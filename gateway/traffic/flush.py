"""Writes what this node has counted, some rows at a time; while the store is down it waits in memory, up to a limit."""

import asyncio
from itertools import islice

import structlog

from gateway.errors import GatewayError
from gateway.storage.database import Database
from gateway.traffic import store
from gateway.traffic.count import Owner, Traffic
from gateway.traffic.rows import Owed

#: So many rows are added to in one commit, that no event waits long for it.
AT_ONCE = 100
#: Of more than that nothing is kept while the store is down.
MOST_OWED = 50_000
_MOST_KNOWN = 100_000

log = structlog.get_logger()


class Flushing:
    """Brings a node's figures into the database."""

    def __init__(self, traffic: Traffic, database: Database) -> None:
        self._traffic = traffic
        self._database = database
        self._owed = Owed()
        self._known: dict[int, Owner] = {}
        self._lock = asyncio.Lock()

    async def flush(self) -> None:
        """Write everything that is counted so far; StorageDown leaves it for the next time."""
        async with self._lock:
            self._bound()
            await self._gather()
            while self._owed:
                await self._some()

    async def close(self) -> None:
        """The last flush of a node that stops."""
        try:
            await self.flush()
        except GatewayError as problem:
            log.warning("traffic.lost", problem=str(problem))

    def _bound(self) -> None:
        traffic = self._traffic
        if len(self._owed) + len(traffic.owners) + len(traffic.aims) > MOST_OWED:
            log.warning("traffic.lost", problem="the store is down for too long")
            self._owed = Owed()
            traffic.owners, traffic.aims = {}, {}

    async def _gather(self) -> None:
        traffic = self._traffic
        owners, traffic.owners = traffic.owners, {}
        self._owed.add(owners)
        asked = list(traffic.aims)
        await self._learn({destination_id for destination_id, _ in asked})
        # Those that were counted meanwhile are not known yet; their turn comes.
        aims = [(*place, traffic.aims.pop(place)) for place in asked]
        self._owed.add_aims(aims, self._known)

    async def _learn(self, destination_ids: set[int]) -> None:
        """Whose these are; a destination never changes its owner."""
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        unknown = sorted(destination_ids - self._known.keys())
        if unknown:
            self._known |= await store.owners_any_account(self._database, unknown)

    async def _some(self) -> None:
        owed, batch = self._owed, Owed()
        for key in list(islice(owed.rows, AT_ONCE)):
            batch.rows[key] = owed.rows.pop(key)
        for place in list(islice(owed.aims, AT_ONCE)):
            batch.aims[place] = owed.aims.pop(place)
        try:
            await self._database.write(store.added(batch.rows.items(), batch.aims.values()), urgent=False)
        except GatewayError:
            owed.rows |= batch.rows
            owed.aims |= batch.aims
            raise
