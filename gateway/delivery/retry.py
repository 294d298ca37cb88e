"""When to try again: a pure function of the attempt, the schedule and a roll of the dice."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from gateway.delivery.model import Attempt, Settlement

JITTER = 0.1
GONE = 410


def next_step(
    attempt: Attempt, attempts: int, schedule_ms: Sequence[int], retry_after_cap_ms: int, dice: float, now: int
) -> Settlement:
    """What becomes of a delivery after its `attempts`-th attempt; `dice` is in [0, 1)."""
    if attempt.delivered:
        return Settlement(state="delivered", reason=None, due_at=now)
    if attempt.status == GONE:
        return Settlement(state="dead", reason="gone", due_at=now, switch_off=True)
    if attempt.final:
        return Settlement(state="dead", reason=attempt.reason, due_at=now)
    if attempts > len(schedule_ms):
        return Settlement(state="dead", reason=f"schedule used up; last: {attempt.reason}", due_at=now)
    delay = schedule_ms[attempts - 1] * (1 - JITTER + 2 * JITTER * dice)
    asked = min(attempt.retry_after_ms or 0, retry_after_cap_ms)
    return Settlement(state="pending", reason=attempt.reason, due_at=now + round(max(delay, asked)))


def longest_ms(schedule_ms: Sequence[int], retry_after_cap_ms: int) -> int:
    """The longest time that a delivery may have to wait for its next attempt."""
    return max(math.ceil(max(schedule_ms) * (1 + JITTER)), retry_after_cap_ms)


def retry_after_ms(header: str | None, now: int) -> int | None:
    """Milliseconds that a Retry-After header asks for (RFC 9110: seconds or a date); None where it says nothing."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return int(text[:12]) * 1000
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError, IndexError, TypeError):
        # What the standard library makes of a broken date depends on how it is broken.
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0, round((at - datetime.fromtimestamp(now / 1000, UTC)).total_seconds() * 1000))
