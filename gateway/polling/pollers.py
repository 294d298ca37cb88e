"""The pollers of an instance follow what it wants: told of every change in its transaction; what they know stays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.ids import time_ordered
from gateway.polling import store
from gateway.polling.model import Cursor, Plan, Poller, Step
from gateway.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class Seed:
    """What the first poll of a plan has brought: how far it was read, and what follows."""

    cursor: Cursor
    step: Step


NO_SEEDS: Mapping[str, Seed] = {}


async def align(
    transaction: Transaction,
    instance_id: int,
    wanted: Sequence[Plan],
    now: int,
    *,
    before: Sequence[Plan] = (),
    seeds: Mapping[str, Seed] = NO_SEEDS,
    resumes: bool = True,
    wait: int = 0,
) -> None:
    """Bring the rows in line with the plans; one that is asked otherwise than `before` is polled at once.

    A poller that nobody wants is switched off, and keeps how far it has read for the day on which somebody does.
    With `resumes` what had stopped begins again. What begins now waits so long.
    """
    rows = {row.name: row for row in await store.of_instance(transaction, instance_id)}
    known = {plan.name: plan for plan in before}
    for plan in wanted:
        row = rows.pop(plan.name, None)
        if row is None:
            await store.add(transaction, _new(instance_id, plan, now, wait, seeds.get(plan.name)))
        elif not row.enabled:
            await store.switch(transaction, row.id, now, enabled=True, next_due=_due(plan, now + wait))
        elif known.get(plan.name) != plan:
            await store.reschedule(transaction, row.id, now, _due(plan, now))
    for row in rows.values():
        if row.enabled:
            await store.switch(transaction, row.id, now, enabled=False, next_due=None)
    if wanted and resumes:
        # Whatever stood in the way may be out of it now.
        await store.resume(transaction, instance_id, now)


def _new(instance_id: int, plan: Plan, now: int, wait: int, seed: Seed | None) -> Poller:
    if seed is None:
        return Poller(
            id=time_ordered(),
            instance_id=instance_id,
            name=plan.name,
            next_due=_due(plan, now + wait),
            since=now,
            updated_at=now,
        )
    step = seed.step
    return Poller(
        id=time_ordered(),
        instance_id=instance_id,
        name=plan.name,
        next_due=step.next_due,
        planned_at=step.planned_at,
        state=step.state,
        reason=step.reason,
        since=now,
        failures=step.failures,
        updated_at=now,
        cursor=seed.cursor,
    )


def _due(plan: Plan, now: int) -> int | None:
    """At once; what is only polled on demand waits for that."""
    return None if plan.interval is None else now
