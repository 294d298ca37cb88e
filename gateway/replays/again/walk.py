"""Going through what a filter finds, a bounded look at a time."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from gateway.replays.again.model import Item


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What a bounded look found, how far it went, and whether there is nothing behind that."""

    items: Sequence[Item]
    looked_to: str
    ended: bool


#: Looks behind a place for so many items at most.
Looking = Callable[[str, int], Awaitable[Look]]


class Walk:
    """Items in their order. Nothing is remembered but the place: what was found may be otherwise a moment later."""

    def __init__(self, look: Looking, after: str) -> None:
        self._look = look
        self.after = after
        self.over = False

    async def ahead(self, most: int) -> Look:
        """The next items; there may be fewer than there are."""
        return await self._look(self.after, most)

    def passed(self, look: Look, number: int) -> None:
        """Leave so many of what was found behind."""
        if number == len(look.items):
            self.after, self.over = look.looked_to, look.ended
        elif number:
            self.after = look.items[number - 1].key
