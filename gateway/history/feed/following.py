"""One follower's place among the events: what comes next for it, at its own pace."""

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from gateway.accounts.model import Caller
from gateway.clock import now_ms
from gateway.history.feed.feed import Feed
from gateway.history.feed.order import Told
from gateway.history.filter import END, EventFilter
from gateway.history.listing import store as listing
from gateway.history.model import Listed
from gateway.ids import first_at
from gateway.storage.database import Reader

#: What is looked up at once, of what was told and of what is older.
_TOLD = 200
_PAGE = 500
#: Ids that may come up once more, since they are found both in the database and in the order.
_MOST_GIVEN = 20_000
_ID = re.compile(r"[0-9a-f]{32}")


class Following:
    """Gives the caller's events that fit as they become durable, each once; none is passed over.

    Without `after` it begins now. With it, it goes on after that event; where nobody knows any more in which order it
    was given, the seconds before it come once more.
    """

    def __init__(self, feed: Feed, reader: Reader, caller: Caller, chosen: EventFilter, after: str | None) -> None:
        self._feed = feed
        self._reader = reader
        self._caller = caller
        self._chosen = chosen
        self._given: OrderedDict[str, None] = OrderedDict()
        self._place = feed.order.end
        #: Where looking in the database goes on; None where the order knows all that is to come.
        self._behind: str | None = None
        #: The last event of any caller that was come to.
        self.last = after or feed.order.newest or first_at(now_ms())
        if after is not None:
            self._resume(after)

    async def next(self, timeout_s: float) -> Sequence[Listed]:
        """What is to be shown next; nothing where nothing came in this time, or nothing that fits."""
        if self._behind is not None:
            return self._fresh(await self._looked_up(self._behind))
        await self._feed.changed(self._place, timeout_s)
        told = self._feed.order.since(self._place, _TOLD)
        if told is None:
            self._look_up_after(self.last)
        if not told:
            return ()
        self._place += len(told)
        self.last = told[-1].id
        turns = {one.id: number for number, one in enumerate(told) if self._may_fit(one)}
        if not turns:
            return ()
        found = await listing.events_among(self._reader, self._caller, self._chosen, list(turns))
        return self._fresh(sorted(found, key=lambda one: turns[one.id]))

    def _may_fit(self, one: Told) -> bool:
        """Whether it is worth asking, without asking."""
        chosen, own = self._chosen, self._caller.account_id
        return (
            chosen.instance_id in (None, one.instance_id)
            and chosen.account_id in (None, one.account_id)
            and own in (None, one.account_id)
        )

    def _resume(self, after: str) -> None:
        # Another node may have given this event before one that stands earlier in this node's order.
        place = self._feed.order.place_after(after) if self._feed.alone else None
        if place is None:
            self._look_up_after(after)
        else:
            self._place = place

    def _look_up_after(self, event_id: str) -> None:
        # Ids may have become durable in another order than they were made in.
        self._place = self._feed.order.end
        self._behind = first_at(made_at(event_id) - self._feed.overlap_ms)

    async def _looked_up(self, after: str) -> Sequence[Listed]:
        found = await listing.events_after(self._reader, self._caller, self._chosen, after, END, _PAGE)
        self._behind = found.position
        return found.items

    def _fresh(self, found: Iterable[Listed]) -> list[Listed]:
        fresh = [one for one in found if one.id not in self._given]
        self._given.update(dict.fromkeys(one.id for one in fresh))
        while len(self._given) > _MOST_GIVEN:
            self._given.popitem(last=False)
        return fresh


def made_at(event_id: str) -> int:
    """When a time-ordered id was made, in epoch milliseconds; ValueError where it is none."""
    if not _ID.fullmatch(event_id):
        raise ValueError
    return int(event_id, 16) >> 80
