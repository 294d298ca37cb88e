"""Instances by token, by id and by what they hold, in memory; a miss costs one look-up, by few lookers at a time."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

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
MOST_LISTS = 10_000
#: How long a list of instances is believed: another node may add one to it.
LISTED_MS = 60_000
#: So many instances may share one value, be tried for an app's handshake, and so many finders be in use.
MOST_LISTED = 20
_LOOKERS = 8
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Orphan:
    """An instance whose connector this gateway does not know any more."""

    instance_id: InstanceId
    connector: str


class InstanceIndex:
    """The hot path's memory of instances; `forget` is called after every change."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._views: OrderedDict[InstanceId, InstanceView] = OrderedDict()
        self._tokens: OrderedDict[str, InstanceId] = OrderedDict()
        self._tokens_of: dict[InstanceId, set[str]] = {}
        #: Names that nothing was found under, and until when that is believed: another node may make it.
        self._unknown: OrderedDict[str, int] = OrderedDict()
        self._lists: OrderedDict[tuple[str, ...], tuple[int, tuple[Any, ...]]] = OrderedDict()
        self._lookers = asyncio.Semaphore(_LOOKERS)
        # Apart, so that who makes up accounts does not stand in the way of those who have a token.
        self._list_lookers = asyncio.Semaphore(_LOOKERS)
        self._changes = 0

    def known(self, token: str) -> InstanceView | None:
        """The view of a vendor's token where memory has it."""
        instance_id = self._tokens.get(token)
        return None if instance_id is None else self._fresh(instance_id)

    async def by_token(self, token: str) -> InstanceView | Orphan | None:
        """The view of the instance whose inbound URL holds this token."""
        view = self.known(token)
        if view is not None or self._is_unknown(token):
            return view
        async with self._lookers:
            return self.known(token) or await self._look_up(token)

    async def by_id(self, instance_id: int) -> InstanceView | None:
        """The view of an instance; None where it was deleted."""
        view = await self._view(InstanceId(instance_id))
        return None if isinstance(view, Orphan) else view

    async def by_guess(self, instance_id: int) -> InstanceView | Orphan | None:
        """The same for an id that anybody may have made up: few look-ups at a time, and a miss is remembered."""
        view: InstanceView | Orphan | None = self._fresh(InstanceId(instance_id))
        name = f"id:{instance_id}"
        if view is not None or self._is_unknown(name):
            return view
        async with self._lookers:
            changes = self._changes
            view = await self._view(InstanceId(instance_id))
            if view is None and changes == self._changes:
                _remember(self._unknown, name, now_ms() + UNKNOWN_MS, MOST_UNKNOWN)
            return view

    async def by_value(self, connector: str, entry: str, value: str) -> list[InstanceView]:
        """The instances of a connector, of whatever tenant, whose entry holds this value; some of them, if many do."""
        if not value or len(value) > store.LONGEST_LOOKED_UP or _UNSTORABLE.search(value):
            return []
        database = self._runtime.database

        async def look() -> list[InstanceId]:
            return await store.ids_by_value(database, connector, entry, value, MOST_LISTED)

        return await self._views_of(await self._listed(("value", connector, entry, value), look))

    async def newest(self, connector: str) -> list[InstanceView]:
        """The instances of a connector that were made last, of whatever tenant."""
        database = self._runtime.database

        async def look() -> list[InstanceId]:
            return await store.newest_ids(database, connector, MOST_LISTED)

        return await self._views_of(await self._listed(("newest", connector), look))

    async def values_in_use(self, connector: str, entry: str) -> tuple[str, ...]:
        """The distinct values that instances of a connector have in an entry; some of them, if there are many."""
        database = self._runtime.database

        async def look() -> list[str]:
            return await store.values_in_use(database, connector, entry, MOST_LISTED)

        return await self._listed(("in use", connector, entry), look)

    def forget(self, instance_id: int) -> None:
        """Read the instance anew the next time it is asked for."""
        self._changes += 1
        known = InstanceId(instance_id)
        self._views.pop(known, None)
        for token in self._tokens_of.pop(known, ()):
            self._tokens.pop(token, None)
        self._unknown.clear()
        self._lists.clear()

    def connectors_changed(self) -> None:
        """Look again for what was not found: its connector may be there now; a view of a former one is not used."""
        self._changes += 1
        self._unknown.clear()

    def _fresh(self, instance_id: InstanceId) -> InstanceView | None:
        view = self._views.get(instance_id)
        if view is None:
            return None
        if view.connector is self._runtime.catalogue.get(view.connector.key) and (
            view.stale_at is None or now_ms() < view.stale_at
        ):
            return view
        self.forget(instance_id)
        return None

    def _is_unknown(self, name: str) -> bool:
        return self._unknown.get(name, 0) > now_ms()

    async def _listed(self, key: tuple[str, ...], look: Callable[[], Awaitable[list[K]]]) -> tuple[K, ...]:
        found = self._remembered(key)
        if found is not None:
            return found
        async with self._list_lookers:
            found = self._remembered(key)
            if found is not None:
                return found
            changes = self._changes
            found = tuple(await look())
            if changes == self._changes:
                until = now_ms() + (LISTED_MS if found else UNKNOWN_MS)
                _remember(self._lists, key, (until, found), MOST_LISTS)
            return found

    def _remembered(self, key: tuple[str, ...]) -> tuple[Any, ...] | None:
        until, found = self._lists.get(key, (0, ()))
        return found if until > now_ms() else None

    async def _views_of(self, instance_ids: Sequence[InstanceId]) -> list[InstanceView]:
        views = [await self._view(instance_id) for instance_id in instance_ids]
        return [view for view in views if isinstance(view, InstanceView)]

    async def _look_up(self, token: str) -> InstanceView | Orphan | None:
        changes = self._changes
        instance_id = await store.id_of_secret(self._runtime.database, "inbound", token, now_ms())
        view = None if instance_id is None else await self._view(instance_id)
        if changes != self._changes:
            return view
        if instance_id is None or view is None:
            _remember(self._unknown, token, now_ms() + UNKNOWN_MS, MOST_UNKNOWN)
        else:
            _remember(self._tokens, token, instance_id, MOST_VIEWS)
            self._tokens_of.setdefault(instance_id, set()).add(token)
        return view

    async def _view(self, instance_id: InstanceId) -> InstanceView | Orphan | None:
        return self._fresh(instance_id) or await self._load(instance_id)

    async def _load(self, instance_id: InstanceId) -> InstanceView | Orphan | None:
        changes = self._changes
        view = await self._read(instance_id)
        # What was read while a change was made may be from before it: use it once, do not keep it.
        if isinstance(view, InstanceView) and changes == self._changes:
            _remember(self._views, instance_id, view, MOST_VIEWS)
        return view

    async def _read(self, instance_id: InstanceId) -> InstanceView | Orphan | None:
        runtime = self._runtime
        instance = await store.by_id_any_account(runtime.database, instance_id)
        if instance is None:
            return None
        connector = runtime.catalogue.get(instance.connector)
        if connector is None:
            return Orphan(instance_id, instance.connector)
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
