"""The fixed duties of a node, on APScheduler as a clock; the truth about instances is in rows, never in jobs."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from gateway.access.tend import Tending
from gateway.accounts.audit import store as audit
from gateway.catalogue.custom.shelf import Shelf
from gateway.catalogue.reload import Reload
from gateway.clock import now_ms
from gateway.errors import GatewayError
from gateway.events import sweep
from gateway.events.spans import Places
from gateway.polling.dispatcher import Dispatcher
from gateway.provisioning import billing
from gateway.registrations.registrar import Registrations
from gateway.runtime import Runtime
from gateway.traffic import store as figures
from gateway.traffic.flush import Flushing

log = structlog.get_logger()

SWEEP_EVERY_MIN = 10
RELOAD_EVERY_S = 2
RENEW_EVERY_S = 60
CHECK_EVERY_S = 30
REGISTER_EVERY_S = 15
DISPATCH_EVERY_S = 1
LEASES_EVERY_S = 30
BILL_EVERY_S = 60
FIGURES_EVERY_S = 5
FORGET_EVERY_S = 60


@asynccontextmanager
async def duties(
    runtime: Runtime,
    reload: Reload,
    shelf: Shelf,
    tending: Tending,
    registrations: Registrations,
    pollers: Dispatcher,
    flushing: Flushing,
) -> AsyncIterator[None]:
    """Run the duties until left."""
    kept = runtime.config.retention
    if kept.payloads.ms > kept.events.ms:
        log.warning("retention.payloads_go_with_events", payloads=kept.payloads, events=kept.events)
    scheduler = AsyncIOScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    places: Places = {}
    scheduler.add_job(_sweep, "interval", minutes=SWEEP_EVERY_MIN, args=[runtime, places], id="retention.sweep")
    if runtime.config.catalogue.paths:
        scheduler.add_job(_reload, "interval", seconds=RELOAD_EVERY_S, args=[reload], id="catalogue.reload")
    scheduler.add_job(_shelve, "interval", seconds=RELOAD_EVERY_S, args=[shelf], id="catalogue.custom")
    scheduler.add_job(_renew, "interval", seconds=RENEW_EVERY_S, args=[tending], id="token.refresh")
    scheduler.add_job(_check, "interval", seconds=CHECK_EVERY_S, args=[tending], id="credentials.check")
    scheduler.add_job(_register, "interval", seconds=REGISTER_EVERY_S, args=[registrations], id="webhook.renew")
    scheduler.add_job(_dispatch, "interval", seconds=DISPATCH_EVERY_S, args=[pollers], id="poll.dispatch")
    scheduler.add_job(_leases, "interval", seconds=LEASES_EVERY_S, args=[pollers], id="lease.report")
    scheduler.add_job(_bill, "interval", seconds=BILL_EVERY_S, args=[runtime], id="billing.roll")
    scheduler.add_job(_flush, "interval", seconds=FIGURES_EVERY_S, args=[flushing], id="traffic.flush")
    scheduler.add_job(_forget, "interval", seconds=FORGET_EVERY_S, args=[runtime], id="traffic.forget")
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)


async def _sweep(runtime: Runtime, places: Places) -> None:
    kept = runtime.config.retention
    try:
        removed = await sweep.sweep(runtime.database, now_ms(), kept.events.ms, kept.payloads.ms, places)
    except GatewayError as problem:
        log.warning("retention.failed", problem=str(problem))
        return
    except asyncio.CancelledError:
        return
    log.info("retention.swept", **removed)


async def _reload(reload: Reload) -> None:
    try:
        await reload.look()
    except GatewayError as problem:
        log.warning("catalogue.not_reloaded", problem=str(problem))
    except asyncio.CancelledError:
        # The scheduler leaves; it would report a job that is cut off as one that failed.
        return


async def _shelve(shelf: Shelf) -> None:
    await _tended(shelf.look(), "catalogue.custom_not_read")


async def _renew(tending: Tending) -> None:
    await _tended(tending.renew(), "token.not_refreshed")


async def _check(tending: Tending) -> None:
    await _tended(tending.check(), "credentials.not_checked")


async def _register(registrations: Registrations) -> None:
    await _tended(registrations.tick(), "registrations.not_tended")


async def _dispatch(pollers: Dispatcher) -> None:
    pollers.poke()


async def _leases(pollers: Dispatcher) -> None:
    await _tended(pollers.keep_up(), "poll.leases_not_kept")
    await _tended(pollers.report(), "poll.not_reported")


async def _bill(runtime: Runtime) -> None:
    await _tended(billing.roll(runtime), "billing.not_rolled")


async def _flush(flushing: Flushing) -> None:
    await _tended(flushing.flush(), "traffic.not_flushed")


async def _forget(runtime: Runtime) -> None:
    await _tended(figures.forget(runtime.database, now_ms()), "traffic.not_forgotten")
    await _tended(audit.forget(runtime.database, now_ms()), "audit.not_forgotten")


async def _tended(work: Coroutine[Any, Any, Any], name: str) -> None:
    try:
        await work
    except GatewayError as problem:
        log.warning(name, problem=str(problem))
    except asyncio.CancelledError:
        return
