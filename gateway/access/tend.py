"""What a node's clock does for logins: tokens renewed ahead of their end, credentials tried again that nobody could."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from gateway.access import model, store
from gateway.access.act import Manner, Vendors
from gateway.access.keep import proof_of
from gateway.access.model import Standing
from gateway.access.trial import tried
from gateway.calls.grants import Denied
from gateway.calls.model import Access
from gateway.catalogue.core import completed
from gateway.clock import now_ms
from gateway.errors import GatewayError
from gateway.instances import store as instances
from gateway.instances.index import InstanceIndex
from gateway.instances.view import InstanceView
from gateway.runtime import Runtime
from gateway.storage.database import Transaction

T = TypeVar("T")

#: So many at once.
AT_ONCE = 16
#: A node that dies in the middle of a check leaves it to another one after this.
_CLAIM_MS = 120_000
#: How long one round may go on taking more.
_ROUND_S = 45.0
_MANNER = Manner(patience_s=5.0, timeout_s=10.0, yields=True)

log = structlog.get_logger()


class Tending:
    """Looks after the logins of all instances, together with the other nodes."""

    def __init__(self, runtime: Runtime, index: InstanceIndex, vendors: Vendors) -> None:
        self._runtime = runtime
        self._index = index
        self._vendors = vendors

    async def renew(self) -> int:
        """Renew the tokens whose time has come; how many were looked at."""

        async def due(most: int) -> Sequence[int]:
            return await store.to_renew_any_account(self._runtime.database, now_ms(), most)

        return await _round(due, self._renewed)

    async def check(self) -> int:
        """Try the credentials again that are due; how many were looked at."""

        async def due(most: int) -> Sequence[tuple[int, Standing]]:
            return await store.to_check_any_account(self._runtime.database, now_ms(), most)

        return await _round(due, self._checked)

    async def _renewed(self, instance_id: int) -> None:
        view = await self._index.by_id(instance_id)
        if view is None:
            await self._let_be(instance_id)
            return
        await self._vendors.tokens.renew_ahead(view)

    async def _let_be(self, instance_id: int) -> None:
        """The instance is gone, or its connector is: nothing can be renewed."""
        async with self._runtime.database.transaction() as transaction:
            await store.renews_never(transaction, instance_id)

    async def _checked(self, due: tuple[int, Standing]) -> None:
        instance_id, seen = due
        until = now_ms() + _CLAIM_MS
        async with self._runtime.database.transaction() as transaction:
            if not await store.claim_check(transaction, instance_id, seen.check_at or 0, until):
                return
        # Another node may have changed the instance.
        self._index.forget(instance_id)
        view = await self._index.by_id(instance_id)
        if view is None:
            return
        found = await self._judged(view, seen)
        async with self._runtime.database.transaction() as transaction:
            if await store.lock(transaction, instance_id) and await self._is_unchanged(transaction, view):
                await store.judge(transaction, instance_id, found)
        log.info("credentials.checked", instance_id=instance_id, state=found.state, reason=found.reason)

    async def _judged(self, view: InstanceView, seen: Standing) -> Standing:
        tokens = self._vendors.tokens
        access = await tokens.access(view, again=True)
        found = await self._tried(access, seen)
        if isinstance(found, Denied) and isinstance(access, Access) and access.token is not None:
            access = await tokens.access(view, failed=access.token, again=True)
            found = await self._tried(access, seen)
        if isinstance(found, Standing):
            return found
        # A login that works needs no person, whatever the vendor thinks of its token: it goes on being renewed.
        works = isinstance(access, Access) and access.token is not None
        if works or found.kind == "unavailable":
            return model.unchecked(found.message, now_ms(), tries=seen.tries)
        return model.refused(found.message, now_ms(), tries=seen.tries if seen.state == "reauth" else 0)

    async def _tried(self, access: Access | Denied, seen: Standing) -> Standing | Denied:
        if isinstance(access, Denied):
            return access
        return await tried(self._vendors.calls, access, _MANNER, tries=seen.tries)

    async def _is_unchanged(self, transaction: Transaction, view: InstanceView) -> bool:
        """Whether what was tried still stands there; tokens may be other ones, from the same login."""
        settings = await instances.settings(transaction, self._runtime.seal, view.instance.id)
        stored = {key: setting.value for key, setting in settings.items() if setting.value is not None}
        values = completed(view.connector, stored)
        return all(values.get(key) == view.config.get(key) for key in proof_of(view.connector))


async def _round(due: Callable[[int], Awaitable[Sequence[T]]], work: Callable[[T], Awaitable[None]]) -> int:
    """Do what is due in small batches, until nothing is or the time is over."""
    until, total = time.monotonic() + _ROUND_S, 0
    while time.monotonic() < until:
        batch = await due(AT_ONCE)
        outcomes = await asyncio.gather(*(work(one) for one in batch), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, GatewayError):
                log.warning("login.not_tended", problem=str(outcome))
            elif isinstance(outcome, BaseException):
                raise outcome
        total += len(batch)
        if len(batch) < AT_ONCE or any(outcomes):
            break
    return total
