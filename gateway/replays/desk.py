"""What callers ask of replays and erasures: tried dry, begun, watched, stopped, taken up again."""

from collections.abc import Sequence
from typing import Any

import msgspec

from gateway.accounts import store as accounts
from gateway.accounts.model import AccountId, Caller
from gateway.clock import now_ms
from gateway.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from gateway.history import filter as event_filters
from gateway.ids import time_ordered
from gateway.instances import store as instances
from gateway.replays import store
from gateway.replays.again import store as again
from gateway.replays.again.model import Stored
from gateway.replays.again.walk import Walk
from gateway.replays.letters import model as letters
from gateway.replays.letters import store as letter_rows
from gateway.replays.model import Again, Discarding, Erasure, Job, Kind, Position, Subject, Wanted, kind_of
from gateway.replays.runner import Runner
from gateway.replays.working import event_filter, letter_filter, looking
from gateway.storage.database import Database

REPLAYS: tuple[Kind, ...] = ("replay", "discard")
ERASURES: tuple[Kind, ...] = ("erasure",)
#: A partner's jobs at a time.
MOST_RUNNING = 20
_LOOKS = 10
_FOUND_AT_ONCE = 2_000
_SAMPLED = 10
_EVERYTHING = 'An empty filter means everything there is; say {"everything": true} beside it where that is meant.'


class Matched(msgspec.Struct, frozen=True, kw_only=True):
    """What a filter finds: counted as far as was looked, and the first of it."""

    number: int
    more: bool
    first: str
    sample: list[tuple[str, Stored | None]]


class Desk:
    """Replays, discards and erasures, for callers."""

    def __init__(self, database: Database, runner: Runner) -> None:
        self._database = database
        self._runner = runner
        self.sending = runner.sending

    async def wanted_again(
        self,
        caller: Caller,
        subject: Subject,
        given: dict[str, Any],
        destination_id: int | None,
        rate: int,
        *,
        everything: bool,
    ) -> Again:
        """The replay that a request describes; Invalid or Conflict where it cannot be."""
        chosen = _read(subject, given)
        _refuse_empty(chosen, everything=everything)
        if destination_id is not None:
            chosen = await self._towards(caller, subject, chosen, destination_id)
        else:
            await self._look_at_origin(caller, chosen)
        return Again(subject=subject, filter=chosen, destination_id=destination_id, rate=rate)

    async def _towards(
        self, caller: Caller, subject: Subject, chosen: dict[str, Any], destination_id: int
    ) -> dict[str, Any]:
        """The filter, held to the account of the one destination, which must be on."""
        place = await again.place(self._database, caller, destination_id)
        if place.trouble is not None:
            raise Conflict(f"The {place.trouble}; switch it on first, or name another destination_id.")
        if subject != "events":
            return chosen
        if chosen.get("account_id", place.account_id) != place.account_id:
            problem = Problem("account_id", "is not the account of the destination")
            raise Invalid("Events of one account are not sent to a destination of another.", (problem,))
        return {**chosen, "account_id": place.account_id}

    async def _look_at_origin(self, caller: Caller, chosen: dict[str, Any]) -> None:
        """Where a replay is of one instance or one destination only, that must be on."""
        instance_id, destination_id = chosen.get("instance_id"), chosen.get("destination_id")
        place = None if destination_id is None else await again.place(self._database, caller, destination_id)
        if place is None and instance_id is not None:
            await instances.get(self._database, caller, instance_id)
            place = (await again.callbacks(self._database, [instance_id])).get(instance_id)
            if place is None or place.state == "removed":
                raise Conflict("This instance has no callback URL; name a destination_id.")
        if place is not None and place.trouble is not None:
            raise Conflict(f"The {place.trouble}; switch it on first, or name another destination_id.")

    def wanted_discard(self, given: dict[str, Any], reason: str, *, everything: bool) -> Discarding:
        """The discard that a request describes."""
        chosen = _read("dead_letters", given)
        _refuse_empty(chosen, everything=everything)
        return Discarding(filter=chosen, reason=reason)

    async def laid_down(self, caller: Caller, delivery_ids: Sequence[str], reason: str) -> frozenset[str]:
        """Lay some of the caller's dead letters down; the ids of those that still were some."""
        found = await letter_rows.letters(self._database, caller, delivery_ids)
        spots = [letters.Spot(one.place.id, one.id) for one in found]
        # Not between the look and the commit of whoever sends one again.
        async with self.sending.lock:
            return await self._database.write(letter_rows.discarding(spots, reason))

    async def wanted_erasure(
        self, caller: Caller, account_id: str, object_type: str | None, object_id: str | None
    ) -> Erasure:
        """The erasure that a request describes; only administrators may have one."""
        if caller.user.role != "administrator":
            raise Forbidden("Only an administrator may erase.")
        if not await accounts.has_account(self._database, caller, account_id):
            raise NotFound(f"No account found with ID {account_id[:64]}")
        return Erasure(account_id=AccountId(account_id), object_type=object_type, object_id=object_id)

    async def matched(self, caller: Caller, wanted: Wanted) -> Matched:
        """What a job would find, by so many bounded looks."""
        walk = Walk(looking(self._database, caller, _as_again(wanted), time_ordered()), "")
        number, first, sampled = 0, "", list[str]()
        for _ in range(_LOOKS):
            look = await walk.ahead(_FOUND_AT_ONCE)
            walk.passed(look, len(look.items))
            number += len(look.items)
            first = first or next((one.key for one in look.items), "")
            sampled += [one.event_id for one in look.items[: _SAMPLED - len(sampled)]]
            if walk.over:
                break
        events = await again.events(self._database, set(sampled))
        return Matched(
            number=number, more=not walk.over, first=first, sample=[(one, events.get(one)) for one in sampled]
        )

    async def begin(self, caller: Caller, wanted: Wanted) -> Job:
        """A new job; Conflict where one that does the same is running."""
        found = None if isinstance(wanted, Erasure) else await self.matched(caller, wanted)
        job = _job(caller, wanted, found, now_ms())
        async with self._database.transaction() as transaction:
            if await store.number_running(transaction, caller.partner_id) >= MOST_RUNNING:
                raise Conflict(f"{MOST_RUNNING} jobs are running already; wait for one of them, or cancel it.")
            twin = await store.add(transaction, job)
        if twin is not None:
            raise Conflict(f"The same {job.kind} is running already, under the ID {twin.id}.")
        self._runner.poke()
        return job

    async def jobs(
        self, caller: Caller, kinds: tuple[Kind, ...], before: str, size: int
    ) -> tuple[list[Job], str | None]:
        """The caller's jobs, newest first; with where the next page begins."""
        return await store.page(self._database, caller, kinds, before=before, size=size)

    async def running(self, caller: Caller, kinds: tuple[Kind, ...]) -> list[Job]:
        """The caller's jobs that have not ended."""
        return await store.running(self._database, caller, kinds)

    async def job(self, caller: Caller, job_id: str, kinds: tuple[Kind, ...]) -> Job:
        """The caller's job."""
        return await store.get(self._database, caller, job_id, kinds)

    async def cancel(self, caller: Caller, job_id: str, kinds: tuple[Kind, ...]) -> Job:
        """Stop a job for good; what it has done stays done."""
        async with self._database.transaction() as transaction:
            job = await store.get(transaction, caller, job_id, kinds)
            if not await store.cancel(transaction, job, now_ms()):
                raise Conflict(f"This {job.kind} is {job.state}; there is nothing to cancel.")
            return await store.get(transaction, caller, job_id, kinds)

    async def resume(self, caller: Caller, job_id: str, kinds: tuple[Kind, ...]) -> Job:
        """Let a job that failed go on from where it stood."""
        async with self._database.transaction() as transaction:
            job = await store.get(transaction, caller, job_id, kinds)
            if job.state != "failed":
                raise Conflict(f"This {job.kind} is {job.state}; only one that failed can go on.")
            twin = await store.twin(transaction, job)
            if twin is not None:
                raise Conflict(f"The same {job.kind} is running already, under the ID {twin.id}.")
            await store.resume(transaction, job, now_ms())
            resumed = await store.get(transaction, caller, job_id, kinds)
        self._runner.poke()
        return resumed


def _read(subject: Subject, given: dict[str, Any]) -> dict[str, Any]:
    """The filter in the one form in which it is compared and kept."""
    if subject == "events":
        return event_filters.as_json(event_filter(given))
    return letters.as_json(letter_filter(given))


def _refuse_empty(chosen: dict[str, Any], *, everything: bool) -> None:
    if not chosen and not everything:
        raise Invalid(_EVERYTHING, (Problem("filter", "is empty"),))


def _as_again(wanted: Wanted) -> Again:
    if isinstance(wanted, Again):
        return wanted
    assert isinstance(wanted, Discarding)
    return Again(subject="dead_letters", filter=wanted.filter, destination_id=None, rate=1)


def _job(caller: Caller, wanted: Wanted, found: Matched | None, now: int) -> Job:
    return Job(
        id=time_ordered(),
        partner_id=caller.partner_id,
        account_id=caller.account_id,
        user_id=caller.user.id,
        kind=kind_of(wanted),
        state="running",
        reason=None,
        wanted=wanted,
        position=Position(first="" if found is None else found.first),
        seen=0,
        done=0,
        skipped=0,
        expected=None if found is None or found.more else found.number,
        created_at=now,
        updated_at=now,
        finished_at=None,
        epoch=0,
    )
