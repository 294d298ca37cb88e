"""What is told of how instances stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from gateway.instances.model import Instance

#: working: switched on, and nothing is known against it. login: somebody has to sign in again. registration, polls,
#: destination: the vendor's webhook, a poller, or the callback URL gives trouble.
Standing = Literal["working", "disabled", "login", "registration", "polls", "destination"]
STANDINGS: tuple[Standing, ...] = get_args(Standing)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which instances are looked for; what is empty asks nothing."""

    search: str = ""
    connector: str = ""
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some instances, the newest first, and whether there are newer and older ones."""

    items: Sequence[Instance]
    newer: bool
    older: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """When the last event came, and how many deliveries are under way and dead."""

    last_event_at: int | None = None
    pending: int = 0
    dead: int = 0


NOTHING = Figures()


@dataclass(frozen=True, slots=True)
class Attempts:
    """How the attempts at a destination went for some time; `reason` is why the last failed one did."""

    ok: int = 0
    failed: int = 0
    reason: str | None = None
    failed_at: int | None = None
