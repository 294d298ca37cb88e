"""The first steps from an empty gateway to an event, each of which shows itself done; pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.history.ledgers.model import Ledger


@dataclass(frozen=True, slots=True)
class Step:
    """What to do, where, and whether it is done; an empty path leads nowhere yet."""

    name: str
    path: str
    done: bool


def has_begun(ledger: Ledger) -> bool:
    """Whether an event was ever accepted."""
    return ledger.events["accepted"] > 0


def steps(newest_instance: int | None, ledger: Ledger) -> Sequence[Step]:
    """Three steps; the later ones lead to what is next for the instance that was made last."""
    instance = "" if newest_instance is None else f"/console/instances/{newest_instance}/next"
    return (
        Step("authenticate", "/console/connectors", newest_instance is not None),
        Step("webhook", instance, ledger.events["received"] > 0),
        Step("event", instance, has_begun(ledger)),
    )
