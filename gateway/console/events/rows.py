"""Lines of the list of events: what was stored, with the names and the attempts that people look for."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.console.shown import cut
from gateway.history import store as history
from gateway.history.cursor import cursor
from gateway.history.model import DeliveryRecord, Listed
from gateway.history.targets.store import instance_names
from gateway.storage.database import Reader


@dataclass(frozen=True, slots=True)
class Line:
    """An event in the list; `place` is the cursor behind it."""

    event: Listed
    instance: str
    delivery: DeliveryRecord | None
    place: str

    @property
    def type(self) -> str:
        return cut(self.event.type)

    @property
    def object(self) -> str:
        """What changed, as far as the connector says."""
        return cut(" ".join(filter(None, (self.event.object_type, self.event.object_id))))

    @property
    def attempts(self) -> int:
        return 0 if self.delivery is None else self.delivery.attempts

    @property
    def due_at(self) -> int | None:
        """When the next attempt is made, where one is to be made."""
        pending = self.delivery is not None and self.delivery.state == "pending"
        return self.delivery.due_at if pending and self.delivery is not None else None


async def lines(reader: Reader, events: Sequence[Listed], about: str) -> list[Line]:
    """The lines of events that the caller was shown, for the list of this name."""
    decided = await history.deciding_deliveries(reader, [one.id for one in events])
    names = await instance_names(reader, {one.instance_id for one in events})
    return [
        Line(one, cut(names.get(one.instance_id, "")), decided.get(one.id), cursor(one.id, about)) for one in events
    ]
