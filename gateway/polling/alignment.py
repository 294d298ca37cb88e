"""Pollers follow a catalogue that has changed: of each instance whose connector offers other ones than before."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import structlog

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.core import completed
from gateway.catalogue.model import Connector
from gateway.clock import now_ms
from gateway.errors import GatewayError
from gateway.instances import store as instances
from gateway.instances.model import Setting
from gateway.polling import offered, store
from gateway.polling.model import Plan
from gateway.polling.offered import offer_of
from gateway.polling.plans import Plans
from gateway.polling.pollers import align
from gateway.runtime import Runtime
from gateway.storage.database import Transaction

#: So many instances are looked at by one question, and changed by one commit.
PAGE = 25
#: New pollers begin one after another, not all at once.
APART_MS = 10
#: Another node, with an older catalogue, may have stopped what this one knows.
AGAIN_S = 600.0
_RETRY_S = 30.0

log = structlog.get_logger()


class Alignment:
    """Brings pollers in line at the start of this node, and whenever its catalogue has changed."""

    def __init__(self, runtime: Runtime, plans: Plans, begun: Callable[[], None]) -> None:
        self._runtime = runtime
        self._plans = plans
        self._begun = begun
        #: What this node has gone by.
        self._done: dict[str, str] = {}
        self._woken = asyncio.Event()
        self._woken.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Alignment"]:
        """Look in the background until left."""
        task = asyncio.create_task(self._run(), name="poll.align")
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def poke(self) -> None:
        """The catalogue has changed: look now."""
        self._woken.set()

    async def look(self) -> int:
        """Go over the instances of every connector that offers something else than is on record; how many changed."""
        database, changed = self._runtime.database, 0
        catalogue = {connector.key: connector for connector in self._runtime.catalogue}
        wanted = {key: offer_of(connector) for key, connector in catalogue.items()}
        recorded = await store.offers(database, offered.NAME)
        for key in await store.connectors_in_use(database):
            # Of nodes with different catalogues each goes by its own, and only once.
            if key not in wanted or (key in recorded and self._done.get(key, recorded[key]) == wanted[key]):
                continue
            changed += await self._connector(catalogue[key])
            async with database.transaction() as transaction:
                await offered.record(transaction, key, wanted[key])
        self._done = wanted
        return changed

    async def _run(self) -> None:
        wait = AGAIN_S
        while True:
            try:
                async with asyncio.timeout(wait):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()
            wait = AGAIN_S if await self._looked() else _RETRY_S

    async def _looked(self) -> bool:
        try:
            changed = await self.look()
        except GatewayError as problem:
            log.warning("poll.not_aligned", problem=str(problem))
            return False
        except Exception:
            log.exception("poll.not_aligned")
            return False
        if changed:
            log.info("poll.aligned", instances=changed)
            self._begun()
        return True

    async def _connector(self, connector: Connector) -> int:
        """Go over the instances of a connector; how many had other pollers than they want."""
        usual, after, changed = completed(connector, {}), 0, 0
        while True:
            ids, last = await store.page_of_instances(
                self._runtime.database, connector.key, usual, after=after, size=PAGE
            )
            if last is None:
                return changed
            astray = await self._astray(connector, ids)
            if astray:
                await self._align(connector, astray, changed)
            changed, after = changed + len(astray), last

    async def _astray(self, connector: Connector, ids: Sequence[int]) -> list[int]:
        """Those of these instances whose pollers are not the ones that they want."""
        runtime = self._runtime
        there = await store.names_of(runtime.database, ids)
        settings = await instances.settings_of(runtime.database, runtime.seal, ids)
        return [one for one in ids if self._names(connector, settings.get(one, {})) != there.get(one, set())]

    async def _align(self, connector: Connector, ids: Sequence[int], number: int) -> None:
        async with self._runtime.database.transaction() as transaction:
            for place, instance_id in enumerate(ids, number):
                if await store.hold(transaction, self._runtime.database, instance_id):
                    await self._align_one(transaction, connector, instance_id, place * APART_MS)

    async def _align_one(self, transaction: Transaction, connector: Connector, instance_id: int, wait: int) -> None:
        # Read again: it may have been changed since it was looked at.
        settings = await instances.settings(transaction, self._runtime.seal, instance_id)
        plans = self._wanted(connector, settings)
        await align(transaction, instance_id, plans, now_ms(), before=plans, resumes=False, wait=wait)

    def _names(self, connector: Connector, settings: dict[str, Setting]) -> set[str]:
        return {plan.name for plan in self._wanted(connector, settings)}

    def _wanted(self, connector: Connector, settings: dict[str, Setting]) -> tuple[Plan, ...]:
        values = {key: one.value for key, one in settings.items() if one.value is not None}
        return self._plans.for_values(connector, ConfigView(completed(connector, values)))
