"""The token of every instance, renewed ahead of its end: by one task of one node, whoever else needs it waits."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any

import structlog

from gateway.access import logins, model, store
from gateway.access.keep import Unsaved, keep
from gateway.calls.authenticate import BY_LOGIN, way_of
from gateway.calls.grants import Denied, Tokens
from gateway.calls.model import Access
from gateway.calls.perform import Calls
from gateway.catalogue.call_model import Auth
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.core import completed
from gateway.clock import now_ms
from gateway.ids import token as random_token
from gateway.instances import store as instances
from gateway.instances.index import InstanceIndex
from gateway.instances.view import InstanceView
from gateway.runtime import Runtime

#: A token that ends sooner than this is renewed before it is used.
EARLY_MS = 30_000
LEASE_MS = 60_000
_WAIT_STEP_S = 0.2
_WAIT_S = 20.0
#: How long a refusal is believed without a look at the database while nothing changed, and an outage.
_REFUSED_MS = 30_000
_OUTAGE_MS = 3_000
#: A vendor that refuses fresh tokens is not asked for more of them for so long.
_VAIN_MS = 60_000
_MOST_REMEMBERED = 10_000
_LEAVING_S = 10.0

Found = str | Denied

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Refused:
    denied: Denied
    until: int
    values: ConfigView


class TokenKeeper:
    """Knows which logins run on this node."""

    def __init__(self, runtime: Runtime, index: InstanceIndex, calls: Calls) -> None:
        self._runtime = runtime
        self._index = index
        self._calls = calls
        self._owner = random_token()
        self._running: dict[int, asyncio.Task[Found | None]] = {}
        self._refused: OrderedDict[int, _Refused] = OrderedDict()
        self._vain: OrderedDict[int, int] = OrderedDict()
        #: Tokens that could not be stored yet: a refresh token that counts once must not be lost.
        self._unsaved: dict[int, Unsaved] = {}

    async def access(self, view: InstanceView, *, failed: str | None = None, again: bool = False) -> Access | Denied:
        """What calls are made with; `failed` is a token that the vendor has just refused.

        With `again` a login that was refused before is tried once more.
        """
        bare = Access(connector=view.connector, config=view.config)
        way = way_of(bare)
        if way is None or way.type not in BY_LOGIN:
            return bare
        found: Found | None = _usable(way, view.config, failed)
        if found is None:
            found = await self._shared(view, way, failed, again=again)
        return found if isinstance(found, Denied) else replace(bare, token=found)

    async def renew_ahead(self, view: InstanceView) -> None:
        """Renew a token whose time has come, unless somebody else is at it."""
        way = way_of(Access(connector=view.connector, config=view.config))
        if way is None or way.type not in BY_LOGIN:
            async with self._runtime.database.transaction() as transaction:
                await store.renews_never(transaction, view.instance.id)
        elif view.instance.id not in self._running:
            await asyncio.shield(self._begun(view.instance.id, self._ahead(view, way)))

    def refuses_fresh(self, instance_id: int) -> None:
        """Remember that the vendor does not even take a token that it has just given."""
        _remember(self._vain, instance_id, now_ms() + _VAIN_MS)

    def helps(self, instance_id: int) -> bool:
        """Whether a new token may be of any use."""
        return self._vain.get(instance_id, 0) <= now_ms()

    async def close(self) -> None:
        """Let logins that run come to their end: what the vendor has given must be stored."""
        if self._running:
            _, late = await asyncio.wait(self._running.values(), timeout=_LEAVING_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _shared(self, view: InstanceView, way: Auth, failed: str | None, *, again: bool) -> Found:
        instance_id = view.instance.id
        known = self._refused.get(instance_id)
        if not again and known is not None and known.until > now_ms() and known.values is view.config:
            return known.denied
        found: Found | None = None
        # Who was at it already may have had another question than ours.
        while found is None or found == failed:
            running = self._running.get(instance_id)
            task = running or self._begun(instance_id, self._alone(view, way, failed, again=again))
            found = await asyncio.shield(task)
        if isinstance(found, Denied):
            until = now_ms() + (_REFUSED_MS if found.kind == "reauth" else _OUTAGE_MS)
            _remember(self._refused, instance_id, _Refused(found, until, view.config))
        return found

    def _begun(self, instance_id: int, work: Coroutine[Any, Any, Found | None]) -> "asyncio.Task[Found | None]":
        task = asyncio.create_task(work, name=f"login.{instance_id}")
        self._running[instance_id] = task
        task.add_done_callback(lambda done: self._ended(instance_id, done))
        return task

    def _ended(self, instance_id: int, task: "asyncio.Task[Found | None]") -> None:
        if self._running.get(instance_id) is task:
            del self._running[instance_id]
        # Everybody who waited may have left; then nobody asks what became of it.
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.warning("login.broke", instance_id=instance_id, problem=str(problem))

    async def _alone(self, view: InstanceView, way: Auth, failed: str | None, *, again: bool) -> Found:
        """Renew under the lease, or wait for the node that has it."""
        until = time.monotonic() + _WAIT_S
        while True:
            current = _usable(way, await self._stored(view), failed)
            if current is not None:
                self._index.forget(view.instance.id)
                return current
            if await self._leased(view):
                return await self._with_lease(view, way, failed, again=again)
            if time.monotonic() > until:
                return Denied("unavailable", "another node has been logging in for too long")
            await asyncio.sleep(_WAIT_STEP_S)

    async def _ahead(self, view: InstanceView, way: Auth) -> Found | None:
        async with self._runtime.database.transaction() as transaction:
            now = now_ms()
            if not await store.take_due_lease(transaction, view.instance.id, self._owner, now, now + LEASE_MS):
                return None
        failed = logins.token_of(way, await self._stored(view))
        return await self._with_lease(view, way, failed, again=False)

    async def _leased(self, view: InstanceView) -> bool:
        async with self._runtime.database.transaction() as transaction:
            now = now_ms()
            return await store.take_lease(transaction, view.instance.id, self._owner, now, now + LEASE_MS)

    async def _with_lease(self, view: InstanceView, way: Auth, failed: str | None, *, again: bool) -> Found:
        try:
            values = await self._stored(view)
            current = _usable(way, values, failed)
            if current is not None:
                await self._give_back(view.instance.id)
                self._index.forget(view.instance.id)
                return current
            return await self._logged_in(view, way, values, again=again)
        except BaseException:
            await self._give_back(view.instance.id)
            raise

    async def _logged_in(self, view: InstanceView, way: Auth, values: ConfigView, *, again: bool) -> Found:
        instance_id = view.instance.id
        unsaved = self._unsaved.get(instance_id)
        if unsaved is not None and unsaved.belongs_to(view.connector, values):
            return await self._kept(view, way, unsaved)
        standing = await store.standing(self._runtime.database, instance_id)
        if standing is not None and standing.state == "reauth" and not again:
            await self._give_back(instance_id)
            return Denied("reauth", standing.reason or "somebody has to log in again")
        found = await logins.renewed(self._calls, Access(connector=view.connector, config=values), way)
        if isinstance(found, Tokens):
            fresh = Unsaved(found.access, logins.entries(way, found), values)
            self._unsaved[instance_id] = fresh
            return await self._kept(view, way, fresh)
        await self._noted(instance_id, found, standing)
        log.warning("login.failed", instance_id=instance_id, kind=found.kind, reason=found.message)
        return found

    async def _kept(self, view: InstanceView, way: Auth, fresh: Unsaved) -> Found:
        """Store the new tokens before they are used."""
        instance_id = view.instance.id
        problem = await keep(self._runtime, view, way, fresh)
        self._unsaved.pop(instance_id, None)
        if problem is not None:
            await self._give_back(instance_id)
            return problem
        self._refused.pop(instance_id, None)
        self._index.forget(instance_id)
        log.info("login.renewed", instance_id=instance_id, connector=view.connector.key)
        return fresh.access

    async def _noted(self, instance_id: int, denied: Denied, standing: model.Standing | None) -> None:
        tries = standing.tries if standing is not None else 0
        async with self._runtime.database.transaction() as transaction:
            now = now_ms()
            if denied.kind == "reauth":
                earlier = tries if standing is not None and standing.state == "reauth" else 0
                await store.settle(transaction, instance_id, model.refused(denied.message, now, tries=earlier))
            else:
                pause = model.PAUSES_MS[min(tries, len(model.PAUSES_MS) - 1)]
                await store.postpone(transaction, instance_id, self._owner, now, now + pause)

    async def _stored(self, view: InstanceView) -> ConfigView:
        settings = await instances.settings(self._runtime.database, self._runtime.seal, view.instance.id)
        values = {key: setting.value for key, setting in settings.items() if setting.value is not None}
        return ConfigView(completed(view.connector, values), view.config.previous)

    async def _give_back(self, instance_id: int) -> None:
        async with self._runtime.database.transaction() as transaction:
            await store.give_back(transaction, instance_id, self._owner)


def _usable(way: Auth, config: ConfigView, failed: str | None) -> str | None:
    token, ends = logins.token_of(way, config), logins.end_of(way, config)
    if not token or token == failed:
        return None
    return token if ends is None or ends > now_ms() + EARLY_MS else None


def _remember(memory: OrderedDict[int, Any], key: int, value: Any) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _MOST_REMEMBERED:
        memory.popitem(last=False)
