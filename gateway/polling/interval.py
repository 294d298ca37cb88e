"""When a poller's turn comes: its slots, its interval, and what failures of each kind cost."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

from gateway.catalogue.change import short
from gateway.polling.model import Cursor, Failure, Plan, Poller, State, Step

SECOND = 1_000
MINUTE = 60 * SECOND
JITTER = 0.1
MOST_FAILURES = 100
FIRST_WAIT = 5 * SECOND
LONGEST_WAIT = 30 * MINUTE
#: What is wrong in the configuration is tried again this seldom.
SLOW = 30 * MINUTE
#: A source that asks for more is not believed.
LONGEST_ASKED = 60 * MINUTE
EMPTY_POLLS = 5
SLOWER = 1.5


def phase(poller_id: str, interval: int) -> int:
    """Where in its interval a poller's slots lie: the same on every node and after every start."""
    digest = hashlib.blake2b(poller_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest) % max(1, interval)


def first_slot(poller_id: str, interval: int, now: int) -> int:
    """The next slot of a poller that has had none."""
    return now + interval - (now - phase(poller_id, interval)) % interval


def next_slot(planned: int, interval: int, now: int) -> int:
    """The slot after a planned one; those that were missed are left out, since one poll covers them all."""
    if planned + interval > now:
        return planned + interval
    return planned + ((now - planned) // interval + 1) * interval


def wake_up(slot: int, interval: int, dice: float) -> int:
    """When a slot's poller is woken: up to a tenth of the interval later; `dice` is in [0, 1)."""
    return slot + int(interval * JITTER * dice)


def current(plan: Plan, cursor: Cursor) -> int | None:
    """The interval as it is now; None where nobody waits."""
    if plan.interval is None or plan.fixed:
        return plan.interval
    usual = cursor.interval_ms if cursor.interval_ms is not None else plan.interval
    return min(max(usual, plan.poll.interval.min), max(plan.poll.interval.max, plan.interval))


def adapted(plan: Plan, cursor: Cursor, *, found: bool, floor: int | None) -> int | None:
    """The interval after a poll that succeeded: one that a user set is kept, and `floor` is what the source allows."""
    interval = current(plan, cursor)
    if interval is None:
        return None
    if not plan.fixed:
        bounds = plan.poll.interval
        if found:
            interval = max(bounds.min, interval // 2)
        elif cursor.empty_in_a_row and cursor.empty_in_a_row % EMPTY_POLLS == 0:
            interval = min(max(bounds.max, plan.interval or 0), int(interval * SLOWER))
    return max(interval, floor or 0)


def slowest(plan: Plan) -> int | None:
    """The interval of a reconciling poller whose webhook has just proved to be alive."""
    return plan.interval if plan.fixed or plan.interval is None else max(plan.poll.interval.max, plan.interval)


def after_success(
    plan: Plan,
    poller: Poller,
    cursor: Cursor,
    *,
    now: int,
    dice: float,
    again: bool = False,
    floor: int | None = None,
    webhook_alive: bool = False,
) -> Step:
    """What follows from a poll that succeeded; `cursor` is the one after it, and `again`: there is more at once.

    `webhook_alive`: since the last poll a webhook of the instance has brought something.
    """
    interval = adapted(plan, cursor, found=cursor.empty_in_a_row == 0, floor=floor)
    if plan.source == "reconcile" and webhook_alive:
        interval = slowest(plan)
    step = Step(state="ok", reason=None, failures=0, planned_at=None, next_due=now if again else None, interval=None)
    if interval is None:
        return step
    slot = _slot(poller, interval, now)
    due = now if again else wake_up(slot, interval, dice)
    planned = poller.planned_at if again else slot
    return replace(step, planned_at=planned, next_due=due, interval=None if plan.fixed else interval)


def after_failure(plan: Plan, poller: Poller, cursor: Cursor, failure: Failure, *, now: int, dice: float) -> Step:
    """What follows from one that failed; one that only has to wait for its turn at the vendor has not."""
    failures, interval = poller.failures + 1, current(plan, cursor)
    if failure.kind == "waits":
        return _later(poller, cursor, failure, None if interval is None else now)
    stopped = failure.kind == "reauth" or failures >= MOST_FAILURES
    state: State = "reauth" if failure.kind == "reauth" else "disabled" if stopped else "failing"
    wait = _WAITS[failure.kind](failures, dice)
    asked = min(max(0, failure.wait or 0), LONGEST_ASKED)
    return Step(
        state=state,
        reason=short(failure.message[:500]),
        failures=failures,
        planned_at=poller.planned_at,
        next_due=None if stopped or interval is None else now + max(wait, asked),
        interval=cursor.interval_ms,
    )


def _later(poller: Poller, cursor: Cursor, failure: Failure, now: int | None) -> Step:
    """Nothing is known that was not known before; `now` None: it goes on when somebody asks."""
    wait = min(max(SECOND, failure.wait or 0), LONGEST_ASKED)
    return Step(
        state=poller.state,
        reason=poller.reason or short(failure.message[:500]),
        failures=poller.failures,
        planned_at=poller.planned_at,
        next_due=None if now is None else now + wait,
        interval=cursor.interval_ms,
    )


def _slot(poller: Poller, interval: int, now: int) -> int:
    if poller.planned_at is None:
        return first_slot(poller.id, interval, now)
    return next_slot(poller.planned_at, interval, now)


def _doubling(failures: int, dice: float) -> int:
    """Anything up to twice as long with each failure; never at once, so that nobody is hammered."""
    most = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(failures - 1, 20))
    return max(SECOND, int(most * dice))


def _slow(_failures: int, _dice: float) -> int:
    return SLOW


_WAITS: dict[str, Callable[[int, float], int]] = {
    "rate_limited": _doubling,
    "unavailable": _doubling,
    "malformed": _doubling,
    "configuration": _slow,
    "reauth": _slow,
}
