"""Counts what was used where no row tells of it; nobody waits."""

import asyncio

import structlog

from gateway.storage.database import Database, Effect, Tally, Write

log = structlog.get_logger()


def charge(database: Database, used: Tally) -> None:
    """Count it with the next commit; where the store is down it is lost, and the log says so."""
    kept: Effect[None] = Effect(None, tallies=[used])
    database.submit(Write([], lambda _: kept)).add_done_callback(_settled)


def _settled(future: asyncio.Future[None]) -> None:
    problem = None if future.cancelled() else future.exception()
    if problem is not None:
        log.warning("metering.lost", problem=str(problem))
