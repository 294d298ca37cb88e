"""From when a poll asks, by the clock of the source: the watermark less the overlap, as the vendor writes dates."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from gateway.catalogue.dates import NAMED
from gateway.clock import iso
from gateway.polling.model import Cursor, Gap, Plan, Window

Setting = Callable[[str], str | None]

#: A clock that is further off is worth a warning.
SKEW_MS = 5_000
#: A record that is dated further ahead of the source's clock never moves the watermark.
AHEAD_MS = 5 * 60_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 253_402_300_799_000
_SETTING = re.compile(r"@(.+)", re.DOTALL)


def window(plan: Plan, cursor: Cursor, now: int, setting: Setting = lambda _: None) -> Window:
    """What is asked for next; inclusive. `now` counts for a first poll and for what the source has forgotten alone.

    `setting` gives the value of a configuration entry, for a format that stands in one.
    """
    at = _begin(plan, cursor, now)
    text = rendered(form_of(plan.poll.from_format, setting), at)
    return Window(text, at if plan.poll.mode == "since" else None)


def settled(plan: Plan, cursor: Cursor) -> int | None:
    """The time below which nothing is asked for again, whatever comes: versions seen before it may be forgotten."""
    if cursor.watermark_ms is None:
        return cursor.floor_ms
    at = cursor.watermark_ms - plan.poll.overlap
    return at if cursor.floor_ms is None else max(at, cursor.floor_ms)


def gap(plan: Plan, cursor: Cursor, now: int) -> Gap | None:
    """What the source has forgotten before it was read; a quiet source that was read to its end has lost nothing."""
    retention = plan.poll.retention
    if retention is None or not cursor.started:
        return None
    there = [at for at in (cursor.watermark_ms, cursor.last_complete) if at is not None]
    if not there or now - max(there) <= retention:
        return None
    return Gap(max(there), now - retention, "longer than the source keeps its changes")


def ceiling(plan: Plan, asked_at: int, source_now: int | None) -> int:
    """The newest time that may become the watermark."""
    clock = asked_at if source_now is None else source_now
    return clock + AHEAD_MS if plan.poll.settle is None else clock - plan.poll.settle


def form_of(declared: str, setting: Setting) -> str:
    """The date format itself, where a configuration entry holds it."""
    named = _SETTING.fullmatch(declared)
    if named is None:
        return declared
    form = setting(named[1]) or "iso8601"
    return form if form in NAMED or "%" in form else "iso8601"


def rendered(form: str, at: int) -> str:
    """A time in a declared format; what the format leaves out is cut off, so that it is never later."""
    at = min(max(0, at), _LAST_MS)
    match form:
        case "iso8601":
            return iso(at)
        case "epoch_s":
            return str(at // 1000)
        case "epoch_ms":
            return str(at)
        case "date":
            return iso(at)[:10]
        case _:
            return (_EPOCH + timedelta(milliseconds=at)).strftime(form)


def _begin(plan: Plan, cursor: Cursor, now: int) -> int:
    if plan.poll.order == "asc" and cursor.resume is not None and cursor.pending_ms is not None:
        # A long read goes on where it ended; from the overlap on it might never get beyond that.
        return cursor.pending_ms
    at = settled(plan, cursor)
    if at is None:
        if plan.backfills:
            return plan.start_at or 0
        # A little more, so that clocks that almost agree need no second question.
        at = now - plan.poll.overlap - SKEW_MS
    if plan.poll.retention is not None and cursor.started:
        at = max(at, now + (cursor.clock_skew or 0) - plan.poll.retention)
    return at
