"""What a read means: cursor × records → changes, and the cursor after them; pure, and the heart of polling."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from gateway.catalogue.change import Change, short
from gateway.polling import snapshot
from gateway.polling.advance import backfill_until, clock, finished, goes_on, in_order, kept, moved
from gateway.polling.classify import action_of, is_deleted
from gateway.polling.model import Chunk, Cursor, Failure, Found, Gap, Known, Merged, Plan, Read, Seen, Window
from gateway.polling.reconcile import ripe
from gateway.polling.records import Record, Settings, change_of, departed, key_id, of_its_list, records_in
from gateway.polling.window import AHEAD_MS, SKEW_MS, gap

CHUNK = 500
#: One version of an object has at most so many contents: what differs at every look is no change.
MOST_VARIANTS = 3


@dataclass(frozen=True, slots=True)
class _Newly:
    """A record that was not seen before, under the key and the entry that it leaves in the cursor."""

    record: Record
    key: str
    seen: Seen


def merged(
    plan: Plan, cursor: Cursor, read: Read, asked: Window, settings: Settings, known: Mapping[str, Known] | None = None
) -> Merged:
    """What follows from one read in the window that was asked; `known` is the snapshot, for polls of that mode."""
    if read.expired:
        return _forgotten(cursor, read)
    lost = gap(plan, cursor, read.asked_at)
    if read.unchanged:
        return Merged(chunks=(Chunk((), finished(plan, cursor, cursor, read, 0)),), gap=lost)
    records = records_in(plan, read, settings)
    problem = _unusable(plan, records)
    if problem is not None:
        return Merged(chunks=(Chunk((), cursor),), problem=problem)
    if plan.poll.mode == "snapshot":
        return _of_snapshot(plan, cursor, read, of_its_list(plan, records), known or {}, settings)
    if _asked_too_late(plan, cursor, read, asked):
        again = replace(cursor, floor_ms=clock(read) - plan.poll.overlap)
        return Merged(chunks=(Chunk((), again),), again=True)
    return _of_records(plan, cursor, read, asked, records, lost)


def _of_records(
    plan: Plan, cursor: Cursor, read: Read, asked: Window, records: list[Record], lost: Gap | None
) -> Merged:
    emits = cursor.started or plan.backfills
    every, records = records, ripe(plan, cursor, read, records)
    # What a first poll finds was there before, and after an empty one nothing was: however old it is.
    empty = cursor.started and cursor.watermark_ms is None and plan.start_at is None
    fresh = _in_window(records, asked) if emits and not empty else records
    strayed = empty and _older(every, asked)
    newly, touched = _new_ones(plan, cursor, _oldest_first(plan, of_its_list(plan, fresh)), read)
    found = list(_found(plan, cursor, read, newly)) if emits else []
    seen = {**cursor.seen, **touched, **{one.key: one.seen for one in newly}}
    floor = None if strayed else cursor.floor_ms
    end = moved(plan, replace(cursor, seen=seen, floor_ms=floor), read, asked, records)
    end = _asked_again(finished(plan, cursor, end, read, len(found)), whole=len(records) == len(every))
    return Merged(
        chunks=tuple(_chunks(cursor, newly, found, end)),
        again=goes_on(plan, cursor, end, read),
        gap=lost,
        warnings=_warnings(plan, read, every, strayed=strayed),
    )


def _asked_again(end: Cursor, *, whole: bool) -> Cursor:
    """The cursor without the mark that would let the source answer "nothing new" to what was put off."""
    return end if whole else replace(end, etag=None)


def _chunks(cursor: Cursor, newly: list[_Newly], found: list[Found], end: Cursor) -> Iterator[Chunk]:
    seen = dict(cursor.seen)
    last = max(0, (len(found) - 1) // CHUNK * CHUNK)
    for at in range(0, last, CHUNK):
        seen = kept({**seen, **{one.key: one.seen for one in newly[at : at + CHUNK]}}, None)
        yield Chunk(tuple(found[at : at + CHUNK]), replace(cursor, seen=seen))
    yield Chunk(tuple(found[last:]), end)


def _in_window(records: list[Record], asked: Window) -> list[Record]:
    at = asked.at
    return records if at is None else [record for record in records if record.at is None or record.at >= at]


def _oldest_first(plan: Plan, records: list[Record]) -> list[Record]:
    ordered = records[::-1] if plan.poll.order == "desc" else records
    newest = max((record.at for record in ordered if record.at is not None), default=0)
    return sorted(ordered, key=lambda record: newest if record.at is None else record.at)


def _new_ones(plan: Plan, cursor: Cursor, records: list[Record], read: Read) -> tuple[list[_Newly], dict[str, Seen]]:
    """The records that were not seen, each once; and those without a date that are still there."""
    newly: list[_Newly] = []
    added: dict[str, Seen] = {}
    touched: dict[str, Seen] = {}
    for record in records:
        key = _key(record)
        before = added.get(key) or cursor.seen.get(key)
        if before is not None and before.content == record.content:
            if record.at is None:
                touched[key] = Seen(_met(plan, record, read), before.content, before.variants)
            continue
        variants = before.variants + 1 if before is not None else 1
        # What has no date changes as often as it likes; under one date there are few contents.
        if variants <= MOST_VARIANTS or record.at is None:
            added[key] = Seen(_met(plan, record, read), record.content, variants)
            newly.append(_Newly(record, key, added[key]))
    return newly, touched


def _met(plan: Plan, record: Record, read: Read) -> int:
    """The time under which a version is remembered: where a token says how far it was read, when it came."""
    if plan.poll.mode == "token":
        return read.asked_at
    return clock(read) if record.at is None else record.at


def _found(plan: Plan, cursor: Cursor, read: Read, newly: list[_Newly]) -> Iterator[Found]:
    ids = {key.partition(":")[0] for key in cursor.seen} if newly else set()
    used: set[str] = set()
    until = backfill_until(plan, cursor, read)
    for one in newly:
        own = one.key.partition(":")[0]
        change = change_of(plan, one.record, action_of(plan, one.record, known=own in ids))
        ids.add(own)
        identity = _identity(plan, cursor, change, one)
        if identity in used:
            # Two entries of a log tell of one object at one time.
            identity = short(f"{identity}:{own}") or identity
        used.add(identity)
        earlier = until is not None and (one.record.at is None or one.record.at <= until)
        further = one.record.at is not None and one.seen.variants > 1
        yield Found(_told(change, one.record, identity), earlier, one.record.at, further)


def _told(change: Change, record: Record, identity: str) -> Change:
    occurred = change.occurred_at if change.occurred_at is not None else record.at
    version = change.version or short(record.updated)
    return replace(change, identity=identity, occurred_at=occurred, version=version, by_body=False)


def _identity(plan: Plan, cursor: Cursor, change: Change, one: _Newly) -> str:
    """What makes it the same change on every road; a further content under one date is a change of its own."""
    base = change.identity or f"p:{plan.name}:{one.key}"
    if one.record.at is None and (change.identity is None or one.seen.variants > 1):
        # Contents may come back, as in A, B, A: each time it is another change.
        base = f"{base}#{one.record.content}:{cursor.polls}"
    elif one.seen.variants > 1:
        base = f"{base}#{one.seen.variants}"
    return short(base) or one.key


def _key(record: Record) -> str:
    own = key_id(record.id) if record.id is not None else f"%{record.content}"
    return f"{own}:{record.updated if record.at is not None else ''}"


def _asked_too_late(plan: Plan, cursor: Cursor, read: Read, asked: Window) -> bool:
    """Whether the gateway's clock, ahead of the source's, hid what the first poll must know."""
    if cursor.started or plan.backfills or asked.at is None or read.source_now is None:
        return False
    return cursor.watermark_ms is None and asked.at > read.source_now - plan.poll.overlap


def _older(records: list[Record], asked: Window) -> bool:
    """Whether all of them are older than what was asked for: dates that disagree with the source's clock."""
    dates = [record.at for record in records if record.at is not None]
    return bool(dates) and asked.at is not None and max(dates) < asked.at - SKEW_MS


def _unusable(plan: Plan, records: list[Record]) -> Failure | None:
    """Why no record can be told from another, or none is dated; some that are not do no harm."""
    if not records:
        return None
    poll = plan.poll
    if all(record.id is None for record in records):
        return Failure("configuration", f"no record has an id at {poll.id.source_text!r}")
    if poll.mode != "since" or poll.updated is None or any(record.at is not None for record in records):
        return None
    text = next((record.updated for record in records if record.updated), None)
    if text is None:
        return Failure("configuration", f"no record has a date at {poll.updated.source_text!r}")
    return Failure("configuration", f"the date {text[:64]!r} at {poll.updated.source_text!r} cannot be read")


def _warnings(plan: Plan, read: Read, records: list[Record], *, strayed: bool) -> tuple[str, ...]:
    found = []
    skew = read.source_now - read.asked_at if read.source_now is not None else 0
    if abs(skew) > SKEW_MS:
        found.append(f"the source's clock differs by {skew / 1000:.0f} s")
    if strayed:
        found.append("all records are older than what was asked for; are their dates in another time zone?")
    if any(record.at is not None and record.at > clock(read) + AHEAD_MS for record in records):
        found.append("some records are dated in the future; are their dates in another time zone?")
    if plan.poll.order == "asc" and not (read.complete or in_order(records)):
        found.append("the list is not in ascending order, so that it cannot be read in parts")
    if any(record.id is None for record in records):
        found.append("some records have no id")
    return tuple(found)


def _forgotten(cursor: Cursor, read: Read) -> Merged:
    """The source no longer knows the token: what came since the last read is lost, and it begins anew."""
    since = cursor.last_ok if cursor.last_ok is not None else read.asked_at
    lost = Gap(since, read.asked_at, "the source no longer knows the token")
    begun = Cursor(polls=cursor.polls + 1, interval_ms=cursor.interval_ms, last_ok=cursor.last_ok)
    return Merged(chunks=(Chunk((), begun),), again=True, gap=lost)


def _of_snapshot(
    plan: Plan, cursor: Cursor, read: Read, records: list[Record], known: Mapping[str, Known], settings: Settings
) -> Merged:
    result = snapshot.compared(plan, read, records, known)
    if result.problem is not None:
        return Merged(chunks=(Chunk((), cursor),), problem=result.problem)
    differences, emits = _ripe_ones(plan, cursor, read, result.differences), cursor.started or plan.backfills
    found = [_difference(plan, cursor, one, settings) for one in differences] if emits else []
    end = finished(plan, cursor, replace(cursor, started=True), read, len(found))
    end = _asked_again(end, whole=len(differences) == len(result.differences))
    last = max(0, (len(differences) - 1) // CHUNK * CHUNK)
    chunks = [_piece(cursor, found, differences, at) for at in range(0, last, CHUNK)]
    final = _piece(end, found, differences, last)
    chunks.append(Chunk(final.changes, end, (*final.kept, *result.noted), final.gone))
    return Merged(chunks=tuple(chunks), warnings=_warnings(plan, read, records, strayed=False))


def _ripe_ones(
    plan: Plan, cursor: Cursor, read: Read, differences: tuple[snapshot.Difference, ...]
) -> tuple[snapshot.Difference, ...]:
    """The differences that count now; the snapshot does not learn of the others, so that they are met again."""
    records = ripe(plan, cursor, read, [one.record for one in differences if one.record is not None])
    there = {id(record) for record in records}
    return tuple([one for one in differences if one.record is None or id(one.record) in there])


def _piece(cursor: Cursor, found: list[Found], differences: tuple[snapshot.Difference, ...], at: int) -> Chunk:
    some = differences[at : at + CHUNK]
    kept_ones = tuple([one.known for one in some if one.record is not None])
    gone = tuple([one.known.id for one in some if one.record is None])
    return Chunk(tuple(found[at : at + CHUNK]), cursor, kept_ones, gone)


def _difference(plan: Plan, cursor: Cursor, one: snapshot.Difference, settings: Settings) -> Found:
    record = one.record if one.record is not None else departed(plan, one.known.id, settings)
    change = change_of(plan, record, "DELETED" if is_deleted(plan, record) else one.action)
    own = f"p:{plan.name}:{key_id(one.known.id)}:{one.known.content}:{change.action}:{cursor.polls}"
    identity = (change.identity if change.version and one.record is not None else None) or short(own)
    return Found(replace(change, identity=identity, by_body=False), not cursor.started, record.at)
