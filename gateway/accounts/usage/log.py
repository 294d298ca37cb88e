"""Keeps calls through the group commit; nobody waits, and a store that is down costs rows, never memory."""

import asyncio
import time

import structlog

from gateway.accounts.metering import store as metering
from gateway.accounts.model import AccountId
from gateway.accounts.usage import store
from gateway.accounts.usage.model import Use
from gateway.storage.database import Database, Effect, Tally, Write

MOST_WAITING = 10_000
_TELL_EVERY_S = 60.0

log = structlog.get_logger()


class UsageLog:
    """What waits to be kept, and how many calls could not be."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting = 0
        self._told = 0.0
        self.dropped = 0

    def note(self, use: Use, *, sent: bool | None = None) -> None:
        """Keep a call with the next commit, and charge it where it was really `sent` (None: where it was answered).

        Where too many wait already it is dropped and counted.
        """
        if self._waiting >= MOST_WAITING:
            self._drop("too many wait")
            return
        self._waiting += 1
        charged = use.vendor_status is not None if sent is None else sent
        kept: Effect[None] = Effect(None, tallies=[_charge(use)] if charged else [])
        self._database.submit(Write([store.add(use)], lambda _: kept)).add_done_callback(self._settled)

    def _settled(self, future: asyncio.Future[None]) -> None:
        self._waiting -= 1
        problem = None if future.cancelled() else future.exception()
        if future.cancelled() or problem is not None:
            self._drop(str(problem or "cancelled"))

    def _drop(self, reason: str) -> None:
        self.dropped += 1
        if time.monotonic() - self._told > _TELL_EVERY_S or not self._told:
            self._told = time.monotonic()
            log.warning("usage.dropped", dropped=self.dropped, reason=reason)


def _charge(use: Use) -> Tally:
    return metering.counted(AccountId(use.account_id), use.at, calls=1)
