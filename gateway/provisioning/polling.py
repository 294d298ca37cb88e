"""The pollers of an instance follow it: told of every change in its transaction, woken after it; the first poll."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from gateway.access import logins
from gateway.accounts.model import Caller
from gateway.calls.authenticate import BY_LOGIN, way_of
from gateway.calls.model import Access, Rendered, Unsent
from gateway.calls.perform import Called, Manner
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.core import completed
from gateway.catalogue.model import Connector
from gateway.clock import now_ms
from gateway.errors import Conflict, Invalid, Problem, VendorRefused
from gateway.ids import time_ordered
from gateway.instances import store as instances
from gateway.instances.model import Instance
from gateway.polling import store
from gateway.polling.interval import after_failure
from gateway.polling.merge import merged
from gateway.polling.model import NEW, Failure, Plan, Poller
from gateway.polling.plans import paced
from gateway.polling.poll import Polled, after, asked, next_step
from gateway.polling.pollers import NO_SEEDS, Seed, align
from gateway.polling.reading import Reading
from gateway.polling.records import Settings
from gateway.provisioning.details import Details, details
from gateway.provisioning.services import Services
from gateway.storage.database import Transaction

#: How long a create waits for the first polls; what takes longer is done by the clock.
FIRST_S = 8.0
#: How long a caller waits for what they asked for.
PATIENCE_S = 50.0
_AT_ONCE = 4
_ROUNDS = 2
_FORBIDDEN = 403
_CONFIGURATION = "event.poller.configuration"


async def first(services: Services, connector: Connector, values: Mapping[str, str | None]) -> Mapping[str, Seed]:
    """Poll an instance for the first time, before it is stored: nothing is emitted, and the credentials are tried.

    VendorRefused where the vendor says no, Invalid where what is configured cannot be read; a vendor that cannot be
    reached is no failure.
    """
    access = _access(connector, values)
    if access is None:
        return NO_SEEDS
    plans = [paced(plan, relies=True) for plan in services.polling.plans.for_values(connector, access.config)]
    until, slots = time.monotonic() + FIRST_S, asyncio.Semaphore(_AT_ONCE)

    async def one(plan: Plan) -> Seed | None:
        async with slots:
            return await _first(services, access, plan, until)

    seeds = await asyncio.gather(*[one(plan) for plan in plans])
    return {plan.name: seed for plan, seed in zip(plans, seeds, strict=True) if seed is not None}


async def noted(
    services: Services,
    transaction: Transaction,
    instance: Instance,
    *,
    before: Mapping[str, str] | None = None,
    seeds: Mapping[str, Seed] = NO_SEEDS,
) -> None:
    """The instance is as it is stored in this transaction; `before` are the values that were in effect."""
    runtime = services.runtime
    connector = runtime.catalogue.get(instance.connector)
    if connector is None:
        return
    settings = await instances.settings(transaction, runtime.seal, instance.id)
    values = completed(connector, {key: one.value for key, one in settings.items() if one.value is not None})
    plans = services.polling.plans.for_values(connector, ConfigView(values)) if instance.enabled else ()
    same = before is None or _asked_by(before) == _asked_by(values)
    await align(transaction, instance.id, plans, now_ms(), before=plans if same else (), seeds=seeds)


async def departing(transaction: Transaction, instance: Instance) -> None:
    """The instance is deleted in this transaction."""
    await store.forget(transaction, instance.id)


async def polled_now(services: Services, caller: Caller, instance_id: int) -> Sequence[Polled]:
    """Poll everything of an instance now, and say what was found."""
    current = await details(services.runtime, caller, instance_id)
    if not any(one.state != "paused" for one in current.pollers):
        raise Conflict(
            "This instance polls nothing; set event.notification.enabled, and event.vendor.type to polling or "
            "event.reconcile.enabled."
        )
    return await services.pollers.poll_now(instance_id, PATIENCE_S)


async def resumed(services: Services, caller: Caller, instance_id: int) -> Details:
    """Let pollers that stopped or fail begin again at once, from where they stood."""
    async with services.runtime.database.transaction() as transaction:
        now = now_ms()
        await instances.locked(transaction, caller, instance_id, now)
        await store.resume(transaction, instance_id, now)
    services.pollers.poke()
    return await details(services.runtime, caller, instance_id)


async def _first(services: Services, access: Access, plan: Plan, until: float) -> Seed | None:
    """What the first poll of a plan brought; None where that is left to the clock."""

    def send(call: Rendered, manner: Manner) -> AbstractAsyncContextManager[Called | Unsent]:
        return services.vendors.calls.made(access, call, manner)

    cursor, reader = NEW, services.polling.reader
    for _ in range(_ROUNDS):
        left = until - time.monotonic()
        if left <= 0:
            return None
        ask = asked(access, plan, cursor, now_ms())
        # What is not kept is only tried out.
        tried = plan.backfills or plan.poll.mode == "snapshot"
        reading = await reader.read(send, ask, read_s=left, most_pages=1 if tried else None)
        try:
            _check(access, plan, reading)
            if reading.read is None:
                return _failed(plan, reading.failure)
            if tried:
                return None
            settings = Settings(access.config, access.connector.value_defaults)
            result = merged(plan, cursor, reading.read, ask.window, settings)
            if result.problem is not None:
                return _unreadable(plan, result.problem)
        finally:
            reader.let_go(reading)
        cursor = result.cursor
        if cursor.started:
            row = _new()
            step = next_step(plan, row, result, None, floor=reading.read.min_interval, dice=_dice())
            return Seed(after(row, cursor, step).cursor, step)
    return None


def _check(access: Access, plan: Plan, reading: Reading) -> None:
    failure = reading.failure
    if failure is None or failure.kind not in ("reauth", "configuration"):
        return
    if failure.kind == "reauth" or reading.refused_by == _FORBIDDEN:
        raise VendorRefused(f"{access.connector.name} refuses these credentials for {plan.name}.", failure.message)


def _failed(plan: Plan, failure: Failure | None) -> Seed | None:
    """A poller that begins with a failure, so that it is seen; an outage or a limit is left to the clock."""
    if failure is None or failure.kind in ("unavailable", "rate_limited", "waits"):
        return None
    step = after_failure(plan, _new(), NEW, failure, now=now_ms(), dice=_dice())
    return Seed(NEW, step)


def _unreadable(plan: Plan, problem: Failure) -> Seed | None:
    if plan.ask is not None and problem.kind == "configuration":
        message = f"{plan.name}: {problem.message}"
        raise Invalid(f"Invalid configuration: {_CONFIGURATION}: {message}.", (Problem(_CONFIGURATION, message),))
    return _failed(plan, problem)


def _new() -> Poller:
    now = now_ms()
    return Poller(id=time_ordered(), instance_id=0, name="", next_due=now, since=now, updated_at=now)


def _dice() -> float:
    return random.random()  # noqa: S311 - jitter needs no secrecy


def _access(connector: Connector, values: Mapping[str, str | None]) -> Access | None:
    """What the first polls are made with; None where a login was not possible yet."""
    given = {key: value for key, value in values.items() if value is not None}
    access = Access(connector=connector, config=ConfigView(completed(connector, given)))
    way = way_of(access)
    if way is None or way.type not in BY_LOGIN:
        return access
    token = logins.token_of(way, access.config)
    return replace(access, token=token) if token else None


def _asked_by(values: Mapping[str, str]) -> dict[str, str]:
    """What has a say in what is polled; how the consumer is told has none."""
    return {key: value for key, value in values.items() if not key.startswith("event.notification.")}
