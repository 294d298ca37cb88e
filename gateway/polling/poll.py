"""One poll of one claimed poller: read, understood, and stored with its cursor in one commit, or not at all."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import msgspec
import structlog

from gateway.access.act import Vendors
from gateway.accounts.metering import store as metering
from gateway.accounts.metering.charge import charge
from gateway.calls.model import Access
from gateway.clock import now_ms
from gateway.events import store as events
from gateway.events.model import Event
from gateway.ids import first_at
from gateway.instances import store as instances
from gateway.instances.index import InstanceIndex
from gateway.instances.view import InstanceView
from gateway.polling import offered, store
from gateway.polling.asking import Ask
from gateway.polling.emitted import event_of, gap_event
from gateway.polling.interval import after_failure, after_success, current
from gateway.polling.merge import merged
from gateway.polling.model import Cursor, Failure, Found, Gap, Known, Merged, Plan, Poller, Read, Step
from gateway.polling.plans import Plans, paced, silence_ms
from gateway.polling.reading import Reader
from gateway.polling.reconcile import Arrival, unbrought
from gateway.polling.records import Settings
from gateway.polling.window import window
from gateway.registrations import store as registrations
from gateway.runtime import Runtime
from gateway.storage.database import Effect, Row, Write
from gateway.subscriptions.publish import Fenced, Publisher

#: So many polls in a row that brought something and did not move the watermark are no chance.
STUCK = 10
_SUCCEEDED = frozenset({"changes", "nothing", "partial"})
#: Nobody has to be warned of these.
_FINE = _SUCCEEDED | {"fenced", "waits"}
_BROKEN_MS = 60_000
_MANY = 1_000
#: So many polls may follow one another at once, while a source has more and more.
MOST_PARTIALS = 20
_LONGEST_BROKEN = 30
#: Of so many objects at once it is asked what the webhook brought.
_LOOKED_UP = 100

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What became of one poll, for who asked for it, the log and the metrics."""

    name: str
    outcome: str
    reason: str | None = None
    records: int = 0
    events: int = 0
    duplicates: int = 0
    #: Whether there is more to be had at once.
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A claimed poller of an instance that polls it, and when its poll began."""

    row: Poller
    view: InstanceView
    plan: Plan
    now: int


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The changes that are to be told, and how many more the webhook brought."""

    new: Sequence[Found]
    brought: int = 0


class Polling:
    """Polls for this node."""

    def __init__(self, runtime: Runtime, index: InstanceIndex, vendors: Vendors, publisher: Publisher) -> None:
        self._runtime = runtime
        self._index = index
        self._vendors = vendors
        self._publisher = publisher
        self.reader = Reader()
        self.plans = Plans()
        self._dice = random.Random()  # noqa: S311 - jitter needs no secrecy

    async def view(self, instance_id: int) -> InstanceView | None:
        """The instance as it is now, whatever another node changed."""
        view = await self._index.by_id(instance_id)
        database = self._runtime.database
        if view is None or database.engine == "sqlite":
            return view
        if await instances.by_id_any_account(database, instance_id) == view.instance:
            return view
        self._index.forget(instance_id)
        return await self._index.by_id(instance_id)

    async def poll(self, row: Poller, view: InstanceView | None) -> Polled:
        """Poll once; StorageDown where nothing could be stored, and then the lease ends by itself."""
        plan = next((one for one in self.plans.of(view) if one.name == row.name), None) if view is not None else None
        if view is None or plan is None:
            await self._stopped(row)
            return Polled(name=row.name, outcome="stopped", reason="the instance does not poll this any more")
        plan = paced(plan, relies=await self._relies(view, plan))
        case = _Case(row=row, view=view, plan=plan, now=now_ms())
        try:
            polled = await self._polled(case)
        except Fenced:
            polled = Polled(name=row.name, outcome="fenced", reason="somebody else has taken over, or changed it")
        self._tell(case, polled)
        return polled

    async def broken(self, row: Poller, reason: str) -> None:
        """A poll that failed by no fault of the vendor: again later."""
        failures = row.failures + 1
        due = now_ms() + _BROKEN_MS * min(_LONGEST_BROKEN, failures)
        await self.settle(replace(row, state="failing", reason=reason[:500], failures=failures, next_due=due))

    async def settle(self, after: Poller) -> bool:
        """Write down what became of a claimed poller without events; False where it is somebody else's by now."""

        def then(rows: Sequence[Sequence[Row]]) -> Effect[bool]:
            return Effect(bool(rows[0]))

        return await self._runtime.database.write(Write([store.commit(after, now_ms())], then))

    async def _polled(self, case: _Case) -> Polled:
        ask = asked(
            Access(connector=case.view.connector, config=case.view.config), case.plan, case.row.cursor, case.now
        )
        reading = await self.reader.read(lambda call, manner: self._vendors.send(case.view, call, manner), ask)
        if reading.requests:
            used = metering.counted(case.view.instance.account_id, case.now, polls=reading.requests)
            charge(self._runtime.database, used)
        try:
            whole = case.plan.poll.mode == "snapshot"
            if reading.read is None or (whole and reading.failure is not None):
                return await self._failed(case, case.row.cursor, reading.failure or _NOTHING)
            return await self._understood(case, ask, reading.read, reading.failure)
        finally:
            self.reader.let_go(reading)

    async def _understood(self, case: _Case, ask: Ask, read: Read, failure: Failure | None) -> Polled:
        known: dict[str, Known] = {}
        if case.plan.poll.mode == "snapshot":
            known = await store.objects(self._runtime.database, case.row.id)
        settings = Settings(case.view.config, case.view.connector.value_defaults)
        merge = partial(merged, case.plan, case.row.cursor, read, ask.window, settings, known)
        # Ten thousand records would hold everybody else up for a fifth of a second.
        many = sum(len(page.records) for page in read.pages) > _MANY
        result = await asyncio.to_thread(merge) if many else merge()
        if result.problem is not None:
            return await self._failed(case, case.row.cursor, failure or result.problem)
        result = _counted(result, case.row.cursor)
        step = next_step(case.plan, case.row, result, failure, floor=read.min_interval, dice=self._dice.random())
        records = sum(len(page.records) for page in read.pages)
        stored, known_already = await self._stored(case, result, step, records)
        self._watch(case, result.cursor)
        outcome = failure.kind if failure else "partial" if result.again else "changes" if stored else "nothing"
        return Polled(
            name=case.row.name,
            outcome=outcome,
            reason=step.reason,
            records=records,
            events=stored,
            duplicates=known_already,
            again=result.again and failure is None,
        )

    async def _failed(self, case: _Case, cursor: Cursor, failure: Failure) -> Polled:
        step = after_failure(case.plan, case.row, cursor, failure, now=now_ms(), dice=self._dice.random())
        if not await self.settle(after(case.row, cursor, step)):
            raise Fenced
        return Polled(name=case.row.name, outcome=failure.kind, reason=step.reason)

    async def _stored(self, case: _Case, result: Merged, step: Step, records: int) -> tuple[int, int]:
        """Commit chunk by chunk, of which only the last moves the watermark; how many are new, and were known."""
        stored = known = 0
        for number, chunk in enumerate(result.chunks, 1):
            wanted = await self._wanted(case, chunk.changes)
            last, now = number == len(result.chunks), now_ms()
            found = self._events(case, wanted.new, result.gap if number == 1 else None, now)
            row = after(case.row, chunk.cursor, step) if last else replace(case.row, cursor=chunk.cursor)
            guard = store.commit(row, now, records=records if last else 0, goes_on=not last)
            also = store.remembered(case.row.id, chunk.kept, chunk.gone)
            published = await self._publisher.publish(case.view, found, now, also, guard=guard)
            stored, known = stored + len(published.accepted), known + published.duplicate + wanted.brought
        return stored, known

    async def _wanted(self, case: _Case, changes: Sequence[Found]) -> _Wanted:
        """The changes that the instance takes, without those that its webhook brought where no identity tells."""
        takes = case.plan.selection.takes
        taken = [one for one in changes if takes(one.change.object_type, one.change.action)]
        if case.plan.patience is None:
            return _Wanted(taken)
        new: list[Found] = []
        for at in range(0, len(taken), _LOOKED_UP):
            new += await self._unbrought(case, taken[at : at + _LOOKED_UP])
        return _Wanted(new, len(taken) - len(new))

    async def _unbrought(self, case: _Case, some: Sequence[Found]) -> Sequence[Found]:
        ids = {one.change.object_id for one in some}
        rows = await events.newest_by_object(
            self._runtime.database, case.view.instance.id, "webhook", sorted(one for one in ids if one is not None)
        )
        arrivals = [Arrival(row["object_type"], row["object_id"], row["at"], row["gone_at"]) for row in rows]
        return unbrought(some, arrivals, case.view.connector.resources)

    def _events(self, case: _Case, wanted: Sequence[Found], gap: Gap | None, now: int) -> list[Event]:
        view, plan = case.view, case.plan
        found = [event_of(view, plan, one, now) for one in wanted]
        if gap is None:
            return found
        log.warning("poll.gap", instance_id=case.row.instance_id, poller=case.row.name, reason=gap.reason)
        return [gap_event(view, plan, case.row, gap, now), *found]

    async def _stopped(self, row: Poller) -> None:
        """Nothing asks for it any more, by the catalogue of this node; who wants it again switches it on."""
        async with self._runtime.database.transaction() as transaction:
            current = await store.one(transaction, row.instance_id, row.name)
            if current is None or current.epoch != row.epoch:
                return
            await store.switch(transaction, row.id, now_ms(), enabled=False, next_due=None)
            instance = await instances.by_id_any_account(transaction, row.instance_id)
            if instance is not None:
                await offered.forget(transaction, instance.connector)

    async def _relies(self, view: InstanceView, plan: Plan) -> bool:
        """Whether the webhook brings what happens, so that polling only makes sure."""
        if plan.source != "reconcile":
            return False
        database, instance_id = self._runtime.database, view.instance.id
        found = (await registrations.statuses(database, [instance_id])).get(instance_id)
        if found is not None and found.state in ("failing", "refused"):
            return False
        since = now_ms() - silence_ms(plan)
        if view.instance.created_at > since:
            return True
        return await events.came_by(database, instance_id, "webhook", first_at(since))

    def _watch(self, case: _Case, cursor: Cursor) -> None:
        """The alarm: polls succeed and bring something, and the watermark stands still."""
        connector, metrics = case.view.connector.key, self._runtime.metrics
        if cursor.lag_ms is not None:
            metrics.poll_behind.labels(connector).observe(cursor.lag_ms / 1000)
        if not cursor.stuck or cursor.stuck % STUCK:
            return
        metrics.poll_stuck.labels(connector).inc()
        log.warning(
            "poller.stuck",
            instance_id=case.row.instance_id,
            connector=connector,
            poller=case.row.name,
            watermark=cursor.watermark,
            polls=cursor.stuck,
        )

    def _tell(self, case: _Case, polled: Polled) -> None:
        metrics, connector, row = self._runtime.metrics, case.view.connector.key, case.row
        metrics.polls.labels(connector, polled.outcome).inc()
        if polled.outcome in _SUCCEEDED or polled.outcome not in _FINE:
            self._runtime.traffic.polled(case.view.instance, ok=polled.outcome in _SUCCEEDED)
        if polled.outcome in _SUCCEEDED:
            metrics.poll_succeeded.labels(connector).set(now_ms() / 1000)
        metrics.poll_records.labels(connector).inc(polled.records)
        metrics.poll_events.labels(connector).inc(polled.events)
        say = log.info if polled.outcome in _FINE else log.warning
        say(
            "poll.finished",
            instance_id=row.instance_id,
            connector=connector,
            poller=row.name,
            outcome=polled.outcome,
            records=polled.records,
            events=polled.events,
            duplicates=polled.duplicates,
            reason=polled.reason,
            duration_ms=now_ms() - case.now,
        )


_NOTHING = Failure("malformed", "nothing came back")


def asked(access: Access, plan: Plan, cursor: Cursor, now: int) -> Ask:
    """What a poll asks for, as far as its cursor has come."""
    defaults = access.connector.value_defaults

    def setting(key: str) -> str | None:
        return access.config.get(key) or defaults.get(key)

    return Ask(access=access, plan=plan, window=window(plan, cursor, now, setting), cursor=cursor, now=now)


def next_step(
    plan: Plan, row: Poller, result: Merged, failure: Failure | None, *, floor: int | None, dice: float
) -> Step:
    """What follows from a poll that was understood, and what put an end to it before its time."""
    now, limits = now_ms(), plan.poll.limits
    if failure is not None:
        return after_failure(plan, row, result.cursor, failure, now=now, dice=dice)
    if limits is not None and limits.requests and limits.per:
        floor = max(floor or 0, limits.per // limits.requests)
    row = _at_its_slot(plan, row, result.cursor, now)
    step = after_success(plan, row, result.cursor, now=now, dice=dice, again=_goes_on(result), floor=floor)
    due = step.next_due if step.next_due is None or floor is None else max(step.next_due, now + floor)
    return replace(step, next_due=due, reason="; ".join(result.warnings)[:500] or None)


def _counted(result: Merged, before: Cursor) -> Merged:
    """The result with the number of polls in a row that did not reach the end."""
    partials = before.partials + 1 if result.again else 0
    if result.cursor.partials == partials:
        return result
    last = replace(result.chunks[-1], cursor=msgspec.structs.replace(result.cursor, partials=partials))
    return replace(result, chunks=(*result.chunks[:-1], last))


def _goes_on(result: Merged) -> bool:
    """Whether the rest is read at once: a list without an end waits for its time again and again."""
    cursor = result.cursor
    return result.again and (cursor.backfill_until is not None or cursor.partials % MOST_PARTIALS != 0)


def _at_its_slot(plan: Plan, row: Poller, cursor: Cursor, now: int) -> Poller:
    """One that was polled before its time keeps its slot, unless its interval became shorter than that is away."""
    interval = current(plan, cursor)
    if row.planned_at is None or row.planned_at <= now or interval is None:
        return row
    return replace(row, planned_at=row.planned_at - interval if row.planned_at <= now + interval else None)


def after(row: Poller, cursor: Cursor, step: Step) -> Poller:
    """A poller after a poll."""
    return replace(
        row,
        cursor=msgspec.structs.replace(cursor, interval_ms=step.interval),
        state=step.state,
        reason=step.reason,
        failures=step.failures,
        planned_at=step.planned_at,
        next_due=step.next_due,
    )
