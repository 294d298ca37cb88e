"""The events of a poll: one for every change that it found, and one where changes may have been lost; pure."""

import orjson

from gateway.clock import iso_ms
from gateway.events.model import Event, EventId
from gateway.ids import time_ordered
from gateway.instances.view import InstanceView
from gateway.polling.model import Found, Gap, Plan, Poller

#: The type of the event that says so.
GAP = "polling.gap"


def event_of(view: InstanceView, plan: Plan, found: Found, now: int) -> Event:
    """The event of one change."""
    change, instance = found.change, view.instance
    return Event(
        id=EventId(time_ordered()),
        account_id=instance.account_id,
        instance_id=instance.id,
        connector=instance.connector,
        source=plan.source,
        type=change.type,
        action=change.action,
        object_type=change.object_type,
        object_id=change.object_id,
        occurred_at=change.occurred_at,
        vendor_event_id=change.vendor_event_id,
        identity=change.identity,
        filter_nulls=view.filter_nulls,
        received_at=now,
        backfill=found.backfill,
        payload=change.payload,
    )


def gap_event(view: InstanceView, plan: Plan, row: Poller, gap: Gap, now: int) -> Event:
    """What tells the consumer that changes may have been lost, and of which time."""
    instance = view.instance
    told = {"poller": row.name, "since": iso_ms(gap.since), "until": iso_ms(gap.until), "reason": gap.reason}
    return Event(
        id=EventId(time_ordered()),
        account_id=instance.account_id,
        instance_id=instance.id,
        connector=instance.connector,
        source=plan.source,
        type=GAP,
        action="UNKNOWN",
        object_type=None,
        object_id=None,
        occurred_at=gap.until,
        vendor_event_id=None,
        identity=f"gap:{row.id}:{gap.since}",
        filter_nulls=view.filter_nulls,
        received_at=now,
        payload=orjson.dumps(told),
    )
