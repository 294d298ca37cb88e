"""The fixed duties of a node, on APScheduler as a clock; the truth about instances is in rows, never in jobs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from gateway.clock import now_ms
from gateway.errors import GatewayError
from gateway.events import sweep
from gateway.runtime import Runtime

log = structlog.get_logger()

SWEEP_EVERY_MIN = 10


@asynccontextmanager
async def duties(runtime: Runtime) -> AsyncIterator[None]:
    """Run the duties until left."""
    scheduler = AsyncIOScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    scheduler.add_job(_sweep, "interval", minutes=SWEEP_EVERY_MIN, args=[runtime], id="retention.sweep")
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)


async def _sweep(runtime: Runtime) -> None:
    try:
        removed = await sweep.sweep(runtime.database, now_ms(), runtime.config.retention.events.ms)
    except GatewayError as problem:
        log.warning("retention.failed", problem=str(problem))
        return
    log.info("retention.swept", **removed)
