"""The registrations of this node: wished for by changes, claimed by the clock, a bounded number at once."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

import structlog

from gateway.access.act import Vendors
from gateway.clock import now_ms
from gateway.errors import GatewayError
from gateway.ids import token
from gateway.instances.index import InstanceIndex
from gateway.registrations import store
from gateway.registrations.attend import Attendant
from gateway.registrations.model import STATES, Registration
from gateway.runtime import Runtime

AT_ONCE = 16
#: Longer than everything that may be asked for one registration takes.
LEASE_MS = 300_000
_WORK_S = 240.0
#: How often one is looked at again at once, because somebody changed something meanwhile.
_ROUNDS = 5
_MOST_BATCHES = 200

log = structlog.get_logger()


class Registrations:
    """Knows which of them this node works on."""

    def __init__(self, runtime: Runtime, index: InstanceIndex, vendors: Vendors) -> None:
        self._runtime = runtime
        self._attendant = Attendant(runtime, index, vendors)
        self._owner = token()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Registrations"]:
        """Take up what a former run left behind; on leaving let go of what is under way."""
        database = self._runtime.database
        async with database.transaction() as transaction:
            alone = database.engine == "sqlite"
            await store.begin(transaction, self._runtime.config.public_url, now_ms(), alone=alone)
        try:
            yield self
        finally:
            await self._stop()

    def wake(self, instance_id: int) -> None:
        """The instance's change is stored: look after its registration now, in the background."""
        self._spawn(self._look_after(instance_id))

    async def look_after(self, instance_id: int, patience_s: float) -> None:
        """The same, waited for; whatever takes longer goes on in the background."""
        task = self._spawn(self._look_after(instance_id))
        await asyncio.wait([task], timeout=patience_s)

    async def tick(self) -> None:
        """Look after all that are due."""
        for _ in range(_MOST_BATCHES):
            now = now_ms()
            claimed = await store.claim(
                self._runtime.database,
                self._runtime.seal,
                owner=self._owner,
                now=now,
                until=now + LEASE_MS,
                most=AT_ONCE,
            )
            if not claimed:
                break
            await asyncio.gather(*[self._attended(row) for row in claimed])
        await self._count()

    async def _look_after(self, instance_id: int) -> None:
        async with self._slots:
            for _ in range(_ROUNDS):
                now = now_ms()
                row = await store.claim_one(
                    self._runtime.database,
                    self._runtime.seal,
                    instance_id,
                    owner=self._owner,
                    now=now,
                    until=now + LEASE_MS,
                )
                if row is None:
                    return
                await self._attended(row)

    async def _attended(self, row: Registration) -> None:
        try:
            async with asyncio.timeout(_WORK_S):
                await self._attendant.attend(row)
        except (GatewayError, TimeoutError) as problem:
            await self._broken(row, str(problem) or "it took too long")
        except Exception:
            log.exception("registration.broke", instance_id=row.instance_id)
            await self._broken(row, "an error of the gateway, see its log")

    async def _broken(self, row: Registration, reason: str) -> None:
        try:
            await self._attendant.broken(row, reason)
        except GatewayError as problem:
            # The lease ends by itself.
            log.warning("registration.not_settled", instance_id=row.instance_id, problem=str(problem))

    async def _count(self) -> None:
        found = await store.counts(self._runtime.database)
        for state in STATES:
            self._runtime.metrics.registrations[state].set(found.get(state, 0))

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _guarded(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except GatewayError as problem:
            log.warning("registration.not_looked_after", problem=str(problem))

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            async with self._runtime.database.transaction() as transaction:
                await store.give_back(transaction, self._owner)
        except GatewayError as problem:
            log.warning("registration.not_given_back", problem=str(problem))
