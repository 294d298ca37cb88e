"""Instances by token and by id, in memory; a miss costs one look-up, and lookers-up are few at a time."""

import asyncio
from collections import OrderedDict
from typing import TypeVar

from gateway.clock import now_ms
from gateway.instances import store
from gateway.instances.model import InstanceId
from gateway.instances.view import InstanceView, build
from gateway.runtime import Runtime

K = TypeVar("K")
V = TypeVar("V")

MOST_VIEWS = 50_000
MOST_UNKNOWN = 10_000
UNKNOWN_MS = 5_000
_LOOKERS = 8


class InstanceIndex:
    """The hot path's memory of instances; `forget` is called after every change."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._views: OrderedDict[InstanceId, InstanceView] = OrderedDict()
        self._tokens: OrderedDict[str, InstanceId] = OrderedDict()
        self._tokens_of: dict[InstanceId, set[str]] = {}
        #: Names that nothing was found under, and until when that is believed: another node may make it.
        self._unknown: OrderedDict[str, int] = OrderedDict()
        self._lookers = asyncio.Semaphore(_LOOKERS)
        self._changes = 0

    def known(self, token: str) -> InstanceView | None:
        """The view of a vendor's token where memory has it."""
        instance_id = self._tokens.get(token)
        return None if instance_id is None else self._fresh(instance_id)

    async def by_token(self, token: str) -> InstanceView | None:
        """The view of the instance whose inbound URL holds this token."""
        view = self.known(token)
        if view is not None or self._is_unknown(token):
            return view
        async with self._lookers:
            return self.known(token) or await self._look_up(token)

    async def by_id(self, instance_id: int) -> InstanceView | None:
        """The view of an instance; None where it was deleted."""
        known = InstanceId(instance_id)
        return self._fresh(known) or await self._load(known)

    async def by_guess(self, instance_id: int) -> InstanceView | None:
        """The same for an id that anybody may have made up: few look-ups at a time, and a miss is remembered."""
        view = self._fresh(InstanceId(instance_id))
        name = f"id:{instance_id}"
        if view is not None or self._is_unknown(name):
            return view
        async with self._lookers:
            changes = self._changes
            view = await self.by_id(instance_id)
            if view is None and changes == self._changes:
                _remember(self._unknown, name, now_ms() + UNKNOWN_MS, MOST_UNKNOWN)
            return view

    def forget(self, instance_id: int) -> None:
        """Read the instance anew the next time it is asked for."""
        self._changes += 1
        known = InstanceId(instance_id)
        self._views.pop(known, None)
        for token in self._tokens_of.pop(known, ()):
            self._tokens.pop(token, None)
        self._unknown.clear()

    def _fresh(self, instance_id: InstanceId) -> InstanceView | None:
        view = self._views.get(instance_id)
        if view is None or view.stale_at is None or now_ms() < view.stale_at:
            return view
        self.forget(instance_id)
        return None

    def _is_unknown(self, name: str) -> bool:
        return self._unknown.get(name, 0) > now_ms()

    async def _look_up(self, token: str) -> InstanceView | None:
        changes = self._changes
        instance_id = await store.id_of_secret(self._runtime.database, "inbound", token, now_ms())
        view = None if instance_id is None else await self.by_id(instance_id)
        if changes != self._changes:
            return view
        if instance_id is None or view is None:
            _remember(self._unknown, token, now_ms() + UNKNOWN_MS, MOST_UNKNOWN)
        else:
            _remember(self._tokens, token, instance_id, MOST_VIEWS)
            self._tokens_of.setdefault(instance_id, set()).add(token)
        return view

    async def _load(self, instance_id: InstanceId) -> InstanceView | None:
        changes = self._changes
        view = await self._read(instance_id)
        # What was read while a change was made may be from before it: use it once, do not keep it.
        if view is not None and changes == self._changes:
            _remember(self._views, instance_id, view, MOST_VIEWS)
        return view

    async def _read(self, instance_id: InstanceId) -> InstanceView | None:
        runtime = self._runtime
        instance = await store.by_id_any_account(runtime.database, instance_id)
        connector = None if instance is None else runtime.catalogue.get(instance.connector)
        if instance is None or connector is None:
            return None
        settings = await store.settings(runtime.database, runtime.seal, instance_id)
        limits = runtime.config.inbound
        return build(
            instance,
            connector,
            {key: setting.value for key, setting in settings.items() if setting.value is not None},
            await store.secrets(runtime.database, runtime.seal, instance_id, now_ms()),
            await store.callback(runtime.database, instance_id),
            min(connector.max_body or limits.max_body.bytes, limits.max_body_ceiling.bytes),
        )


def _remember(memory: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    memory[key] = value
    if len(memory) > most:
        memory.popitem(last=False)
