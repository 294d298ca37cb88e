"""What an account used in a stretch of time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """Calls, requests of polls and accepted events, and how many event flows were active at most."""

    calls: int
    polls: int
    events: int
    flows: int

    @property
    def tasks(self) -> int:
        """What is charged: one for each of them."""
        return self.calls + self.polls + self.events
