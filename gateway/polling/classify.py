"""Whether an object was created, changed or deleted, as far as a list can tell."""

from gateway.catalogue.change_map import Action
from gateway.polling.model import Plan
from gateway.polling.records import Record


def action_of(plan: Plan, record: Record, *, known: bool) -> Action | None:
    """What happened to the object of a record; None where the record itself says so, as an event log does.

    `known`: its id was seen before, so that it cannot be new.
    """
    if is_deleted(plan, record):
        return "DELETED"
    if plan.poll.changes.action is not None:
        return None
    return "CREATED" if not known and _is_young(plan, record) else "UPDATED"


def is_deleted(plan: Plan, record: Record) -> bool:
    """Whether the record says that its object is gone."""
    rules = plan.poll.deleted_when
    if not rules:
        return False
    sources = record.looked_at()
    return any(not texts.isdisjoint(where.texts(sources)) for where, texts in rules)


def _is_young(plan: Plan, record: Record) -> bool:
    poll = plan.poll
    text = poll.created.text(record.looked_at()) if poll.created is not None else None
    created = poll.read_created(text) if text else None
    if created is None or record.at is None:
        return False
    return abs(record.at - created) <= poll.created_tolerance
