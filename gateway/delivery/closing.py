"""The end of a destination that was switched off or removed: what is pending for it is closed, in small batches."""

import structlog

from gateway.clock import now_ms
from gateway.delivery import store
from gateway.delivery.claims import Claims
from gateway.delivery.lane import Lane
from gateway.delivery.model import End
from gateway.errors import GatewayError
from gateway.storage.database import Database
from gateway.traffic.count import Traffic

log = structlog.get_logger()


class Closing:
    """Closes backlogs; a lane that is closing starts nothing."""

    def __init__(self, database: Database, claims: Claims, traffic: Traffic) -> None:
        self._database = database
        self._claims = claims
        self._traffic = traffic
        self._stopped = False

    def stop(self) -> None:
        """Begin no further batch."""
        self._stopped = True

    async def close(self, lane: Lane) -> None:
        """Look whether the destination takes deliveries, and close what is pending for it where it does not."""
        try:
            end = await store.end_any_account(self._database, lane.destination_id)
            if end is not None:
                await self._all(lane, end)
                self._empty(lane)
        except GatewayError as problem:
            # What is left is found again when it is due.
            log.warning("destination.not_closed", destination_id=lane.destination_id, problem=str(problem))
        finally:
            lane.closing = False

    async def _all(self, lane: Lane, end: End) -> None:
        closed = 0
        while not self._stopped:
            number = await self._database.write(store.closing(lane.destination_id, end, now_ms()))
            closed += number
            self._traffic.settled(lane.destination_id, end.state, number)
            if not number:
                break
        if closed:
            log.warning(
                "destination.closed", destination_id=lane.destination_id, reason=end.reason, closed=closed, to=end.state
            )

    def _empty(self, lane: Lane) -> None:
        """Forget the queue: its rows are closed, or they are new ones of a destination that was switched on again."""
        jobs = list(lane.queue)
        lane.queue.clear()
        self._claims.give_back(lane, jobs)
