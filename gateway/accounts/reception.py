"""What a node remembers of those who call: failed log-ins, callers that were let in a moment ago, lists of accounts."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Hashable
from typing import TypeVar

from gateway.accounts.directory.listing import Listing
from gateway.accounts.throttle import Throttle
from gateway.storage.database import Database

T = TypeVar("T")

#: How long somebody is believed without a look at the database; what is revoked here is forgotten at once.
BELIEVED_S = 2.0
MOST_BELIEVED = 10_000
#: Hashing a password takes 64 MiB and a core.
AT_ONCE = 2


class Reception:
    """The state of the accounts' room, one for each gateway."""

    def __init__(self, database: Database) -> None:
        self.listing = Listing(database)
        self.throttle = Throttle()
        self.hashing = asyncio.Semaphore(AT_ONCE)
        #: How often rights have changed on this node; who keeps callers of its own compares it.
        self.changes = 0
        self._believed: OrderedDict[Hashable, tuple[float, object]] = OrderedDict()

    def recall(self, key: Hashable, kind: type[T]) -> T | None:
        """What was found under this key a moment ago."""
        until, found = self._believed.get(key, (0.0, None))
        return found if isinstance(found, kind) and until > time.monotonic() else None

    def believe(self, key: Hashable, found: object, *, since: int | None = None) -> None:
        """Keep what was found for a moment; not if it was asked for at a count of `changes` that is over."""
        if since not in (None, self.changes):
            return
        self._believed[key] = (time.monotonic() + BELIEVED_S, found)
        self._believed.move_to_end(key)
        if len(self._believed) > MOST_BELIEVED:
            self._believed.popitem(last=False)

    def forget(self) -> None:
        """Ask the database again, since somebody's rights have changed."""
        self.changes += 1
        self._believed.clear()
