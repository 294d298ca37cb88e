"""Where is it? What was stored and what was not, under one name, newest first."""

from gateway.accounts.model import Caller
from gateway.history import store as history
from gateway.history.fates import store
from gateway.history.fates.model import Fate, Question, merged, of_event, of_refusal
from gateway.history.filter import END, EventFilter
from gateway.history.listing.store import event_listed, events_before
from gateway.history.model import Page
from gateway.storage.database import Reader


async def fates(
    reader: Reader, caller: Caller, asked: Question, before: str | None, size: int
) -> tuple[list[Fate], str | None]:
    """A page of the fates of all that the caller's instances got under a name, and where the next begins."""
    page = await _events(reader, caller, asked, before, size)
    ids = [event.id for event in page.items]
    decided = await history.deciding_deliveries(reader, ids)
    destinations = await history.destinations(reader, sorted({one.destination_id for one in decided.values()}))
    stored = []
    for event in page.items:
        delivery = decided.get(event.id)
        where = None if delivery is None else destinations.get(delivery.destination_id)
        stored.append(of_event(event, delivery, where))
    others = await store.refusals_before(reader, caller, asked, before, size)
    return merged(stored, page.position, [of_refusal(one) for one in others.items], others.position, size)


async def _events(reader: Reader, caller: Caller, asked: Question, before: str | None, size: int) -> Page:
    if asked.by == "event_id":
        found = await event_listed(reader, caller, asked.value)
        return Page((found,) if found is not None and found.id < (before or END) else (), None)
    if asked.by == "body_hash":
        return await events_before(reader, caller, EventFilter(), before, size, body_hash=asked.value)
    by_vendor = asked.by == "vendor_event_id"
    chosen = EventFilter(vendor_event_id=asked.value) if by_vendor else EventFilter(object_id=asked.value)
    return await events_before(reader, caller, chosen, before, size)
