"""How far a read moves the cursor: by the dates of what was read to its end, never by the gateway's own clock; pure."""

from itertools import pairwise

from msgspec.structs import replace

from gateway.polling.model import Cursor, Plan, Read, Seen, Window
from gateway.polling.records import Record
from gateway.polling.window import ceiling, settled

MOST_SEEN = 10_000
_STEP_BACK_MS = 60_000


def clock(read: Read) -> int:
    """The source's clock, as far as it tells it."""
    return read.asked_at if read.source_now is None else read.source_now


def moved(plan: Plan, cursor: Cursor, read: Read, asked: Window, records: list[Record]) -> Cursor:
    """The cursor with its watermark where this read allows it to be, and nothing kept that no longer counts."""
    if plan.poll.mode == "token":
        horizon: int | None = read.asked_at - plan.poll.overlap
        after = replace(cursor, token=_storable(read.token) or cursor.token)
    else:
        after = _advanced(plan, cursor, read, asked, records)
        horizon = settled(plan, after)
    return replace(after, started=cursor.started or read.complete, seen=kept(after.seen, horizon))


def kept(seen: dict[str, Seen], horizon: int | None) -> dict[str, Seen]:
    """What may be met again: versions from the horizon on, and of too many the newest."""
    if horizon is not None:
        seen = {key: one for key, one in seen.items() if one.at >= horizon}
    if len(seen) <= MOST_SEEN:
        return seen
    # The store still knows the identities of those that are let go.
    newest = sorted(seen.items(), key=lambda item: item[1].at, reverse=True)
    return dict(newest[:MOST_SEEN])


def finished(plan: Plan, before: Cursor, after: Cursor, read: Read, found: int) -> Cursor:
    """The cursor with what every poll that succeeded writes down."""
    waits = before.watermark_ms == after.watermark_ms and plan.poll.mode == "since"
    now = clock(read)
    return replace(
        after,
        etag=read.etag if read.etag is not None else after.etag,
        polls=before.polls + 1,
        empty_in_a_row=0 if found else before.empty_in_a_row + 1,
        backfill_until=None if read.complete else backfill_until(plan, before, read),
        last_ok=read.asked_at,
        last_complete=read.asked_at if read.complete else before.last_complete,
        last_change=read.asked_at if found else before.last_change,
        lag_ms=0 if read.complete else max(0, now - (after.watermark_ms or now)),
        clock_skew=before.clock_skew if read.source_now is None else read.source_now - read.asked_at,
        stuck=before.stuck + 1 if waits and (found or not read.complete) else 0,
    )


def backfill_until(plan: Plan, cursor: Cursor, read: Read) -> int | None:
    """Up to which time of the source everything was there before the first poll; None once that is done."""
    if cursor.backfill_until is not None:
        return cursor.backfill_until
    return clock(read) if plan.backfills and not cursor.started else None


def goes_on(plan: Plan, before: Cursor, after: Cursor, read: Read) -> bool:
    """Whether there is more to be had at once, and a way to it."""
    if read.complete:
        return False
    if plan.poll.mode == "token":
        return before.token != after.token
    # In ascending order a long read goes on from its last record; the overlap may be all that it got through.
    got_on = plan.poll.order == "asc" and after.pending_ms is not None and after.pending_ms != before.pending_ms
    return got_on or read.resume is not None


def in_order(records: list[Record]) -> bool:
    """Whether records come oldest first, as a list in ascending order promises; pages may begin a little earlier."""
    dates = [record.at for record in records if record.at is not None]
    return all(later >= earlier - _STEP_BACK_MS for earlier, later in pairwise(dates))


def _advanced(plan: Plan, cursor: Cursor, read: Read, asked: Window, records: list[Record]) -> Cursor:
    newest, ascending = _newest(plan, read, records), plan.poll.order == "asc" and in_order(records)
    if cursor.pending_ms is not None and (newest is None or newest[0] < cursor.pending_ms):
        newest = cursor.pending_ms, cursor.pending or ""
    pending_ms, pending = (None, None) if read.complete or newest is None else newest
    resume = None if read.complete else read.resume or ("" if ascending else None)
    after = replace(cursor, resume=resume, pending_ms=pending_ms, pending=pending)
    if not (read.complete or ascending):
        return after
    if after.floor_ms is None and after.watermark_ms is None and (plan.start_at is not None or not plan.backfills):
        after = replace(after, floor_ms=_floor(asked, newest))
    if newest is None or (cursor.watermark_ms is not None and newest[0] <= cursor.watermark_ms):
        return after
    return replace(after, watermark_ms=newest[0], watermark=newest[1])


def _newest(plan: Plan, read: Read, records: list[Record]) -> tuple[int, str] | None:
    if plan.poll.updated is None:
        # Nothing is dated: how far it was read is what the source's own clock says.
        now = read.source_now if read.complete else None
        return None if now is None else (now, str(now))
    most = ceiling(plan, read.asked_at, read.source_now)
    dated = [(record.at, record.updated or "") for record in records if record.at is not None and record.at <= most]
    return max(dated, default=None)


def _floor(asked: Window, newest: tuple[int, str] | None) -> int | None:
    """Nothing older than what was asked for at first; where dates disagree with that, the records are right."""
    if asked.at is None or newest is None:
        return asked.at
    return min(asked.at, newest[0])


def _storable(text: str | None) -> str | None:
    """A token as it is; one with half a character in it can neither be kept nor sent."""
    return None if text is None or not text.isprintable() else text
