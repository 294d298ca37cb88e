"""What every kind of job is made of: steps, each one commit."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from gateway.replays.model import Job, Position, Progress, State

#: A node that says nothing for so long is taken for dead, and its jobs are anybody's.
LEASE_MS = 15_000
#: A job that waits tells so often that it is there.
KEEP_UP_MS = 5_000


class Stepped(msgspec.Struct, frozen=True, kw_only=True):
    """Where a step has left its job, and how long to wait before the next."""

    state: State = "running"
    position: Position
    pause_s: float = 0.0


class Work(Protocol):
    """The steps of one job on this node."""

    async def step(self, job: Job) -> Stepped:
        """Do the next piece; Fenced where the job is not this node's any more."""
        ...


def passed_over(position: Position, skipped: dict[str, int]) -> Position:
    """The position with more that was left as it is."""
    if not skipped:
        return position
    total = {**position.skipped}
    for reason, number in skipped.items():
        total[reason] = total.get(reason, 0) + number
    return msgspec.structs.replace(position, skipped=total)


def progress_of(base: Progress, wanted: int) -> Callable[[frozenset[str]], Progress]:
    """The progress of a step that wanted to do so many, once it is known which were done; the rest was overtaken."""

    def of(done: frozenset[str]) -> Progress:
        late = wanted - len(done)
        position = passed_over(base.position, {"changed": late} if late else {})
        return msgspec.structs.replace(base, position=position, done=len(done), skipped=base.skipped + late)

    return of
