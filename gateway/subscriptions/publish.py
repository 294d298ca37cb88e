"""The only way in: events and their deliveries in one group commit, then from memory to the worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.accounts.metering import store as metering
from gateway.delivery import store as deliveries
from gateway.delivery.model import Job
from gateway.delivery.worker import Worker
from gateway.errors import Conflict
from gateway.events import store as events
from gateway.events.model import Event, EventId
from gateway.ids import time_ordered
from gateway.instances.view import InstanceView
from gateway.runtime import Runtime
from gateway.storage.database import Effect, Row, Statement, Write
from gateway.thirdparty.index import wanting
from gateway.thirdparty.model import ThirdParty

_LATER_MS = 1_000


@dataclass(frozen=True, slots=True)
class Published:
    """Which events are new, and how many were known already."""

    accepted: tuple[EventId, ...]
    duplicate: int


class Fenced(Conflict):
    """Somebody else has taken over what these events come from; nothing of them was stored."""


class Follower(Protocol):
    """Who is told of events as they become durable."""

    def stored(self, events: Sequence[Event]) -> None:
        """These are durable now."""
        ...

    def doubted(self, events: Sequence[Event]) -> None:
        """Nobody has waited for the commit of these: they may be durable in a moment, or never."""
        ...


class Publisher:
    """Makes events durable and sets them on their way."""

    def __init__(self, runtime: Runtime, worker: Worker, follower: Follower | None = None) -> None:
        self._runtime = runtime
        self._worker = worker
        self._follower = follower

    async def publish(
        self,
        view: InstanceView,
        changes: Sequence[Event],
        now: int,
        also: Sequence[Statement] = (),
        *,
        guard: Statement | None = None,
    ) -> Published:
        """Store the events of one instance, once each, with a delivery for every destination that wants them.

        What is to be written `also` is written with them or not at all. When it returns they are durable; it raises
        StorageDown where nothing was stored, and Conflict where a further statement forbids it: Fenced where the
        statement that stands guard gave no row back.
        """
        third_parties = self._worker.third_parties
        others = third_parties.known(view.instance.account_id)
        if others is None:
            others = await third_parties.of_account(view.instance.account_id)
        planned = [(event, self._deliveries(view, others, event, now)) for event in changes]
        leased = [job for _, jobs in planned for job in jobs if job.lease_until]
        for job in leased:
            self._worker.hold(job)
        try:
            accepted = await self._runtime.database.write(self._write(view, planned, now, also, guard))
        except BaseException:
            for job in leased:
                # Who cannot wait for the commit does not stop it, and one that failed may have reached the disk.
                self._worker.leave_behind(job, _LATER_MS)
            if self._follower is not None:
                self._follower.doubted(changes)
            raise
        self._set_out([job for _, jobs in planned for job in jobs], accepted)
        stored = [event for event in changes if event.id in accepted]
        known = len(changes) - len(accepted)
        self._runtime.traffic.arrived(view.instance, accepted=len(stored), duplicate=known)
        if self._follower is not None:
            self._follower.stored(stored)
        return Published(tuple(event.id for event in stored), known)

    def _deliveries(self, view: InstanceView, others: Sequence[ThirdParty], event: Event, now: int) -> list[Job]:
        jobs = []
        if view.callback is not None and view.callback.destination.state == "active":
            jobs.append(self._job(view.callback.destination.id, event, now))
        if others:
            jobs += [self._job(one.id, event, now, third_party=True) for one in wanting(others, event)]
        return jobs

    def _job(self, destination_id: int, event: Event, now: int, *, third_party: bool = False) -> Job:
        leased = self._worker.admits(destination_id, len(event.payload))
        return Job(
            id=time_ordered(),
            event_id=event.id,
            instance_id=event.instance_id,
            destination_id=destination_id,
            attempts=0,
            epoch=1,
            lease_until=now + self._worker.lease_ms if leased else 0,
            event=event if leased else None,
            third_party=third_party,
        )

    def _write(
        self,
        view: InstanceView,
        planned: list[tuple[Event, list[Job]]],
        now: int,
        also: Sequence[Statement],
        guard: Statement | None,
    ) -> Write[frozenset[str]]:
        owner, instance_id, account_id = self._worker.owner, view.instance.id, view.instance.account_id
        guards = [] if guard is None else [guard]

        def then(rows: Sequence[Sequence[Row]]) -> Effect[frozenset[str]]:
            if guards and not rows[0]:
                raise Fenced
            accepted, jobs, routed = [], [], 0
            for (event, wanted), found in zip(planned, rows[len(guards) :], strict=True):
                if found:
                    accepted.append(event.id)
                    jobs += wanted
                    routed += bool(wanted)
            number = len(accepted)
            arrived = events.arrived(instance_id, accepted=number, duplicate=len(planned) - number, routed=routed)
            counted = [arrived] if planned else []
            if number:
                counted.append(metering.counted(account_id, now, events=number))
            return Effect(
                frozenset(accepted),
                [*also, *(deliveries.queued(job, owner if job.lease_until else None, now) for job in jobs)],
                [*counted, *(deliveries.created(job.destination_id, 1) for job in jobs)],
            )

        return Write([*guards, *(events.accept(event, routed=bool(jobs)) for event, jobs in planned)], then)

    def _set_out(self, jobs: list[Job], accepted: frozenset[str]) -> None:
        for job in jobs:
            if job.event_id not in accepted:
                self._worker.give_up(job)
            elif job.lease_until:
                self._worker.hand_over([job])
            else:
                self._worker.left_behind(job.destination_id)
