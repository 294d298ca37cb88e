"""Lets what has changed in the operator's folders count, while the gateway runs."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from gateway.catalogue.catalogue import Catalogue
from gateway.catalogue.folders import Folders
from gateway.catalogue.model import Connector
from gateway.catalogue.store import stable_ids
from gateway.metrics import Metrics
from gateway.storage.database import Database

log = structlog.get_logger()

LONGEST_REASON = 2000


class Reload:
    """Looks at the folders, and puts right connectors in the place of those that were there."""

    def __init__(
        self,
        folders: Folders,
        catalogue: Catalogue,
        database: Database,
        metrics: Metrics,
        changed: Callable[[], None],
    ) -> None:
        self._folders = folders
        self._catalogue = catalogue
        self._database = database
        self._metrics = metrics
        self._changed = changed
        self._taken = folders.own
        self._count(0)

    async def look(self) -> None:
        """Look once; what cannot be stored now is taken up by the next look."""
        look = await asyncio.to_thread(self._folders.look)
        for path, why in look.news.items():
            line, reason = _parts(path, why)
            log.warning("catalogue.refused", file=str(path), line=line, reason=reason)
        self._count(len(look.refused))
        if look.own is not self._taken:
            await self._take(look.own)

    async def _take(self, own: dict[str, Connector]) -> None:
        before = {one.key: one for one in self._catalogue}
        after = self._catalogue.with_own(own.values())
        # First the number, then the connector: nobody meets one that has none.
        self._catalogue.number(await stable_ids(self._database, after.values()))
        self._catalogue.replace(own.values())
        self._taken = own
        self._changed()
        self._metrics.connectors.set(len(self._catalogue))
        _tell(before, after)

    def _count(self, refused: int) -> None:
        self._metrics.connectors.set(len(self._catalogue))
        self._metrics.connectors_refused.set(refused)


def _parts(path: Path, why: str) -> tuple[int | None, str]:
    """The line of the first finding, and all findings without the name of the file in each."""
    texts = [text.removeprefix(f"{path}").removeprefix(":") for text in why.splitlines()]
    number = texts[0].partition(":")[0]
    return int(number) if number.isdecimal() else None, "; ".join(text.strip() for text in texts)[:LONGEST_REASON]


def _tell(before: Mapping[str, Connector], after: Mapping[str, Connector]) -> None:
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if new is None:
            log.warning("catalogue.removed", connector=key, file=str(old.source) if old else None)
        elif new is not old:
            log.info("catalogue.loaded", connector=key, version=new.version, file=str(new.source))
