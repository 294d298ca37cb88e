"""What calls show about credentials: a refusal is written down, the next success takes it back; both seldom."""

from collections import OrderedDict
from contextlib import suppress

from gateway.access import logins, model, store
from gateway.calls.model import Access
from gateway.clock import now_ms
from gateway.errors import StorageDown
from gateway.instances.index import InstanceIndex
from gateway.instances.view import InstanceView
from gateway.runtime import Runtime

_SELDOM_MS = 60_000
_MOST = 50_000


class Marks:
    """What this node has seen of each instance lately, so that the database is asked once a minute at most."""

    def __init__(self, runtime: Runtime, index: InstanceIndex) -> None:
        self._runtime = runtime
        self._index = index
        #: Until when an instance is known to stand well, and until when a refusal is not written down again.
        self._well: OrderedDict[int, int] = OrderedDict()
        self._marked: OrderedDict[int, int] = OrderedDict()

    async def refused(self, view: InstanceView, access: Access, reason: str) -> InstanceView | None:
        """The vendor refuses these credentials: where others are stored by now, the view that has them."""
        instance_id, now = view.instance.id, now_ms()
        self._well.pop(instance_id, None)
        if self._marked.get(instance_id, 0) > now:
            return None
        _remember(self._marked, instance_id, now + _SELDOM_MS)
        with suppress(StorageDown):
            self._index.forget(instance_id)
            stored = await self._index.by_id(instance_id)
            if stored is None or stored.config.values != view.config.values:
                # Another node may have changed them; what was refused is of the past.
                self._marked.pop(instance_id, None)
                return stored
            await self._written(instance_id, logins.discreet(reason, access), by_login=access.token is not None)
        return None

    async def worked(self, view: InstanceView, *, by_login: bool) -> None:
        """The vendor took them; a login that was refused stays so until somebody logs in."""
        instance_id, now = view.instance.id, now_ms()
        if self._well.get(instance_id, 0) > now:
            return
        _remember(self._well, instance_id, now + _SELDOM_MS)
        with suppress(StorageDown):
            standing = await store.standing(self._runtime.database, instance_id)
            if standing is None or standing.valid or (by_login and standing.state == "reauth"):
                return
            async with self._runtime.database.transaction() as transaction:
                await store.judge(transaction, instance_id, model.good(now_ms()))
            self._marked.pop(instance_id, None)

    async def _written(self, instance_id: int, reason: str, *, by_login: bool) -> None:
        standing = await store.standing(self._runtime.database, instance_id)
        tries = standing.tries if standing is not None and not standing.valid else 0
        # A token that was given a moment ago is no proof against the login that gave it.
        judged = model.unchecked if by_login else model.refused
        async with self._runtime.database.transaction() as transaction:
            await store.judge(transaction, instance_id, judged(reason, now_ms(), tries=tries))


def _remember(memory: OrderedDict[int, int], key: int, until: int) -> None:
    memory[key] = until
    memory.move_to_end(key)
    if len(memory) > _MOST:
        memory.popitem(last=False)
