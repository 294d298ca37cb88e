"""The vendor's road: from a request on an inbound URL to durable events and the answer that the vendor wants."""

import time
from dataclasses import dataclass

import structlog

from gateway.errors import StorageDown
from gateway.inbound.acts import Acts
from gateway.inbound.answers import RETRY_AFTER_S, plain
from gateway.inbound.app_url import App, AppUrl
from gateway.inbound.handshake import Reply, handshake, is_handshake
from gateway.inbound.limit import RateLimit
from gateway.inbound.normalise import Malformed, normalise
from gateway.inbound.outcomes import Outcomes
from gateway.inbound.own_url import OwnUrl
from gateway.inbound.proving import Means, Undecided
from gateway.inbound.storing import Storing
from gateway.instances.index import InstanceIndex, Orphan
from gateway.instances.view import InstanceView
from gateway.proofs.keys import KeyStore
from gateway.proofs.proof import Rejected, Verified, Wanted
from gateway.proofs.received import Received, as_confirmed
from gateway.proofs.verify import verify
from gateway.runtime import Runtime
from gateway.subscriptions.publish import Publisher

_TOO_SLOW = plain(408, "the body came too slowly")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request whose body may be read, up to the instance's limit; `guessable` where its URL is no secret."""

    view: InstanceView
    guessable: bool = False

    @property
    def max_body(self) -> int:
        """How many bytes the body may have."""
        return self.view.max_body


class Receiver:
    """Receives for this node."""

    def __init__(
        self, runtime: Runtime, index: InstanceIndex, publisher: Publisher, means: Means | None = None
    ) -> None:
        self._index = index
        self._metrics = runtime.metrics
        self._means = means or Means(KeyStore(runtime.client))
        self._keys = self._means.keys
        self._limit = RateLimit(runtime.config.inbound.rate_limit)
        self._outcomes = Outcomes(runtime)
        self._storing = Storing(runtime, publisher, self._outcomes)
        self._acts = Acts(runtime, index, self._outcomes)
        self._own_url = OwnUrl(index, self._means, self._storing, self._outcomes)
        self._app_url = AppUrl(runtime, index, self._means, self._storing, self._acts, self._outcomes)

    async def admit(self, token: str) -> Admitted | Reply:
        """Who is meant, before any work is done: an unknown token is 404, a flood is 429."""
        limited = self.limited(token)
        if limited is not None:
            return limited
        view: InstanceView | Orphan | None = self._index.known(token)
        if view is None:
            try:
                view = await self._index.by_token(token)
            except StorageDown as problem:
                return self._outcomes.unavailable(problem)
        return self.admit_view(view)

    def limited(self, name: str) -> Reply | None:
        """The answer to one request too many on an inbound URL."""
        wait_s = self._limit.take(name)
        if wait_s <= 0:
            return None
        self._metrics.inbound["rate_limited"].inc()
        return plain(429, "too many requests", retry_after=wait_s)

    def admit_view(self, view: InstanceView | Orphan | None, *, guessable: bool = False) -> Admitted | Reply:
        """The instance that was found, where its connector takes webhooks at all."""
        if isinstance(view, Orphan):
            return self._outcomes.orphan(view)
        if view is None or view.connector.webhook is None:
            return self._outcomes.unknown()
        return Admitted(view, guessable)

    async def admit_app(self, key: str) -> App | Reply:
        """The app whose URL names no instance."""
        limited = self.limited(key)
        if limited is not None:
            return limited
        try:
            return await self._app_url.app(key) or self._outcomes.unknown()
        except StorageDown as problem:
            return self._outcomes.unavailable(problem)

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
        connector, config, webhook = view.connector, view.config, view.connector.webhook
        reply = handshake(connector, config, received, verified=False)
        if reply is not None:
            return await self._acts.perform(view, received, reply, trusted=not admitted.guessable)
        if webhook is None or (
            received.method not in webhook.methods and not is_handshake(connector, config, received)
        ):
            return self._outcomes.wrong_method(view, received)
        verdict: Verified | Rejected | Wanted | Undecided = verify(connector, config, received, time.time(), self._keys)
        if isinstance(verdict, Wanted):
            verdict = await self._means.proofs(received).finished(view, verdict)
        if isinstance(verdict, Rejected):
            return self._outcomes.rejected(view, received, verdict)
        if isinstance(verdict, Undecided):
            return self._outcomes.undecided(connector.key, verdict.problem)
        reply = handshake(connector, config, received, verified=True)
        if reply is not None:
            return await self._acts.perform(view, received, reply)
        if verdict.confirmed is not None:
            received = as_confirmed(received, verdict.confirmed)
        if webhook.tenant is not None:
            try:
                return await self._own_url.receive(view, webhook.tenant, received, verdict, began)
            except StorageDown as problem:
                return self._outcomes.unavailable(problem)
        changes = normalise(connector, config, received, view.max_body)
        if isinstance(changes, Malformed):
            return self._outcomes.malformed(view, received, changes)
        return await self._storing.take(view, received, changes, verdict.nonce, began)

    async def receive_app(self, app: App, received: Received) -> Reply:
        """The same for a delivery that says itself whose it is."""
        try:
            return await self._app_url.receive(app, received)
        except StorageDown as problem:
            return self._outcomes.unavailable(problem)

    def overlong(self, admitted: Admitted | App, remote: str) -> Reply:
        """The answer to a body beyond the limit, which was not read to its end."""
        reply = plain(413, f"the body is larger than {admitted.max_body} bytes")
        return self._unread(admitted, remote, reply, "too_large", "body over the limit")

    def too_slow(self, admitted: Admitted | App, remote: str) -> Reply:
        """The answer to a body that did not arrive in time."""
        return self._unread(admitted, remote, _TOO_SLOW, "too_slow", "body cut off")

    def _unread(self, admitted: Admitted | App, remote: str, reply: Reply, check: str, detail: str) -> Reply:
        received = Received(method="", url="", query="", headers={}, body=b"", remote=remote)
        if isinstance(admitted, App):
            return self._app_url.refused(admitted, received, reply, check, detail)
        return self._outcomes.refusals.keep(admitted.view, received, reply, check, detail)
