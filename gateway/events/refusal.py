"""What was not accepted, and which check said so; kept apart from events, and bounded under a flood."""

from dataclasses import dataclass

KEPT_PER_SECOND = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A request that did not become an event."""

    id: str
    instance_id: int
    at: int
    check: str
    detail: str
    remote: str
    body_hash: str


class Sampler:
    """Which refusals are kept as rows: some a second and instance; all are counted."""

    def __init__(self) -> None:
        self._second = 0
        self._kept: dict[int, int] = {}

    def keeps(self, instance_id: int, at: int) -> bool:
        """Whether this refusal is kept; asking counts it."""
        if at // 1000 != self._second:
            self._second = at // 1000
            self._kept.clear()
        number = self._kept.get(instance_id, 0) + 1
        self._kept[instance_id] = number
        return number <= KEPT_PER_SECOND
