"""The steps of a discard: dead letters are laid down, a batch at a time."""

import msgspec

from gateway.accounts.model import Caller
from gateway.clock import now_ms
from gateway.replays import store as jobs
from gateway.replays.again.model import Item
from gateway.replays.again.walk import Look, Looking, Walk
from gateway.replays.letters import store
from gateway.replays.letters.model import LetterFilter, Spot, spot_of
from gateway.replays.model import Discarding, Job, Progress, State
from gateway.replays.stepping import LEASE_MS, Stepped, progress_of
from gateway.storage.database import Database

AT_ONCE = 200
_PASSING_S = 0.01


def looking(database: Database, caller: Caller, chosen: LetterFilter, until_id: str) -> Looking:
    """The look of a walk over the caller's dead letters."""

    async def look(after: str, most: int) -> Look:
        found = await store.above(database, caller, chosen, spot_of(after), until_id, most)
        items = [
            Item(event_id=event_id, key=spot.text, origin=spot.destination_id, delivery_id=spot.delivery_id)
            for spot, event_id in found.spots
        ]
        looked_to = after if found.looked_to is None else found.looked_to.text
        return Look(items=items, looked_to=looked_to, ended=not found.more)

    return look


class Discard:
    """The work of one discard on this node."""

    def __init__(self, database: Database, walk: Walk, wanted: Discarding) -> None:
        self._database = database
        self._walk = walk
        self._wanted = wanted

    async def step(self, job: Job) -> Stepped:
        """Lay down what comes next."""
        look = await self._walk.ahead(AT_ONCE)
        spots = [Spot(one.origin or 0, one.delivery_id or "") for one in look.items]
        self._walk.passed(look, len(spots))
        position = msgspec.structs.replace(job.position, after=self._walk.after)
        state: State = "done" if self._walk.over else "running"
        progress = progress_of(Progress(position=position, seen=len(spots), state=state), len(spots))
        now, work = now_ms(), store.discarding(spots, self._wanted.reason)
        done = await self._database.write(jobs.step(job, work, progress, now, now + LEASE_MS), urgent=False)
        return Stepped(state=state, position=progress(done).position, pause_s=_PASSING_S)
