"""Making deliveries again: one at a time by callers, many at a time by jobs, never twice at once on this node."""

import asyncio
from collections.abc import Sequence

from gateway.accounts.model import Caller
from gateway.clock import now_ms
from gateway.delivery.worker import Worker
from gateway.errors import Conflict, NotFound
from gateway.history.model import DeliveryRecord
from gateway.ids import time_ordered
from gateway.replays.again import store
from gateway.replays.again.model import Place, Stored, Wish, obstacle
from gateway.storage.database import Database

_WORDS = {
    "payload gone": "Its payload was taken away by retention, so there is nothing to send.",
    "no destination": "Its instance has no callback URL any more; name another destination_id.",
    "of another account": "The destination belongs to another account than the event.",
    "on its way": "It is on its way there: a delivery of it is pending.",
}
_NOT_DEAD = "It is no dead letter any more: somebody has just sent it again, or laid it down."
_OVERTAKEN = "It was changed meanwhile; look at it again."


class Sending:
    """Whoever makes deliveries again on this node asks here."""

    def __init__(self, database: Database, worker: Worker) -> None:
        self.database = database
        self._worker = worker
        #: Between looking whether something is under way and storing that it is.
        self.lock = asyncio.Lock()

    def set_out(self, made: frozenset[str], wishes: Sequence[Wish]) -> None:
        """What was made is durable: let it be delivered."""
        for destination_id in {one.destination_id for one in wishes if one.id in made}:
            self._worker.left_behind(destination_id)

    async def event(self, caller: Caller, event_id: str, destination_id: int | None) -> DeliveryRecord:
        """Send one event again: to its instance's callback, or to another destination; Conflict says why not."""
        async with self.lock:
            found = await store.event(self.database, caller, event_id)
            place = await self._place(caller, found, destination_id)
            return await self._send(caller, found, place, None)

    async def delivery(
        self, caller: Caller, delivery_id: str, destination_id: int | None, *, only_dead: bool = False
    ) -> DeliveryRecord:
        """Send again what one delivery was: to where it went, or to another destination; Conflict says why not.

        With `only_dead` it must still be a dead letter: not sent again since, and not laid down.
        """
        async with self.lock:
            before = await store.delivery(self.database, caller, delivery_id)
            if only_dead and (before.state != "dead" or before.replayed_as is not None):
                raise Conflict(_NOT_DEAD)
            place = await store.place(self.database, caller, destination_id or before.destination_id)
            try:
                found = await store.event(self.database, caller, before.event_id)
            except NotFound as problem:
                raise Conflict(_WORDS["payload gone"]) from problem
            return await self._send(caller, found, place, before)

    async def _place(self, caller: Caller, event: Stored, destination_id: int | None) -> Place | None:
        if destination_id is not None:
            return await store.place(self.database, caller, destination_id)
        return (await store.callbacks(self.database, [event.instance_id])).get(event.instance_id)

    async def _send(
        self, caller: Caller, event: Stored, place: Place | None, before: DeliveryRecord | None
    ) -> DeliveryRecord:
        under_way = await store.under_way(self.database, [event.id])
        why_not = obstacle(event, place, under_way)
        if why_not == "destination off" and place is not None:
            raise Conflict(f"The {place.trouble}; switch it on first, or name another destination_id.")
        if why_not is not None:
            raise Conflict(_WORDS[why_not])
        assert place is not None
        new = time_ordered()
        wish = wish_of(new, event, place, None if before is None else before.destination_id, replay_id=new)
        made = await self.database.write(store.resending([wish], now_ms()))
        if not made:
            raise Conflict(_OVERTAKEN)
        self.set_out(made, [wish])
        return await store.delivery(self.database, caller, new)


def wish_of(delivery_id: str, event: Stored, place: Place, origin: int | None, *, replay_id: str) -> Wish:
    """The delivery of an event to a place, instead of dead ones to `origin`."""
    return Wish(
        id=delivery_id,
        event_id=event.id,
        instance_id=place.instance_id or event.instance_id,
        destination_id=place.id,
        origin=place.id if origin is None else origin,
        replay_id=replay_id,
    )
