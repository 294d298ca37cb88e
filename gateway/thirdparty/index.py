"""The 3rd-party connectors of accounts in memory; a miss costs one look-up, and what is known costs nothing."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence

import structlog

from gateway.events.model import Event
from gateway.runtime import Runtime
from gateway.thirdparty import store
from gateway.thirdparty.fitting import fits
from gateway.thirdparty.model import ThirdParty
from gateway.thirdparty.trying import Tries

MOST_ACCOUNTS = 50_000
#: How long memory is believed where other nodes may change what is stored, and from when on it is looked at anew.
BELIEVED_S = 5.0
LOOK_AGAIN_S = 2.0

log = structlog.get_logger()


class ThirdParties:
    """The hot path's memory; `forget` is called after every change on this node."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._alone = runtime.database.engine == "sqlite"
        self._accounts: OrderedDict[str, tuple[ThirdParty, ...]] = OrderedDict()
        self._account_of: dict[int, str] = {}
        #: The number of changes that memory is true for, and when it was asked for.
        self._seen: int | None = None
        self._asked = -BELIEVED_S
        self._looking: asyncio.Task[None] | None = None
        self._changes = 0
        self.tries = Tries()

    def known(self, account_id: str) -> tuple[ThirdParty, ...] | None:
        """The account's connectors where memory has them and may be believed; nothing awaits."""
        if not self._alone and not self._is_fresh():
            return None
        return self._accounts.get(account_id)

    async def of_account(self, account_id: str) -> tuple[ThirdParty, ...]:
        """The account's connectors, of whatever state."""
        found = self.known(account_id)
        if found is not None:
            return found
        if not self._alone and not self._is_fresh():
            await asyncio.shield(self._look_together())
            found = self._accounts.get(account_id)
        return await self._load(account_id) if found is None else found

    async def by_id(self, connector_id: int) -> ThirdParty | None:
        """A connector by the number of its destination; None where it was deleted or never was."""
        account_id = self._account_of.get(connector_id)
        if account_id is None:
            account_id = await store.account_of(self._runtime.database, connector_id)
        if account_id is None:
            return None
        return next((one for one in await self.of_account(account_id) if one.id == connector_id), None)

    def forget(self, account_id: str) -> None:
        """Read the account's connectors anew the next time they are asked for."""
        self._changes += 1
        for one in self._accounts.pop(account_id, ()):
            self._account_of.pop(one.id, None)

    def forget_one(self, connector_id: int) -> None:
        """The same by a connector of the account."""
        account_id = self._account_of.get(connector_id)
        if account_id is not None:
            self.forget(account_id)

    async def close(self) -> None:
        """End the look under way."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    def _is_fresh(self) -> bool:
        age = time.monotonic() - self._asked
        if LOOK_AGAIN_S <= age < BELIEVED_S:
            # So that who comes later need not wait.
            self._look_together()
        return age < BELIEVED_S

    def _look_together(self) -> "asyncio.Task[None]":
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(self._looked)
        return self._looking

    def _looked(self, task: "asyncio.Task[None]") -> None:
        self._looking = None
        problem = None if task.cancelled() else task.exception()
        if problem is not None:
            log.warning("third_parties.not_looked_at", problem=str(problem))

    async def _look(self) -> None:
        """Ask whether any node has changed anything; if so, all of memory goes."""
        began = time.monotonic()
        seen = await store.changes(self._runtime.database)
        if seen != self._seen:
            self._changes += 1
            self._accounts.clear()
            self._account_of.clear()
        self._seen, self._asked = seen, max(began, self._asked)

    async def _load(self, account_id: str) -> tuple[ThirdParty, ...]:
        changes = self._changes
        found = tuple(await store.of_account(self._runtime.database, self._runtime.seal, account_id))
        # What was read while a change was made may be from before it: use it once, do not keep it.
        if changes == self._changes:
            self._keep(account_id, found)
        return found

    def _keep(self, account_id: str, found: tuple[ThirdParty, ...]) -> None:
        self._accounts[account_id] = found
        self._account_of.update((one.id, account_id) for one in found)
        while len(self._accounts) > MOST_ACCOUNTS:
            for one in self._accounts.popitem(last=False)[1]:
                self._account_of.pop(one.id, None)


def wanting(connectors: Sequence[ThirdParty], event: Event) -> list[ThirdParty]:
    """Those that an event fires."""
    return [one for one in connectors if one.enabled and fits(one.definition.fires, event)]
