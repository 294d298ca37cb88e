"""The one URL that a vendor knows for a whole app: whose a delivery is, is what it says and an instance proves."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from gateway.catalogue.document import walk
from gateway.catalogue.locator import plain_text
from gateway.catalogue.model import Connector
from gateway.catalogue.sources import NO_CONFIG
from gateway.catalogue.webhook_model import Webhook
from gateway.inbound.acts import Acts
from gateway.inbound.answers import plain, worst
from gateway.inbound.handshake import Reply, handshake, is_handshake
from gateway.inbound.normalise import accounts_in, changes_in, normalise, open_parcel
from gateway.inbound.outcomes import UNATTRIBUTED, Outcomes, not_allowed
from gateway.inbound.proving import Means, Proved, proves_sender
from gateway.inbound.storing import Storing
from gateway.inbound.tenants import MOST_CANDIDATES, instances_of, left, shares_of
from gateway.instances.index import InstanceIndex
from gateway.instances.view import InstanceView
from gateway.proofs.bodies import Malformed, read_body
from gateway.proofs.proof import Verified
from gateway.proofs.received import Received
from gateway.runtime import Runtime

FINDER = "event.notification.instance.finder"
_UNAUTHORIZED = plain(401, "unauthorized")


@dataclass(frozen=True, slots=True)
class App:
    """A connector whose deliveries find their instances by what they say."""

    connector: Connector
    webhook: Webhook
    max_body: int
    finders: tuple[str, ...] = ()


class AppUrl:
    """Receives on `/elements/api-v2/events/{key}` where the request names no instance."""

    def __init__(
        self, runtime: Runtime, index: InstanceIndex, means: Means, storing: Storing, acts: Acts, outcomes: Outcomes
    ) -> None:
        self._runtime = runtime
        self._index = index
        self._means = means
        self._storing = storing
        self._acts = acts
        self._outcomes = outcomes

    async def app(self, key: str) -> App | None:
        """The app that this URL is of; None where no instance could be found by a delivery."""
        connector = self._runtime.catalogue.get(key)
        if connector is None or connector.webhook is None:
            return None
        limits = self._runtime.config.inbound
        most = min(connector.max_body or limits.max_body.bytes, limits.max_body_ceiling.bytes)
        if connector.webhook.scope == "connector":
            return App(connector, connector.webhook, most)
        usual = connector.defaults.get(FINDER)
        used = [*await self._index.values_in_use(key, FINDER), *([usual] if usual else [])]
        finders = tuple(dict.fromkeys(finder for finder in used if "|" in finder))
        return App(connector, connector.webhook, most, finders) if finders else None

    async def receive(self, app: App, received: Received) -> Reply:
        """Whoever proves the delivery gets what is its own; where nobody does, nobody learns why."""
        if is_handshake(app.connector, NO_CONFIG, received):
            return await self._handshake(app, received)
        if received.method not in app.webhook.methods:
            return self.refused(app, received, not_allowed(app.connector), "method_not_allowed")
        return await (self._by_finder if app.finders else self._by_account)(app, received)

    def refused(self, app: App, received: Received, reply: Reply, check: str, detail: str = "") -> Reply:
        """A request that is nobody's, refused."""
        return self._outcomes.unattributed(app.connector.key, received, reply, check, detail)

    async def _handshake(self, app: App, received: Received) -> Reply:
        proofs, proved = self._means.proofs(received), Proved()
        for view in await self._index.newest(app.connector.key):
            reply = handshake(view.connector, view.config, received, verified=False)
            if reply is None:
                verdict = await proofs.of(view)
                proved.add(view, verdict)
                if isinstance(verdict, Verified):
                    reply = handshake(view.connector, view.config, received, verified=True)
            elif reply.acts or reply.status >= 400:
                continue  # what acts must be proved here: everybody can guess this URL
            if reply is not None:
                return await self._acts.perform(view, received, reply, trusted=self._is_proof(view))
        return self._nobody(app, received, proved)

    async def _by_account(self, app: App, received: Received) -> Reply:
        began, tenant, key = time.perf_counter(), app.webhook.tenant, app.connector.key
        parcel = open_parcel(app.connector, NO_CONFIG, received, app.max_body)
        if isinstance(parcel, Malformed) or tenant is None:
            return self._unreadable(app, received, parcel if isinstance(parcel, Malformed) else None)
        shares = shares_of(accounts_in(parcel, NO_CONFIG), len(parcel.items))
        named = await instances_of(self._index, key, tenant, shares)
        views = [view for _, view in named] if shares else await self._index.newest(key)
        proved = await self._proved(received, views)
        if not proved.found:
            return self._nobody(app, received, proved)
        replies: list[Reply] = []
        served: set[str | None] = set()
        for view, verified in proved.found if shares else proved.found[:1]:
            account = tenant.of(view.config)
            served.add(account)
            changes = changes_in(parcel, view.config, shares.get(account, ()))
            replies.append(await self._storing.take(view, received, changes, verified.nonce, began))
        self._outcomes.nobodys(key, UNATTRIBUTED, left(shares, served))
        return self._all(app, replies, proved)

    async def _by_finder(self, app: App, received: Received) -> Reply:
        began = time.perf_counter()
        body = read_body(received, app.webhook.form_field, app.max_body)
        if isinstance(body, Malformed):
            return self._unreadable(app, received, body)
        views = {view.instance.id: view async for view in self._found(app, body.value)}
        proved = await self._proved(received, list(views.values())[:MOST_CANDIDATES])
        if not proved.found:
            return self._nobody(app, received, proved)
        replies = [await self._whole(view, verified, received, began) for view, verified in proved.found]
        return self._all(app, replies, proved)

    async def _found(self, app: App, payload: object) -> AsyncIterator[InstanceView]:
        for finder in app.finders:
            entry, _, path = finder.partition("|")
            value = plain_text(walk(payload, path.split(".")))
            for view in await self._index.by_value(app.connector.key, entry, value) if value else []:
                if view.config.get(FINDER) == finder and view.config.get(entry) == value:
                    yield view

    async def _whole(self, view: InstanceView, verified: Verified, received: Received, began: float) -> Reply:
        changes = normalise(view.connector, view.config, received, view.max_body)
        if isinstance(changes, Malformed):
            return self._outcomes.malformed(view, received, changes)
        return await self._storing.take(view, received, changes, verified.nonce, began)

    async def _proved(self, received: Received, views: list[InstanceView]) -> Proved:
        return await self._means.proofs(received).among(view for view in views if self._is_proof(view))

    def _is_proof(self, view: InstanceView) -> bool:
        """Whether what passes for this instance says anything, on a URL that everybody can guess."""
        return self._runtime.config.inbound.allow_guessable_urls or proves_sender(view)

    def _all(self, app: App, replies: list[Reply], proved: Proved) -> Reply:
        """The answer to a delivery that somebody got; where another's proof is open, the vendor must come again."""
        if proved.undecided is not None:
            replies.append(self._outcomes.undecided(app.connector.key, proved.undecided.problem))
        return worst(replies)

    def _nobody(self, app: App, received: Received, proved: Proved) -> Reply:
        if proved.undecided is not None:
            return self._outcomes.undecided(app.connector.key, proved.undecided.problem)
        if proved.rejected is None:
            return self.refused(app, received, _UNAUTHORIZED, "no_instance", "no instance is of what it names")
        return self.refused(app, received, _UNAUTHORIZED, proved.rejected.check, proved.rejected.detail)

    def _unreadable(self, app: App, received: Received, problem: Malformed | None) -> Reply:
        # The same answer as to a wrong signature: nobody has proved anything yet.
        check, detail = (problem.check, problem.detail) if problem else ("not_configured", "no account is declared")
        return self.refused(app, received, _UNAUTHORIZED, check, detail)
