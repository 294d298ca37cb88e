"""What was not accepted, and which check said so; kept apart from events, and bounded under a flood."""

from dataclasses import dataclass
from typing import Literal

NotStored = Literal["refused", "duplicate", "ignored"]
KEPT_PER_SECOND = 10
#: Of all instances together.
KEPT_IN_ALL = 200
#: Changes of one request that have a row each.
MOST_ROWS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A request, or a change that it told of, that did not become an event."""

    id: str
    instance_id: int
    at: int
    check: str
    detail: str
    remote: str
    body_hash: str
    outcome: NotStored = "refused"
    #: What the vendor calls it, as far as the request said so; of a refused one that is nobody's word but the sender's.
    vendor_event_id: str | None = None
    object_id: str | None = None
    #: The event that a duplicate is one of.
    event_id: str | None = None


class Sampler:
    """Which of those that became no event are kept as rows: some a second and instance; all are counted."""

    def __init__(self) -> None:
        self._second = 0
        self._kept: dict[int, int] = {}
        self._in_all = 0

    def keeps(self, instance_id: int, at: int, rows: int = 1) -> bool:
        """Whether a request is kept that makes so many rows; asking counts them where it is."""
        if at // 1000 != self._second:
            self._second, self._in_all = at // 1000, 0
            self._kept.clear()
        number = self._kept.get(instance_id, 0)
        if number >= KEPT_PER_SECOND or self._in_all >= KEPT_IN_ALL:
            return False
        self._kept[instance_id] = number + rows
        self._in_all += rows
        return True
