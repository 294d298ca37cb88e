"""Lists without dates: what differs from the last complete listing was created, changed or deleted."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.catalogue.change import short
from gateway.catalogue.change_map import Action
from gateway.polling.model import Failure, Known, Plan, Read
from gateway.polling.records import Record

#: An object is gone when so many complete listings in a row were without it.
MISSES = 2


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that changed: how it stands in the snapshot now, or that it is gone."""

    action: Action
    known: Known
    record: Record | None


@dataclass(frozen=True, slots=True)
class Compared:
    """What a listing says beside the snapshot; `noted` are objects that are missing for the first time, or are back."""

    differences: tuple[Difference, ...]
    noted: tuple[Known, ...] = ()
    problem: Failure | None = None


def compared(plan: Plan, read: Read, records: list[Record], known: Mapping[str, Known]) -> Compared:
    """The differences, created and changed ones in the order of the list; only a complete listing is believed."""
    if not read.complete:
        return Compared((), problem=Failure("configuration", "the list is longer than one poll may read"))
    listed = {name: record for record in records if (name := short(record.id)) is not None}
    missing = [one for one in known.values() if one.id not in listed]
    problem = _shrunken(plan, known, missing)
    if problem is not None:
        return Compared((), problem=problem)
    changed = [_changed(record, known.get(object_id)) for object_id, record in listed.items()]
    gone = [Difference("DELETED", one, None) for one in missing if one.misses + 1 >= MISSES]
    noted = [Known(one.id, one.content, one.misses + 1) for one in missing if one.misses + 1 < MISSES]
    back = [Known(one.id, one.content) for one in known.values() if one.misses and _is_as_before(one, listed)]
    return Compared((*(one for one in changed if one is not None), *gone), (*noted, *back))


def _shrunken(plan: Plan, known: Mapping[str, Known], missing: list[Known]) -> Failure | None:
    there = sum(not one.misses for one in known.values())
    newly = sum(not one.misses for one in missing)
    if newly <= there * plan.max_shrink:
        return None
    return Failure("malformed", f"{newly} of {there} objects are missing from the list at once, which is not believed")


def _changed(record: Record, before: Known | None) -> Difference | None:
    after = Known(short(record.id) or "", record.content)
    if before is None:
        return Difference("CREATED", after, record)
    return None if before.content == after.content else Difference("UPDATED", after, record)


def _is_as_before(one: Known, listed: Mapping[str, Record]) -> bool:
    record = listed.get(one.id)
    return record is not None and record.content == one.content
