"""The jobs of this node: claimed when nobody works on them, a few at once, each step by step to its end."""

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import structlog

from gateway.clock import now_ms
from gateway.delivery.worker import Worker
from gateway.errors import Conflict, GatewayError, NotFound, StorageDown
from gateway.ids import token
from gateway.replays import store
from gateway.replays.again.sending import Sending
from gateway.replays.model import Fenced, Job
from gateway.replays.stepping import LEASE_MS
from gateway.replays.working import work_of
from gateway.runtime import Runtime

AT_ONCE = 8
#: So often a node looks for jobs that another one has left.
LOOK_EVERY_S = 5.0
_AGAIN_S = 1.0

log = structlog.get_logger()


class Runner:
    """Knows which jobs run on this node."""

    def __init__(self, runtime: Runtime, worker: Worker) -> None:
        self._database = runtime.database
        self.sending = Sending(runtime.database, worker)
        self._owner = token()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()
        self._leaving = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Runner"]:
        """Work until left; then finish the steps under way and give the jobs back."""
        if self._database.engine == "sqlite":
            async with self._database.transaction() as transaction:
                await store.begin(transaction, now_ms())
        loop = asyncio.create_task(self._forever(), name="replays")
        try:
            yield self
        finally:
            self._leaving.set()
            loop.cancel()
            await asyncio.gather(loop, *self._tasks.values(), return_exceptions=True)
            await self._give_back()

    def poke(self) -> None:
        """There may be a new job: look now."""
        self._woken.set()

    @property
    def number(self) -> int:
        """How many jobs run on this node."""
        return len(self._tasks)

    async def _forever(self) -> None:
        while True:
            try:
                await self._claim()
            except GatewayError as problem:
                log.warning("job.not_claimed", problem=str(problem))
            except Exception:
                log.exception("job.not_claimed")
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._woken.wait()
            except TimeoutError:
                continue
            self._woken.clear()

    async def _claim(self) -> None:
        most = AT_ONCE - len(self._tasks)
        if most <= 0:
            return
        now = now_ms()
        for job in await store.claim(self._database, owner=self._owner, now=now, until=now + LEASE_MS, most=most):
            task = asyncio.create_task(self._run(job), name=f"job.{job.id}")
            self._tasks[job.id] = task
            task.add_done_callback(functools.partial(self._done, job.id))

    def _done(self, job_id: str, _: asyncio.Task[None]) -> None:
        del self._tasks[job_id]
        self.poke()

    async def _run(self, job: Job) -> None:
        try:
            await self._through(job)
        except Fenced:
            log.info("job.left", job_id=job.id, kind=job.kind)
        except (NotFound, Conflict) as problem:
            await self._fail(job, str(problem))
        except Exception:
            log.exception("job.broke", job_id=job.id, kind=job.kind)
            await self._fail(job, "an error of the gateway, see its log")

    async def _through(self, job: Job) -> None:
        work = work_of(self.sending, job)
        while not self._leaving.is_set():
            try:
                stepped = await work.step(job)
            except StorageDown as problem:
                # The step may have reached the disk: what the row says counts.
                log.warning("job.waits", job_id=job.id, problem=str(problem))
                await self._pause(_AGAIN_S)
                job = await self._as_stored(job)
                work = work_of(self.sending, job)
                continue
            job = msgspec.structs.replace(job, position=stepped.position)
            if stepped.state != "running":
                log.info("job.ended", job_id=job.id, kind=job.kind, state=stepped.state)
                return
            await self._pause(stepped.pause_s)

    async def _as_stored(self, job: Job) -> Job:
        try:
            found = await store.current_any_account(self._database, job.id)
        except StorageDown:
            return job
        if found is None or found.epoch != job.epoch or found.state != "running":
            raise Fenced
        return found

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._leaving.wait()
        except TimeoutError:
            return

    async def _fail(self, job: Job, reason: str) -> None:
        try:
            async with self._database.transaction() as transaction:
                await store.fail(transaction, job, now_ms(), reason)
        except GatewayError as problem:
            log.warning("job.not_ended", job_id=job.id, problem=str(problem))

    async def _give_back(self) -> None:
        try:
            async with self._database.transaction() as transaction:
                await store.give_back(transaction, self._owner, now_ms())
        except GatewayError as problem:
            log.warning("job.not_given_back", problem=str(problem))
