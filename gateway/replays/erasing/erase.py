"""The steps of an erasure: events with all that hangs on them, then what was refused; until there is nothing left."""

from collections.abc import Callable

import msgspec

from gateway.clock import now_ms
from gateway.events.removal import refusals_removal, removal
from gateway.replays import store as jobs
from gateway.replays.erasing import store
from gateway.replays.model import Erasure, Job, Position, Progress
from gateway.replays.stepping import LEASE_MS, Stepped
from gateway.storage.database import Database, T, Write

AT_ONCE = 100
_PASSING_S = 0.01


class Erase:
    """The work of one erasure on this node."""

    def __init__(self, database: Database, wanted: Erasure) -> None:
        self._database = database
        self._wanted = wanted

    async def step(self, job: Job) -> Stepped:
        """Take away what comes next."""
        if job.position.phase == "refusals":
            return await self._refusals(job)
        found = await store.events(self._database, self._wanted, job.position.after, job.id, AT_ONCE)
        if not found:
            return await self._turn(job)
        await self._call_off(job, [event_id for event_id, _ in found])
        position = msgspec.structs.replace(job.position, after=found[-1][0])

        def progress(number: int) -> Progress:
            return Progress(position=position, seen=number, done=number)

        return await self._write(job, removal(found), progress)

    async def _turn(self, job: Job) -> Stepped:
        """At the end: go over it once more where something was left, because it was just being sent again."""
        left = await store.events(self._database, self._wanted, "", job.id, 1) if job.position.after else []
        position = msgspec.structs.replace(job.position, after="", phase="events" if left else "refusals")
        return await self._write(job, jobs.nothing(), lambda _: Progress(position=position))

    async def _call_off(self, job: Job, event_ids: list[str]) -> None:
        pending = await store.pending(self._database, event_ids)
        if pending:
            work = store.cancelling(pending, now_ms())
            await self._write(job, work, lambda _: Progress(position=job.position))

    async def _refusals(self, job: Job) -> Stepped:
        """One instance after the other; the position is the one that is cleared."""
        done = int(job.position.after or 0)
        ahead = [one for one in await store.instances(self._database, self._wanted.account_id) if one > done]
        if not ahead:
            return await self._write(job, jobs.nothing(), lambda _: Progress(position=job.position, state="done"))
        here = job.position

        def progress(number: int) -> Progress:
            return Progress(position=_behind(here, ahead[0]) if number < AT_ONCE else here, done=number, seen=number)

        return await self._write(job, refusals_removal(ahead[0], self._wanted.object_id, AT_ONCE), progress)

    async def _write(self, job: Job, work: Write[T], progress: Callable[[T], Progress]) -> Stepped:
        now = now_ms()
        made = await self._database.write(jobs.step(job, work, progress, now, now + LEASE_MS), urgent=False)
        found = progress(made)
        return Stepped(state=found.state, position=found.position, pause_s=_PASSING_S)


def _behind(position: Position, instance_id: int) -> Position:
    return msgspec.structs.replace(position, after=str(instance_id))
