"""Handshakes that act before they are answered: an address is confirmed, a secret of the vendor's is kept once."""

import hmac
from collections.abc import Mapping
from typing import Literal

import structlog

from gateway.catalogue.sources import octets
from gateway.clock import now_ms
from gateway.egress.model import Failure, Request
from gateway.errors import StorageDown
from gateway.inbound.answers import plain
from gateway.inbound.handshake import Reply
from gateway.inbound.outcomes import Outcomes
from gateway.instances import store
from gateway.instances.index import InstanceIndex
from gateway.instances.view import InstanceView
from gateway.proofs.received import Received
from gateway.runtime import Runtime
from gateway.storage.database import Reader

CONFIRM_S = 5.0
_MOST_ANSWER = 1024

Saved = Literal["saved", "the same", "another", "gone"]

log = structlog.get_logger()


class Acts:
    """Does what a handshake's answer presupposes, and then gives it."""

    def __init__(self, runtime: Runtime, index: InstanceIndex, outcomes: Outcomes) -> None:
        self._runtime = runtime
        self._index = index
        self._outcomes = outcomes

    async def perform(self, view: InstanceView, received: Received, reply: Reply, *, trusted: bool = True) -> Reply:
        """The answer to a handshake; who is not `trusted` only knew a URL that everybody can guess."""
        if reply.acts:
            refusal = await self._acted(view, received, reply, trusted=trusted)
            if refusal is not None:
                return refusal
        return self._outcomes.told(view, received, "handshake", reply)

    async def _acted(self, view: InstanceView, received: Received, reply: Reply, *, trusted: bool) -> Reply | None:
        if not trusted:
            # Else anybody could hand over a secret before the vendor does, and then sign with it.
            return self._refused(view, received, "handshake_unproved", "it must come to the instance's own URL")
        if reply.confirm is not None:
            problem = await self._confirmed(reply.confirm)
            if problem is not None:
                return self._outcomes.undecided(
                    view.connector.key, f"the vendor's address was not confirmed: {problem}"
                )
        return await self._saved(view, received, dict(reply.saves)) if reply.saves else None

    async def _confirmed(self, url: str) -> str | None:
        """Why the vendor's address did not say yes; None where it did."""
        request = Request(method="GET", url=url, headers=(), timeout=CONFIRM_S, max_answer=_MOST_ANSWER)
        outcome = await self._runtime.client.send(request)
        if isinstance(outcome, Failure):
            return f"{outcome.reason}: {outcome.detail}"
        return None if 200 <= outcome.status < 300 else f"it answered {outcome.status}"

    async def _saved(self, view: InstanceView, received: Received, values: Mapping[str, str]) -> Reply | None:
        try:
            outcome = await self._keep_once(view.instance.id, values)
        except StorageDown as problem:
            return self._outcomes.unavailable(problem)
        if outcome == "gone":
            return self._outcomes.unknown()
        if outcome == "another":
            return self._refused(view, received, "already_saved", f"{', '.join(values)} holds another value")
        if outcome == "saved":
            self._index.forget(view.instance.id)
            log.info("event.secret_saved", instance_id=view.instance.id, entries=list(values))
        return None

    async def _keep_once(self, instance_id: int, values: Mapping[str, str]) -> Saved:
        database, seal = self._runtime.database, self._runtime.seal
        # Looked at without a lock first: whoever repeats himself costs no commit.
        found = await self._compared(database, instance_id, values)
        if found is not None:
            return found
        async with database.transaction() as transaction:
            if not await store.lock_any_account(transaction, instance_id, now_ms()):
                return "gone"
            found = await self._compared(transaction, instance_id, values)
            if found is None:
                await store.put_settings(transaction, seal, instance_id, values, frozenset(values))
        return found or "saved"

    async def _compared(self, reader: Reader, instance_id: int, values: Mapping[str, str]) -> Saved | None:
        """Whether other values stand there, or the same ones; None where there are none yet."""
        settings = await store.settings(reader, self._runtime.seal, instance_id)
        stored = {key: setting.value for key in values if (setting := settings.get(key)) and setting.value}
        if any(not hmac.compare_digest(octets(value), octets(values[key])) for key, value in stored.items()):
            return "another"
        return "the same" if len(stored) == len(values) else None

    def _refused(self, view: InstanceView, received: Received, check: str, detail: str) -> Reply:
        return self._outcomes.refusals.keep(view, received, plain(403, "refused"), check, detail)
