"""The vendor's road: from a request on an inbound URL to durable events and the answer that the vendor wants."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from gateway.clock import now_ms
from gateway.errors import StorageDown
from gateway.events import store as events
from gateway.events.model import Event, EventId
from gateway.events.refusal import Refusal, Sampler
from gateway.ids import time_ordered
from gateway.inbound.handshake import Reply, acknowledgement, handshake
from gateway.inbound.limit import RateLimit
from gateway.inbound.normalise import Change, Malformed, normalise
from gateway.inbound.received import Received
from gateway.inbound.verify import Rejected, verify
from gateway.instances.index import InstanceIndex
from gateway.instances.view import InstanceView
from gateway.runtime import Runtime
from gateway.storage.database import Effect, Statement, Tally, Write
from gateway.subscriptions.publish import Published, Publisher

RETRY_AFTER_S = 5
#: Bodies that wait for their commit at the same time; beyond it the vendor is asked to come again.
MOST_WAITING_BYTES = 64 << 20
UNATTRIBUTED = 0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request whose body may be read, up to the instance's limit."""

    view: InstanceView


class Receiver:
    """Receives for this node."""

    def __init__(self, runtime: Runtime, index: InstanceIndex, publisher: Publisher) -> None:
        self._runtime = runtime
        self._index = index
        self._publisher = publisher
        self._limit = RateLimit(runtime.config.inbound.rate_limit)
        self._sampler = Sampler()
        self._waiting_bytes = 0

    async def admit(self, token: str) -> Admitted | Reply:
        """Who is meant, before any work is done: an unknown token is 404, a flood is 429."""
        limited = self.limited(token)
        if limited is not None:
            return limited
        view = self._index.known(token)
        if view is None:
            try:
                view = await self._index.by_token(token)
            except StorageDown as problem:
                return self._unavailable(problem)
        return self.admit_view(view)

    def limited(self, name: str) -> Reply | None:
        """The answer to one request too many on an inbound URL."""
        wait_s = self._limit.take(name)
        if wait_s <= 0:
            return None
        self._runtime.metrics.inbound["rate_limited"].inc()
        return plain(429, "too many requests", retry_after=wait_s)

    def admit_view(self, view: InstanceView | None) -> Admitted | Reply:
        """The instance that was found, where its connector takes webhooks at all."""
        if view is None or view.connector.webhook is None:
            self._count([events.refused(UNATTRIBUTED)])
            self._runtime.metrics.inbound["unknown"].inc()
            return plain(404, "not found")
        return Admitted(view)

    async def answer(self, token: str, received: Received) -> Reply:
        """The whole way of a request that has arrived in full; whatever goes wrong in here, the vendor sends again."""
        try:
            admitted = await self.admit(token)
            if isinstance(admitted, Reply):
                return admitted
            if len(received.body) > admitted.view.max_body:
                return self.overlong(admitted, received.remote)
            return await self.receive(admitted, received)
        except Exception:
            log.exception("event.broke")
            return plain(503, "the gateway failed", retry_after=RETRY_AFTER_S)

    async def receive(self, admitted: Admitted, received: Received) -> Reply:
        """Verify, normalise and store; a 2xx is only answered for what is durable."""
        view, began = admitted.view, time.perf_counter()
        reply = handshake(view.connector, view.config, received, verified=False)
        if reply is not None:
            return self._told(view, received, "handshake", reply)
        verdict = verify(view.connector, view.config, received, time.time())
        if isinstance(verdict, Rejected):
            return self._refused(view, received, plain(401, "unauthorized"), verdict.check, verdict.detail)
        reply = handshake(view.connector, view.config, received, verified=True)
        if reply is not None:
            return self._told(view, received, "handshake", reply)
        changes = normalise(view.connector, view.config, received, view.max_body)
        if isinstance(changes, Malformed):
            status = 413 if changes.check == "too_large" else 400
            return self._refused(view, received, plain(status, changes.detail), changes.check, changes.detail)
        if not view.accepts_events:
            self._count([events.ignored(view.instance.id, len(changes))])
            wanted = view.connector.webhook is not None and view.connector.webhook.ack is not None
            reply = acknowledgement(view.connector, view.config, received) if wanted else plain(200, "ignored")
            return self._told(view, received, "ignored", reply)
        return await self._store(view, received, changes, began)

    async def _store(self, view: InstanceView, received: Received, changes: Sequence[Change], began: float) -> Reply:
        if self._waiting_bytes + len(received.body) > MOST_WAITING_BYTES:
            return self._unavailable(StorageDown("Too many events wait for their commit."))
        now = now_ms()
        found = [_event(view, received, change, number, now) for number, change in enumerate(changes)]
        self._waiting_bytes += len(received.body)
        try:
            published = await self._publisher.publish(view, found, now)
        except StorageDown as problem:
            return self._unavailable(problem)
        finally:
            self._waiting_bytes -= len(received.body)
        self._stored(view, received, found, published, time.perf_counter() - began)
        return acknowledgement(view.connector, view.config, received)

    def _stored(
        self, view: InstanceView, received: Received, found: Sequence[Event], published: Published, took_s: float
    ) -> None:
        outcome = "duplicate" if published.duplicate and not published.accepted else "accepted"
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

    def overlong(self, admitted: Admitted, remote: str) -> Reply:
        """The answer to a body beyond the limit, which was not read to its end."""
        limit = admitted.view.max_body
        return self._keep(
            admitted.view,
            remote,
            b"",
            plain(413, f"the body is larger than {limit} bytes"),
            "too_large",
            "body over the limit",
        )

    def too_slow(self, admitted: Admitted, remote: str) -> Reply:
        """The answer to a body that did not arrive in time."""
        return self._keep(
            admitted.view, remote, b"", plain(408, "the body came too slowly"), "too_slow", "body cut off"
        )

    def _refused(self, view: InstanceView, received: Received, reply: Reply, check: str, detail: str) -> Reply:
        return self._keep(view, received.remote, received.body, reply, check, detail)

    def _keep(self, view: InstanceView, remote: str, body: bytes, reply: Reply, check: str, detail: str) -> Reply:
        at, instance_id = now_ms(), view.instance.id
        statements = []
        if self._sampler.keeps(instance_id, at):
            refusal = Refusal(
                id=time_ordered(),
                instance_id=instance_id,
                at=at,
                check=check,
                detail=detail[:500].replace("\x00", ""),
                remote=remote,
                body_hash=hashlib.sha256(body).hexdigest(),
            )
            statements.append(events.refuse(refusal))
            log.warning(
                "event.refused",
                instance_id=instance_id,
                connector=view.connector.key,
                check=check,
                detail=refusal.detail,
                remote=remote,
                status=reply.status,
            )
        self._count([events.refused(instance_id)], statements)
        self._runtime.metrics.inbound["refused"].inc()
        return reply

    def _told(self, view: InstanceView, received: Received, outcome: str, reply: Reply) -> Reply:
        self._runtime.metrics.inbound[outcome].inc()
        log.info(
            "event." + outcome,
            instance_id=view.instance.id,
            connector=view.connector.key,
            status=reply.status,
            unsupported=reply.unsupported,
            bytes=len(received.body),
        )
        return reply

    def _unavailable(self, problem: StorageDown) -> Reply:
        self._runtime.metrics.inbound["unavailable"].inc()
        log.error("event.not_stored", problem=str(problem))
        return plain(503, "cannot store now", retry_after=RETRY_AFTER_S)

    def _count(self, tallies: Sequence[Tally], statements: Sequence[Statement] = ()) -> None:
        def failed(future: object) -> None:
            problem = getattr(future, "exception", lambda: None)()
            if problem is not None:
                log.warning("refusal.not_counted", problem=str(problem))

        write = Write((), lambda _: Effect(None, statements, tallies))
        self._runtime.database.submit(write).add_done_callback(failed)


def plain(status: int, text: str, *, retry_after: float | None = None) -> Reply:
    """A short text for a vendor's log."""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/plain; charset=utf-8"),)
    if retry_after is not None:
        headers = (*headers, ("Retry-After", str(max(1, round(retry_after)))))
    return Reply(status=status, headers=headers, body=text.encode())


def _event(view: InstanceView, received: Received, change: Change, number: int, now: int) -> Event:
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
        identity=change.identity or _by_body(received, number, now),
        filter_nulls=view.filter_nulls,
        received_at=now,
        payload=change.payload,
    )


def _by_body(received: Received, number: int, now: int) -> str | None:
    """Nothing tells an empty body from the next one, so two of them are two events."""
    if not received.body:
        return None
    content = b"\n".join((received.method.encode(), received.query.encode("utf-8", "surrogateescape"), received.body))
    return events.body_identity(f"{hashlib.sha256(content).hexdigest()}.{number}", now)
