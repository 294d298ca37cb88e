"""Keeps the catalogue in step with the partners' connectors, on every node and without a restart."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import orjson
import structlog

from gateway.catalogue.catalogue import Catalogue
from gateway.catalogue.custom import store
from gateway.catalogue.custom.model import Custom
from gateway.catalogue.custom.translate import Head, compiled
from gateway.catalogue.model import Connector
from gateway.metrics import Metrics
from gateway.storage.database import Database

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Held:
    """What counts of a row, as it was when it was read last."""

    updated_at: int
    released: str | None
    connector: Connector | None


class Shelf:
    """Looks at the rows, and puts what is released into the catalogue."""

    def __init__(self, catalogue: Catalogue, database: Database, metrics: Metrics) -> None:
        #: Called after every change.
        self.changed: Callable[[], None] = lambda: None
        self._catalogue = catalogue
        self._database = database
        self._metrics = metrics
        self._version = 0
        self._held: dict[int, _Held] = {}
        self._shown: list[int] = []
        self._looking = asyncio.Lock()

    async def look(self) -> None:
        """Look once; while nothing changes that is one row."""
        async with self._looking:
            # First the number: what is changed meanwhile is seen by the next look.
            version = await store.version(self._database)
            if version == self._version:
                return
            await self._take(await store.released(self._database))
            self._version = version

    async def _take(self, stamps: dict[int, int]) -> None:
        held = {number: one for number, one in self._held.items() if number in stamps}
        fresh = [number for number, at in stamps.items() if number not in held or held[number].updated_at != at]
        for start in range(0, len(fresh), store.AT_ONCE):
            rows = await store.some_any_partner(self._database, fresh[start : start + store.AT_ONCE])
            held |= await asyncio.to_thread(_read, rows, held)
        found = [one.connector for one in held.values() if one.connector is not None]
        if list(map(id, found)) != self._shown:
            # First the number, then the connector: nobody meets one that has none.
            self._catalogue.number({one.connector.key: number for number, one in held.items() if one.connector})
            self._catalogue.bring(found)
            self._metrics.connectors.set(len(self._catalogue))
            self.changed()
        self._held, self._shown = held, list(map(id, found))


def _read(rows: Sequence[Custom], known: dict[int, _Held]) -> dict[int, _Held]:
    """The rows' connectors; one whose release did not change stays the same object, since instances go by that."""
    found = {}
    for row in rows:
        before = known.get(row.id)
        if before is not None and before.released == row.released:
            found[row.id] = replace(before, updated_at=row.updated_at)
        else:
            found[row.id] = _Held(row.updated_at, row.released, _connector(row, before))
    return found


def _connector(row: Custom, before: _Held | None) -> Connector | None:
    """What a row's release is; where this version of the gateway cannot use it, what counted before."""
    if row.released is None:
        return None
    file = orjson.loads(row.released)
    found = compiled(file, Head(row.key, row.id, file["version"]))
    if isinstance(found, tuple):
        log.warning("catalogue.custom_refused", connector=row.key, reason="; ".join(found)[:2000])
        return before.connector if before is not None else None
    return replace(found, partner_id=row.partner_id)
