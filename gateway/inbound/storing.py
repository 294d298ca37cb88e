"""From the changes of a proved delivery to durable events, each delivery's nonce together with them."""

import hashlib
import time
from collections.abc import Awaitable, Sequence

import structlog

from gateway.clock import now_ms
from gateway.errors import Conflict, StorageDown
from gateway.events import store as events
from gateway.events.model import Event, EventId
from gateway.ids import body_hash, time_ordered
from gateway.inbound.handshake import Reply, acknowledgement
from gateway.inbound.kept import kept_request
from gateway.inbound.nonces import Nonces, nonce_of
from gateway.inbound.normalise import Change
from gateway.inbound.outcomes import Outcomes
from gateway.instances.view import InstanceView
from gateway.proofs.proof import Rejected
from gateway.proofs.received import Received
from gateway.runtime import Runtime
from gateway.storage.database import Effect, Statement, Write
from gateway.subscriptions.publish import Published, Publisher

#: Bodies that wait for their commit at the same time; beyond it the vendor is asked to come again.
MOST_WAITING_BYTES = 64 << 20
_REPLAYED = Rejected("replayed", "what a delivery may use only once came with another body before")

log = structlog.get_logger()


class Storing:
    """Stores for this node; a 2xx is only answered for what is durable."""

    def __init__(self, runtime: Runtime, publisher: Publisher, outcomes: Outcomes) -> None:
        self._runtime = runtime
        self._publisher = publisher
        self._outcomes = outcomes
        self._nonces = Nonces(runtime.database)
        self._waiting_bytes = 0

    def take(
        self, view: InstanceView, received: Received, changes: Sequence[Change], nonce: str | None, began: float
    ) -> Awaitable[Reply]:
        """Store what a proved delivery brings an instance, or count it where the instance takes nothing."""
        if nonce is None:
            return self._take(view, received, changes, began)
        return self._take_once(view, received, changes, nonce, began)

    async def _take_once(
        self, view: InstanceView, received: Received, changes: Sequence[Change], text: str, began: float
    ) -> Reply:
        nonce = nonce_of(view.instance.id, text, received)
        async with self._nonces.turn(nonce):
            try:
                seen = await self._nonces.seen(nonce)
                if seen == "with another body":
                    return self._outcomes.rejected(view, received, _REPLAYED)
                also = [nonce.remember(now_ms())] if seen == "never" else []
                return await self._take(view, received, changes, began, also)
            except StorageDown as problem:
                return self._outcomes.unavailable(problem)
            except Conflict:
                # Another node has just taken it; whether with this body is found out when the vendor comes again.
                return self._outcomes.undecided(view.connector.key, "another node met this delivery's nonce")

    async def _take(
        self,
        view: InstanceView,
        received: Received,
        changes: Sequence[Change],
        began: float,
        also: Sequence[Statement] = (),
    ) -> Reply:
        if view.accepts_events:
            return await self._store(view, received, changes, began, also)
        if not also:
            return self._outcomes.ignored(view, received, changes)
        ignored = events.ignored(view.instance.id, len(changes))
        await self._runtime.database.write(Write((), lambda _: Effect(None, also, [ignored])))
        return self._outcomes.passed_over_ignored(view, received, changes)

    async def _store(
        self, view: InstanceView, received: Received, changes: Sequence[Change], began: float, also: Sequence[Statement]
    ) -> Reply:
        if self._waiting_bytes + len(received.body) > MOST_WAITING_BYTES:
            return self._outcomes.unavailable(StorageDown("Too many events wait for their commit."))
        now = now_ms()
        request = (kept_request(view, received), body_hash(received.body))
        found = [_event(view, received, change, number, now, request) for number, change in enumerate(changes)]
        self._waiting_bytes += len(received.body)
        try:
            published = await self._publisher.publish(view, found, now, also)
        except StorageDown as problem:
            return self._outcomes.unavailable(problem)
        finally:
            self._waiting_bytes -= len(received.body)
        self._stored(view, received, found, published, time.perf_counter() - began)
        return acknowledgement(view.connector, view.config, received)

    def _stored(
        self, view: InstanceView, received: Received, found: Sequence[Event], published: Published, took_s: float
    ) -> None:
        outcome = "duplicate" if published.duplicate and not published.accepted else "accepted"
        if published.duplicate:
            new = frozenset(published.accepted)
            self._outcomes.passed_over.duplicates(view, received, [one for one in found if one.id not in new])
        self._runtime.metrics.acknowledged.observe(took_s)
        self._runtime.metrics.inbound[outcome].inc()
        log.info(
            "event.received",
            instance_id=view.instance.id,
            connector=view.connector.key,
            account_id=view.instance.account_id,
            outcome=outcome,
            event_ids=published.accepted,
            duplicates=published.duplicate,
            type=found[0].type if found else None,
            bytes=len(received.body),
            duration_ms=round(1000 * took_s, 2),
        )


def _event(
    view: InstanceView, received: Received, change: Change, number: int, now: int, request: tuple[str, str]
) -> Event:
    instance = view.instance
    return Event(
        id=EventId(time_ordered()),
        account_id=instance.account_id,
        instance_id=instance.id,
        connector=instance.connector,
        source="webhook",
        type=change.type,
        action=change.action,
        object_type=change.object_type,
        object_id=change.object_id,
        occurred_at=change.occurred_at,
        vendor_event_id=change.vendor_event_id,
        identity=change.identity or (_by_body(received, number, now) if change.by_body else None),
        filter_nulls=view.filter_nulls,
        received_at=now,
        request=request[0],
        body_hash=request[1],
        payload=change.payload,
    )


def _by_body(received: Received, number: int, now: int) -> str | None:
    """Nothing tells an empty body from the next one, so two of them are two events."""
    if not received.body:
        return None
    content = b"\n".join((received.method.encode(), received.query.encode("utf-8", "surrogateescape"), received.body))
    return events.body_identity(f"{hashlib.sha256(content).hexdigest()}.{number}", now)
