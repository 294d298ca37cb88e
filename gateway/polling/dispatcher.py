"""The pollers of this node: claimed when they are due, a bounded number at once, and each by one at a time."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import structlog

from gateway.calls.authenticate import BY_LOGIN, way_of
from gateway.calls.model import Access
from gateway.calls.pace import credential_of
from gateway.clock import now_ms
from gateway.errors import GatewayError
from gateway.ids import token
from gateway.instances.view import InstanceView
from gateway.polling import store
from gateway.polling.model import Poller
from gateway.polling.poll import Polled, Polling
from gateway.runtime import Runtime

AT_ONCE = 256
#: So many polls draw on one credential at once.
PER_CREDENTIAL = 8
#: How long one waits whose credential has its hands full.
AGAIN_MS = 1_000
#: So few are claimed by one statement, that the loop does not stand still while their cursors are read.
BATCH = 32
LEASE_MS = 90_000
#: So often somebody who asks for a poll has it go on at once; the rest is left to the clock.
MOST_ROUNDS = 20
#: More than the reading and every commit of one poll may take; the lease is kept up meanwhile.
POLL_S = 240.0
#: How late a poller may be before it counts as overdue.
OVERDUE_MS = 60_000

log = structlog.get_logger()


class Dispatcher:
    """Knows which polls run on this node."""

    def __init__(self, runtime: Runtime, polling: Polling, *, at_once: int = AT_ONCE) -> None:
        self._runtime = runtime
        self._polling = polling
        self._at_once = at_once
        self._owner = token()
        self._running: dict[str, tuple[Poller, asyncio.Task[Polled]]] = {}
        self._by_credential: Counter[str] = Counter()
        self._claiming = asyncio.Lock()
        self._woken = asyncio.Event()
        #: Whether the last claim left something for want of a slot.
        self._more = False
        self._leaving = False

    @asynccontextmanager
    async def running(self, grace_s: float) -> AsyncIterator["Dispatcher"]:
        """Take up what is due whenever woken; on leaving, what runs comes to its end or gives its lease back."""
        if self._runtime.database.engine == "sqlite":
            async with self._runtime.database.transaction() as transaction:
                await store.begin(transaction, now_ms())
        loop = asyncio.create_task(self._dispatch(), name="poll.dispatch")
        try:
            yield self
        finally:
            self._leaving = True
            loop.cancel()
            await asyncio.gather(loop, return_exceptions=True)
            await self._drain(grace_s)

    def poke(self) -> None:
        """Something may be due: look now."""
        self._woken.set()

    async def tick(self) -> int:
        """Begin what is due, as far as there is room; how many were begun."""
        begun = 0
        async with self._claiming:
            while not self._leaving:
                most = min(self._at_once - len(self._running), BATCH)
                self._more = most <= 0
                if self._more:
                    break
                now = now_ms()
                rows = await store.claim(
                    self._runtime.database,
                    owner=self._owner,
                    now=now,
                    until=now + LEASE_MS,
                    most=most,
                    busy=Counter(row.instance_id for row, _ in self._running.values()),
                )
                for row in rows:
                    self._begin(row)
                begun += len(rows)
                if len(rows) < most:
                    break
                await asyncio.sleep(0)
        return begun

    async def poll_now(self, instance_id: int, patience_s: float) -> list[Polled]:
        """Poll everything of an instance until there is no more to be had at once; what takes longer goes on."""
        until, slots = time.monotonic() + patience_s, asyncio.Semaphore(PER_CREDENTIAL)

        async def one(row: Poller) -> Polled:
            async with slots:
                return await self._through(row, until)

        rows = await store.of_instance(self._runtime.database, instance_id)
        return list(await asyncio.gather(*[one(row) for row in rows if row.enabled]))

    async def idle(self) -> None:
        """Wait until nothing runs."""
        while self._running:
            await asyncio.wait([task for _, task in self._running.values()])

    async def keep_up(self) -> None:
        """Prolong the leases of what runs; what somebody else has taken or changed meanwhile is given up."""
        held = dict(self._running)
        if not held:
            return
        rows = [row for row, _ in held.values()]
        ours = await self._runtime.database.write(store.renewal(rows, self._owner, now_ms() + LEASE_MS))
        for poller_id, (_, task) in held.items():
            if poller_id not in ours:
                task.cancel()

    async def report(self) -> None:
        """Tell how many are late, and how many do not succeed, of all nodes."""
        now, not_ok = now_ms(), await store.not_ok(self._runtime.database)
        for state, gauge in self._runtime.metrics.pollers_not_ok.items():
            gauge.set(not_ok.get(state, 0))
        overdue, longest = await store.overdue(self._runtime.database, now - OVERDUE_MS)
        self._runtime.metrics.polls_overdue.set(overdue)
        self._runtime.metrics.polls_oldest.set((longest + OVERDUE_MS) / 1000 if overdue else 0)

    async def _dispatch(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self.tick()
            except GatewayError as problem:
                log.warning("poll.not_claimed", problem=str(problem))
            except Exception:
                log.exception("poll.not_claimed")

    async def _through(self, row: Poller, until: float) -> Polled:
        found: Polled | None = None
        for _ in range(MOST_ROUNDS):
            task = await self._claimed(row)
            if task is not None:
                await asyncio.wait([task], timeout=max(0.1, until - time.monotonic()))
            found = _with(found, _found(row.name, task))
            if not found.again or time.monotonic() >= until:
                break
        assert found is not None
        return found

    async def _claimed(self, row: Poller) -> asyncio.Task[Polled] | None:
        async with self._claiming:
            if self._leaving or row.id in self._running:
                return self._running[row.id][1] if row.id in self._running else None
            now = now_ms()
            claimed = await store.claim_one(
                self._runtime.database, row.instance_id, row.name, owner=self._owner, now=now, until=now + LEASE_MS
            )
            return None if claimed is None else self._begin(claimed, asked_for=True)

    def _begin(self, row: Poller, *, asked_for: bool = False) -> asyncio.Task[Polled]:
        task = asyncio.create_task(self._run(row, asked_for=asked_for))
        self._running[row.id] = row, task
        self._runtime.metrics.polls_running.set(len(self._running))
        task.add_done_callback(lambda done: self._done(row, done))
        return task

    def _done(self, row: Poller, task: asyncio.Task[Polled]) -> None:
        del self._running[row.id]
        self._runtime.metrics.polls_running.set(len(self._running))
        again = not task.cancelled() and task.exception() is None and task.result().again
        if self._more or again:
            self.poke()

    async def _run(self, row: Poller, *, asked_for: bool) -> Polled:
        """Poll; whatever happens, the row is settled, or its lease ends by itself."""
        try:
            async with asyncio.timeout(POLL_S):
                return await self._at_its_turn(row, asked_for=asked_for)
        except (GatewayError, TimeoutError) as problem:
            return await self._broken(row, str(problem) or "it took too long")
        except Exception:
            log.exception("poll.broke", instance_id=row.instance_id, poller=row.name)
            return await self._broken(row, "an error of the gateway, see its log")

    async def _at_its_turn(self, row: Poller, *, asked_for: bool) -> Polled:
        view = await self._polling.view(row.instance_id)
        key = _credential(view) if view is not None else ""
        if self._by_credential[key] >= PER_CREDENTIAL and view is not None and not asked_for:
            await self._polling.settle(replace(row, next_due=now_ms() + AGAIN_MS))
            return Polled(name=row.name, outcome="waits")
        self._by_credential[key] += 1
        try:
            if view is not None and row.next_due is not None:
                late = max(0, now_ms() - row.next_due) / 1000
                self._runtime.metrics.poll_late.labels(view.connector.key).observe(late)
            return await self._polling.poll(row, view)
        finally:
            self._by_credential[key] -= 1
            if not self._by_credential[key]:
                del self._by_credential[key]

    async def _broken(self, row: Poller, reason: str) -> Polled:
        try:
            await self._polling.broken(row, reason)
            view = await self._polling.view(row.instance_id)
            if view is not None:
                self._runtime.traffic.polled(view.instance, ok=False)
        except GatewayError as problem:
            log.warning("poll.not_settled", instance_id=row.instance_id, poller=row.name, problem=str(problem))
        return Polled(name=row.name, outcome="broken", reason=reason)

    async def _drain(self, grace_s: float) -> None:
        if self._running:
            _, late = await asyncio.wait([task for _, task in self._running.values()], timeout=grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        try:
            async with self._runtime.database.transaction() as transaction:
                await store.give_back(transaction, self._owner, now_ms())
        except GatewayError as problem:
            log.warning("poll.not_given_back", problem=str(problem))


def _credential(view: InstanceView) -> str:
    """Whose allowance an instance's polls draw on, as far as that is known without its token."""
    access = Access(connector=view.connector, config=view.config)
    way = way_of(access)
    if way is None or way.type in BY_LOGIN:
        return f"instance:{view.instance.id}"
    return f"{view.connector.key}:{credential_of(access)}"


def _with(before: Polled | None, found: Polled) -> Polled:
    """Several polls in a row as one."""
    if before is None:
        return found
    return replace(
        found,
        outcome="changes" if found.outcome == "nothing" and before.events else found.outcome,
        records=before.records + found.records,
        events=before.events + found.events,
        duplicates=before.duplicates + found.duplicates,
    )


def _found(name: str, task: asyncio.Task[Polled] | None) -> Polled:
    if task is None:
        return Polled(name=name, outcome="elsewhere", reason="another node is polling it now, or it was stopped")
    if not task.done() or task.cancelled() or task.exception() is not None:
        return Polled(name=name, outcome="running", reason="it takes longer; look at the instance's pollers")
    return task.result()
