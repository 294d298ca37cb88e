"""Whether an event fires a 3rd-party connector."""

import msgspec

from gateway.events.model import Event
from gateway.storage.database import Row
from gateway.thirdparty.model import Fires


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """As much of an event as conditions ask for."""

    id: str
    instance_id: int
    connector: str
    type: str
    action: str
    object_type: str | None

    @classmethod
    def from_row(cls, row: Row) -> "Brief":
        return cls(**{name: row[name] for name in cls.__struct_fields__})


def fits(fires: Fires, event: Event | Brief) -> bool:
    """Whether the event meets every condition; an empty one is met by all."""
    if fires.instance_ids and event.instance_id not in fires.instance_ids:
        return False
    if fires.connectors and event.connector not in fires.connectors:
        return False
    if fires.object_types and event.object_type not in fires.object_types:
        return False
    return not fires.event_types or event.action in fires.event_types or event.type in fires.event_types
