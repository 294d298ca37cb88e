"""What became of a request that stored nothing: its answer, and where that is counted and told."""

import time
from collections.abc import Sequence

import structlog

from gateway.catalogue.model import Connector
from gateway.catalogue.webhook_model import Webhook
from gateway.clock import now_ms
from gateway.errors import StorageDown
from gateway.events import store as events
from gateway.events.refusal import MOST_ROWS, Sampler
from gateway.inbound.answers import RETRY_AFTER_S, plain
from gateway.inbound.handshake import Reply, acknowledgement
from gateway.inbound.normalise import Change
from gateway.inbound.passed_over import PassedOver
from gateway.inbound.refusing import Refusals
from gateway.instances.index import Orphan
from gateway.instances.view import InstanceView
from gateway.proofs.bodies import Malformed
from gateway.proofs.proof import Rejected
from gateway.proofs.received import Received
from gateway.runtime import Runtime

#: Where the ledger counts what is nobody's.
UNATTRIBUTED = 0
_TOLD_EVERY_S = 60.0

log = structlog.get_logger()


class Outcomes:
    """The answers of this node that are no acceptance."""

    def __init__(self, runtime: Runtime) -> None:
        self._metrics = runtime.metrics
        self._traffic = runtime.traffic
        self._sampler = Sampler()
        self._orphans: dict[str, float] = {}
        self.refusals = Refusals(runtime)
        self.passed_over = PassedOver(runtime)

    def unknown(self) -> Reply:
        """Nobody is meant."""
        self.refusals.count([events.refused(UNATTRIBUTED)])
        self._metrics.inbound["unknown"].inc()
        return plain(404, "not found")

    def orphan(self, orphan: Orphan) -> Reply:
        """The instance is there, its connector is not: a matter of the operator's, so the vendor shall come again."""
        self._metrics.inbound["unavailable"].inc()
        now = time.monotonic()
        if now - self._orphans.get(orphan.connector, -_TOLD_EVERY_S) >= _TOLD_EVERY_S:
            self._orphans[orphan.connector] = now
            log.error("event.no_connector", connector=orphan.connector, instance_id=orphan.instance_id)
        return plain(503, "not available now", retry_after=RETRY_AFTER_S)

    def unavailable(self, problem: StorageDown) -> Reply:
        """Nothing can be stored."""
        self._metrics.inbound["unavailable"].inc()
        log.error("event.not_stored", problem=str(problem))
        return plain(503, "cannot store now", retry_after=RETRY_AFTER_S)

    def undecided(self, connector: str, problem: str) -> Reply:
        """What the decision needs could not be had; nothing was judged."""
        self._metrics.inbound["unavailable"].inc()
        log.warning("event.undecided", connector=connector, problem=problem)
        return plain(503, "cannot verify now", retry_after=RETRY_AFTER_S)

    def rejected(self, view: InstanceView, received: Received, verdict: Rejected) -> Reply:
        """The instance's proof failed; the vendor learns no more than that."""
        return self.refusals.keep(view, received, plain(401, "unauthorized"), verdict.check, verdict.detail)

    def malformed(self, view: InstanceView, received: Received, problem: Malformed) -> Reply:
        """What was proved cannot be read."""
        status = 413 if problem.check == "too_large" else 400
        return self.refusals.keep(view, received, plain(status, problem.detail), problem.check, problem.detail)

    def wrong_method(self, view: InstanceView, received: Received) -> Reply:
        """The connector declares other methods."""
        reply = not_allowed(view.connector)
        return self.refusals.keep(view, received, reply, "method_not_allowed", received.method[:32])

    def unattributed(self, connector: str, received: Received, reply: Reply, check: str, detail: str) -> Reply:
        """A request on an app's URL that is refused without its being anybody's."""
        if self._sampler.keeps(UNATTRIBUTED, now_ms()):
            log.warning(
                "event.refused",
                instance_id=UNATTRIBUTED,
                connector=connector,
                check=check,
                detail=detail[:500],
                remote=received.remote,
                status=reply.status,
            )
        self.refusals.count([events.refused(UNATTRIBUTED)])
        self._metrics.inbound["refused"].inc()
        return reply

    def ignored(self, view: InstanceView, received: Received, changes: Sequence[Change]) -> Reply:
        """Verified changes of an instance that takes none, counted without waiting."""
        self.refusals.count([events.ignored(view.instance.id, len(changes))])
        return self.passed_over_ignored(view, received, changes)

    def passed_over_ignored(self, view: InstanceView, received: Received, changes: Sequence[Change]) -> Reply:
        """The answer to verified changes that are counted as ignored elsewhere; some of them are kept."""
        self._traffic.turned_away(view.instance, ignored=len(changes))
        told = [(change.vendor_event_id, change.object_id) for change in changes[:MOST_ROWS]]
        self.passed_over.ignored(view, received, told)
        return self.told_ignored(view, received)

    def told_ignored(self, view: InstanceView, received: Received) -> Reply:
        """The answer to a verified delivery that brings the instance nothing."""
        wanted = view.connector.webhook is not None and view.connector.webhook.ack is not None
        reply = acknowledgement(view.connector, view.config, received) if wanted else plain(200, "ignored")
        return self.told(view, received, "ignored", reply)

    def nobodys(self, connector: str, instance_id: int, number: int) -> None:
        """So many items of a proved delivery are of accounts that no instance stands for."""
        if number:
            self.refusals.count([events.ignored(instance_id, number)])
            log.info("event.nobodys", connector=connector, instance_id=instance_id, items=number)

    def told(self, view: InstanceView, received: Received, outcome: str, reply: Reply) -> Reply:
        """An answer that is no event: counted in the metrics and said in the log."""
        self._metrics.inbound[outcome].inc()
        log.info(
            "event." + outcome,
            instance_id=view.instance.id,
            connector=view.connector.key,
            status=reply.status,
            bytes=len(received.body),
        )
        return reply


def not_allowed(connector: Connector) -> Reply:
    """The answer to a method that neither deliveries nor handshakes of the connector use."""
    return plain(405, "method not allowed", allow=_methods(connector.webhook))


def _methods(webhook: Webhook | None) -> frozenset[str]:
    if webhook is None:
        return frozenset()
    return webhook.methods.union(*(one.when.methods for one in webhook.handshakes))
